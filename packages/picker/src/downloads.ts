// The open pieces: started and not yet verified, with the state of every block. A block is free, requested by one or
// more peers, or received. Must not choose between pieces; knows the pieces, not who has them.
// Invariants: `free` blocks are neither requested nor received; `returned` of them were requested before;
// `outstanding` is the sum of copies; a piece is in `askable` exactly while it has a free block.

import { blockCountAt, blockLength, type Geometry } from '@shoal/pieces';
import type { PeerKey } from './peers.ts';

/** In `copies`: the block has arrived. Smaller values count the peers it is requested from; 0 is free. */
export const received = 255;

export interface OpenPiece {
  readonly piece: number;
  readonly blockCount: number;
  /** Number of its first block in the torrent. */
  readonly firstBlock: number;
  /** Per block: peers it is requested from, or `received`. */
  readonly copies: Uint8Array;
  /** Per block: when it was last requested, in milliseconds. */
  readonly askedAt: Float64Array;
  /** Per block: the peer that last let it go unanswered, NaN for none. */
  readonly releasedBy: Float64Array;
  /** A seed has been asked for some of it. */
  fromSeed: boolean;
  /** After a failed check with several contributors one peer alone is asked, so that the next failure has one author. */
  readonly onParole: boolean;
  lastAsked: PeerKey | undefined;
  /** When some block of it was last requested, in milliseconds. */
  lastAskedAt: number;
  /** With a deadline: until then no block of it is late, in milliseconds. */
  notLateBefore: number;
  readonly contributors: PeerKey[];
  free: number;
  returned: number;
  outstanding: number;
  receivedCount: number;
  /** No free block lies below. */
  lowest: number;
  /** No block from here on has been requested. */
  untouched: number;
  /** Place in `askable`, -1 when not there. */
  place: number;
}

/** Block state kept for reuse, in blocks of 17 bytes each: 64 pieces of 16 MiB, or a megabyte. */
const maxPooledBlocks = 65_536;

interface BlockStates {
  readonly copies: Uint8Array;
  readonly askedAt: Float64Array;
  readonly releasedBy: Float64Array;
}

export class Downloads {
  /** Open pieces with a free block, in no order. */
  readonly askable: OpenPiece[] = [];
  /** Copies of blocks requested now, over all pieces. */
  outstanding = 0;
  readonly #geometry: Geometry;
  readonly #blocksPerPiece: number;
  readonly #byPiece = new Map<number, OpenPiece>();
  readonly #pool: BlockStates[] = [];

  constructor(geometry: Geometry) {
    this.#geometry = geometry;
    this.#blocksPerPiece = Math.ceil(geometry.pieceLength / blockLength);
  }

  get size(): number {
    return this.#byPiece.size;
  }

  all(): Iterable<OpenPiece> {
    return this.#byPiece.values();
  }

  of(piece: number): OpenPiece | undefined {
    return this.#byPiece.get(piece);
  }

  /** The open piece that a block, by its number in the torrent, belongs to. */
  ofBlock(blockNumber: number): OpenPiece | undefined {
    return this.#byPiece.get(Math.floor(blockNumber / this.#blocksPerPiece));
  }

  open(piece: number, onParole: boolean): OpenPiece {
    const blockCount = blockCountAt(this.#geometry, piece);
    const { copies, askedAt, releasedBy } = this.#pool.pop() ?? newBlockStates(this.#blocksPerPiece);
    const open: OpenPiece = {
      piece,
      blockCount,
      firstBlock: piece * this.#blocksPerPiece,
      copies: copies.fill(0),
      askedAt,
      releasedBy: releasedBy.fill(Number.NaN),
      fromSeed: false,
      onParole,
      lastAsked: undefined,
      lastAskedAt: Number.NEGATIVE_INFINITY,
      notLateBefore: Number.NEGATIVE_INFINITY,
      contributors: [],
      free: blockCount,
      returned: 0,
      outstanding: 0,
      receivedCount: 0,
      lowest: 0,
      untouched: 0,
      place: -1,
    };
    this.#byPiece.set(piece, open);
    this.#list(open);
    return open;
  }

  /** Nothing of it may be requested any more. */
  close(open: OpenPiece): void {
    this.#unlist(open);
    this.#byPiece.delete(open.piece);
    if (this.#pool.length * this.#blocksPerPiece < maxPooledBlocks) this.#pool.push(statesOf(open));
  }

  /** One more peer is asked for the block. */
  request(open: OpenPiece, block: number, now: number): void {
    if (open.copies[block] === 0) this.#occupy(open, block);
    (open.copies[block] as number)++;
    open.askedAt[block] = now;
    open.lastAskedAt = now;
    open.outstanding++;
    this.outstanding++;
  }

  /** One peer fewer is asked for the block, which has not arrived. */
  release(open: OpenPiece, block: number): void {
    const copies = --(open.copies[block] as number);
    open.outstanding--;
    this.outstanding--;
    if (copies > 0) return;
    open.free++;
    open.returned++;
    if (block < open.lowest) open.lowest = block;
    this.#list(open);
  }

  /** The block has arrived; returns how many copies were requested. */
  receive(open: OpenPiece, block: number, from: PeerKey): number {
    const copies = open.copies[block] as number;
    if (copies === 0) this.#occupy(open, block);
    open.copies[block] = received;
    open.outstanding -= copies;
    this.outstanding -= copies;
    open.receivedCount++;
    if (!open.contributors.includes(from)) open.contributors.push(from);
    return copies;
  }

  #occupy(open: OpenPiece, block: number): void {
    open.free--;
    if (block < open.untouched) open.returned--;
    else this.#touch(open, block);
    if (open.free === 0) this.#unlist(open);
  }

  /** Blocks passed over on the way count as returned: they come before the blocks that follow. */
  #touch(open: OpenPiece, block: number): void {
    open.returned += block - open.untouched;
    open.untouched = block + 1;
  }

  #list(open: OpenPiece): void {
    if (open.place >= 0) return;
    open.place = this.askable.length;
    this.askable.push(open);
  }

  #unlist(open: OpenPiece): void {
    if (open.place < 0) return;
    const last = this.askable.pop() as OpenPiece;
    if (last !== open) {
      this.askable[open.place] = last;
      last.place = open.place;
    }
    open.place = -1;
  }
}

/** The lowest free block to ask this peer for, at or after `from`; -1 when there is none. */
export function freeBlock(open: OpenPiece, peer: PeerKey, from: number, again: boolean): number {
  while (open.lowest < open.blockCount && open.copies[open.lowest] !== 0) open.lowest++;
  for (let block = Math.max(from, open.lowest); block < open.blockCount; block++) {
    if (open.copies[block] === 0 && (again || open.releasedBy[block] !== peer)) return block;
  }
  return -1;
}

/**
 * Whether the piece is on parole with another peer. It is while that peer owes us blocks: once it has sent or dropped
 * them all anybody may go on, for a piece that waits for one peer might wait for ever.
 */
export function isKeptFrom(open: OpenPiece, peer: PeerKey): boolean {
  return open.onParole && open.outstanding > 0 && open.lastAsked !== peer;
}

function statesOf({ copies, askedAt, releasedBy }: OpenPiece): BlockStates {
  return { copies, askedAt, releasedBy };
}

function newBlockStates(blocks: number): BlockStates {
  return {
    copies: new Uint8Array(blocks),
    askedAt: new Float64Array(blocks),
    releasedBy: new Float64Array(blocks),
  };
}
