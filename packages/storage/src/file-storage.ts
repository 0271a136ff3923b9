// The content of a torrent in files. Decides which files a range touches, the order of operations that overlap, and
// that their number is bounded. How one file is opened and kept safe is stored-file.ts; must not know pieces.
import path from 'node:path';
import { FileMap, type FileSpan } from '@shoal/pieces';
import { StorageError } from './errors.ts';
import { placesOf } from './file-layout.ts';
import { type FileSystem, nodeFileSystem } from './file-system.ts';
import { OpenFiles } from './open-files.ts';
import { OperationQueue } from './operation-queue.ts';
import { RangeOrder } from './range-order.ts';
import { RealDirectories } from './real-directories.ts';
import { type FileStamp, type Presence, type Storage, type StorageFile, requireRange } from './storage.ts';
import { StoredFile } from './stored-file.ts';
import { lengthOfAll, sliceVectors } from './vectors.ts';

export interface FileStorageOptions {
  /** Folder that holds the torrent's file or folder; made at the first write. Relative ones are resolved at `open`. */
  readonly directory: string;
  /** The torrent's files in the order of the metainfo. */
  readonly files: readonly StorageFile[];
  /** The process's budget of open files; default a set of its own of 64. */
  readonly openFiles?: OpenFiles;
  /** The process's budget of disk operations; default a queue of its own. */
  readonly queue?: OperationQueue;
  /** Disk operations under way at once when no `queue` is given; default 8. */
  readonly concurrency?: number;
  /** Default the machine's. */
  readonly fileSystem?: FileSystem;
}

/** What files held at one moment. */
export interface FilePresence extends Presence {
  /** Bytes on disk of each file of the torrent; undefined = missing. All that is no file counts as whole. */
  readonly lengths: readonly (number | undefined)[];
}

/** Keeps a torrent's content in sparse files below one directory, which it never leaves. */
export class FileStorage implements Storage {
  readonly totalLength: number;
  /** Absolute. */
  readonly directory: string;
  readonly #map: FileMap;
  readonly #files: readonly StoredFile[];
  readonly #directories: RealDirectories;
  readonly #openFiles: OpenFiles;
  readonly #queue: OperationQueue;
  readonly #order: RangeOrder = new RangeOrder();
  /** Files written since their last flush. */
  readonly #dirty: Set<StoredFile> = new Set();
  #closed: Promise<void> | undefined;

  /**
   * Touches no file: folders and files are made at the first write to them.
   * @throws StorageError `unsafe-path` when a path could lead outside the directory or two files share one.
   */
  static async open(options: FileStorageOptions): Promise<FileStorage> {
    return new FileStorage(options);
  }

