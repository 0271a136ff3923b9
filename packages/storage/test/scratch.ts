// Folders for tests that are gone afterwards, and a file system that fails as told.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { onTestFinished } from 'vitest';
import { type FileSystem, nodeFileSystem, type OpenedFile } from '../src/index.ts';

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
