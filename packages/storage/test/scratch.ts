// Folders for tests that are gone afterwards, and a file system that fails as told.
import { mkdtemp, readdir, readFile, readlink, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { onTestFinished } from 'vitest';
import { type FileSystem, nodeFileSystem, type OpenedFile, type Storage } from '../src/index.ts';

/** An empty folder, removed when the running test ends. */
export async function scratchDirectory(): Promise<string> {
  const directory = await mkdtemp(path.join(tmpdir(), 'shoal-storage-'));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  return directory;
}

/** The machine's file system with some calls replaced; `wrap` replaces calls of each opened file. */
export function fileSystemWith(
  replaced: Partial<FileSystem>,
  wrap: (opened: OpenedFile) => Partial<OpenedFile> = () => ({}),
): FileSystem {
  const calls = { ...nodeFileSystem, ...replaced };
  return {
    ...calls,
    async open(at, flags, mode) {
      const opened = await calls.open(at, flags, mode);
      const unchanged: OpenedFile = {
        read: (targets, position) => opened.read(targets, position),
        write: (bytes, position) => opened.write(bytes, position),
        truncate: (length) => opened.truncate(length),
        facts: () => opened.facts(),
        sync: () => opened.sync(),
        close: () => opened.close(),
      };
      return { ...unchanged, ...wrap(opened) };
    },
  };
}

/** An error as the system gives it. */
export function systemError(code: string): Error {
  return Object.assign(new Error(`${code}: as the test wants it`), { code });
}

/** A promise and the function that resolves it. */
export function gate(): { readonly opened: Promise<void>; readonly open: () => void } {
  const { promise, resolve } = Promise.withResolvers<void>();
  return { opened: promise, open: resolve };
}

export function randomBytes(length: number): Uint8Array<ArrayBuffer> {
  return Uint8Array.from({ length }, (_, index) => Math.imul(index + 1, 2_654_435_761) >>> 24);
}

/** One call of a file system, of an open file too. */
export type FileCall = keyof FileSystem | keyof OpenedFile;

/** A fault that a test switches on and off: the error of a call, by its name and the path it is about. */
export interface Faults {
  /** Gives the errno name that the call fails with, or undefined when it succeeds. */
  errnoOf: (call: FileCall, at: string) => string | undefined;
  /** All calls so far, such as `write a`. */
  readonly calls: string[];
}

/** The machine's file system, which fails as `faults` say at that moment. */
export function faultyFileSystem(): { readonly fileSystem: FileSystem; readonly faults: Faults } {
  const faults: Faults = { errnoOf: () => undefined, calls: [] };
  const check = async <Result>(call: FileCall, at: string, perform: () => Promise<Result>): Promise<Result> => {
    faults.calls.push(`${call} ${path.basename(at)}`);
    const errno = faults.errnoOf(call, at);
    if (errno !== undefined) throw systemError(errno);
    return perform();
  };
  const real = nodeFileSystem;
  const fileSystem: FileSystem = {
    open: (at, flags, mode) =>
      check('open', at, async () => {
        const opened = await real.open(at, flags, mode);
        return {
          read: (targets, position) => check('read', at, () => opened.read(targets, position)),
          write: (bytes, position) => check('write', at, () => opened.write(bytes, position)),
          truncate: (length) => check('truncate', at, () => opened.truncate(length)),
          facts: () => check('facts', at, () => opened.facts()),
          sync: () => check('sync', at, () => opened.sync()),
          close: async () => {
            await opened.close();
            await check('close', at, () => Promise.resolve());
          },
        };
      }),
    lstat: (at) => check('lstat', at, () => real.lstat(at)),
    mkdir: (at, options) => check('mkdir', at, () => real.mkdir(at, options)),
    symlink: (target, at) => check('symlink', at, () => real.symlink(target, at)),
    rename: (from, to) => check('rename', from, () => real.rename(from, to)),
    unlink: (at) => check('unlink', at, () => real.unlink(at)),
    rmdir: (at) => check('rmdir', at, () => real.rmdir(at)),
  };
  return { fileSystem, faults };
}

/** Every file and link below a folder, by its path, with its content or what the link says. */
export async function treeOf(directory: string): Promise<Record<string, string>> {
  const tree: Record<string, string> = {};
  for (const entry of await readdir(directory, { recursive: true, withFileTypes: true })) {
    const at = path.join(entry.parentPath, entry.name);
    const name = path.relative(directory, at);
    if (entry.isSymbolicLink()) tree[name] = `-> ${await readlink(at)}`;
    else if (entry.isFile()) tree[name] = await readFile(at, 'latin1');
    else tree[`${name}/`] = '';
  }
  return tree;
}

/** The bytes of a string, one each. */
export function bytesOf(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, 'latin1'));
}

/** What `length` bytes from `offset` read as. */
export async function textAt(storage: Storage, offset: number, length: number): Promise<string> {
  const bytes = new Uint8Array(length);
  await storage.read(offset, [bytes]);
  return Buffer.from(bytes).toString('latin1');
}