  private constructor(options: FileStorageOptions) {
    this.directory = path.resolve(options.directory);
    const fileSystem = options.fileSystem ?? nodeFileSystem;
    this.#directories = new RealDirectories(this.directory, fileSystem);
    const concurrency = options.concurrency === undefined ? {} : { concurrency: options.concurrency };
    this.#openFiles = options.openFiles ?? new OpenFiles();
    this.#queue = options.queue ?? new OperationQueue(concurrency);
    this.#map = new FileMap(options.files.map((file) => file.length));
    this.totalLength = this.#map.totalLength;
    const environment = { directories: this.#directories, fileSystem, openFiles: this.#openFiles };
    this.#files = placesOf(this.directory, options.files).map((place) => new StoredFile(place, environment));
  }

  async read(offset: number, targets: readonly Uint8Array[], signal?: AbortSignal): Promise<void> {
    const length = lengthOfAll(targets);
    requireRange(this.totalLength, offset, length);
    this.#requireOpen();
    signal?.throwIfAborted();
    await this.#order.run('read', offset, length, () =>
      this.#eachSpan(offset, length, async (file, span) => {
        signal?.throwIfAborted();
        const part = span.length === length ? targets : sliceVectors(targets, span.position, span.length);
        if (file.place.kind === 'padding') for (const target of part) target.fill(0);
        else await file.read(span.offset, part);
      }),
    );
  }

  async write(offset: number, bytes: Uint8Array): Promise<void> {
    requireRange(this.totalLength, offset, bytes.length);
    this.#requireOpen();
    await this.#order.run('write', offset, bytes.length, () =>
      this.#eachSpan(offset, bytes.length, async (file, span) => {
        if (file.place.kind === 'padding') return;
        this.#dirty.add(file);
        await file.write(span.offset, bytes.subarray(span.position, span.position + span.length));
      }),
    );
  }

  /** Makes files of `only`, given by number, or all: at their exact length, so a longer one is cut. */
  async prepare(only?: Iterable<number>): Promise<void> {
    this.#requireOpen();
    const files = only === undefined ? this.#files : Array.from(only, (file) => this.#fileAt(file));
    await settleAll(files.map((file) => this.#queue.run(this, () => prepareFile(file))));
  }

  async presence(): Promise<FilePresence> {
    this.#requireOpen();
    const lengths: (number | undefined)[] = [];
    await settleAll(
      this.#files.map((file, index) =>
        this.#queue.run(this, async () => {
          const { kind, length } = file.place;
          lengths[index] = kind === 'file' ? await file.lengthOnDisk() : length;
        }),
      ),
    );
    const mayHold = (offset: number, length: number): boolean => {
      requireRange(this.totalLength, offset, length);
      return this.#map.spans(offset, length).every((span) => span.offset + span.length <= (lengths[span.file] ?? -1));
    };
    return { lengths, mayHold };
  }

  /**
   * As `Storage` says. Looks where each path leads now, folders included: what was removed, replaced or swapped for a
   * link while open is used no more.
   */
  async stamps(only?: Iterable<number>): Promise<readonly (FileStamp | undefined)[]> {
    this.#requireOpen();
    const asked = only === undefined ? this.#files.keys() : new Set(only);
    const stamps = this.#files.map((): FileStamp | undefined => undefined);
    this.#directories.forget();
    await settleAll(
      Array.from(asked, (index) => {
        const file = this.#fileAt(index);
        return this.#queue.run(this, async () => {
          if (file.place.kind === 'file') stamps[index] = await file.stamp();
        });
      }),
    );
    return stamps;
  }

  async flush(): Promise<void> {
    this.#requireOpen();
    await this.#order.writesSettled();
    const files = [...this.#dirty];
    this.#dirty.clear();
    await settleAll(
      files.map((file) =>
        this.#queue.run(this, async () => {
          try {
            await file.flush();
          } catch (error) {
            this.#dirty.add(file);
            throw error;
          }
        }),
      ),
    );
  }

  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #close(): Promise<void> {
    await this.#order.allSettled();
    await this.#openFiles.release(this.#files);
    for (const file of this.#files) file.throwCloseError();
  }

  /** Runs `perform` for each file's part of a range, side by side, and settles when all are done, failed or not. */
  #eachSpan(
    offset: number,
    length: number,
    perform: (file: StoredFile, span: FileSpan) => Promise<void>,
  ): Promise<void> {
    const spans = this.#map.spans(offset, length);
    return settleAll(spans.map((span) => this.#queue.run(this, () => perform(this.#fileAt(span.file), span))));
  }

  #fileAt(index: number): StoredFile {
    const file = this.#files[index];
    if (file === undefined) throw new RangeError(`file ${index} is not one of ${this.#files.length}`);
    return file;
  }

  #requireOpen(): void {
    if (this.#closed === undefined) return;
    throw new StorageError('closed', `the storage of ${this.directory} is closed`, { path: this.directory });
  }
}

async function prepareFile(file: StoredFile): Promise<void> {
  if (file.place.kind === 'file') await file.create();
  if (file.place.kind === 'link') await file.createLink();
}

/** Waits for all, since buffers must be at rest when the caller gets them back; then throws the first failure. */
async function settleAll(operations: readonly Promise<void>[]): Promise<void> {
  if (operations.length === 1) return operations[0];
  for (const outcome of await Promise.allSettled(operations)) {
    if (outcome.status === 'rejected') throw outcome.reason;
  }
}
