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
   * Makes everything that the torrent describes exist at its exact length, empty files and links too. Call it once a
   * check is done and a download begins: afterwards `presence` cannot tell what was never written.
   */
  prepare(): Promise<void>;

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

  /** Lets operations under way end, then lets go of everything; not a `flush`. Every later call rejects as `closed`. */
  close(): Promise<void>;
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

/** @throws RangeError unless `offset` and `length` are whole numbers that describe a range of the content. */
export function requireRange(totalLength: number, offset: number, length: number): void {
  if (!Number.isSafeInteger(offset) || offset < 0 || length > totalLength - offset) {
    throw new RangeError(`range of ${length} bytes from ${offset} is not inside the ${totalLength} bytes of content`);
  }
}
