// A naive picker: plain sets, recounted on every question. It does not choose; it says what may be chosen, and keeps
// the books to compare with.

import { deepEqual, equal, ok } from 'node:assert/strict';
import { blocksOf, type Bitfield, type Block, type Geometry } from '@shoal/pieces';

import type { Cancel, Picker } from '../src/index.ts';

interface ModelPeer {
  readonly pieces: Set<number>;
  /** When each block was asked of it, oldest first. */
  readonly reserved: Map<string, number>;
}

interface ModelPiece {
  readonly received: Set<string>;
  readonly contributors: Set<number>;
  readonly touched: Set<string>;
  fromSeed: boolean;
}

export interface Limits {
  readonly endgameCopies: number;
  readonly urgentAfterMs: number;
  readonly deadlineReserve: number;
  maxOpenPieces: number;
}

export interface ModelPick {
  readonly now: number;
  readonly slow: boolean;
}

export class Model {
  readonly peers = new Map<number, ModelPeer>();
  readonly have = new Set<number>();
  readonly held = new Set<number>();
  readonly priorities: number[];
  readonly deadlines = new Map<number, number>();
  readonly open = new Map<number, ModelPiece>();
  readonly geometry: Geometry;
  readonly limits: Limits;
  sequential = false;
  /** When each block was last asked of anybody. */
  readonly #askedAt = new Map<string, number>();

  constructor(geometry: Geometry, limits: Limits) {
    this.geometry = geometry;
    this.limits = limits;
    this.priorities = Array.from({ length: geometry.pieceCount }, () => 4);
  }

  join(peer: number): void {
    this.peers.set(peer, { pieces: new Set(), reserved: new Map() });
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
    const touched = new Set([...reserved.keys()].map(pieceOf));
    reserved.clear();
    for (const piece of touched) {
      if (this.open.get(piece)?.received.size === 0 && this.requestersOfPiece(piece).length === 0)
        this.open.delete(piece);
    }
  }

  /** Checks blocks just picked against the state before the pick, one after the other, and books them. */
  picked(peer: number, blocks: readonly Block[], pick: ModelPick): void {
    const { pieces, reserved } = this.of(peer);
    const oldest = Math.min(...reserved.values());
    const mayCopyBefore = reserved.size === 0 || (reserved.size <= 2 && !pick.slow) ? oldest : Number.NEGATIVE_INFINITY;
    for (const block of blocks) {
      const key = keyOf(block);
      equal(this.isMissing(block), true);
      equal(this.#pickable().includes(block.piece), true);
      equal(pieces.has(block.piece), true);
      equal(reserved.has(key), false);
      if (this.requesters(key).length > 0) this.#checkCopy(block, pick, mayCopyBefore);
      if (!this.open.has(block.piece)) ok(this.open.size < this.#limitFor(block.piece));
      this.#reserve(peer, block, pick.now);
    }
  }

  setPriority(piece: number, priority: number): void {
    this.priorities[piece] = priority;
    if (priority === 0 && !this.isWhole(piece)) this.#close(piece);
  }

  hold(pieces: Iterable<number>): void {
    for (const piece of pieces) {
      this.have.delete(piece);
      this.held.add(piece);
      this.#close(piece);
    }
  }

  verified(piece: number): void {
    this.have.add(piece);
    this.held.delete(piece);
    this.deadlines.delete(piece);
    this.#close(piece);
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
    equal(picker.held, this.held.size);
    for (const [piece, priority] of this.priorities.entries()) {
      equal(picker.priorityOf(piece), priority);
      equal(picker.deadlineOf(piece), this.deadlines.get(piece));
    }
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
        const wanted = lacked.includes(piece) && !this.held.has(piece) && this.isMissing(block);
        equal(picker.wants(piece, block.begin), wanted);
      }
      deepEqual(new Set(picker.contributors(piece)), this.open.get(piece)?.contributors ?? new Set());
    }
    equal(picker.inEndgame, this.#isEndgame());
  }

  of(peer: number): ModelPeer {
    return this.peers.get(peer) as ModelPeer;
  }

  lacked(): number[] {
    const pieces = Array.from({ length: this.geometry.pieceCount }, (_, piece) => piece);
    return pieces.filter((piece) => !this.have.has(piece) && this.priorities[piece] !== 0);
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
    return new Set([...this.peers.values()].flatMap((peer) => [...peer.reserved.keys()]));
  }

  /** Missing wanted blocks that nobody is asked for and somebody may be. */
  unrequested(): Block[] {
    const requested = this.requestedKeys();
    return this.#pickable()
      .flatMap((piece) => blocksOf(this.geometry, piece))
      .filter((block) => this.isMissing(block) && !requested.has(keyOf(block)));
  }

  /** The pieces that the policies allow for the next block of a peer that never let a block go unanswered. */
  allowed(peer: number, randomFirst: boolean, pick: ModelPick): Set<number> {
    const urgent = this.#urgent(peer, pick);
    if (urgent !== undefined) return new Set([urgent]);
    const { pieces } = this.of(peer);
    const free = this.unrequested().filter((block) => pieces.has(block.piece));
    const others = free.filter((block) => !this.deadlines.has(block.piece));
    const first = this.#ordinary(peer, pick.slow ? others : free, randomFirst);
    return first.size > 0 ? first : this.#ordinary(peer, free, randomFirst);
  }

  /** The piece with the earliest deadline that the peer has and of which it may be asked for something. */
  #urgent(peer: number, pick: ModelPick): number | undefined {
    const sorted = [...this.deadlines].toSorted(([a, at], [b, bt]) => at - bt || a - b).map(([piece]) => piece);
    const { pieces, reserved } = this.of(peer);
    return sorted.find((piece) => {
      if (!pieces.has(piece) || (pick.slow && this.count(piece) > 1)) return false;
      if (this.unrequested().some((block) => block.piece === piece))
        return this.open.has(piece) || this.open.size < this.#limitFor(piece);
      if (!this.#pickable().includes(piece)) return false;
      const missing = blocksOf(this.geometry, piece).filter((block) => this.isMissing(block));
      return missing.some((block) => {
        const copies = this.requesters(keyOf(block)).length;
        const allowed = copies < this.limits.endgameCopies && !reserved.has(keyOf(block));
        return allowed && this.#isLate(block, pick.now);
      });
    });
  }

  /** What may be asked of the free blocks without regard to deadlines. */
  #ordinary(peer: number, free: readonly Block[], randomFirst: boolean): Set<number> {
    const isSeed = this.of(peer).pieces.size === this.geometry.pieceCount;
    const started = new Set(free.map((block) => block.piece).filter((piece) => this.open.has(piece)));
    const mayStart = this.open.size < this.limits.maxOpenPieces;
    const fresh = mayStart ? [...new Set(free.map((block) => block.piece))].filter((piece) => !started.has(piece)) : [];
    const rank = (piece: number) => [7 - (this.priorities[piece] as number), this.count(piece)];
    if (this.sequential) {
      const lowest = (piece: number) => [7 - (this.priorities[piece] as number), piece];
      return started.size > 0 ? best([...started], lowest) : best(fresh, lowest);
    }
    const strict = [...started].filter((piece) => !isSeed || this.open.get(piece)?.fromSeed);
    if (strict.length > 0)
      return best(strict, (piece) => [
        7 - (this.priorities[piece] as number),
        this.#returned(piece, free),
        this.#fromSeed(piece),
        this.count(piece),
      ]);
    if (!randomFirst || fresh.length === 0)
      return best([...fresh, ...started], (piece) => [...rank(piece), started.has(piece) ? 0 : 1]);
    const any = best(fresh, (piece) => rank(piece).slice(0, 1));
    const level = (among: Iterable<number>) =>
      Math.max(0, ...[...among].map((piece) => this.priorities[piece] as number));
    return level(started) > level(any) ? best([...started], rank) : any;
  }

