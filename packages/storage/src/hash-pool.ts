// Hashes off the main thread. Decides what is worth handing to a thread, how many jobs are under way and whose turn is
// next. Must not know pieces, files or peers; what a check does with hashes is piece-check.ts.
import { availableParallelism } from 'node:os';
import type { Bitfield, Geometry } from '@shoal/pieces';
import { copyBytes } from './copy-bytes.ts';
import { defaults } from './defaults.ts';
import { digestsOf } from './digests.ts';
import { HashThreads } from './hash-threads.ts';
import { OperationQueue, requirePositive } from './operation-queue.ts';
import { type CheckOptions, PieceCheck } from './piece-check.ts';
import { SlabPool } from './slab-pool.ts';
import type { Storage } from './storage.ts';

export interface HashPoolOptions {
  /** Threads that hash, each started when the others have work; default one less than there are cores, 1 to 4. */
  readonly concurrency?: number;
  /** Threads that hash while content is checked; default as many as there are cores, 1 to 4, and never below `concurrency`. */
  readonly checkConcurrency?: number;
  /** Buffers that checks read into; default a pool of its own of 8 MiB. Never one whose slabs wait for a check. */
  readonly slabs?: SlabPool;
}

/** SHA-1 for all torrents, on threads of its own. */
export class HashPool implements AsyncDisposable {
  readonly concurrency: number;
  readonly checkConcurrency: number;
  readonly #threads: HashThreads;
  readonly #queue: OperationQueue;
  readonly #slabs: SlabPool;

  /** @throws RangeError when a number of threads is no positive whole number. */
  constructor(options: HashPoolOptions = {}) {
    const cores = availableParallelism();
    this.concurrency = options.concurrency ?? threadsFor(cores - 1);
    requirePositive('concurrency', this.concurrency);
    const checking = options.checkConcurrency ?? (options.concurrency === undefined ? threadsFor(cores) : 1);
    requirePositive('checkConcurrency', checking);
    this.checkConcurrency = Math.max(this.concurrency, checking);
    this.#threads = new HashThreads();
    this.#queue = new OperationQueue({ concurrency: this.checkConcurrency * defaults.jobsPerHashThread });
    this.#slabs = options.slabs ?? new SlabPool({ limitBytes: defaults.checkBytes });
  }

  /**
   * The 20-byte SHA-1 of `bytes`, which must not change until then. From 64 KiB on a thread computes it: where the
   * bytes are when they are a slab's or other shared memory, else on a copy for as long as slabs are free.
   * @throws StorageError `closed`; `thread` when the thread died.
   */
  async sha1(bytes: Uint8Array): Promise<Uint8Array> {
    return this.#digests(this, bytes, bytes.length, this.concurrency);
  }

  /**
   * The pieces whose content in `storage` has the SHA-1 given in `hashes`, 20 bytes a piece; what is missing is not
   * among them. It settles only when all reading has ended.
   * @throws RangeError when hashes, storage and geometry do not belong together; StorageError when the storage fails
   * otherwise than by missing content, or as `sha1` does; the signal's reason.
   */
  async checkPieces(
    storage: Storage,
    geometry: Geometry,
    hashes: Uint8Array,
    options: CheckOptions = {},
  ): Promise<Bitfield> {
    this.#threads.requireOpen();
    const owner = {};
    const resources = {
      digests: (bytes: Uint8Array, partLength: number) =>
        this.#digests(owner, bytes, partLength, this.checkConcurrency),
      slabs: this.#slabs,
      lanes: this.checkConcurrency * 2 + readingLanes,
    };
    return new PieceCheck(resources, storage, geometry, hashes, options).run();
  }

  /** Ends the threads. What they have not answered, and all that is asked later, rejects as `closed`. */
  close(): Promise<void> {
    return this.#threads.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** Owners take turns, so that a check of everything does not hold up the pieces of a download. */
  async #digests(owner: object, bytes: Uint8Array, partLength: number, threads: number): Promise<Uint8Array> {
    this.#threads.requireOpen();
    if (bytes.length < defaults.handOverBytes) return digestsOf(bytes, partLength);
    if (isShared(bytes)) return this.#queue.run(owner, () => this.#threads.digests(bytes, partLength, threads));
    const slab = this.#slabs.take(bytes.length);
    if (slab === undefined) return digestsOf(bytes, partLength);
    try {
      copyBytes(bytes, slab, 0);
      return await this.#queue.run(owner, () => this.#threads.digests(slab, partLength, threads));
    } finally {
      this.#slabs.give(slab);
    }
  }
}

/** Lanes of a check that read, beside two a thread: one whose bytes are being hashed and one whose turn is next. */
const readingLanes = 2;

/** A download leaves a core to the main thread; four threads hash 8 GB/s, more than disks and networks give. */
function threadsFor(cores: number): number {
  return Math.max(1, Math.min(cores, defaults.maxHashThreads));
}

function isShared(bytes: Uint8Array): bytes is Uint8Array<SharedArrayBuffer> {
  return bytes.buffer instanceof SharedArrayBuffer;
}
