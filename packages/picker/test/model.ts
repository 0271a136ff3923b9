// A naive picker: plain sets, recounted on every question. It does not choose; it says what may be chosen, and keeps
// the books to compare with.

import { deepEqual, equal, ok } from 'node:assert/strict';
import { blocksOf, type Bitfield, type Block, type Geometry } from '@shoal/pieces';

import type { Cancel, Picker } from '../src/index.ts';

interface ModelPeer {
  readonly pieces: Set<number>;
  readonly reserved: Set<string>;
  readonly released: Set<string>;
}

interface ModelPiece {
  readonly received: Set<string>;
  readonly contributors: Set<number>;
  readonly touched: Set<string>;
  fromSeed: boolean;
}

export class Model {
  readonly peers = new Map<number, ModelPeer>();
  readonly have = new Set<number>();
  readonly unwanted = new Set<number>();
  readonly open = new Map<number, ModelPiece>();
  readonly geometry: Geometry;
  maxOpenPieces: number;

  constructor(geometry: Geometry, maxOpenPieces: number) {
    this.geometry = geometry;
    this.maxOpenPieces = maxOpenPieces;
  }

  join(peer: number): void {
    this.peers.set(peer, { pieces: new Set(), reserved: new Set(), released: new Set() });
  }

  leave(peer: number): void {
    this.releaseAll(peer);
    this.peers.delete(peer);
  }

  replace(peer: number, bits: Bitfield): void {
    const { pieces } = this.of(peer);
    pieces.clear();
    for (const piece of bits.indices()) pieces.add(piece);
  }

  releaseAll(peer: number): void {
    const { reserved } = this.of(peer);
    const touched = new Set([...reserved].map(pieceOf));
    reserved.clear();
    for (const piece of touched) {
      if (this.open.get(piece)?.received.size === 0 && this.requestersOfPiece(piece).length === 0)
        this.open.delete(piece);
    }
  }

  /** Checks blocks just picked against the state before the pick, one after the other, and books them. */
  picked(peer: number, blocks: readonly Block[], endgameCopies: number): void {
    const state = this.of(peer);
    const idle = state.reserved.size === 0;
    const opened = this.open.size;
    for (const block of blocks) {
      const key = keyOf(block);
      const copies = this.requesters(key).length;
      equal(this.isMissing(block), true);
      equal(this.unwanted.has(block.piece), false);
      equal(state.pieces.has(block.piece), true);
      equal(state.reserved.has(key), false);
      if (copies > 0) {
        equal(idle, true);
        equal(this.unrequested().length, 0);
        ok(copies < endgameCopies);
      }
      this.#reserve(peer, block);
    }
    ok(this.open.size <= Math.max(opened, this.maxOpenPieces));
  }

  receive(peer: number, piece: number, begin: number): void {
    const key = keyOf({ piece, begin });
    const open = this.#opened(piece);
    this.of(peer).reserved.delete(key);
    open.received.add(key);
    open.touched.add(key);
    open.contributors.add(peer);
  }

  /** A cancel is for a request on the books whose block is here or whose piece is no longer open. */
  cancelled(cancels: readonly Cancel[]): void {
    for (const { peer, block } of cancels) {
      equal(this.of(peer).reserved.delete(keyOf(block)), true);
      equal(!this.open.has(block.piece) || this.open.get(block.piece)?.received.has(keyOf(block)), true);
    }
  }

  /** Everything the picker reports, counted anew. */
  compare(picker: Picker): void {
    const { pieceCount } = this.geometry;
    const lacked = this.lacked();
    const counts: number[] = [];
    for (let piece = 0; piece < pieceCount; piece++) {
      counts.push([...this.peers.values()].filter((peer) => peer.pieces.has(piece)).length);
      equal(picker.availability(piece), counts[piece]);
    }
    const copies = Math.min(...counts);
    deepEqual(picker.rarest(), { copies, pieces: counts.filter((count) => count === copies).length });
    deepEqual(new Set(picker.have.indices()), this.have);
    equal(picker.missing, lacked.length);
    equal(picker.complete, lacked.length === 0);
    equal(picker.openPieces, this.open.size);
    for (const [key, peer] of this.peers) {
      equal(
        picker.interesting(key),
        lacked.some((piece) => peer.pieces.has(piece)),
      );
      equal(picker.requested(key), peer.reserved.size);
      equal(picker.pieceCountOf(key), peer.pieces.size);
      equal(picker.isSeed(key), peer.pieces.size === pieceCount);
    }
    for (let piece = 0; piece < pieceCount; piece++) {
      for (const block of blocksOf(this.geometry, piece)) {
        const wanted = lacked.includes(piece) && this.isMissing(block);
        equal(picker.wants(piece, block.begin), wanted);
      }
      deepEqual(new Set(picker.contributors(piece)), this.open.get(piece)?.contributors ?? new Set());
    }
    equal(picker.inEndgame, this.unrequested().length === 0 && this.requestedKeys().size > 0);
  }

