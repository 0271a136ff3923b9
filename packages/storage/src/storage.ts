// What the content of one torrent offers, wherever it is kept. Decides the promises every implementation keeps
// (testing/storage-contract.ts is their test); must not know disks, pieces or hashes.

/**
 * The content of one torrent as a single run of bytes: its files one after another, as BEP 3 numbers them. Offsets and
 * lengths are in bytes from its start. Operations that touch a common byte, one of them a write, take effect in the
 * order of the calls. A range outside the content is the caller's bug: `RangeError`.
 */
export interface Storage extends AsyncDisposable {
  /** Bytes in the whole content, padding included. */
  readonly totalLength: number;

  /**
   * Fills all `targets`, one after another, from `offset`. They belong to the storage until the promise settles, also
   * after an abort.
   * @throws StorageError `not-found`, `short`, `permission`, `unsafe-path`, `closed`, `io`; the signal's reason.
   */
  read(offset: number, targets: readonly Uint8Array[], signal?: AbortSignal): Promise<void>;

  /**
   * Resolves when the operating system has all of `bytes`, which must not change until then. Padding is skipped.
   * @throws StorageError `no-space`, `permission`, `unsafe-path`, `closed`, `io`.
   */
  write(offset: number, bytes: Uint8Array): Promise<void>;

  /**
   * Makes everything that is wanted exist, empty files and links too, as the storage preallocates; of `only`, numbers
   * of files, when it is given. Call it once a check is done and a download begins: afterwards `presence` may not tell
   * what was never written. Aborted or failed, it can be called again and goes on.
   * @throws StorageError `no-space`, `permission`, `unsafe-path`, `closed`, `io`; the signal's reason.
   */
  prepare(only?: Iterable<number>, options?: PrepareOptions): Promise<void>;

  /** What can exist at all, taken now, so that a check reads nothing in vain. */
  presence(): Promise<Presence>;

  /**
   * One for each file of the torrent, taken now; undefined where no file is, for padding and links, and for files that
   * `only`, numbers of files, leaves out. A storage that is no place of files knows none.
   * @throws StorageError `permission`, `closed`, `io`.
   */
  stamps(only?: Iterable<number>): Promise<readonly (FileStamp | undefined)[]>;

  /** Resolves when all that was written before the call has reached the device. */
  flush(): Promise<void>;

  /**
   * Wants exactly the files with a true flag, one for each file of the torrent; a storage begins with all, unless told
   * otherwise. Those that are not wanted are not made, but what is written to them comes back, also after they are
   * wanted again. Waits for operations under way; those called later wait for it. When it fails, nothing has changed.
   * @throws RangeError for another number of flags; StorageError `no-space`, `permission`, `exists`, `closed`, `io`.
   */
  setWanted(wanted: readonly boolean[]): Promise<void>;

  /**
   * Moves everything below another directory, between operations as `setWanted` runs. When it fails, everything is
   * where it was.
   * @throws StorageError `exists` when a file is there already, `no-space`, `permission`, `unsafe-path`, `closed`,
   * `io`; the signal's reason.
   */
  move(directory: string, options?: MoveOptions): Promise<void>;

  /**
   * Gives file number `file` another path below the directory, between operations as `setWanted` runs.
   * @throws RangeError for no file that could have one; StorageError `unsafe-path`, `exists`, `permission`, `closed`, `io`.
   */
  rename(file: number, path: readonly string[]): Promise<void>;

  /** Lets operations under way end, then lets go of everything; not a `flush`. Every later call rejects as `closed`. */
  close(): Promise<void>;
}

export interface PrepareOptions {
  /** Told of bytes that surely have a place on the device now, of those that will; only where that takes time. */
  readonly onProgress?: (preparedBytes: number, totalBytes: number) => void;
  readonly signal?: AbortSignal;
}

export interface MoveOptions {
  /** Told after each step. */
  readonly onProgress?: (movedBytes: number, totalBytes: number) => void;
  /** Stops as long as nothing is lost by that. */
  readonly signal?: AbortSignal;
}

/** What a storage held at one moment. */
export interface Presence {
  /** False only when reading the range would certainly fail. Costs no I/O. */
  mayHold(offset: number, length: number): boolean;
}

/** What tells whether a file is still the one that was left: any change of it changes one of these. */
export interface FileStamp {
  /** Bytes. */
  readonly length: number;
  /** Time of the last change, in nanoseconds since 1970 as the file system tells it. */
  readonly modifiedNs: bigint;
  /** Number of the file on its device. */
  readonly inode: bigint;
}

/** One file of a torrent, as `@shoal/metainfo` gives it. */
export interface StorageFile {
  /** Elements below the storage's directory, safe names only. */
  readonly path: readonly string[];
  /** Bytes. */
  readonly length: number;
  /** BEP 47: filler between files. Never written, reads as zeros. */
  readonly isPadding?: boolean;
  /** An entry without content that nothing is made for, such as a link that leads nowhere. */
  readonly isSkipped?: boolean;
  /** BEP 47: the file is a link to this path, given like `path`. Files with content are never links. */
  readonly symlinkTarget?: readonly string[];
  /** BEP 47: letters, of which `x` makes a new file executable. */
  readonly attributes?: string;
}

/** @throws RangeError unless there is one flag for each of `fileCount` files. */
export function requireFlags(fileCount: number, flags: readonly boolean[]): void {
  if (flags.length !== fileCount)
    throw new RangeError(`${flags.length} flags are not one for each of ${fileCount} files`);
}

/** @throws RangeError unless `offset` and `length` are whole numbers that describe a range of the content. */
export function requireRange(totalLength: number, offset: number, length: number): void {
  if (!Number.isSafeInteger(offset) || offset < 0 || length > totalLength - offset) {
    throw new RangeError(`range of ${length} bytes from ${offset} is not inside the ${totalLength} bytes of content`);
  }
}
