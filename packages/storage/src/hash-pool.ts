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
  /** Buffers that checks read into; default a pool of its own of 32 MiB. Never one whose slabs wait for a check. */
  readonly slabs?: SlabPool;
}

/** SHA-1 for all torrents, on threads of its own. */
export class HashPool implements AsyncDisposable {
  readonly concurrency: number;
  readonly #threads: HashThreads;
  readonly #queue: OperationQueue;
  readonly #slabs: SlabPool;

  /** @throws RangeError when `concurrency` is no positive whole number. */
  constructor(options: HashPoolOptions = {}) {
    this.concurrency = options.concurrency ?? defaultConcurrency();
    requirePositive('concurrency', this.concurrency);
    this.#threads = new HashThreads(this.concurrency);
    this.#queue = new OperationQueue({ concurrency: this.concurrency * defaults.jobsPerHashThread });
    this.#slabs = options.slabs ?? new SlabPool();
  }

  /**
   * The 20-byte SHA-1 of `bytes`, which must not change until then. From 64 KiB on a thread computes it: where the
   * bytes are when they are a slab's or other shared memory, else on a copy for as long as slabs are free.
   * @throws StorageError `closed`; `thread` when the thread died.
   */
  async sha1(bytes: Uint8Array): Promise<Uint8Array> {
    return this.#digests(this, bytes, bytes.length);
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
      digests: (bytes: Uint8Array, partLength: number) => this.#digests(owner, bytes, partLength),
      slabs: this.#slabs,
      lanes: this.concurrency * 2 + readingLanes,
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
  async #digests(owner: object, bytes: Uint8Array, partLength: number): Promise<Uint8Array> {
    this.#threads.requireOpen();
    if (bytes.length < defaults.handOverBytes) return digestsOf(bytes, partLength);
    if (isShared(bytes)) return this.#queue.run(owner, () => this.#threads.digests(bytes, partLength));
    const slab = this.#slabs.take(bytes.length);
    if (slab === undefined) return digestsOf(bytes, partLength);
    try {
      copyBytes(bytes, slab, 0);
      return await this.#queue.run(owner, () => this.#threads.digests(slab, partLength));
    } finally {
      this.#slabs.give(slab);
    }
  }
}

/** Lanes of a check that read, beside two a thread: one whose bytes are being hashed and one whose turn is next. */
const readingLanes = 2;

/** The main thread and those that read have a core; four hash 8 GB/s, more than disks and networks give. */
function defaultConcurrency(): number {
  return Math.max(1, Math.min(availableParallelism() - 1, defaults.maxHashThreads));
}

function isShared(bytes: Uint8Array): bytes is Uint8Array<SharedArrayBuffer> {
  return bytes.buffer instanceof SharedArrayBuffer;
}
