// One file of a torrent on disk. Decides how it is opened so that no link is followed, nothing but a plain file is
// touched and its length is exact (clients 62), and that short reads and writes go on. Must not know other files.
import { constants } from 'node:fs';
import { StorageError, errnoOf, storageErrorFrom } from './errors.ts';
import type { FilePlace } from './file-layout.ts';
import type { FileFacts, FileSystem, OpenedFile } from './file-system.ts';
import type { FileMode, Openable, OpenFiles } from './open-files.ts';
import type { RealDirectories } from './real-directories.ts';
import type { FileStamp } from './storage.ts';
import { lengthOfAll, sliceVectors } from './vectors.ts';

/** What the files of one storage share. */
export interface FileEnvironment {
  readonly directories: RealDirectories;
  readonly fileSystem: FileSystem;
  readonly openFiles: OpenFiles;
}

export class StoredFile implements Openable {
  readonly place: FilePlace;
  readonly #environment: FileEnvironment;
  #closeError: StorageError | undefined;
  /** What was opened last, and may still be open. */
  #opened: FileFacts | undefined;

  constructor(place: FilePlace, environment: FileEnvironment) {
    this.place = place;
    this.#environment = environment;
  }

  /** Fills `targets` from `offset`. */
  read(offset: number, targets: readonly Uint8Array[]): Promise<void> {
    return this.#perform('read', 'read', (opened) => this.#readAll(opened, offset, targets));
  }

  /** Writes all `bytes` at `offset`; makes the file and its folders when missing. */
  write(offset: number, bytes: Uint8Array): Promise<void> {
    return this.#perform('write', 'write', (opened) => this.#writeAll(opened, offset, bytes));
  }

  /** Makes the file exist at its exact length; opening for writing does that, which content that is whole need not allow. */
  async create(): Promise<void> {
    if ((await this.lengthOnDisk()) === this.place.length) return;
    await this.#perform('create', 'write', () => Promise.resolve());
  }

  /** Resolves when what was written has reached the device. */
  async flush(): Promise<void> {
    await this.#perform('flush', 'write', (opened) => opened.sync());
    this.throwCloseError();
  }

  /** Bytes on disk, undefined when nothing is there. */
  async lengthOnDisk(): Promise<number | undefined> {
    return (await this.#look())?.length;
  }

  /**
   * What the path leads to now; undefined when that is no file. An open handle on anything else is given up, so that
   * the next use fails, or makes the file anew, instead of working on a file that nobody can see.
   */
  async stamp(): Promise<FileStamp | undefined> {
    try {
      const facts = await this.#look();
      if (facts === undefined || !isSameFile(facts, this.#opened)) this.#environment.openFiles.retire(this);
      if (facts === undefined) return undefined;
      return { length: facts.length, modifiedNs: facts.modifiedNs, inode: facts.inode };
    } catch (error) {
      this.#environment.openFiles.retire(this);
      if (error instanceof StorageError && error.code === 'unsafe-path') return undefined;
      throw error;
    }
  }

  /** Makes the link that the file is. Whatever is there already stays: a link has no content that could be missing. */
  async createLink(): Promise<void> {
    try {
      await this.#environment.directories.create(this.place.parents);
      await this.#environment.fileSystem.symlink(this.place.linkText, this.place.path);
    } catch (error) {
      if (errnoOf(error) !== 'EEXIST') throw storageErrorFrom(error, 'create link', this.place.path);
    }
  }

  /** Throws, once, what went wrong when the file was closed to make room for another. */
  throwCloseError(): void {
    const error = this.#closeError;
    this.#closeError = undefined;
    if (error !== undefined) throw error;
  }

  async open(mode: FileMode): Promise<OpenedFile> {
    const { directories, fileSystem } = this.#environment;
    try {
      await (mode === 'write' ? directories.create(this.place.parents) : directories.require(this.place.parents));
      if (noFollow === 0) await this.#requireNoLink();
      const opened = await fileSystem.open(this.place.path, flagsOf[mode], this.place.mode);
      await this.#makeFit(opened, mode);
      return opened;
    } catch (error) {
      if (errnoOf(error) === 'ENOENT') directories.forget();
      throw error;
    }
  }

  closeFailed(cause: unknown): void {
    this.#closeError ??= storageErrorFrom(cause, 'close', this.place.path);
  }

  /** Facts of the plain file at the path, undefined when nothing is there. */
  async #look(): Promise<FileFacts | undefined> {
    const { directories, fileSystem } = this.#environment;
    try {
      await directories.require(this.place.parents);
      const facts = await fileSystem.lstat(this.place.path);
      if (!facts.isFile) throw this.#notPlain();
      return facts;
    } catch (error) {
      if (errnoOf(error) === 'ENOENT') return undefined;
      throw storageErrorFrom(error, 'look at', this.place.path);
    }
  }

  /** Refuses devices and FIFOs; gives a file that is being written its final length, as a hole where it is new. */
  async #makeFit(opened: OpenedFile, mode: FileMode): Promise<void> {
    try {
      const facts = await opened.facts();
      if (!facts.isFile) throw this.#notPlain();
      if (mode === 'write' && facts.length !== this.place.length) await opened.truncate(this.place.length);
      this.#opened = facts;
    } catch (error) {
      await opened.close();
      throw error;
    }
  }

  async #readAll(opened: OpenedFile, offset: number, targets: readonly Uint8Array[]): Promise<void> {
    const length = lengthOfAll(targets);
    let done = 0;
    while (done < length) {
      const rest = done === 0 ? targets : sliceVectors(targets, done, length - done);
      const count = await opened.read(rest, offset + done);
      if (count === 0) throw this.#short(offset + done);
      done += count;
    }
  }

