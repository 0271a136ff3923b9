// The content of a torrent in files. Decides which files a range touches, the order of operations that overlap, and
// that their number is bounded. How one file is opened and kept safe is stored-file.ts; must not know pieces.
import path from 'node:path';
import { FileMap, type FileSpan } from '@shoal/pieces';
import { Barrier } from './barrier.ts';
import { ByteRanges } from './byte-ranges.ts';
import { StorageError } from './errors.ts';
import { isSomewhere, layoutOf, partNameOf } from './file-layout.ts';
import { FileLocation } from './file-location.ts';
import type { FilePresence, FileStorageOptions } from './file-storage-options.ts';
import { nodeFileSystem } from './file-system.ts';
import { OpenFiles } from './open-files.ts';
import { OperationQueue } from './operation-queue.ts';
import { PartFile } from './part-file.ts';
import { type Preallocation, fillHoles, hasHoles, stretchesOf } from './preallocation.ts';
import { RangeOrder } from './range-order.ts';
import { RealDirectories } from './real-directories.ts';
import {
  type FileStamp,
  type MoveOptions,
  type PrepareOptions,
  type Storage,
  type StorageFile,
  requireFlags,
  requireRange,
} from './storage.ts';
import { StoredFile } from './stored-file.ts';
import { UnwantedFiles } from './unwanted-files.ts';
import { lengthOfAll, sliceVectors } from './vectors.ts';