  of(peer: number): ModelPeer {
    return this.peers.get(peer) as ModelPeer;
  }

  lacked(): number[] {
    const pieces = Array.from({ length: this.geometry.pieceCount }, (_, piece) => piece);
    return pieces.filter((piece) => !this.have.has(piece) && !this.unwanted.has(piece));
  }

  isMissing(block: Block): boolean {
    return !this.have.has(block.piece) && !this.open.get(block.piece)?.received.has(keyOf(block));
  }

  requesters(key: string): number[] {
    return [...this.peers].filter(([, peer]) => peer.reserved.has(key)).map(([peer]) => peer);
  }

  requestersOfPiece(piece: number): number[] {
    return blocksOf(this.geometry, piece).flatMap((block) => this.requesters(keyOf(block)));
  }

  isWhole(piece: number): boolean {
    return this.open.get(piece)?.received.size === blocksOf(this.geometry, piece).length;
  }

  requestedKeys(): Set<string> {
    return new Set([...this.peers.values()].flatMap((peer) => [...peer.reserved]));
  }

  /** Missing wanted blocks that nobody is asked for. */
  unrequested(): Block[] {
    const requested = this.requestedKeys();
    return this.lacked()
      .flatMap((piece) => blocksOf(this.geometry, piece))
      .filter((block) => this.isMissing(block) && !requested.has(keyOf(block)));
  }

  /** The pieces that the policies allow for the next block of a peer that never let a block go unanswered. */
  allowed(peer: number, randomFirst: boolean): Set<number> {
    const { pieces } = this.of(peer);
    const isSeed = pieces.size === this.geometry.pieceCount;
    const free = this.unrequested().filter((block) => pieces.has(block.piece));
    const started = new Set(free.map((block) => block.piece).filter((piece) => this.open.has(piece)));
    const strict = [...started].filter((piece) => !isSeed || this.open.get(piece)?.fromSeed);
    if (strict.length > 0)
      return best(strict, (piece) => [this.#returned(piece, free), this.#fromSeed(piece), this.#count(piece)]);
    const mayStart = this.open.size < this.maxOpenPieces;
    const fresh = mayStart ? [...new Set(free.map((block) => block.piece))].filter((piece) => !started.has(piece)) : [];
    if (randomFirst && fresh.length > 0) return new Set(fresh);
    return best([...fresh, ...started], (piece) => [this.#count(piece), started.has(piece) ? 0 : 1]);
  }

  #returned(piece: number, free: readonly Block[]): number {
    const touched = this.open.get(piece)?.touched;
    const last = Math.max(-1, ...[...(touched ?? [])].map((key) => Number(key.split('/')[1])));
    return free.some((block) => block.piece === piece && block.begin <= last) ? 0 : 1;
  }

  #fromSeed(piece: number): number {
    return this.open.get(piece)?.fromSeed ? 0 : 1;
  }

  #count(piece: number): number {
    return [...this.peers.values()].filter((peer) => peer.pieces.has(piece)).length;
  }

  #reserve(peer: number, block: Block): void {
    const open = this.#opened(block.piece);
    const { pieces, reserved } = this.of(peer);
    reserved.add(keyOf(block));
    open.touched.add(keyOf(block));
    if (pieces.size === this.geometry.pieceCount) open.fromSeed = true;
  }

  #opened(piece: number): ModelPiece {
    let open = this.open.get(piece);
    if (open === undefined) {
      open = { received: new Set(), contributors: new Set(), touched: new Set(), fromSeed: false };
      this.open.set(piece, open);
    }
    return open;
  }
}

export function keyOf({ piece, begin }: { readonly piece: number; readonly begin: number }): string {
  return `${piece}/${begin}`;
}

export function pieceOf(key: string): number {
  return Number(key.split('/')[0]);
}

/** The pieces of the lowest rank, ranks compared number by number. */
function best(pieces: readonly number[], rank: (piece: number) => number[]): Set<number> {
  let lowest: number[] | undefined;
  let chosen = new Set<number>();
  for (const piece of pieces) {
    const own = rank(piece);
    const order = lowest === undefined ? -1 : compare(own, lowest);
    if (order < 0) chosen = new Set();
    if (order < 0) lowest = own;
    if (order <= 0) chosen.add(piece);
  }
  return chosen;
}

function compare(a: readonly number[], b: readonly number[]): number {
  for (const [index, value] of a.entries()) if (value !== b[index]) return value - (b[index] as number);
  return 0;
}
