import { describe, expect, test } from 'vitest';
import { FileMap } from '../src/index.ts';

describe('files (BEP 3, info dictionary)', () => {
  test('a range across many files has a span in each', () => {
    const map = new FileMap([3, 1, 4, 1, 5]);
    expect(map.totalLength).toBe(14);
    expect(map.spans(2, 8)).toEqual([
      { file: 0, offset: 2, length: 1, position: 0 },
      { file: 1, offset: 0, length: 1, position: 1 },
      { file: 2, offset: 0, length: 4, position: 2 },
      { file: 3, offset: 0, length: 1, position: 6 },
      { file: 4, offset: 0, length: 1, position: 7 },
    ]);
  });

  test('a range inside one file has one span', () => {
    expect(new FileMap([10, 10]).spans(13, 4)).toEqual([{ file: 1, offset: 3, length: 4, position: 0 }]);
  });

  test('a range that begins or ends where a file does touches no neighbour', () => {
    const map = new FileMap([10, 10, 10]);
    expect(map.spans(10, 10)).toEqual([{ file: 1, offset: 0, length: 10, position: 0 }]);
    expect(map.spans(0, 10)).toEqual([{ file: 0, offset: 0, length: 10, position: 0 }]);
  });

  test('empty files have no span, wherever they stand', () => {
    const map = new FileMap([0, 0, 5, 0, 0, 5, 0]);
    expect(map.spans(0, 10)).toEqual([
      { file: 2, offset: 0, length: 5, position: 0 },
      { file: 5, offset: 0, length: 5, position: 5 },
    ]);
    expect(map.spans(5, 1)).toEqual([{ file: 5, offset: 0, length: 1, position: 0 }]);
  });

  test('an empty range has no spans, also at the very end', () => {
    const map = new FileMap([5, 5]);
    for (const offset of [0, 5, 10]) expect(map.spans(offset, 0)).toEqual([]);
    expect(new FileMap([]).spans(0, 0)).toEqual([]);
    expect(new FileMap([0, 0]).spans(0, 0)).toEqual([]);
  });

  test('offsets beyond 32 bits are exact', () => {
    const map = new FileMap([2 ** 33, 2 ** 40, 7]);
    expect(map.spans(2 ** 33 + 2 ** 40 - 1, 8)).toEqual([
      { file: 1, offset: 2 ** 40 - 1, length: 1, position: 0 },
      { file: 2, offset: 0, length: 7, position: 1 },
    ]);
  });

  test('a file knows where it begins, how long it is and how many there are', () => {
    const map = new FileMap([3, 0, 4]);
    expect([map.offsetOf(0), map.offsetOf(1), map.offsetOf(2)]).toEqual([0, 3, 3]);
    expect([map.lengthOf(0), map.lengthOf(1), map.lengthOf(2)]).toEqual([3, 0, 4]);
    expect(map.fileCount).toBe(3);
  });

  test('later changes to the list handed in change nothing', () => {
    const lengths = [5, 5];
    const map = new FileMap(lengths);
    lengths[0] = 100;
    expect(map.spans(4, 2)).toHaveLength(2);
  });

  test.each([
    [0, 11],
    [11, 0],
    [10, 1],
    [-1, 1],
    [0, -1],
    [0.5, 1],
    [0, Number.NaN],
    [Number.NaN, 1],
  ])('%d and the %d bytes from there are no range of ten', (offset, length) => {
    expect(() => new FileMap([5, 5]).spans(offset, length)).toThrow(RangeError);
  });

  test.each([[[-1]], [[1.5]], [[Number.NaN]], [[2 ** 53]], [[2 ** 53 - 1, 1]]])('%j are no lengths', (lengths) => {
    expect(() => new FileMap(lengths)).toThrow(RangeError);
  });

  test.each([-1, 2, 0.5, Number.NaN])('there is no file %d among two', (file) => {
    const map = new FileMap([5, 5]);
    expect(() => map.offsetOf(file)).toThrow(RangeError);
    expect(() => map.lengthOf(file)).toThrow(RangeError);
    expect(() => map.piecesOf(file, 4)).toThrow(RangeError);
  });
});

describe('pieces of a file', () => {
  test('the first and the last can be shared with a neighbour', () => {
    const map = new FileMap([5, 5, 0, 6]);
    expect(map.piecesOf(0, 4)).toEqual({ first: 0, last: 1 });
    expect(map.piecesOf(1, 4)).toEqual({ first: 1, last: 2 });
    expect(map.piecesOf(3, 4)).toEqual({ first: 2, last: 3 });
  });

  test('many files can lie in one piece', () => {
    const map = new FileMap([1, 1, 1, 1]);
    for (const file of [0, 1, 2, 3]) expect(map.piecesOf(file, 16)).toEqual({ first: 0, last: 0 });
  });

  test('a file that ends with a piece does not reach into the next', () => {
    expect(new FileMap([8, 8]).piecesOf(0, 4)).toEqual({ first: 0, last: 1 });
    expect(new FileMap([8, 8]).piecesOf(1, 4)).toEqual({ first: 2, last: 3 });
  });

  test('an empty file has none', () => {
    expect(new FileMap([5, 0, 5]).piecesOf(1, 4)).toBeUndefined();
  });

  test.each([0, -1, 1.5, Number.NaN])('a piece of %d bytes is nonsense', (pieceLength) => {
    expect(() => new FileMap([5]).piecesOf(0, pieceLength)).toThrow(RangeError);
  });
});