/** Keeps a torrent's content in files below one directory, which it never leaves. */
export class FileStorage implements Storage {
  readonly totalLength: number;
  readonly #map: FileMap;
  readonly #files: readonly StoredFile[];
  readonly #part: PartFile;
  readonly #unwanted: UnwantedFiles;
  readonly #location: FileLocation;
  readonly #preallocation: Preallocation;
  readonly #directories: RealDirectories;
  readonly #openFiles: OpenFiles;
  readonly #queue: OperationQueue;
  readonly #order: RangeOrder = new RangeOrder();
  readonly #barrier: Barrier = new Barrier();
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
    const fileSystem = options.fileSystem ?? nodeFileSystem;
    const concurrency = options.concurrency === undefined ? {} : { concurrency: options.concurrency };
    this.#openFiles = options.openFiles ?? new OpenFiles();
    this.#queue = options.queue ?? new OperationQueue(concurrency);
    this.#preallocation = options.preallocation ?? 'sparse';
    this.#map = new FileMap(options.files.map((file) => file.length));
    this.totalLength = this.#map.totalLength;
    const root = path.resolve(options.directory);
    this.#directories = new RealDirectories(root, fileSystem);
    const environment = { directories: this.#directories, fileSystem, openFiles: this.#openFiles };
    const files = renamed(options.files, options.paths);
    const layout = layoutOf(root, files, options.partFile ?? partNameOf(options.files));
    const rule = this.#preallocation === 'none' ? 'at-most' : 'exact';
    this.#files = layout.places.map((place) => new StoredFile(place, environment, rule));
    this.#part = new PartFile(new StoredFile(layout.partPlace, environment, 'free'), this.totalLength);
    const run = <Result>(operation: () => Promise<Result>): Promise<Result> => this.#run(operation);
    const parts = { files: this.#files, map: this.#map, part: this.#part, run };
    this.#unwanted = new UnwantedFiles(parts, options.wanted);
    const keepsHoles = this.#preallocation !== 'full';
    this.#location = new FileLocation(layout, { ...environment, ...parts, keepsHoles });
  }

  /** Absolute. */
  get directory(): string {
    return this.#location.directory;
  }

  /**
   * The absolute path of a file, whether it is there or not.
   * @throws RangeError for no file that could have one.
   */
  pathOf(file: number): string {
    return this.#placedFileAt(file).place.path;
  }

  async read(offset: number, targets: readonly Uint8Array[], signal?: AbortSignal): Promise<void> {
    const length = lengthOfAll(targets);
    requireRange(this.totalLength, offset, length);
    this.#requireOpen();
    signal?.throwIfAborted();
    if (this.#barrier.passed !== undefined) await this.#barrier.passed;
    await this.#order.run('read', offset, length, () =>
      this.#eachSpan(offset, length, async (file, span) => {
        signal?.throwIfAborted();
        const part = span.length === length ? targets : sliceVectors(targets, span.position, span.length);
        if (file.place.kind === 'padding') for (const target of part) target.fill(0);
        else if (file.isWanted) await file.read(span.offset, part);
        else await this.#unwanted.read(span.file, span.offset, part);
      }),
    );
  }

  async write(offset: number, bytes: Uint8Array): Promise<void> {
    requireRange(this.totalLength, offset, bytes.length);
    this.#requireOpen();
    if (this.#barrier.passed !== undefined) await this.#barrier.passed;
    await this.#order.run('write', offset, bytes.length, () =>
      this.#eachSpan(offset, bytes.length, async (file, span) => {
        if (file.place.kind === 'padding') return;
        const part = bytes.subarray(span.position, span.position + span.length);
        if (file.isWanted) {
          this.#dirty.add(file);
          await file.write(span.offset, part);
        } else this.#dirty.add(await this.#unwanted.write(span.file, span.offset, part));
      }),
    );
  }

  /**
   * As `Storage` says; a file that is longer than in the torrent is cut. Zeros for `full` are written one stretch after
   * another, between other operations; a `close` ends that.
   */
  async prepare(only?: Iterable<number>, options: PrepareOptions = {}): Promise<void> {
    this.#requireOpen();
    options.signal?.throwIfAborted();
    const indexes = this.#indexes(only);
    await this.#alone(async () => {
      await this.#unwanted.settle();
      await this.#eachFile(indexes, prepareFile);
    });
    if (this.#preallocation === 'full') await this.#fill(indexes, options);
  }

  async presence(): Promise<FilePresence> {
    this.#requireOpen();
    return this.#barrier.share(async () => {
      const lengths: (number | undefined)[] = [];
      const apart = new Set<number>();
      await this.#eachFile(this.#indexes(), async (file, index) => {
        const { kind, length } = file.place;
        lengths[index] = kind === 'file' ? await file.lengthOnDisk() : length;
        if (lengths[index] === undefined && !file.isWanted) apart.add(index);
      });
      const held = apart.size === 0 ? new ByteRanges() : (await this.#unwanted.held()).copy();
      const mayHold = (offset: number, length: number): boolean => {
        requireRange(this.totalLength, offset, length);
        return this.#map.spans(offset, length).every((span) => {
          if (!apart.has(span.file)) return span.offset + span.length <= (lengths[span.file] ?? -1);
          return held.covers(offset + span.position, offset + span.position + span.length);
        });
      };
      return { lengths, mayHold };
    });
  }

  /**
   * As `Storage` says; of an unwanted file that is not there, what the part file has of it. Looks where each path leads
   * now, folders included: what was removed, replaced or swapped for a link while open is used no more.
   */
  async stamps(only?: Iterable<number>): Promise<readonly (FileStamp | undefined)[]> {
    this.#requireOpen();
    const indexes = this.#indexes(only);
    const stamps = this.#files.map((): FileStamp | undefined => undefined);
    await this.#barrier.share(async () => {
      this.#directories.forget();
      await this.#eachFile(indexes, async (file, index) => {
        if (file.place.kind !== 'file') return;
        stamps[index] = await (file.isWanted ? file.stamp() : this.#unwanted.stamp(index));
      });
    });
    return stamps;
  }

  /**
   * As `Storage` says, and notices what became of the files.
   * @throws StorageError also `not-found` or `unsafe-path` when a file is no longer in its place and `short` when it
   * was cut: what was written to it is lost, and said to be lost once, one file at a time.
   */
  async flush(): Promise<void> {
    this.#requireOpen();
    await this.#barrier.share(async () => {
      await this.#order.writesSettled();
      const files = [...this.#dirty];
      this.#dirty.clear();
      this.#directories.forget();
      const errors = new Map<StoredFile, unknown>();
      await this.#each(files, async (file) => {
        await file.flush().catch((error: unknown) => errors.set(file, error));
      });
      const [first, ...others] = files.filter((file) => errors.has(file));
      for (const file of others) this.#dirty.add(file);
      if (first === undefined) return;
      const error = errors.get(first);
      if (!(error instanceof StorageError && lostCodes.has(error.code))) this.#dirty.add(first);
      throw error;
    });
  }

  async setWanted(wanted: readonly boolean[]): Promise<void> {
    this.#requireOpen();
    requireFlags(this.#files.length, wanted);
    const flags = [...wanted];
    await this.#alone(() => this.#unwanted.setWanted(flags));
  }

  /**
   * As `Storage` says: renamed where possible, else copied, which keeps other operations waiting. The folders that are
   * empty after that go, the directory itself stays. When only originals of copies cannot be removed, everything is
   * in the new directory, and the error says so.
   */
  async move(directory: string, options: MoveOptions = {}): Promise<void> {
    this.#requireOpen();
    const target = path.resolve(directory);
    await this.#alone(() => this.#location.move(target, options));
  }

  /** As `Storage` says. A link that the torrent has to this file goes on saying where it was. */
  async rename(file: number, elements: readonly string[]): Promise<void> {
    this.#requireOpen();
    this.#placedFileAt(file);
    const copy = [...elements];
    await this.#alone(() => this.#location.rename(file, copy));
  }

  close(): Promise<void> {
    this.#closed ??= this.#alone(async () => {
      const files = [...this.#files, this.#part.file];
      await this.#openFiles.release(files);
      for (const file of files) file.throwCloseError();
    });
    return this.#closed;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** Zeros where there are holes, between other operations. */
  async #fill(indexes: readonly number[], options: PrepareOptions): Promise<void> {
    const holed: number[] = [];
    await this.#barrier.share(() =>
      this.#eachFile(indexes, async (file, index) => {
        if (file.place.kind === 'file' && file.isWanted && (await hasHoles(file))) holed.push(index);
      }),
    );
    const total = holed.reduce((sum, index) => sum + this.#map.lengthOf(index), 0);
    let done = 0;
    for (const { index, offset, length } of stretchesOf(holed, this.#map)) {
      const file = this.#fileAt(index);
      options.signal?.throwIfAborted();
      this.#requireOpen();
      if (this.#barrier.passed !== undefined) await this.#barrier.passed;
      const fill = async (): Promise<void> => {
        if (!file.isWanted) return;
        this.#dirty.add(file);
        await fillHoles(file, offset, length);
      };
      await this.#order.run('write', this.#map.offsetOf(index) + offset, length, () => this.#run(fill));
      done += length;
      options.onProgress?.(done, total);
    }
  }

  /** Runs `operation` when all that was called before has settled; what is called after waits for it. */
  #alone<Result>(operation: () => Promise<Result>): Promise<Result> {
    return this.#barrier.exclude(() => this.#order.allSettled(), operation);
  }

  #run<Result>(operation: () => Promise<Result>): Promise<Result> {
    return this.#queue.run(this, operation);
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

  #eachFile(indexes: readonly number[], perform: (file: StoredFile, index: number) => Promise<void>): Promise<void> {
    return this.#each(indexes, (index) => perform(this.#fileAt(index), index));
  }

  /**
   * Runs `perform` for all, not more at a time than the queue has places, so that thousands of files are no long pause;
   * throws the first failure once all were tried.
   */
  async #each<Item>(items: Iterable<Item>, perform: (item: Item) => Promise<void>): Promise<void> {
    const rest = items[Symbol.iterator]();
    let failure: { readonly error: unknown } | undefined;
    const lane = async (): Promise<void> => {
      for (let next = rest.next(); next.done !== true; next = rest.next()) {
        const item = next.value;
        try {
          await this.#run(() => perform(item));
        } catch (error) {
          failure ??= { error };
        }
      }
    };
    await Promise.all(Array.from({ length: this.#queue.concurrency }, lane));
    if (failure !== undefined) throw failure.error;
  }

  /** @throws RangeError for a number that is no file's. */
  #indexes(only: Iterable<number> = this.#files.keys()): number[] {
    const indexes = [...new Set(only)];
    for (const index of indexes) this.#fileAt(index);
    return indexes;
  }

  #fileAt(index: number): StoredFile {
    const file = this.#files[index];
    if (file === undefined) throw new RangeError(`file ${index} is not one of ${this.#files.length}`);
    return file;
  }

  #placedFileAt(index: number): StoredFile {
    const file = this.#fileAt(index);
    if (!isSomewhere(file.place)) throw new RangeError(`file ${index} is never made, so it has no path`);
    return file;
  }

  #requireOpen(): void {
    if (this.#closed === undefined) return;
    throw new StorageError('closed', `the storage of ${this.directory} is closed`, { path: this.directory });
  }
}

/** What a flush says of files whose content is gone: there is nothing to try again. */
const lostCodes: ReadonlySet<string> = new Set(['not-found', 'short', 'unsafe-path']);

function renamed(
  files: readonly StorageFile[],
  paths: ReadonlyMap<number, readonly string[]> = new Map(),
): readonly StorageFile[] {
  if (paths.size === 0) return files;
  return files.map((file, index) => ({ ...file, path: paths.get(index) ?? file.path }));
}

async function prepareFile(file: StoredFile): Promise<void> {
  if (!file.isWanted) return;
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
