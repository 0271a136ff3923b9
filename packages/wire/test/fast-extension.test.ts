import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { allowedFastSet } from '../src/index.ts';

const example = {
  infoHash: new Uint8Array(20).fill(0xaa),
  address: new Uint8Array([80, 4, 4, 200]),
  pieceCount: 1313,
  sha1: (bytes: Uint8Array): Uint8Array => createHash('sha1').update(bytes).digest(),
};

describe('BEP 6, allowed fast set generation', () => {
  test('gives the 7 pieces of the example', () => {
    expect(allowedFastSet({ ...example, count: 7 })).toEqual([1059, 431, 808, 1217, 287, 376, 1188]);
  });

  test('gives the 9 pieces of the example', () => {
    expect(allowedFastSet({ ...example, count: 9 })).toEqual([1059, 431, 808, 1217, 287, 376, 1188, 353, 508]);
  });

  test('is the same for all addresses of a /24', () => {
    const neighbour = { ...example, address: new Uint8Array([80, 4, 4, 1]), count: 7 };
    expect(allowedFastSet(neighbour)).toEqual(allowedFastSet({ ...example, count: 7 }));
  });

  test('of a torrent with fewer pieces is all of them', () => {
    expect(allowedFastSet({ ...example, pieceCount: 3, count: 10 }).toSorted((a, b) => a - b)).toEqual([0, 1, 2]);
    expect(allowedFastSet({ ...example, pieceCount: 0, count: 10 })).toEqual([]);
  });

  test('refuses an address that is not IPv4', () => {
    expect(() => allowedFastSet({ ...example, address: new Uint8Array(16), count: 7 })).toThrow(RangeError);
  });
});