  async #writeAll(opened: OpenedFile, offset: number, bytes: Uint8Array): Promise<void> {
    let done = 0;
    while (done < bytes.length) {
      const count = await opened.write(done === 0 ? bytes : bytes.subarray(done), offset + done);
      if (count === 0) throw new Error('the system wrote no byte and gave no reason');
      done += count;
    }
  }

  async #perform(verb: string, mode: FileMode, task: (opened: OpenedFile) => Promise<void>): Promise<void> {
    try {
      await this.#environment.openFiles.use(this, mode, task);
    } catch (error) {
      throw storageErrorFrom(error, verb, this.place.path);
    }
  }

  /** Only where open(2) cannot refuse links itself. */
  async #requireNoLink(): Promise<void> {
    try {
      if (!(await this.#environment.fileSystem.lstat(this.place.path)).isFile) throw this.#notPlain();
    } catch (error) {
      if (errnoOf(error) !== 'ENOENT') throw error;
    }
  }

  #notPlain(): StorageError {
    const { path } = this.place;
    return new StorageError('unsafe-path', `cannot use ${path}: it is a link, folder or device; move it away`, {
      path,
    });
  }

  #short(end: number): StorageError {
    const { path, length } = this.place;
    const message = `cannot read ${path}: it ends at or before byte ${end} of ${length}; check the torrent again`;
    return new StorageError('short', message, { path });
  }
}

function isSameFile(one: FileFacts, other: FileFacts | undefined): boolean {
  return one.inode === other?.inode && one.device === other.device;
}

/** Windows lacks both flags. */
const noFollow: number = optionalFlag('O_NOFOLLOW');
/** Without it, opening a FIFO that someone left in a file's place would wait for ever and hold one of Node's threads. */
const nonBlock: number = optionalFlag('O_NONBLOCK');

const flagsOf: Readonly<Record<FileMode, number>> = {
  read: constants.O_RDONLY | noFollow | nonBlock,
  write: constants.O_RDWR | constants.O_CREAT | noFollow | nonBlock,
};

function optionalFlag(name: 'O_NOFOLLOW' | 'O_NONBLOCK'): number {
  const flags: Readonly<Partial<Record<string, number>>> = { ...constants };
  return flags[name] ?? 0;
}
