// Gives files other paths, all of them or none. Decides when a file is renamed and when it is copied, that nothing is
// ever overwritten, and how everything is put back after a failure. Must not know torrents; no handle may be open.
import { constants } from 'node:fs';
import { defaults } from './defaults.ts';
import { StorageError, errnoOf, storageErrorFrom } from './errors.ts';
import type { FilePlace } from './file-layout.ts';
import type { FileFacts, FileSystem, OpenedFile } from './file-system.ts';

/** A file or link that is there, and where it goes. The folders for it are there already. */
export interface Relocated {
  readonly from: FilePlace;
  readonly to: FilePlace;
  readonly facts: FileFacts;
}

export interface RelocationOptions {
  readonly fileSystem: FileSystem;
  /** Runs a disk operation when it is its turn. */
  readonly run: <Result>(operation: () => Promise<Result>) => Promise<Result>;
  /** Whether a copy has holes where its original may have some. */
  readonly keepsHoles: boolean;
  readonly onProgress?: ((movedBytes: number, totalBytes: number) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** @throws StorageError `exists` when something is at one of these places; what the system says. */
export async function requireFree(places: readonly FilePlace[], fileSystem: FileSystem): Promise<void> {
  for (const place of places) {
    if (!(await isTaken(place, fileSystem))) continue;
    throw new StorageError('exists', `cannot use ${place.path}: something is there already; move it away`, {
      path: place.path,
    });
  }
}

async function isTaken(place: FilePlace, fileSystem: FileSystem): Promise<boolean> {
  try {
    await fileSystem.lstat(place.path);
    return true;
  } catch (error) {
    if (errnoOf(error) === 'ENOENT' || errnoOf(error) === 'ENOTDIR') return false;
    throw storageErrorFrom(error, 'look at', place.path);
  }
}

/** One attempt to give files other paths. */
export class Relocation {
  readonly #options: RelocationOptions;
  readonly #files: readonly Relocated[];
  readonly #totalBytes: number;
  #movedBytes = 0;
  readonly #renamed: Relocated[] = [];
  /** What has a whole or partial copy, and its original still. */
  readonly #copied: Relocated[] = [];

  constructor(files: readonly Relocated[], options: RelocationOptions) {
    this.#files = files;
    this.#options = options;
    this.#totalBytes = files.reduce((sum, file) => sum + file.facts.length, 0);
  }

  /**
   * Moves all files; when it resolves, all are in their new places. Resolves with an error when the original of a copy
   * stays behind because it could not be removed.
   * @throws StorageError, or the signal's reason, when everything is where it was, or the error says what is not.
   */
  async run(): Promise<StorageError | undefined> {
    try {
      for (const file of this.#files) await this.#moveOne(file);
      this.#options.signal?.throwIfAborted();
      // While no original is gone, everything can be put back.
      const [first] = this.#copied;
      if (first !== undefined) await this.#removeOriginal(first);
    } catch (error) {
      await this.#putBack(error);
      throw error;
    }
    return this.#removeOriginals(this.#copied.slice(1));
  }

  async #moveOne(file: Relocated): Promise<void> {
    const { fileSystem, signal, run } = this.#options;
    signal?.throwIfAborted();
    await requireFree([file.to], fileSystem);
    if (file.from.linkText !== file.to.linkText) {
      await this.#copyLink(file);
      return;
    }
    try {
      await run(() => fileSystem.rename(file.from.path, file.to.path));
    } catch (error) {
      if (errnoOf(error) !== 'EXDEV') throw storageErrorFrom(error, 'move', file.from.path);
      await (file.from.kind === 'link' ? this.#copyLink(file) : this.#copy(file));
      return;
    }
    this.#renamed.push(file);
    this.#moved(file.facts.length);
  }

  async #copyLink(file: Relocated): Promise<void> {
    const { path, linkText } = file.to;
    await during('create link', path, () => this.#options.fileSystem.symlink(linkText, path));
    this.#copied.push(file);
    this.#moved(file.facts.length);
  }

  async #copy(file: Relocated): Promise<void> {
    const { from, to } = file;
    const { fileSystem } = this.#options;
    const source = await during('read', from.path, () => fileSystem.open(from.path, constants.O_RDONLY, 0));
    try {
      const target = await during('create', to.path, () => fileSystem.open(to.path, makeFlags, to.mode));
      this.#copied.push(file);
      try {
        await this.#copyContent(file, source, target);
      } catch (error) {
        await target.close().catch(nothing);
        throw error;
      }
      await during('close', to.path, () => target.close());
    } finally {
      await source.close().catch(nothing);
    }
  }

  async #copyContent({ from, to, facts }: Relocated, source: OpenedFile, target: OpenedFile): Promise<void> {
    const { run, signal, keepsHoles } = this.#options;
    const buffer = Buffer.alloc(Math.min(defaults.copyBytes, facts.length));
    const zeros = Buffer.alloc(keepsHoles ? buffer.length : 0);
    await during('create', to.path, () => target.truncate(facts.length));
    for (let at = 0; at < facts.length;) {
      signal?.throwIfAborted();
      const room = buffer.subarray(0, Math.min(buffer.length, facts.length - at));
      const count = await during('read', from.path, () => run(() => source.read([room], at)));
      if (count === 0) throw changed(from);
      const bytes = room.subarray(0, count);
      const isHole = keepsHoles && bytes.equals(zeros.subarray(0, count));
      if (!isHole) await during('write', to.path, () => run(() => writeAll(target, bytes, at)));
      at += count;
      this.#moved(count);
    }
    await during('flush', to.path, () => run(() => target.sync()));
  }

  async #removeOriginal({ from }: Relocated): Promise<void> {
    await during('remove', from.path, () => this.#options.fileSystem.unlink(from.path));
  }

  /** The first failure, once all were tried. */
  async #removeOriginals(files: readonly Relocated[]): Promise<StorageError | undefined> {
    let failure: StorageError | undefined;
    for (const file of files) {
      try {
        await this.#removeOriginal(file);
      } catch (error) {
        failure ??= storageErrorFrom(error, 'remove', file.from.path);
      }
    }
    return failure;
  }

