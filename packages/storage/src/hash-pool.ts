// Hashes off the main thread. Decides what is worth handing over and how many hashes run at once.
// Must not know pieces, files or peers; what a check does with hashes is piece-check.ts.
import { hash } from 'node:crypto';
import { availableParallelism } from 'node:os';
import type { Bitfield, Geometry } from '@shoal/pieces';
import { defaults } from './defaults.ts';
import { OperationQueue } from './operation-queue.ts';
import { type CheckOptions, PieceCheck } from './piece-check.ts';
import { SlabPool } from './slab-pool.ts';
import type { Storage } from './storage.ts';

export interface HashPoolOptions {
  /** Hashes under way at once; default the number of cores. Node gives them four threads unless told otherwise. */
  readonly concurrency?: number;
  /** Buffers that checks read into; default a pool of its own of 32 MiB. Never one whose slabs wait for a check. */
  readonly slabs?: SlabPool;
}

/** SHA-1 for all torrents, on all cores. */
export class HashPool {
  readonly concurrency: number;
  readonly #queue: OperationQueue;
  readonly #slabs: SlabPool;

  /** @throws RangeError when `concurrency` is no positive whole number. */
  constructor(options: HashPoolOptions = {}) {
    this.concurrency = options.concurrency ?? availableParallelism();
    this.#queue = new OperationQueue({ concurrency: this.concurrency });
    this.#slabs = options.slabs ?? new SlabPool();
  }

  /** The 20-byte SHA-1 of `bytes`, which must not change until then. Below 64 KiB it is computed on the spot. */
  async sha1(bytes: Uint8Array): Promise<Uint8Array> {
    if (bytes.length < defaults.handOverBytes || !isUnshared(bytes)) {
      return new Uint8Array(hash('sha1', bytes, 'buffer'));
    }
    return this.#queue.run(this, async () => new Uint8Array(await crypto.subtle.digest('SHA-1', bytes)));
  }

  /**
   * The pieces whose content in `storage` has the SHA-1 given in `hashes`, 20 bytes a piece; what is missing is not
   * among them. It settles only when all reading has ended.
   * @throws RangeError when hashes, storage and geometry do not belong together; StorageError when the storage fails
   * otherwise than by missing content; the signal's reason.
   */
  async checkPieces(
    storage: Storage,
    geometry: Geometry,
    hashes: Uint8Array,
    options: CheckOptions = {},
  ): Promise<Bitfield> {
    // Each lane reads, then hashes; twice as many as hashes keeps both the disk and the cores busy.
    const resources = {
      sha1: (bytes: Uint8Array) => this.sha1(bytes),
      slabs: this.#slabs,
      lanes: this.concurrency * 2,
    };
    return new PieceCheck(resources, storage, geometry, hashes, options).run();
  }
}

/** Web Crypto refuses memory that other threads may write. */
function isUnshared(bytes: Uint8Array): bytes is Uint8Array<ArrayBuffer> {
  return bytes.buffer instanceof ArrayBuffer;
}
