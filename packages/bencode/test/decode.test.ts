import { describe, expect, test } from 'vitest';
import { BencodeError, type BencodeErrorCode, decode, decodePrefix, encode, rawValue, utf8 } from '../src/index.ts';
import { bytes, refusalOf } from './bytes.ts';

describe('values (BEP 3)', () => {
  test('a string is a view into the input, not a copy', () => {
    const input = bytes('4:spam');
    const string = decode(input) as Uint8Array;
    expect(utf8(string)).toBe('spam');
    expect(string.buffer).toBe(input.buffer);
    input[2] = 0x53;
    expect(utf8(string)).toBe('Spam');
  });

  test('a view into a larger buffer is read from its own first byte', () => {
    const larger = bytes('xxi7exx');
    expect(decode(larger.subarray(2, 5))).toBe(7);
  });

  test('out of a Buffer come plain Uint8Arrays, whose slice is a copy', () => {
    const input = Buffer.from('l4:spame', 'latin1');
    const [string] = decode(input) as [Uint8Array];
    expect(Object.getPrototypeOf(string)).toBe(Uint8Array.prototype);
    expect(string.buffer).toBe(input.buffer);
    expect(utf8(string)).toBe('spam');
    expect(Object.getPrototypeOf(rawValue(input)!)).toBe(Uint8Array.prototype);
  });

  test.each([
    ['i3e', 3],
    ['i-3e', -3],
    ['i0e', 0],
    ['i9007199254740991e', 2 ** 53 - 1],
    ['i-9007199254740991e', -(2 ** 53 - 1)],
    ['i999999999999999e', 999_999_999_999_999],
    ['0:', new Uint8Array(0)],
    ['le', []],
    ['de', new Map()],
    ['l4:spam4:eggse', [bytes('spam'), bytes('eggs')]],
    [
      'd3:cow3:moo4:spam4:eggse',
      new Map([
        ['cow', bytes('moo')],
        ['spam', bytes('eggs')],
      ]),
    ],
    ['d4:spaml1:a1:bee', new Map([['spam', [bytes('a'), bytes('b')]]])],
    [
      'd1:ad1:bdee1:cld1:dleeee',
      new Map<string, unknown>([
        ['a', new Map([['b', new Map()]])],
        ['c', [new Map([['d', []]])]],
      ]),
    ],
  ])('%s is read', (text, value) => {
    expect(decode(bytes(text))).toStrictEqual(value);
  });

  test.each([
    ['i9007199254740992e', 2n ** 53n],
    ['i9007199254740993e', 2n ** 53n + 1n],
    ['i-9007199254740993e', -(2n ** 53n) - 1n],
    ['i18446744073709551615e', 2n ** 64n - 1n],
    ['i-9223372036854775808e', -(2n ** 63n)],
  ])('%s is a bigint, not rounded', (text, value) => {
    expect(decode(bytes(text))).toBe(value);
  });
});

describe('keys', () => {
  test('a key that is no UTF-8 survives byte for byte', () => {
    const text = 'd21:\xff\xfe\x80\x00abcdefghijklmno\xed\xa0i1ee';
    const value = decode(bytes(text)) as Map<string, unknown>;
    expect([...value.keys()]).toEqual(['\xff\xfe\x80\x00abcdefghijklmno\xed\xa0']);
    expect(encode(value as Map<string, number>)).toEqual(bytes(text));
  });

  test('__proto__, constructor and toString are keys like any other', () => {
    const value = decode(bytes('d9:__proto__d5:admini1ee11:constructori2e8:toStringi3ee')) as Map<string, unknown>;
    expect([...value.keys()]).toEqual(['__proto__', 'constructor', 'toString']);
    expect(value.get('__proto__')).toEqual(new Map([['admin', 1]]));
    expect(({} as { admin?: number }).admin).toBeUndefined();
  });

  test('the empty key is a key', () => {
    expect(decode(bytes('d0:i1e1:ai2ee'))).toEqual(
      new Map([
        ['', 1],
        ['a', 2],
      ]),
    );
  });

  test('keys sort as raw bytes: a prefix first, 0xff last', () => {
    const sorted = 'd1:Z0:1:a0:2:aa0:1:\x7f0:1:\x800:1:\xff0:e';
    expect([...(decode(bytes(sorted)) as Map<string, unknown>).keys()]).toEqual([
      'Z',
      'a',
      'aa',
      '\x7f',
      '\x80',
      '\xff',
    ]);
  });

  test('a key that shares its first byte, last byte and length with a well-known one is itself', () => {
    const value = decode(bytes('d6:pieceei1e6:piecesi2e6:pxxxxsi3ee')) as Map<string, unknown>;
    expect([...value.keys()]).toEqual(['piecee', 'pieces', 'pxxxxs']);
  });
});

