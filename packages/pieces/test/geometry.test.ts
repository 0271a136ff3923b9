import { describe, expect, test } from 'vitest';
import { geometryOf, maxPieceCount, maxPieceLength, offsetAt, pieceLengthAt } from '../src/index.ts';

const KiB = 1024;

describe('pieces (BEP 3, info dictionary)', () => {
  test.each([
    // total, piece length, count, last piece
    [100 * KiB, 32 * KiB, 4, 4 * KiB],
    [96 * KiB, 32 * KiB, 3, 32 * KiB],
    [96 * KiB + 1, 32 * KiB, 4, 1],
    [96 * KiB - 1, 32 * KiB, 3, 32 * KiB - 1],
    [1, 16 * KiB, 1, 1],
    [5, 1, 5, 1],
    [7, 3, 3, 1],
    // Beyond 32 bits: no bitwise arithmetic on offsets.
    [2 ** 40 + 5, 2 ** 24, 2 ** 16 + 1, 5],
    [Number.MAX_SAFE_INTEGER, 2 ** 32 - 1, 2 ** 21 + 1, 2 ** 21 - 1],
  ])('%i bytes in pieces of %i are %i, the last of %i', (totalLength, pieceLength, pieceCount, last) => {
    const geometry = geometryOf(totalLength, pieceLength);
    expect(geometry).toEqual({ totalLength, pieceLength, pieceCount });
    expect(pieceLengthAt(geometry, pieceCount - 1)).toBe(last);
    expect(offsetAt(geometry, pieceCount - 1) + last).toBe(totalLength);
    if (pieceCount > 1) expect(pieceLengthAt(geometry, 0)).toBe(pieceLength);
  });

  test('a torrent without bytes has no pieces', () => {
    const empty = geometryOf(0, 16 * KiB);
    expect(empty.pieceCount).toBe(0);
    expect(() => pieceLengthAt(empty, 0)).toThrow(RangeError);
  });

  test('an offset counts from the start of the torrent', () => {
    expect(offsetAt(geometryOf(2 ** 36, 2 ** 20), 2 ** 15, 7)).toBe(2 ** 35 + 7);
  });

  test.each([
    [-1, 1],
    [1.5, 1],
    [Number.NaN, 1],
    [2 ** 53, 2 ** 20],
    [1, 0],
    [1, -1],
    [1, 0.5],
    [1, Number.NaN],
    [1, Infinity],
    [1, maxPieceLength + 1],
    [maxPieceCount + 1, 1],
  ])('%d bytes in pieces of %d are nonsense', (totalLength, pieceLength) => {
    expect(() => geometryOf(totalLength, pieceLength)).toThrow(RangeError);
  });

  test.each([-1, 4, 0.5, Number.NaN, Infinity, 2 ** 32])('there is no piece %d among four', (piece) => {
    const geometry = geometryOf(100, 25);
    expect(() => pieceLengthAt(geometry, piece)).toThrow(RangeError);
    expect(() => offsetAt(geometry, piece)).toThrow(RangeError);
  });
});
