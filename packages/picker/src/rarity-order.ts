// The fresh pieces, those one may start: highest priority first, then rarest, in no order among equals. One array grouped
// by priority and count, the start of every group, and each piece's place in the array: a changed count moves a piece
// across one boundary with one swap. Many changes at once only mark the order stale; it is sorted when next read.
// The pieces fill the end of the array, so that taking one of the first moves few others. Invariant while not stale:
// starts[rank][c] is the first place of that rank whose piece has a count of c or more; the last entry is its end.

import { Bitfield } from '@shoal/pieces';
import { highestPriority } from './options.ts';

/** Rank 0 is the highest priority; pieces of priority 0 are not fresh. */
export const ranks: number = highestPriority;

export class RarityOrder {
  readonly #counts: Uint16Array;
  readonly #priorities: Uint8Array;
  readonly #random: () => number;
  readonly #order: Uint32Array;
  readonly #place: Uint32Array;
  #members: Bitfield;
  /** Per rank, group c lies in [starts[c], starts[c + 1]). */
  #starts: number[][];
  #stale = false;

  /** `counts` and `priorities` are read whenever a piece moves. Change a count first, then say so here. */
  constructor(counts: Uint16Array, priorities: Uint8Array, random: () => number) {
    this.#counts = counts;
    this.#priorities = priorities;
    this.#random = random;
    this.#order = new Uint32Array(counts.length);
    this.#place = new Uint32Array(counts.length);
    this.#members = new Bitfield(counts.length);
    this.#starts = Array.from({ length: ranks }, () => [counts.length, counts.length]);
  }

  get length(): number {
    return this.#members.count;
  }

  /** The pieces in it, live. */
  get members(): Bitfield {
    return this.#members;
  }

  has(piece: number): boolean {
    return this.#members.has(piece);
  }

  /** Exactly these pieces are in it from now on. The bitfield is kept. */
  refill(members: Bitfield): void {
    this.#members = members;
    this.#stale = true;
  }

  /** The piece at a place. Meaningful, as all that follow, after `settle`. */
  at(place: number): number {
    return this.#order[place] as number;
  }