  #pickable(): number[] {
    return this.lacked().filter((piece) => !this.held.has(piece));
  }

  #isEndgame(): boolean {
    const noneHeld = this.lacked().every((piece) => !this.held.has(piece));
    return noneHeld && this.unrequested().length === 0 && this.requestedKeys().size > 0;
  }

  #checkCopy(block: Block, { now, slow }: ModelPick, mayCopyBefore: number): void {
    const { endgameCopies } = this.limits;
    ok(this.requesters(keyOf(block)).length < endgameCopies);
    const isUrgent = this.deadlines.has(block.piece) && !(slow && this.count(block.piece) > 1);
    if (isUrgent && this.#isLate(block, now)) return;
    // At the limit of open pieces an idle peer may take over what others do not deliver.
    const isIdle = mayCopyBefore === Number.POSITIVE_INFINITY;
    if (!this.#isEndgame() && isIdle && !slow && this.open.size >= this.limits.maxOpenPieces)
      return ok(this.#isLate(block, now));
    equal(this.#isEndgame(), true);
    ok((this.#askedAt.get(keyOf(block)) as number) < mayCopyBefore);
  }

  #isLate(block: Block, now: number): boolean {
    return now - (this.#askedAt.get(keyOf(block)) ?? now) > this.limits.urgentAfterMs;
  }

  #limitFor(piece: number): number {
    const { maxOpenPieces, deadlineReserve } = this.limits;
    return maxOpenPieces + (this.deadlines.has(piece) ? deadlineReserve : 0);
  }

  /** The piece is not open any more: nothing of it is asked of anybody. */
  #close(piece: number): void {
    this.open.delete(piece);
  }

  #returned(piece: number, free: readonly Block[]): number {
    const touched = this.open.get(piece)?.touched;
    const last = Math.max(-1, ...[...(touched ?? [])].map((key) => Number(key.split('/')[1])));
    return free.some((block) => block.piece === piece && block.begin <= last) ? 0 : 1;
  }

  #fromSeed(piece: number): number {
    return this.open.get(piece)?.fromSeed ? 0 : 1;
  }

  count(piece: number): number {
    return [...this.peers.values()].filter((peer) => peer.pieces.has(piece)).length;
  }

  #reserve(peer: number, block: Block, now: number): void {
    const open = this.#opened(block.piece);
    const { pieces, reserved } = this.of(peer);
    reserved.set(keyOf(block), now);
    this.#askedAt.set(keyOf(block), now);
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
