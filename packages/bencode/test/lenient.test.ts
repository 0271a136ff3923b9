import { describe, expect, test } from 'vitest';
import { type BencodeErrorCode, type BencodeValue, decode, decodePrefix } from '../src/index.ts';
import { bytes, refusalOf } from './bytes.ts';

const lenient = { lenient: true } as const;

const accepted: readonly (readonly [string, BencodeValue, BencodeErrorCode, number])[] = [
  ['i-0e', 0, 'negative-zero', 0],
  ['i03e', 3, 'leading-zero', 0],
  ['i-03e', -3, 'leading-zero', 0],
  ['i-00e', 0, 'leading-zero', 0],
  ['i-0000000000000000000000e', 0, 'leading-zero', 0],
  ['i00000000000000000000005e', 5, 'leading-zero', 0],
  ['i009007199254740993e', 9_007_199_254_740_993n, 'leading-zero', 0],
  ['03:abc', bytes('abc'), 'leading-zero', 0],
  [
    'd1:bi1e1:ai2ee',
    new Map([
      ['b', 1],
      ['a', 2],
    ]),
    'unsorted-keys',
    7,
  ],
  ['d1:ai1e1:ai2ee', new Map([['a', 2]]), 'duplicate-key', 7],
  [
    'd1:ai1e1:bi2e1:ai3ee',
    new Map([
      ['a', 3],
      ['b', 2],
    ]),
    'duplicate-key',
    13,
  ],
];

describe('lenient decoding', () => {
  test.each(accepted)('%j is accepted, and the deviation named', (text, value, code, offset) => {
    expect(decode(bytes(text), lenient)).toStrictEqual(value);
    expect(decodePrefix(bytes(text), lenient).deviation).toEqual({ code, offset });
  });

  test('bytes after the value are ignored', () => {
    expect(decode(bytes('i1e\r\n'), lenient)).toBe(1);
  });

  test('only the first deviation is named', () => {
    const { deviation } = decodePrefix(bytes('d1:bi01e1:ai-0ee'), lenient);
    expect(deviation).toEqual({ code: 'leading-zero', offset: 4 });
  });

  test('a canonical document has no deviation', () => {
    expect(decodePrefix(bytes('d1:ai1ee'), lenient)).toEqual({ value: new Map([['a', 1]]), end: 8 });
  });

  test.each([
    ['i1.5e', 'bad-integer', 2],
    ['i+5e', 'bad-integer', 1],
    ['ie', 'bad-integer', 1],
    ['-1:a', 'unexpected-byte', 0],
    ['l-3:e', 'unexpected-byte', 1],
    ['3.9:abc', 'bad-length', 1],
    ['10:abc', 'truncated', 0],
    ['di1ei2ee', 'key-not-string', 1],
    ['d1:ae', 'missing-value', 4],
    ['', 'truncated', 0],
  ] as const)('%j has no meaning and stays refused', (text, code, offset) => {
    expect(refusalOf(() => decode(bytes(text), lenient))).toEqual({ code, offset });
  });
});
