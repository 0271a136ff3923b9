// The content of a torrent in memory, for tests, simulations and content that never touches a disk. Decides only where
// bytes lie: pages made at the first write, so an empty storage costs nothing. Must not know pieces.
import { FileMap } from '@shoal/pieces';
import { copyBytes } from './copy-bytes.ts';
import { StorageError } from './errors.ts';
import { requireNameable } from './file-layout.ts';
import {
  type FileStamp,
  type MoveOptions,
  type PrepareOptions,
  type Presence,
  type Storage,
  type StorageFile,
  requireFlags,
  requireRange,
} from './storage.ts';
import { lengthOfAll } from './vectors.ts';

export interface MemoryStorageOptions {
  /** The torrent's files in the order of the metainfo; only lengths and padding count. */
  readonly files: readonly Pick<StorageFile, 'length' | 'isPadding'>[];
}

/** Keeps a torrent's content in memory. What was never written is missing, or zeros after `prepare`. */
export class MemoryStorage implements Storage {
  readonly totalLength: number;
  readonly #map: FileMap;
  readonly #isPadding: readonly boolean[];
  readonly #pages: Map<number, Uint8Array> = new Map();
  #isPrepared = false;
  #isClosed = false;

  constructor(options: MemoryStorageOptions) {
    this.#map = new FileMap(options.files.map((file) => file.length));
    this.#isPadding = options.files.map((file) => file.isPadding ?? false);
    this.totalLength = this.#map.totalLength;
  }

  /** A storage of one file that holds a copy of `bytes`. */
  static holding(bytes: Uint8Array): MemoryStorage {
    const storage = new MemoryStorage({ files: [{ length: bytes.length }] });
    storage.#store(0, bytes);
    return storage;
  }

  async read(offset: number, targets: readonly Uint8Array[], signal?: AbortSignal): Promise<void> {
    requireRange(this.totalLength, offset, lengthOfAll(targets));
    this.#requireOpen();
    signal?.throwIfAborted();
    let position = offset;
    for (const target of targets) {
      this.#load(position, target);
      position += target.length;
    }
  }

  async write(offset: number, bytes: Uint8Array): Promise<void> {
    requireRange(this.totalLength, offset, bytes.length);
    this.#requireOpen();
    for (const span of this.#map.spans(offset, bytes.length)) {
      if (this.#isPadding[span.file] === true) continue;
      this.#store(offset + span.position, bytes.subarray(span.position, span.position + span.length));
    }
  }

  /** Everything or nothing: `only` is for storages that make files. */
  async prepare(_only?: Iterable<number>, options: PrepareOptions = {}): Promise<void> {
    this.#requireOpen();
    options.signal?.throwIfAborted();
    this.#isPrepared = true;
  }

  async presence(): Promise<Presence> {
    this.#requireOpen();
    const isPrepared = this.#isPrepared;
    const held = new Set(this.#pages.keys());
    const mayHold = (offset: number, length: number): boolean => {
      requireRange(this.totalLength, offset, length);
      return isPrepared || this.#contentPages(offset, length).every((page) => held.has(page));
    };
    return { mayHold };
  }

  /** Knows none: nothing here is a file. */
  async stamps(): Promise<readonly (FileStamp | undefined)[]> {
    this.#requireOpen();
    return this.#isPadding.map(() => undefined);
  }

  async flush(): Promise<void> {
    this.#requireOpen();
  }

  /** Changes nothing: memory is taken by what is written. */
  async setWanted(wanted: readonly boolean[]): Promise<void> {
    this.#requireOpen();
    requireFlags(this.#map.fileCount, wanted);
  }

  /** Changes nothing: memory is in no directory. */
  async move(_directory: string, options: MoveOptions = {}): Promise<void> {
    this.#requireOpen();
    options.signal?.throwIfAborted();
  }

  /** Changes nothing, since files here have no names, but refuses what every storage refuses. */
  async rename(file: number, path: readonly string[]): Promise<void> {
    this.#requireOpen();
    requireNameable(this.#isPadding, file, path);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#pages.clear();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #load(offset: number, target: Uint8Array): void {
    for (const run of runsOf(offset, target.length)) {
      const page = this.#pages.get(run.page);
      const part = target.subarray(run.position, run.position + run.length);
      if (page !== undefined) copyBytes(page.subarray(run.begin, run.begin + run.length), part, 0);
      else if (this.#isPrepared || this.#contentPages(offset + run.position, run.length).length === 0) part.fill(0);
      else throw new StorageError('not-found', `nothing was written yet around byte ${offset + run.position}`);
    }
  }

  #store(offset: number, bytes: Uint8Array): void {
    for (const run of runsOf(offset, bytes.length)) {
      let page = this.#pages.get(run.page);
      if (page === undefined) {
        page = new Uint8Array(Math.min(pageLength, this.totalLength - run.page * pageLength));
        this.#pages.set(run.page, page);
      }
      copyBytes(bytes.subarray(run.position, run.position + run.length), page, run.begin);
    }
  }

  /** Numbers of the pages that hold the range's bytes, padding left out. */
  #contentPages(offset: number, length: number): number[] {
    const pages: number[] = [];
    for (const span of this.#map.spans(offset, length)) {
      if (this.#isPadding[span.file] === true) continue;
      for (const run of runsOf(offset + span.position, span.length)) pages.push(run.page);
    }
    return pages;
  }

  #requireOpen(): void {
    if (this.#isClosed) throw new StorageError('closed', 'the storage in memory is closed');
  }
}

/** Bytes a page; a whole piece of the most common length. */
const pageLength: number = 1024 * 1024;

interface PageRun {
  readonly page: number;
  /** Where the run begins in the page. */
  readonly begin: number;
  readonly length: number;
  /** Where the run begins in the range asked for. */
  readonly position: number;
}

function runsOf(offset: number, length: number): PageRun[] {
  const runs: PageRun[] = [];
  for (let position = 0; position < length;) {
    const begin = (offset + position) % pageLength;
    const page = (offset + position - begin) / pageLength;
    const run = { page, begin, length: Math.min(pageLength - begin, length - position), position };
    runs.push(run);
    position += run.length;
  }
  return runs;
}
