import { describe, expect, test } from 'vitest';
import { decode, defaults, encode, maxIntegerDigits, rawValue } from '../src/index.ts';
import { bytes, refusalOf } from './bytes.ts';

const nested = (depth: number): Uint8Array => bytes('l'.repeat(depth) + 'e'.repeat(depth));

describe('depth', () => {
  test('100 lists inside each other are read by default, 101 are not', () => {
    expect(refusalOf(() => decode(nested(100)))).toBeUndefined();
    expect(refusalOf(() => decode(nested(101)))).toEqual({ code: 'too-deep', offset: 100 });
  });

  test('dictionaries count as lists do', () => {
    const text = 'd1:a'.repeat(101);
    expect(refusalOf(() => decode(bytes(text)))).toEqual({ code: 'too-deep', offset: 400 });
  });

  test('depth is counted, not containers: siblings cost none', () => {
    expect(decode(bytes(`l${'le'.repeat(500)}e`), { maxDepth: 2 })).toHaveLength(500);
  });

  test('no depth overflows the stack when the caller allows it', () => {
    let value = decode(nested(200_000), { maxDepth: Infinity });
    let depth = 0;
    for (; Array.isArray(value); depth += 1) value = value[0]!;
    expect(depth).toBe(200_000);
    expect(encode(decode(nested(200_000), { maxDepth: Infinity }), { maxDepth: Infinity })).toEqual(nested(200_000));
  });

  test('a depth of 0 allows scalars only', () => {
    expect(decode(bytes('i1e'), { maxDepth: 0 })).toBe(1);
    expect(refusalOf(() => decode(bytes('le'), { maxDepth: 0 }))).toEqual({ code: 'too-deep', offset: 0 });
  });
});

describe('tokens', () => {
  test('values and keys count, ends do not', () => {
    const text = 'd1:al1:x1:yee';
    expect(refusalOf(() => decode(bytes(text), { maxTokens: 5 }))).toBeUndefined();
    expect(refusalOf(() => decode(bytes(text), { maxTokens: 4 }))).toEqual({ code: 'too-many-tokens', offset: 8 });
  });

  test('three million small values are the default bound', () => {
    const input = new Uint8Array(2 * defaults.maxTokens + 2).fill(0x65);
    input[0] = 0x6c;
    for (let position = 1; position < input.length - 1; position += 2) input[position] = 0x6c;
    expect(refusalOf(() => rawValue(input))?.code).toBe('too-many-tokens');
  });
});

describe('size', () => {
  test('an input longer than allowed is refused unread', () => {
    expect(refusalOf(() => decode(bytes('4:spam'), { maxBytes: 5 }))).toEqual({ code: 'too-many-bytes', offset: 5 });
    expect(refusalOf(() => decode(bytes('4:spam'), { maxBytes: 6 }))).toBeUndefined();
  });

  test('an integer of 1024 digits is read, one of 1025 is not', () => {
    const digits = '7'.repeat(maxIntegerDigits);
    expect(decode(bytes(`i${digits}e`))).toBe(BigInt(digits));
    expect(refusalOf(() => decode(bytes(`li${digits}7ee`)))).toEqual({ code: 'too-many-digits', offset: 1 });
  });

  test('a claimed length allocates nothing: 9 digits in 10 bytes are refused at once', () => {
    expect(refusalOf(() => decode(bytes('l999999999:e')))).toEqual({ code: 'truncated', offset: 1 });
  });
});

describe('options', () => {
  test.each([{ maxDepth: -1 }, { maxTokens: Number.NaN }, { maxBytes: -5 }])(
    '%j is the caller\u2019s mistake',
    (options) => {
      expect(() => decode(bytes('i1e'), options)).toThrow(RangeError);
    },
  );
});
