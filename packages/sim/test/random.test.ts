import { describe, expect, test } from 'vitest';
import { RandomStream, randomStream, splitMix64 } from '../src/index.ts';

describe('random', () => {
  test('SplitMix64 gives the numbers its authors publish for seed 1234567', () => {
    const next = splitMix64(1234567n);
    expect([next(), next(), next(), next(), next()]).toEqual([
      6457827717110365317n,
      3203168211198807973n,
      9817491932198370423n,
      4593380528125082431n,
      16408922859458223821n,
    ]);
  });

  test('xoshiro128** gives the numbers its authors publish for the state 1, 2, 3, 4', () => {
    const stream = new RandomStream([1, 2, 3, 4]);
    expect(Array.from({ length: 8 }, () => stream.word())).toEqual([
      11520, 0, 5927040, 70819200, 2031721883, 1637235492, 1287239034, 3734860849,
    ]);
  });

  test('the same seed and purpose give the same stream, another purpose or seed another', () => {
    const draw = (seed: number, purpose: string): string => randomStream(seed, purpose).bytes(16).join();
    expect(draw(7, 'a')).toBe(draw(7, 'a'));
    expect(draw(7, 'a')).not.toBe(draw(7, 'b'));
    expect(draw(7, 'a')).not.toBe(draw(8, 'a'));
  });

  test('fractions lie in [0, 1) and spread evenly', () => {
    const stream = randomStream(1, 'fractions');
    const tenths = Array.from({ length: 10 }, () => 0);
    for (let draw = 0; draw < 20_000; draw++) {
      const fraction = stream.fraction();
      expect(fraction >= 0 && fraction < 1).toBe(true);
      tenths[Math.floor(fraction * 10)]! += 1;
    }
    for (const count of tenths) expect(Math.abs(count - 2000)).toBeLessThan(200);
  });

  test('whole numbers below a limit cover it evenly and stay below', () => {
    const stream = randomStream(2, 'below');
    const counts = Array.from({ length: 6 }, () => 0);
    for (let draw = 0; draw < 12_000; draw++) counts[stream.below(6)]! += 1;
    expect(counts).toHaveLength(6);
    for (const count of counts) expect(Math.abs(count - 2000)).toBeLessThan(200);
    expect(() => stream.below(0)).toThrow(RangeError);
    expect(() => stream.below(1.5)).toThrow(RangeError);
  });

  test('a state of zeros is refused', () => {
    expect(() => new RandomStream([0, 0, 0, 0])).toThrow(RangeError);
  });
});
