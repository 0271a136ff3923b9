// One file of a torrent on disk. Decides how it is opened so that no link is followed, nothing but a plain file is
// touched and its length is right (clients 62), that short reads and writes go on, and that a handle on a file which
// is no longer in its place, or that failed, is used no more. Must not know other files.
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

/** How long a file is made when it is opened to be written: to its length, only cut to it, or left alone. */
export type LengthRule = 'exact' | 'at-most' | 'free';

export class StoredFile implements Openable {
  /** An unwanted file is used where it exists, and never made. */
  isWanted = true;
  readonly #environment: FileEnvironment;
  readonly #lengthRule: LengthRule;
  #place: FilePlace;
  #closeError: StorageError | undefined;
  /** What was opened last, and may still be open. */
  #opened: FileFacts | undefined;
  /** Bytes that the file must have after all that was written since it was opened. */
  #leastLength = 0;
  #isRemoved = false;

  constructor(place: FilePlace, environment: FileEnvironment, lengthRule: LengthRule) {
    this.#place = place;
    this.#environment = environment;
    this.#lengthRule = lengthRule;
  }

  get place(): FilePlace {
    return this.#place;
  }

  /** The file is elsewhere now, moved there while it was closed. */
  relocate(place: FilePlace): void {
    this.#place = place;
    this.#opened = undefined;
  }

  /** Fills `targets` from `offset`. */
  read(offset: number, targets: readonly Uint8Array[]): Promise<void> {
    return this.#perform('read', 'read', (opened) => this.#readAll(opened, offset, targets));
  }

  /** Writes all `bytes` at `offset`; makes the file and its folders when missing. */
  write(offset: number, bytes: Uint8Array): Promise<void> {
    return this.#perform('write', 'write', (opened) => this.#writeAll(opened, offset, bytes));
  }

  /**
   * Makes the file exist as long as it has to be now. Opening for writing does that, which content that is whole need
   * not allow.
   */
  async create(): Promise<void> {
    const length = await this.lengthOnDisk();
    if (length === this.place.length) return;
    if (this.#lengthRule !== 'exact' && (length ?? this.place.length) <= this.place.length && this.place.length > 0)
      return;
    await this.#perform('create', 'write', () => Promise.resolve());
  }

  /**
   * Resolves when what was written has reached the device.
   * @throws StorageError `not-found` when the file was removed or replaced since, `short` when it was cut: what was
   * written to it is lost, and the next write makes it anew.
   */
  async flush(): Promise<void> {
    if (this.#isRemoved) return;
    try {
      await this.#requireInPlace();
    } catch (error) {
      this.#letGo();
      throw error;
    }
    await this.#perform('flush', 'write', (opened) => opened.sync());
    this.throwCloseError();
  }

  /** Bytes on disk, undefined when nothing is there. */
  async lengthOnDisk(): Promise<number | undefined> {
    return (await this.facts())?.length;
  }

  /**
   * What the path leads to now; undefined when that is no file. An open handle on anything else is given up, so that
   * the next use fails, or makes the file anew, instead of working on a file that nobody can see.
   */
  async stamp(): Promise<FileStamp | undefined> {
    try {
      const facts = await this.facts();
      if (facts === undefined || !this.#isOpened(facts)) this.#letGo();
      if (facts === undefined) return undefined;
      return { length: facts.length, modifiedNs: facts.modifiedNs, inode: facts.inode };
    } catch (error) {
      this.#letGo();
      if (error instanceof StorageError && error.code === 'unsafe-path') return undefined;
      throw error;
    }
  }

  /** Facts of the plain file at the path, or of the link that it is; undefined when it is not there. */
  async facts(): Promise<FileFacts | undefined> {
    const { directories, fileSystem } = this.#environment;
    try {
      await directories.require(this.place.parents);
      const facts = await fileSystem.lstat(this.place.path);
      if (this.place.kind === 'link') return facts.isLink ? facts : undefined;
      if (!facts.isFile) throw this.#notPlain();
      return facts;
    } catch (error) {
      if (errnoOf(error) === 'ENOENT') return undefined;
      throw storageErrorFrom(error, 'look at', this.place.path);
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

  /** Removes the file, if it is there; nothing is left to flush then. */
  async remove(): Promise<void> {
    await this.#environment.openFiles.release([this]);
    this.#isRemoved = true;
    try {
      await this.#environment.fileSystem.unlink(this.place.path);
    } catch (error) {
      if (errnoOf(error) !== 'ENOENT') throw storageErrorFrom(error, 'remove', this.place.path);
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
    const mayMake = mode === 'write' && this.isWanted;
    try {
      await (mayMake ? directories.create(this.place.parents) : directories.require(this.place.parents));
      if (noFollow === 0) await this.#requireNoLink();
      const flags = flagsOf[mode] | (mayMake ? constants.O_CREAT : 0);
      const opened = await fileSystem.open(this.place.path, flags, this.place.mode);
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

  /** Refuses devices and FIFOs; gives a file that is being written its length, as a hole where it is new. */
  async #makeFit(opened: OpenedFile, mode: FileMode): Promise<void> {
    try {
      const facts = await opened.facts();
      if (!facts.isFile) throw this.#notPlain();
      const length = mode === 'write' ? this.#lengthFor(facts.length) : facts.length;
      if (length !== facts.length) await opened.truncate(length);
      this.#opened = facts;
      this.#isRemoved = false;
      if (mode === 'write') this.#leastLength = length;
    } catch (error) {
      await opened.close();
      throw error;
    }
  }

  #lengthFor(found: number): number {
    if (this.#lengthRule === 'free') return found;
    return this.#lengthRule === 'exact' ? this.place.length : Math.min(found, this.place.length);
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
    if (offset + done > this.#leastLength) this.#leastLength = offset + done;
  }

  async #perform(verb: string, mode: FileMode, task: (opened: OpenedFile) => Promise<void>): Promise<void> {
    try {
      await this.#environment.openFiles.use(this, mode, task);
    } catch (error) {
      // Some handles never recover, such as those that a network file system calls stale: the next use opens anew.
      this.#environment.openFiles.retire(this);
      throw storageErrorFrom(error, verb, this.place.path);
    }
  }

  async #requireInPlace(): Promise<void> {
    const { path } = this.place;
    const least = this.#leastLength;
    const facts = await this.facts();
    if (facts !== undefined && this.#isOpened(facts)) {
      if (facts.length < least) throw this.#short(facts.length);
      return;
    }
    const what = facts === undefined ? 'it was removed' : 'another file took its place';
    const message = `cannot flush ${path}: ${what} while it was written; check the torrent again`;
    throw new StorageError('not-found', message, { path });
  }

  #isOpened(facts: FileFacts): boolean {
    if (this.#opened === undefined) return true;
    return facts.inode === this.#opened.inode && facts.device === this.#opened.device;
  }

  #letGo(): void {
    this.#environment.openFiles.retire(this);
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

/** Windows lacks both flags. */
const noFollow: number = optionalFlag('O_NOFOLLOW');
/** Without it, opening a FIFO that someone left in a file's place would wait for ever and hold one of Node's threads. */
const nonBlock: number = optionalFlag('O_NONBLOCK');

const flagsOf: Readonly<Record<FileMode, number>> = {
  read: constants.O_RDONLY | noFollow | nonBlock,
  write: constants.O_RDWR | noFollow | nonBlock,
};

function optionalFlag(name: 'O_NOFOLLOW' | 'O_NONBLOCK'): number {
  const flags: Readonly<Partial<Record<string, number>>> = { ...constants };
  return flags[name] ?? 0;
}
