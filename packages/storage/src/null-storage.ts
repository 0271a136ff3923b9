// Content that is nowhere: for benchmarks, which are then about everything but storage. Decides only what reads give.
// Must not do any I/O.
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

export interface NullStorageOptions {
  /** The torrent's files in the order of the metainfo; only lengths and padding count. */
  readonly files: readonly Pick<StorageFile, 'length' | 'isPadding'>[];
  /** Fills `target` with the content from `offset`, padding included; without it all content is zeros, and absent. */
  readonly pattern?: (offset: number, target: Uint8Array) => void;
}

/**
 * Swallows all writes. With a `pattern` everything is there from the start, so that it can be seeded; without one
 * nothing is, so that it can be downloaded, and a read gives zeros.
 */
export class NullStorage implements Storage {
  readonly totalLength: number;
  readonly #isPadding: readonly boolean[];
  readonly #pattern: ((offset: number, target: Uint8Array) => void) | undefined;
  #isClosed = false;

  constructor(options: NullStorageOptions) {
    this.totalLength = options.files.reduce((sum, file) => sum + file.length, 0);
    this.#isPadding = options.files.map((file) => file.isPadding ?? false);
    this.#pattern = options.pattern;
  }

  async read(offset: number, targets: readonly Uint8Array[], signal?: AbortSignal): Promise<void> {
    requireRange(this.totalLength, offset, lengthOfAll(targets));
    this.#requireOpen();
    signal?.throwIfAborted();
    let position = offset;
    for (const target of targets) {
      if (this.#pattern === undefined) target.fill(0);
      else this.#pattern(position, target);
      position += target.length;
    }
  }

  async write(offset: number, bytes: Uint8Array): Promise<void> {
    requireRange(this.totalLength, offset, bytes.length);
    this.#requireOpen();
  }

  async prepare(_only?: Iterable<number>, options: PrepareOptions = {}): Promise<void> {
    this.#requireOpen();
    options.signal?.throwIfAborted();
  }

  async presence(): Promise<Presence> {
    this.#requireOpen();
    const isThere = this.#pattern !== undefined;
    const mayHold = (offset: number, length: number): boolean => {
      requireRange(this.totalLength, offset, length);
      return isThere || length === 0;
    };
    return { mayHold };
  }

  async stamps(): Promise<readonly (FileStamp | undefined)[]> {
    this.#requireOpen();
    return this.#isPadding.map(() => undefined);
  }

  async flush(): Promise<void> {
    this.#requireOpen();
  }

  async setWanted(wanted: readonly boolean[]): Promise<void> {
    this.#requireOpen();
    requireFlags(this.#isPadding.length, wanted);
  }

  async move(_directory: string, options: MoveOptions = {}): Promise<void> {
    this.#requireOpen();
    options.signal?.throwIfAborted();
  }

  async rename(file: number, path: readonly string[]): Promise<void> {
    this.#requireOpen();
    requireNameable(this.#isPadding, file, path);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #requireOpen(): void {
    if (this.#isClosed) throw new StorageError('closed', 'the null storage is closed');
  }
}
