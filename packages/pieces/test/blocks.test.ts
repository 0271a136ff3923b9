import { describe, expect, test } from 'vitest';
import {
  blockAt,
  blockCountAt,
  blockIndexOf,
  blockLength,
  blockLengthAt,
  blocksOf,
  geometryOf,
  isBlock,
  isWithinPiece,
} from '../src/index.ts';

describe('blocks (BEP 3, peer messages)', () => {
  test('a block has 2^14 bytes', () => {
    expect(blockLength).toBe(2 ** 14);
  });

  test('the last block of a piece can be short', () => {
    const geometry = geometryOf(100_000, 40_000);
    expect(blocksOf(geometry, 0)).toEqual([
      { piece: 0, begin: 0, length: 16_384 },
      { piece: 0, begin: 16_384, length: 16_384 },
      { piece: 0, begin: 32_768, length: 7232 },
    ]);
    expect(blockCountAt(geometry, 0)).toBe(3);
    expect(blockLengthAt(geometry, 0, 2)).toBe(7232);
  });

  test('the last piece can have fewer blocks, and a short one of its own', () => {
    const geometry = geometryOf(2 * 65_536 + 16_385, 65_536);
    expect(blockCountAt(geometry, 1)).toBe(4);
    expect(blocksOf(geometry, 2)).toEqual([
      { piece: 2, begin: 0, length: 16_384 },
      { piece: 2, begin: 16_384, length: 1 },
    ]);
  });

  test('a last piece of whole blocks has no short one', () => {
    const geometry = geometryOf(65_536 + 32_768, 65_536);
    expect(blocksOf(geometry, 1).map(({ length }) => length)).toEqual([16_384, 16_384]);
    expect(() => blockLengthAt(geometry, 1, 2)).toThrow(RangeError);
  });

  test('a piece smaller than a block is one block', () => {
    expect(blocksOf(geometryOf(10, 4), 0)).toEqual([{ piece: 0, begin: 0, length: 4 }]);
    expect(blocksOf(geometryOf(10, 4), 2)).toEqual([{ piece: 2, begin: 0, length: 2 }]);
  });

  test('a file smaller than a block is one short block', () => {
    expect(blocksOf(geometryOf(1, 2 ** 20), 0)).toEqual([{ piece: 0, begin: 0, length: 1 }]);
  });

  test.each([
    [0, 0],
    [16_383, 0],
    [16_384, 1],
    [2 ** 32 - 1, 2 ** 18 - 1],
  ])('byte %i lies in block %i', (begin, block) => {
    expect(blockIndexOf(begin)).toBe(block);
  });

  test.each([-1, 3, 0.5, Number.NaN, 2 ** 32])('there is no block %d among three', (block) => {
    const geometry = geometryOf(100_000, 40_000);
    expect(() => blockLengthAt(geometry, 0, block)).toThrow(RangeError);
    expect(() => blockAt(geometry, 0, block)).toThrow(RangeError);
  });

  test('there are no blocks in a piece that is not there', () => {
    const geometry = geometryOf(100_000, 40_000);
    expect(() => blocksOf(geometry, 3)).toThrow(RangeError);
    expect(() => blockCountAt(geometry, -1)).toThrow(RangeError);
  });
});

describe('ranges named by a remote', () => {
  const geometry = geometryOf(100_000, 40_000);

  test.each([
    // piece, begin, length, within a piece, exactly a block
    [0, 0, 16_384, true, true],
    [0, 32_768, 7232, true, true],
    [2, 16_384, 3616, true, true],
    [0, 0, 40_000, true, false],
    [0, 1, 16_384, true, false],
    [0, 0, 16_383, true, false],
    [0, 32_768, 7231, true, false],
    [0, 32_768, 7233, false, false],
    [0, 39_999, 2, false, false],
    [0, 40_000, 1, false, false],
    [2, 16_384, 16_384, false, false],
    [3, 0, 1, false, false],
    [2 ** 32 - 1, 0, 1, false, false],
    [0, 0, 0, false, false],
    [0, 2 ** 32 - 1, 2 ** 32 - 1, false, false],
    [-1, 0, 1, false, false],
    [0, -1, 2, false, false],
    [0, 0.5, 1, false, false],
    [0, 0, Number.NaN, false, false],
    [Number.NaN, 0, 1, false, false],
  ])('piece %d, begin %d, length %d: within %s, a block %s', (piece, begin, length, within, block) => {
    expect(isWithinPiece(geometry, piece, begin, length)).toBe(within);
    expect(isBlock(geometry, piece, begin, length)).toBe(block);
  });
});
