// The way of a piece between the network and the disk: gathered in a buffer, hashed, written, and read again in runs of
// blocks for those who ask. Decides what a failure of the disk means; must not know peers, sockets or rates.
import { type Block, type Geometry, pieceLengthAt } from '@shoal/pieces';
import type { HashPool, ResumeJournal, SlabPool, Storage } from '@shoal/storage';
import type { TorrentInput } from '@shoal/torrent';
import type { DiskTrouble } from './disk-trouble.ts';
import type { RunBuffers } from './run-buffers.ts';

export interface PieceWorkParts {
  readonly geometry: Geometry;
  /** 20 bytes a piece. */
  readonly pieceHashes: Uint8Array;
  readonly storage: Storage;
  readonly hashPool: HashPool;
  readonly slabs: SlabPool;
  readonly runBuffers: RunBuffers;
  readonly journal: ResumeJournal | undefined;
  readonly trouble: DiskTrouble;
  readonly answer: (input: TorrentInput) => void;
}

/** Bytes of a SHA-1. */
const digestLength = 20;

export class PieceWork {
  readonly #parts: PieceWorkParts;
  readonly #pieces = new Map<number, Uint8Array<SharedArrayBuffer>>();
  readonly #underWay = new Set<Promise<void>>();
  #bytes = 0;
  /** The chunk that is being taken in, as what copies fast into shared memory. */
  #chunk: Buffer = Buffer.alloc(0);
  #chunkOf: Uint8Array | undefined;

  constructor(parts: PieceWorkParts) {
    this.#parts = parts;
  }

  /** Bytes of the pieces that are being gathered, hashed or written. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Copies `chunk[start, end)` into the buffer of the piece. */
  store(piece: number, begin: number, chunk: Uint8Array, start: number, end: number): void {
    const slab = this.#pieces.get(piece) ?? this.#open(piece);
    // Sockets share one chunk: it is wrapped once. `TypedArray.set` is slow between memory that is not aligned alike.
    if (this.#chunkOf !== chunk) {
      this.#chunkOf = chunk;
      this.#chunk = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length);
    }
    this.#chunk.copy(slab, begin, start, end);
  }

  /** The piece was given up half-way. */
  discard(piece: number): void {
    const slab = this.#pieces.get(piece);
    if (slab === undefined) return;
    this.#pieces.delete(piece);
    this.#bytes -= slab.length;
    this.#parts.slabs.give(slab);
  }

  /** All its blocks are here: hashes and writes it, and answers `piece-checked`. */
  check(piece: number): void {
    this.#track(this.#check(piece));
  }

  /**
   * Reads a run of blocks of one piece and hands over the framed message; whoever takes it calls `done` once its bytes
   * may be used again. Answers `read-failed` when the disk does not give them.
   */
  read(peer: number, blocks: readonly Block[], ready: (message: Uint8Array, done: () => void) => void): void {
    this.#track(this.#read(peer, blocks, ready));
  }

  /** Resolves when nothing is under way; nothing may be asked for meanwhile. */
  async close(): Promise<void> {
    while (this.#underWay.size > 0) await Promise.all(this.#underWay);
    for (const piece of this.#pieces.keys()) this.discard(piece);
  }

  #open(piece: number): Uint8Array<SharedArrayBuffer> {
    const slab = this.#parts.slabs.take(pieceLengthAt(this.#parts.geometry, piece));
    if (slab === undefined) throw new Error(`no buffer for piece ${piece}: more memory is lent than there can be`);
    this.#pieces.set(piece, slab);
    this.#bytes += slab.length;
    return slab;
  }

  async #check(piece: number): Promise<void> {
    const { pieceHashes, trouble, answer } = this.#parts;
    const slab = this.#pieces.get(piece);
    if (slab === undefined) throw new Error(`piece ${piece} is to be checked but was never stored`);
    let outcome: 'stored' | 'corrupt';
    try {
      const digest = await this.#digest(slab);
      const expected = pieceHashes.subarray(piece * digestLength, (piece + 1) * digestLength);
      outcome = equalBytes(digest, expected) ? 'stored' : 'corrupt';
      if (outcome === 'stored')
        await this.#write(piece, slab).catch((error) => trouble.overcome(error, () => this.#write(piece, slab)));
    } catch (error) {
      // The torrent ends in the midst of its trouble: the piece is lost with the buffer.
      this.discard(piece);
      return answer({ type: 'piece-checked', piece, outcome: 'failed', reason: messageOf(error) });
    }
    this.discard(piece);
    if (outcome === 'stored') this.#parts.journal?.verified(piece);
    answer({ type: 'piece-checked', piece, outcome });
  }

  /** A hashing thread that died is replaced by another. */
  #digest(slab: Uint8Array): Promise<Uint8Array> {
    const { hashPool, trouble } = this.#parts;
    return hashPool.sha1(slab).catch((error) => trouble.overcome(error, () => hashPool.sha1(slab)));
  }

  async #write(piece: number, slab: Uint8Array): Promise<void> {
    const { storage, geometry, journal } = this.#parts;
    const signOfLife = journal?.writing();
    if (signOfLife !== undefined) await signOfLife;
    await storage.write(piece * geometry.pieceLength, slab);
  }

  async #read(
    peer: number,
    blocks: readonly Block[],
    ready: (message: Uint8Array, done: () => void) => void,
  ): Promise<void> {
    const [first] = blocks;
    if (first === undefined) return;
    const { storage, runBuffers, geometry, trouble, answer } = this.#parts;
    const { message, targets } = runBuffers.frame(blocks);
    const offset = first.piece * geometry.pieceLength + first.begin;
    try {
      await storage.read(offset, targets);
    } catch (error) {
      runBuffers.give(message);
      let bytes = 0;
      for (const block of blocks) bytes += block.length;
      // One read that is tried again is enough to know when the disk is back.
      if (!trouble.isTroubled) this.#track(this.#probe(error, offset, first.length));
      return answer({ type: 'read-failed', peer, bytes, reason: messageOf(error), blocks });
    }
    ready(message, () => runBuffers.give(message));
  }

  async #probe(failure: unknown, offset: number, length: number): Promise<void> {
    const { storage, trouble } = this.#parts;
    // That the torrent ended first is no news.
    await trouble.overcome(failure, () => storage.read(offset, [new Uint8Array(length)])).catch(() => {});
  }

  #track(work: Promise<void>): void {
    this.#underWay.add(work);
    void work.finally(() => this.#underWay.delete(work));
  }
}

function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, index) => byte === b[index]);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