/** What strict decoding refuses: the input, the code, and the offset of what is at fault. */
const refused: readonly (readonly [string, BencodeErrorCode, number])[] = [
  // The table of inputs that decoders in the wild accept.
  ['i-0e', 'negative-zero', 0],
  ['i03e', 'leading-zero', 0],
  ['i00e', 'leading-zero', 0],
  ['i-03e', 'leading-zero', 0],
  ['ie', 'bad-integer', 1],
  ['i-e', 'bad-integer', 2],
  ['i+5e', 'bad-integer', 1],
  ['i--5e', 'bad-integer', 2],
  ['i1.5e', 'bad-integer', 2],
  ['i1.xyze', 'bad-integer', 2],
  ['i 5e', 'bad-integer', 1],
  ['i5 e', 'bad-integer', 2],
  ['i1e5e', 'trailing-bytes', 3],
  ['i0x10e', 'bad-integer', 2],
  ['03:abc', 'leading-zero', 0],
  ['00:', 'leading-zero', 0],
  ['+3:abc', 'unexpected-byte', 0],
  ['3.9:abc', 'bad-length', 1],
  ['3 :abc', 'bad-length', 1],
  ['10:abc', 'truncated', 0],
  ['99999999999:abc', 'truncated', 0],
  ['999999999999999999999999999999:abc', 'truncated', 0],
  ['-1:a', 'unexpected-byte', 0],
  ['l-3:e', 'unexpected-byte', 1],
  // Trailing bytes and nothing at all.
  ['i1ei2e', 'trailing-bytes', 3],
  ['4:spam\n', 'trailing-bytes', 6],
  ['', 'truncated', 0],
  // Keys.
  ['d1:bi1e1:ai2ee', 'unsorted-keys', 7],
  ['d2:aai1e1:ai2ee', 'unsorted-keys', 8],
  ['d1:\xffi1e1:ai2ee', 'unsorted-keys', 7],
  ['d1:ai1e1:ai2ee', 'duplicate-key', 7],
  ['d1:ai1e1:bi2e1:ai3ee', 'duplicate-key', 13],
  ['d1:ad1:bi1e1:ai1eee', 'unsorted-keys', 11],
  ['d1:ad1:ci1ee1:bi1e1:bi1ee', 'duplicate-key', 18],
  ['di1ei2ee', 'key-not-string', 1],
  ['dlei2ee', 'key-not-string', 1],
  ['d1:ae', 'missing-value', 4],
  ['d1:ai1e1:be', 'missing-value', 10],
  ['d01:ai1ee', 'leading-zero', 1],
  // Cut off anywhere.
  ['i', 'truncated', 0],
  ['i-', 'truncated', 0],
  ['i12', 'truncated', 0],
  ['3', 'truncated', 0],
  ['3:', 'truncated', 0],
  ['3:ab', 'truncated', 0],
  ['l', 'truncated', 1],
  ['li1e', 'truncated', 4],
  ['d', 'truncated', 1],
  ['d1', 'truncated', 1],
  ['d1:', 'truncated', 1],
  ['d1:a', 'truncated', 4],
  ['d1:ai1e', 'truncated', 7],
  // Bytes that begin nothing.
  ['e', 'unexpected-byte', 0],
  ['x', 'unexpected-byte', 0],
  [':', 'unexpected-byte', 0],
  ['lxe', 'unexpected-byte', 1],
  ['d1:a?e', 'unexpected-byte', 4],
  ['\x00', 'unexpected-byte', 0],
  [' i1e', 'unexpected-byte', 0],
  ['lee', 'trailing-bytes', 2],
];

describe('refusals', () => {
  test.each(refused)('%j is refused as %s at %i', (text, code, offset) => {
    expect(refusalOf(() => decode(bytes(text)))).toEqual({ code, offset });
  });

  test('an error names its class, its code and its offset', () => {
    const error = new BencodeError('unsorted-keys', 7);
    expect(error).toBeInstanceOf(Error);
    expect(error.name).toBe('BencodeError');
    expect(error.message).toBe('bencode: unsorted-keys at byte 7');
  });

  test('every proper prefix of a document is truncated', () => {
    const whole = bytes('d4:infod6:lengthi10e4:name1:xe4:listl0:i-7eee');
    decode(whole);
    for (let end = 0; end < whole.length; end += 1) {
      expect(refusalOf(() => decode(whole.subarray(0, end)))?.code).toBe('truncated');
    }
  });

  test('what is not a Uint8Array is the caller\u2019s mistake', () => {
    expect(() => decode('i1e' as unknown as Uint8Array)).toThrow(TypeError);
    expect(() => decode([0x69, 0x31, 0x65] as unknown as Uint8Array)).toThrow(TypeError);
  });
});

describe('decodePrefix', () => {
  test('the end of a dictionary in front of a metadata block is found (BEP 9)', () => {
    const head = 'd8:msg_typei1e5:piecei0e10:total_sizei3ee';
    const { value, end } = decodePrefix(bytes(`${head}xyz`));
    expect(end).toBe(head.length);
    expect(value).toEqual(
      new Map([
        ['msg_type', 1],
        ['piece', 0],
        ['total_size', 3],
      ]),
    );
  });

  test('without bytes behind it the end is the length', () => {
    expect(decodePrefix(bytes('le'))).toEqual({ value: [], end: 2 });
  });

  test('a value that is not complete is still refused', () => {
    expect(refusalOf(() => decodePrefix(bytes('li1e')))).toEqual({ code: 'truncated', offset: 4 });
  });
});
