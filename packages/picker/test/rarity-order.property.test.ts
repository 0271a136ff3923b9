import { deepEqual, equal, ok } from 'node:assert/strict';
import { Bitfield } from '@shoal/pieces';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ranks, RarityOrder } from '../src/rarity-order.ts';
import { seeded } from './random.ts';

const pieces = 12;
const verbs = ['insert', 'remove', 'raise', 'lower', 'raise', 'insert', 'prefer', 'lower all'] as const;
const single = fc.record({ verb: fc.constantFrom(...verbs), piece: fc.nat(pieces - 1) });
const any = fc.record({
  verb: fc.constantFrom(...verbs, 'scramble', 'refill', 'settle'),
  piece: fc.nat(pieces - 1),
});

test('after any changes the order holds exactly the inserted pieces, by priority and rarity', () => {
  fc.assert(
    fc.property(fc.array(any, { maxLength: 120, size: 'max' }), fc.nat(), (changes, seed) => {
      const play = new Play(seeded(seed));
      for (const { verb, piece } of changes) {
        play.apply(verb, piece);
        if (verb === 'settle') play.check();
      }
      play.order.settle();
      play.check();
    }),
    { numRuns: 200 },
  );
});

test('changes made one by one keep the order without sorting anew', () => {
  fc.assert(
    fc.property(fc.array(single, { maxLength: 60, size: 'max' }), fc.nat(), (changes, seed) => {
      const play = new Play(seeded(seed));
      for (const { verb, piece } of changes) {
        play.apply(verb, piece);
        play.check();
      }
    }),
    { numRuns: 80 },
  );
});

test('sorted at once, equals are in uniformly random order', () => {
  const runs = 20_000;
  const first = [0, 0, 0, 0];
  const random = seeded(11);
  for (let run = 0; run < runs; run++) {
    const order = new RarityOrder(new Uint16Array(4), new Uint8Array(4).fill(4), random);
    order.refill(Bitfield.full(4));
    order.settle();
    (first[order.at(0)] as number)++;
  }
  for (const count of first) expect(Math.abs(count / runs - 0.25)).toBeLessThan(0.015);
});

class Play {
  readonly order: RarityOrder;
  readonly #counts = new Uint16Array(pieces);
  readonly #priorities = new Uint8Array(pieces).fill(4);
  #members = new Set<number>();

  constructor(random: () => number) {
    this.order = new RarityOrder(this.#counts, this.#priorities, random);
  }

  apply(verb: string, piece: number): void {
    const count = this.#counts[piece] as number;
    const isMember = this.#members.has(piece);
    switch (verb) {
      case 'insert':
        if (!isMember) this.#insert(piece);
        break;
      case 'remove':
        if (isMember) this.#remove(piece);
        break;
      case 'prefer':
        if (isMember) this.#remove(piece);
        this.#priorities[piece] = 1 + (((this.#priorities[piece] as number) + piece) % ranks);
        if (isMember) this.#insert(piece);
        break;
      case 'raise':
        this.#counts[piece] = count + 1;
        equal(this.order.raised(piece), isMember);
        break;
      case 'lower':
        if (count === 0) break;
        this.#counts[piece] = count - 1;
        this.order.lowered(piece);
        break;
      case 'lower all':
        if (!this.#counts.every((value) => value > 0)) break;
        for (let other = 0; other < pieces; other++) (this.#counts[other] as number)--;
        this.order.allLowered();
        break;
      default:
        this.#changeMany(verb, piece);
    }
  }

  /** The listing, the groups and the membership, against a recount. */
  check(): void {
    const { order } = this;
    equal(order.length, this.#members.size);
    deepEqual(new Set(order.members.indices()), this.#members);
    const first = pieces - order.length;
    const listed = Array.from({ length: order.length }, (_, index) => order.at(first + index));
    deepEqual(new Set(listed), this.#members);
    for (let rank = 0; rank < ranks; rank++) {
      equal(order.endOf(rank) - first, listed.filter((piece) => this.#rankOf(piece) <= rank).length);
      for (let count = 0; count < 8; count++) {
        const before = listed.filter((piece) => this.#comesBefore(piece, rank, count));
        equal(order.startOf(rank, count) - first, before.length);
        deepEqual(new Set(listed.slice(0, before.length)), new Set(before));
      }
      ok(order.groupsOf(rank) > this.#highestOf(rank));
    }
  }

  #changeMany(verb: string, piece: number): void {
    if (verb === 'settle') this.order.settle();
    if (verb === 'refill') {
      this.#members = new Set([piece, (piece + 5) % pieces, (piece * 7) % pieces]);
      const bits = new Bitfield(pieces);
      for (const member of this.#members) bits.add(member);
      this.order.refill(bits);
    }
    if (verb === 'scramble') {
      this.order.invalidate();
      for (let other = 0; other < pieces; other++) this.#counts[other] = (other * 7 + piece) % 5;
    }
  }

  #insert(piece: number): void {
    this.order.insert(piece);
    this.#members.add(piece);
  }

  #remove(piece: number): void {
    this.order.remove(piece);
    this.#members.delete(piece);
  }

  #rankOf(piece: number): number {
    return ranks - (this.#priorities[piece] as number);
  }

  #comesBefore(piece: number, rank: number, count: number): boolean {
    const own = this.#rankOf(piece);
    return own < rank || (own === rank && (this.#counts[piece] as number) < count);
  }

  #highestOf(rank: number): number {
    const own = [...this.#members].filter((piece) => this.#rankOf(piece) === rank);
    return Math.max(-1, ...own.map((piece) => this.#counts[piece] as number));
  }
}
