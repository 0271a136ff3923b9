import { geometryOf } from '@shoal/pieces';
import { describe, expect, test } from 'vitest';
import { SyntheticContent } from '../src/index.ts';

const whole = (content: SyntheticContent, piece: number, length: number): Uint8Array => {
  const bytes = new Uint8Array(length);
  content.fill(piece, 0, length, bytes, 0);
  return bytes;
};

describe('synthetic content', () => {
  test('is the same wherever one starts reading', () => {
    const content = new SyntheticContent(geometryOf(100_003, 10_001), 5);
    const piece = whole(content, 3, 10_001);
    for (const begin of [0, 1, 2, 3, 4, 4999, 10_000]) {
      const part = new Uint8Array(10_001 - begin + 7);
      content.fill(3, begin, 10_001 - begin, part, 7);
      expect(part.subarray(7)).toEqual(piece.subarray(begin));
    }
  });

  test('knows its pieces from others, from other seeds and from changed ones', () => {
    const geometry = geometryOf(100_003, 10_001);
    const content = new SyntheticContent(geometry, 5);
    const piece = whole(content, 3, 10_001);
    expect(content.matches(3, piece)).toBe(true);
    expect(content.matches(4, piece)).toBe(false);
    expect(new SyntheticContent(geometry, 6).matches(3, piece)).toBe(false);
    expect(content.matches(3, piece.subarray(1))).toBe(false);
    piece[10_000]! ^= 1;
    expect(content.matches(3, piece)).toBe(false);
  });

  test('has a shorter last piece, and no two pieces alike', () => {
    const content = new SyntheticContent(geometryOf(2 ** 26, 2 ** 20), 1);
    const starts = Array.from({ length: 64 }, (_, piece) => whole(content, piece, 16).join());
    expect(new Set(starts).size).toBe(64);
    expect(
      new SyntheticContent(geometryOf(10, 7), 1).matches(1, whole(new SyntheticContent(geometryOf(10, 7), 1), 1, 3)),
    ).toBe(true);
  });
});
