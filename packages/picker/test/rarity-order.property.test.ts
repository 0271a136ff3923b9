import fc from 'fast-check';
import { expect, test } from 'vitest';
import { RarityOrder } from '../src/rarity-order.ts';
import { seeded } from './random.ts';

const pieces = 12;
const change = fc.record({
  verb: fc.constantFrom('insert', 'remove', 'raise', 'lower', 'raise', 'scramble', 'settle', 'lower all'),
  piece: fc.nat(pieces - 1),
});

test('after any changes the order holds exactly the inserted pieces, rarest first, and knows each place', () => {
  fc.assert(
    fc.property(fc.array(change, { maxLength: 120, size: 'max' }), fc.nat(), (changes, seed) => {
      const counts = new Uint16Array(pieces);
      const order = new RarityOrder(counts, seeded(seed));
      const members = new Set<number>();
      for (const { verb, piece } of changes) {
        apply(order, counts, members, verb, piece);
        if (verb === 'settle') check(order, counts, members);
      }
      order.settle();
      check(order, counts, members);
    }),
    { numRuns: 200 },
  );
});

test('changes made one by one keep the order without sorting anew', () => {
  const single = fc.record({
    verb: fc.constantFrom('insert', 'remove', 'raise', 'lower', 'lower all'),
    piece: fc.nat(pieces - 1),
  });
  fc.assert(
    fc.property(fc.array(single, { maxLength: 60, size: 'max' }), fc.nat(), (changes, seed) => {
      const counts = new Uint16Array(pieces);
      const order = new RarityOrder(counts, seeded(seed));
      const members = new Set<number>();
      for (const { verb, piece } of changes) {
        apply(order, counts, members, verb, piece);
        check(order, counts, members);
      }
    }),
    { numRuns: 80 },
  );
});

test.each(['one by one', 'at once'])('equals are in uniformly random order when they arrive %s', (how) => {
  const runs = 20_000;
  const first = [0, 0, 0, 0];
  const random = seeded(11);
  for (let run = 0; run < runs; run++) {
    const counts = new Uint16Array(4);
    const order = new RarityOrder(counts, random);
    if (how === 'at once') order.invalidate();
    for (let piece = 0; piece < 4; piece++) order.insert(piece);
    order.settle();
    (first[order.at(order.first)] as number)++;
  }
  for (const count of first) expect(Math.abs(count / runs - 0.25)).toBeLessThan(0.015);
});

test('a piece that becomes as common as others takes a random place among them', () => {
  const runs = 20_000;
  const places = [0, 0, 0, 0];
  const random = seeded(12);
  for (let run = 0; run < runs; run++) {
    const counts = Uint16Array.of(0, 1, 1, 1);
    const order = new RarityOrder(counts, random);
    for (let piece = 0; piece < 4; piece++) order.insert(piece);
    counts[0] = 1;
    order.raised(0);
    (places[order.placeOf(0) - order.first] as number)++;
  }
  for (const count of places) expect(Math.abs(count / runs - 0.25)).toBeLessThan(0.015);
});

function apply(order: RarityOrder, counts: Uint16Array, members: Set<number>, verb: string, piece: number): void {
  const count = counts[piece] as number;
  switch (verb) {
    case 'insert':
      if (!members.has(piece)) order.insert(piece);
      members.add(piece);
      break;
    case 'remove':
      if (members.delete(piece)) order.remove(piece);
      break;
    case 'raise':
      counts[piece] = count + 1;
      order.raised(piece);
      break;
    case 'lower':
      if (count === 0) break;
      counts[piece] = count - 1;
      order.lowered(piece);
      break;
    case 'scramble':
      order.invalidate();
      for (let other = 0; other < pieces; other++) counts[other] = (other * 7 + piece) % 5;
      break;
    case 'lower all':
      if (!counts.every((value) => value > 0)) break;
      for (let other = 0; other < pieces; other++) (counts[other] as number)--;
      order.allLowered();
      break;
    case 'settle':
      order.settle();
      break;
  }
}

function check(order: RarityOrder, counts: Uint16Array, members: Set<number>): void {
  expect(order.length).toBe(members.size);
  const listed = Array.from({ length: order.length }, (_, index) => order.at(order.first + index));
  expect(new Set(listed)).toEqual(members);
  for (const [index, piece] of listed.entries()) {
    expect(order.placeOf(piece)).toBe(order.first + index);
    if (index > 0) expect(counts[listed[index - 1] as number]).toBeLessThanOrEqual(counts[piece] as number);
  }
  for (let piece = 0; piece < pieces; piece++) expect(order.has(piece)).toBe(members.has(piece));
  for (let count = 0; count < 8; count++) {
    expect(order.startOf(count) - order.first).toBe(listed.filter((piece) => (counts[piece] as number) < count).length);
  }
}