  /** @throws StorageError when something is left where it does not belong. */
  async #putBack(cause: unknown): Promise<void> {
    const { fileSystem } = this.#options;
    const left: string[] = [];
    for (const { to } of this.#copied.toReversed()) {
      await fileSystem.unlink(to.path).catch(() => left.push(to.path));
    }
    for (const { from, to } of this.#renamed.toReversed()) {
      await fileSystem.rename(to.path, from.path).catch(() => left.push(to.path));
    }
    const [path] = left;
    if (path === undefined) return;
    const reason = cause instanceof Error ? cause.message : String(cause);
    const message = `${reason}; and ${left.length} files could not be put back, the first is ${path}`;
    throw new StorageError('io', message, { path, cause });
  }

  #moved(bytes: number): void {
    this.#movedBytes += bytes;
    this.#options.onProgress?.(this.#movedBytes, this.#totalBytes);
  }
}

/** Refuses whatever is there, links too. */
const makeFlags: number = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL;

async function during<Result>(verb: string, path: string, perform: () => Promise<Result>): Promise<Result> {
  try {
    return await perform();
  } catch (error) {
    throw storageErrorFrom(error, verb, path);
  }
}

async function writeAll(target: OpenedFile, bytes: Uint8Array, at: number): Promise<void> {
  for (let done = 0; done < bytes.length;) {
    const count = await target.write(bytes.subarray(done), at + done);
    if (count === 0) throw new Error('the system wrote no byte and gave no reason');
    done += count;
  }
}

function changed({ path }: FilePlace): StorageError {
  return new StorageError('short', `cannot move ${path}: it was cut meanwhile; check the torrent again`, { path });
}

/** For failures that cannot matter any more: of a file only read, or about to be removed. */
function nothing(): void {}