  /** One more than the highest count of a group of the rank. */
  groupsOf(rank: number): number {
    return (this.#starts[rank] as number[]).length - 1;
  }

  /** The first place of the rank whose piece has a count of at least `count`: the rank's end when there is none. */
  startOf(rank: number, count: number): number {
    const starts = this.#starts[rank] as number[];
    return starts[Math.min(count, starts.length - 1)] as number;
  }

  endOf(rank: number): number {
    const starts = this.#starts[rank] as number[];
    return starts[starts.length - 1] as number;
  }

  /** The last of every group before moves to the front of it, which frees a place in front of the piece's own group. */
  insert(piece: number): void {
    this.#members.add(piece);
    if (this.#stale) return;
    const [rank, count] = [this.#rankOf(piece), this.#counts[piece] as number];
    let hole = (this.#starts[0] as number[])[0] as number;
    hole--;
    for (let before = 0; before < rank; before++) {
      const starts = this.#starts[before] as number[];
      hole = this.#shiftDown(starts, starts.length - 1, hole);
    }
    this.#reach(rank, count);
    hole = this.#shiftDown(this.#starts[rank] as number[], count, hole);
    this.#put(piece, hole);
  }

  /** The first of its group and of every one before moves up, which frees the first place of all. */
  remove(piece: number): void {
    this.#members.remove(piece);
    if (this.#stale) return;
    const rank = this.#rankOf(piece);
    let hole = this.#shiftUp(this.#starts[rank] as number[], this.#counts[piece] as number, this.#placeOf(piece));
    for (let before = rank - 1; before >= 0; before--) {
      const starts = this.#starts[before] as number[];
      (starts[starts.length - 1] as number)++;
      hole = this.#shiftUp(starts, starts.length - 2, hole);
    }
  }

  /** The piece's count has risen by one; returns whether it is in the order. */
  raised(piece: number): boolean {
    if (!this.has(piece)) return false;
    if (this.#stale) return true;
    const place = this.#placeOf(piece);
    const rank = this.#rankAt(place);
    const count = this.#counts[piece] as number;
    this.#reach(rank, count);
    const starts = this.#starts[rank] as number[];
    const last = (starts[count] as number) - 1;
    starts[count] = last;
    this.#swap(place, last);
    return true;
  }

  /** The piece's count has fallen by one. */
  lowered(piece: number): void {
    if (this.#stale || !this.has(piece)) return;
    const place = this.#placeOf(piece);
    const starts = this.#starts[this.#rankAt(place)] as number[];
    const first = (starts[(this.#counts[piece] as number) + 1] as number)++;
    this.#swap(place, first);
  }

  /** Every count has fallen by one, none below zero: the groups keep their members and only change their number. */
  allLowered(): void {
    if (this.#stale) return;
    for (const starts of this.#starts) if (starts.length > 2) starts.shift();
  }

  /** Any counts may have changed. */
  invalidate(): void {
    this.#stale = true;
  }

  /** Sorts by counting when stale: O(pieces), paid once however many bitfields arrived since the last pick. */
  settle(): void {
    if (!this.#stale) return;
    this.#stale = false;
    const [counts, order, places, priorities] = [this.#counts, this.#order, this.#place, this.#priorities];
    const width = highestOf(counts) + 1;
    const next = new Uint32Array(ranks * width);
    const members = this.#members.bytes;
    for (let piece = 0; piece < counts.length; piece++) {
      if (((members[piece >>> 3] as number) & (0x80 >> (piece & 7))) === 0) continue;
      (next[(ranks - (priorities[piece] as number)) * width + (counts[piece] as number)] as number)++;
    }
    this.#toStarts(next, width);
    for (let piece = 0; piece < counts.length; piece++) {
      if (((members[piece >>> 3] as number) & (0x80 >> (piece & 7))) === 0) continue;
      const group = (ranks - (priorities[piece] as number)) * width + (counts[piece] as number);
      order[(next[group] as number)++] = piece;
    }
    for (const starts of this.#starts) {
      for (let group = 1; group < starts.length; group++) {
        this.#shuffle(starts[group - 1] as number, starts[group] as number);
      }
    }
    for (let place = order.length - this.length; place < order.length; place++) places[order[place] as number] = place;
  }

  /** Turns the sizes of the groups, `width` for each rank, into their first places; keeps these too. */
  #toStarts(sizes: Uint32Array, width: number): void {
    let place = this.#order.length - this.length;
    this.#starts = Array.from({ length: ranks }, (_, rank) => {
      const starts: number[] = [];
      for (let group = rank * width; group < (rank + 1) * width; group++) {
        const size = sizes[group] as number;
        sizes[group] = place;
        starts.push(place);
        place += size;
      }
      starts.push(place);
      while (starts.length > 2 && starts.at(-2) === place) starts.pop();
      return starts;
    });
  }

  #shuffle(from: number, to: number): void {
    const order = this.#order;
    const random = this.#random;
    for (let last = to - 1; last > from; last--) {
      const chosen = from + Math.floor(random() * (last - from + 1));
      const piece = order[last] as number;
      order[last] = order[chosen] as number;
      order[chosen] = piece;
    }
  }

  #rankOf(piece: number): number {
    return ranks - (this.#priorities[piece] as number);
  }

  /** The rank whose section a place is in: found among the few ends, which the processor has at hand. */
  #rankAt(place: number): number {
    let rank = 0;
    while (place >= this.endOf(rank)) rank++;
    return rank;
  }

  /** The groups below `groups` move down by one place, into the hole in front of them; returns the hole that they leave. */
  #shiftDown(starts: number[], groups: number, hole: number): number {
    for (let group = 0; group < groups; group++) {
      starts[group] = hole;
      const last = (starts[group + 1] as number) - 1;
      if (last !== hole) this.#put(this.at(last), hole);
      hole = last;
    }
    starts[groups] = hole;
    return hole;
  }

  /** The groups up to `group` move up by one place, the last into the hole; returns the hole in front of them. */
  #shiftUp(starts: number[], group: number, hole: number): number {
    for (; group >= 0; group--) {
      const first = starts[group] as number;
      if (first !== hole) this.#put(this.at(first), hole);
      starts[group] = first + 1;
      hole = first;
    }
    return hole;
  }

  /** Makes the groups up to `count` exist. */
  #reach(rank: number, count: number): void {
    const starts = this.#starts[rank] as number[];
    while (starts.length < count + 2) starts.push(starts[starts.length - 1] as number);
  }

  #placeOf(piece: number): number {
    return this.#place[piece] as number;
  }

  #swap(a: number, b: number): void {
    const piece = this.at(a);
    this.#put(this.at(b), a);
    this.#put(piece, b);
  }

  #put(piece: number, place: number): void {
    this.#order[place] = piece;
    this.#place[piece] = place;
  }
}

function highestOf(counts: Uint16Array): number {
  let highest = 0;
  for (let piece = 0; piece < counts.length; piece++) highest = Math.max(highest, counts[piece] as number);
  return highest;
}
