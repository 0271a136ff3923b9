import { Bitfield } from '@shoal/pieces';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { commonCount } from '../src/peers.ts';

test('as many pieces are in both of two bitfields as a look at each says', () => {
  const length = fc.integer({ min: 0, max: 150 });
  const pair = length.chain((bits) => {
    const bytes = Math.ceil(bits / 8);
    const field = fc.uint8Array({ minLength: bytes, maxLength: bytes }).map((array) => new Bitfield(bits, array));
    return fc.tuple(field, field);
  });
  fc.assert(
    fc.property(pair, ([one, other]) => {
      const common = [...one.indices()].filter((piece) => other.has(piece));
      expect(commonCount(one, other)).toBe(common.length);
    }),
  );
  expect(commonCount(Bitfield.full(4096), Bitfield.full(4096))).toBe(4096);
});
