import { expect, test } from 'vitest';
import { keyNumber } from '@shoal/tracker-protocol';

test.each([
  ['cafe0123', 0xcafe_0123],
  ['CAFE0123', 0xcafe_0123],
  ['0', 0],
  ['7b', 0x7b],
  [0xffff_ffff, 0xffff_ffff],
])('the key %s is %i, as UDP would have it', (key, number) => {
  expect(keyNumber(key)).toBe(number);
});

test('any other text is hashed, each its own way', () => {
  const keys = ['cafe01234', 'not hex', 'not hex!', ' 1', '1g', '/', ':', '@', 'G', '`'];
  const numbers = keys.map(keyNumber);
  expect(new Set(numbers).size).toBe(keys.length);
  expect(numbers).toEqual(keys.map(keyNumber));
});
