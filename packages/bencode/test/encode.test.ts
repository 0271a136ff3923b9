import { describe, expect, test } from 'vitest';
import { type BencodeInput, decode, encode, latin1 } from '../src/index.ts';
import { bytes } from './bytes.ts';

const text = (value: BencodeInput): string => latin1(encode(value));

describe('values (BEP 3)', () => {
  test.each<[BencodeInput, string]>([
    [3, 'i3e'],
    [-3, 'i-3e'],
    [0, 'i0e'],
    [-0, 'i0e'],
    [2 ** 53 - 1, 'i9007199254740991e'],
    [5n, 'i5e'],
    [2n ** 64n - 1n, 'i18446744073709551615e'],
    [-(2n ** 63n), 'i-9223372036854775808e'],
    ['spam', '4:spam'],
    ['', '0:'],
    ['a longer one', '12:a longer one'],
    ['héé', '5:h\xc3\xa9\xc3\xa9'],
    [bytes('\x00\xff'), '2:\x00\xff'],
    [['spam', 'eggs'], 'l4:spam4:eggse'],
    [[], 'le'],
    [{}, 'de'],
    [new Map(), 'de'],
    [{ cow: 'moo', spam: 'eggs' }, 'd3:cow3:moo4:spam4:eggse'],
    [{ a: 5n }, 'd1:ai5ee'],
    [[[[]], { a: [{}] }], 'llleed1:aldeeee'],
  ])('%o is written as %s', (value, expected) => {
    expect(text(value)).toBe(expected);
  });

  test('an object without prototype is a dictionary', () => {
    expect(text(Object.assign(Object.create(null) as object, { a: 1 }) as BencodeInput)).toBe('d1:ai1ee');
  });

  test('a view is written as its own bytes, not its buffer\u2019s', () => {
    expect(text(bytes('xxspamxx').subarray(2, 6))).toBe('4:spam');
  });

  test('the result has memory of its own, of exact size', () => {
    const long = new Uint8Array(5000).fill(1);
    const result = encode({ long, tail: 'x' });
    expect(result.buffer.byteLength).toBe(result.length);
    long[0] = 2;
    expect((decode(result) as Map<string, Uint8Array>).get('long')![0]).toBe(1);
  });

  test.each([0, 1, 24, 25, 255, 256, 1023, 1024, 1025, 70_000])(
    'a string of %i bytes stands where it belongs',
    (length) => {
      const string = Uint8Array.from({ length }, (_, index) => index & 0xff);
      expect(decode(encode([1, string, 'x', string, 2]))).toEqual([1, string, bytes('x'), string, 2]);
    },
  );
});

describe('keys', () => {
  test('are sorted as raw bytes, not as UTF-16', () => {
    // As UTF-16, U+10000 (d800 dc00) sorts before U+FFFC; as UTF-8, f0… sorts after ef….
    expect(text({ '\u{10000}': 1, '\ufffc': 2 })).toBe('d3:\xef\xbf\xbci2e4:\xf0\x90\x80\x80i1ee');
    expect(text({ b: 1, a: 2, B: 3, aa: 4, '': 5 })).toBe('d0:i5e1:Bi3e1:ai2e2:aai4e1:bi1ee');
  });

  test('that look like numbers have no order of their own', () => {
    expect(text({ 10: 1, 9: 2, a: 3 })).toBe('d2:10i1e1:9i2e1:ai3ee');
  });

  test('of a Map are byte strings, of an object text', () => {
    expect(text(new Map([['\xe9', 1]]))).toBe('d1:\xe9i1ee');
    expect(text({ '\xe9': 1 })).toBe('d2:\xc3\xa9i1ee');
  });

  test('of a Map are sorted whatever their order in it', () => {
    expect(
      text(
        new Map([
          ['b', 1],
          ['\xff', 2],
          ['a', 3],
        ]),
      ),
    ).toBe('d1:ai3e1:bi1e1:\xffi2ee');
  });

  test('named __proto__ are written', () => {
    expect(text(new Map([['__proto__', 1]]))).toBe('d9:__proto__i1ee');
    expect(text(JSON.parse('{"__proto__":1}') as BencodeInput)).toBe('d9:__proto__i1ee');
  });
});

describe('what has no form is refused', () => {
  class Peer {
    readonly port = 1;
  }

  test.each<[string, unknown, typeof TypeError | typeof RangeError]>([
    ['undefined', undefined, TypeError],
    ['null', null, TypeError],
    ['a boolean', true, TypeError],
    ['a function', () => 1, TypeError],
    ['a symbol', Symbol('x'), TypeError],
    ['a Date', new Date(0), TypeError],
    ['a Set', new Set([1]), TypeError],
    ['an ArrayBuffer', new ArrayBuffer(1), TypeError],
    ['a DataView', new DataView(new ArrayBuffer(1)), TypeError],
    ['another typed array', new Uint16Array(1), TypeError],
    ['an instance of a class', new Peer(), TypeError],
    ['text with an unpaired surrogate', 'a\ud800', TypeError],
    ['a hole in a list', [1, , 2], TypeError], // oxlint-disable-line no-sparse-arrays -- the hole is the case
    ['a Map key that is no string', new Map([[1, 1]]), TypeError],
    ['a Map key above U+00FF', new Map([['\u0100', 1]]), TypeError],
    ['an object key with an unpaired surrogate', { '\udc00': 1 }, TypeError],
    ['NaN', Number.NaN, RangeError],
    ['Infinity', Infinity, RangeError],
    ['a fraction', 1.5, RangeError],
    ['a number beyond 2^53', 2 ** 53, RangeError],
    ['a bigint of more digits than decoding accepts', 10n ** 1024n, RangeError],
  ])('%s', (_, value, error) => {
    expect(() => encode(value as BencodeInput)).toThrow(error);
    expect(() => encode({ a: [value as BencodeInput] })).toThrow(error);
  });

  test('the message says where it stands', () => {
    const value = { info: { files: [{ length: 1 }, { length: 1.5 }] } };
    expect(() => encode(value)).toThrow('value.info.files[1].length: 1.5 is no safe integer');
    expect(() => encode([1, null as unknown as number])).toThrow('value[1]: bencode has no form for null');
    expect(() => encode(new Date(0) as unknown as string)).toThrow('value: bencode has no form for Date objects');
    expect(() => encode({ m: new Map([['\u0100', 1]]) })).toThrow('value.m.\u0100: key is not latin1 text');
  });

  test('a cycle ends in a RangeError, not in an endless loop', () => {
    const list: BencodeInput[] = ['x'];
    list.push(list);
    expect(() => encode(list)).toThrow(RangeError);
  });

  test('100 levels are written by default, 101 are not', () => {
    let value: BencodeInput = [];
    for (let depth = 1; depth < 100; depth += 1) value = [value];
    expect(encode(value)).toHaveLength(200);
    expect(() => encode([value])).toThrow(RangeError);
  });
});
