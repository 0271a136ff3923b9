// One check of a torrent's pieces against their hashes. Decides how content is read for it: consecutive small pieces
// in one read, several reads at a time, nothing that is certainly missing. Must not know files or threads.
import { Bitfield, type Geometry, pieceLengthAt } from '@shoal/pieces';
import { defaults } from './defaults.ts';
import { digestLength } from './digests.ts';
import { StorageError } from './errors.ts';
import type { SlabPool } from './slab-pool.ts';
import type { Presence, Storage } from './storage.ts';

export interface CheckOptions {
  /** Pieces to check, by number; consecutive ones in rising order are read together. Default all; best a Uint32Array. */
  readonly pieces?: Iterable<number>;
  /** Told of each piece as soon as it is known whether it is good. */
  readonly onPiece?: (piece: number, isGood: boolean) => void;
  /** Told after each run of pieces how many of the `total` are done. */
  readonly onProgress?: (checked: number, total: number) => void;
  readonly signal?: AbortSignal;
}

export interface CheckResources {
  /** 20 bytes for each part of `partLength` bytes. */
  readonly digests: (bytes: Uint8Array, partLength: number) => Promise<Uint8Array>;
  readonly slabs: SlabPool;
  /** Reads and hashes under way at once. */
  readonly lanes: number;
}

export class PieceCheck {
  readonly #resources: CheckResources;
  readonly #storage: Storage;
  readonly #geometry: Geometry;
  readonly #hashes: Uint8Array;
  readonly #options: CheckOptions;
  readonly #pieces: ArrayLike<number> & Iterable<number>;
  readonly #good: Bitfield;
  #checked = 0;

  /** @throws RangeError when hashes, storage, geometry and pieces do not belong together. */
  constructor(
    resources: CheckResources,
    storage: Storage,
    geometry: Geometry,
    hashes: Uint8Array,
    options: CheckOptions,
  ) {
    const { pieceCount, totalLength } = geometry;
    if (hashes.length !== pieceCount * digestLength) {
      throw new RangeError(
        `hashes of ${pieceCount} pieces take ${pieceCount * digestLength} bytes, not ${hashes.length}`,
      );
    }
    if (storage.totalLength !== totalLength) {
      throw new RangeError(`the storage has ${storage.totalLength} bytes, the torrent ${totalLength}`);
    }
    this.#resources = resources;
    this.#storage = storage;
    this.#geometry = geometry;
    this.#hashes = hashes;
    this.#options = options;
    const { pieces = Array(pieceCount).keys() } = options;
    // Millions of them are not copied.
    this.#pieces = pieces instanceof Uint32Array ? pieces : [...pieces];
    this.#good = new Bitfield(pieceCount);
  }

  async run(): Promise<Bitfield> {
    this.#options.signal?.throwIfAborted();
    const runs = this.#runs(await this.#storage.presence());
    const lanes = Array.from({ length: this.#resources.lanes }, () => this.#checkAll(runs));
    for (const outcome of await Promise.allSettled(lanes)) {
      if (outcome.status === 'rejected') throw outcome.reason;
    }
    return this.#good;
  }

  /** All lanes draw from one generator, which ends for all of them when one fails: `for…of` closes it. */
  async #checkAll(runs: Iterable<PieceRun>): Promise<void> {
    for (const run of runs) {
      if (run.mayExist) await this.#checkRun(run);
      for (const piece of piecesIn(run)) this.#options.onPiece?.(piece, this.#good.has(piece));
      this.#checked += run.count;
      this.#options.onProgress?.(this.#checked, this.#pieces.length);
    }
  }

  async #checkRun(run: PieceRun): Promise<void> {
    const { signal } = this.#options;
    const slab = await this.#resources.slabs.acquire(run.length, signal);
    try {
      await this.#storage.read(run.first * this.#geometry.pieceLength, [slab], signal);
      await this.#compare(run, slab);
    } catch (error) {
      if (!isMissing(error)) throw error;
      // The content shrank since `presence`; the pieces before the gap may still be whole.
      if (run.count > 1) await this.#compareOneByOne(run, slab);
    } finally {
      this.#resources.slabs.give(slab);
    }
  }

  async #compareOneByOne(run: PieceRun, slab: Uint8Array): Promise<void> {
    for (const piece of piecesIn(run)) {
      const length = pieceLengthAt(this.#geometry, piece);
      const bytes = slab.subarray(0, length);
      try {
        await this.#storage.read(piece * this.#geometry.pieceLength, [bytes], this.#options.signal);
        await this.#compare({ first: piece, count: 1, length, mayExist: true }, bytes);
      } catch (error) {
        if (!isMissing(error)) throw error;
      }
    }
  }

  /** One job for the whole run: handing over piece by piece would cost more than hashing small ones. */
  async #compare(run: PieceRun, bytes: Uint8Array): Promise<void> {
    const digests = await this.#resources.digests(bytes, this.#geometry.pieceLength);
    for (const [index, piece] of piecesIn(run).entries()) {
      const digest = digests.subarray(index * digestLength, (index + 1) * digestLength);
      if (digest.every((byte, at) => byte === this.#hashes[piece * digestLength + at])) this.#good.add(piece);
    }
  }

  /** Consecutive pieces that are alike in presence, those to be read up to 1 MiB at a time or one piece. */
  *#runs(presence: Presence): Generator<PieceRun, void, undefined> {
    let run: PieceRun | undefined;
    for (const piece of this.#pieces) {
      const length = pieceLengthAt(this.#geometry, piece);
      const mayExist = presence.mayHold(piece * this.#geometry.pieceLength, length);
      if (run !== undefined && continues(run, piece, length, mayExist)) {
        run = { ...run, count: run.count + 1, length: run.length + length };
        continue;
      }
      if (run !== undefined) yield run;
      run = { first: piece, count: 1, length, mayExist };
    }
    if (run !== undefined) yield run;
  }
}

/** Consecutive pieces; `length` in bytes. */
interface PieceRun {
  readonly first: number;
  readonly count: number;
  readonly length: number;
  readonly mayExist: boolean;
}

function continues(run: PieceRun, piece: number, length: number, mayExist: boolean): boolean {
  if (piece !== run.first + run.count || mayExist !== run.mayExist) return false;
  return !mayExist || run.length + length <= defaults.checkRunBytes;
}

function piecesIn(run: PieceRun): number[] {
  return Array.from({ length: run.count }, (_, index) => run.first + index);
}

function isMissing(error: unknown): boolean {
  return error instanceof StorageError && (error.code === 'not-found' || error.code === 'short');
}
