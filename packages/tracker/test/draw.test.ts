import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Draw } from '../src/memory/draw.ts';
import { mulberry32 } from './random.ts';

test('a draw to the end is a permutation', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 200 }), fc.integer(), (size, seed) => {
      const draw = new Draw(mulberry32(seed), 200);
      draw.start(size);
      const numbers = Array.from({ length: size }, () => draw.next());
      expect(numbers.toSorted((one, other) => one - other)).toEqual(Array.from({ length: size }, (_, at) => at));
    }),
  );
});

test('every number is equally likely in every place, in small and in huge ranges', () => {
  for (const size of [5, 1000, 1_000_000]) {
    const draw = new Draw(mulberry32(size), 5);
    // Five buckets of the range by five places: 25 equally likely cells.
    const cells = Array.from({ length: 25 }, () => 0);
    const rounds = 20_000;
    for (let round = 0; round < rounds; round++) {
      draw.start(size);
      for (let place = 0; place < 5; place++) cells[place * 5 + Math.floor((draw.next() * 5) / size)]!++;
    }
    const chiSquare = cells.reduce((sum, count) => sum + (count - rounds / 5) ** 2 / (rounds / 5), 0);
    // At most 20 degrees of freedom: 99.9 % lie below 45.3.
    expect(chiSquare).toBeLessThan(45.3);
  }
});

test('every pair is equally likely', () => {
  const draw = new Draw(mulberry32(3), 2);
  const pairs = new Map<string, number>();
  const rounds = 30_000;
  for (let round = 0; round < rounds; round++) {
    draw.start(6);
    const pair = `${draw.next()},${draw.next()}`;
    pairs.set(pair, (pairs.get(pair) ?? 0) + 1);
  }
  const chiSquare = [...pairs.values()].reduce((sum, count) => sum + (count - rounds / 30) ** 2 / (rounds / 30), 0);
  expect(pairs.size).toBe(30);
  // 29 degrees of freedom: 99.9 % lie below 58.3.
  expect(chiSquare).toBeLessThan(58.3);
});
