import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Draw } from '../src/memory/draw.ts';
import { mulberry32 } from './random.ts';

test('a draw to the end is a permutation', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 200 }), fc.integer(), (size, seed) => {
      const draw = new Draw(mulberry32(seed), 200);
      // The second draw shows that the first one left nothing behind.
      for (const drawn of [new Uint32Array(size), new Uint32Array(size)]) {
        draw.draw(size, size, drawn);
        expect(Array.from(drawn.toSorted())).toEqual(Array.from({ length: size }, (_, at) => at));
      }
    }),
  );
});

test('a draw from a huge range repeats nothing', () => {
  const draw = new Draw(mulberry32(1), 1000);
  const drawn = new Uint32Array(1000);
  for (const size of [4096, 4097, 5000]) {
    draw.draw(size, 1000, drawn);
    expect(new Set(drawn).size).toBe(1000);
    expect(Math.max(...drawn)).toBeLessThan(size);
  }
});

test('every number is equally likely in every place, in small and in huge ranges', () => {
  for (const size of [5, 1000, 1_000_000]) {
    const draw = new Draw(mulberry32(size), 5);
    const drawn = new Uint32Array(5);
    // Five buckets of the range by five places: 25 equally likely cells.
    const cells = Array.from({ length: 25 }, () => 0);
    const rounds = 20_000;
    for (let round = 0; round < rounds; round++) {
      draw.draw(size, 5, drawn);
      for (let place = 0; place < 5; place++) cells[place * 5 + Math.floor((drawn[place]! * 5) / size)]!++;
    }
    const chiSquare = cells.reduce((sum, count) => sum + (count - rounds / 5) ** 2 / (rounds / 5), 0);
    // At most 20 degrees of freedom: 99.9 % lie below 45.3.
    expect(chiSquare).toBeLessThan(45.3);
  }
});

test('every pair is equally likely', () => {
  const draw = new Draw(mulberry32(3), 2);
  const drawn = new Uint32Array(2);
  const pairs = new Map<string, number>();
  const rounds = 30_000;
  for (let round = 0; round < rounds; round++) {
    draw.draw(6, 2, drawn);
    const pair = drawn.join(',');
    pairs.set(pair, (pairs.get(pair) ?? 0) + 1);
  }
  const chiSquare = [...pairs.values()].reduce((sum, count) => sum + (count - rounds / 30) ** 2 / (rounds / 30), 0);
  expect(pairs.size).toBe(30);
  // 29 degrees of freedom: 99.9 % lie below 58.3.
  expect(chiSquare).toBeLessThan(58.3);
});
