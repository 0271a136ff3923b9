import { describe, expect, test } from 'vitest';
import { latin1, rawValue } from '../src/index.ts';
import { bytes, refusalOf } from './bytes.ts';

const raw = (text: string, ...path: string[]): string | undefined => {
  const slice = rawValue(bytes(text), ...path);
  return slice && latin1(slice);
};

describe('rawValue', () => {
  test('the info dictionary is the bytes received, also where a re-encoding would differ', () => {
    const info = 'd6:lengthi0007e4:name1:x3:abci-0ee';
    expect(raw(`d8:announce0:4:info${info}e`, 'info')).toBe(info);
  });

  test('the slice is a view', () => {
    const input = bytes('d4:infodee');
    expect(rawValue(input, 'info')!.buffer).toBe(input.buffer);
    expect(rawValue(input, 'info')!.byteOffset).toBe(7);
  });

  test.each([
    [['a'], 'd1:bd1:cli1e1:xeee'],
    [['a', 'b'], 'd1:cli1e1:xee'],
    [['a', 'b', 'c'], 'li1e1:xe'],
    [['d'], 'i-7e'],
    [['e'], '3:abc'],
    [[], 'd1:ad1:bd1:cli1e1:xeee1:di-7e1:e3:abce'],
    [['x'], undefined],
    [['a', 'x'], undefined],
    [['a', 'b', 'c', '1'], undefined],
    [['d', 'x'], undefined],
    [['b'], undefined],
    [['c'], undefined],
  ])('the path %j leads to %s', (path, expected) => {
    expect(raw('d1:ad1:bd1:cli1e1:xeee1:di-7e1:e3:abce', ...path)).toBe(expected);
  });

  test('without a path it is the whole value, without what follows', () => {
    expect(raw('i7erest')).toBe('i7e');
    expect(raw('lli1eeerest')).toBe('lli1eee');
  });

  test('a dictionary inside a list is on no path', () => {
    expect(raw('ld1:ai1eee', 'a')).toBeUndefined();
    expect(raw('d1:ald1:bi1eeee', 'a', 'b')).toBeUndefined();
  });

  test('the same key deeper or in a sibling is not taken for it', () => {
    expect(raw('d1:ad4:infoi1ee1:b4:info4:infoi2ee', 'info')).toBe('i2e');
    expect(raw('d1:ad1:xi1ee1:bd1:yi2eee', 'a', 'y')).toBeUndefined();
  });

  test('of duplicate keys the last wins, as in lenient decoding', () => {
    expect(raw('d1:ai1e1:ai2ee', 'a')).toBe('i2e');
    expect(raw('d1:ad1:bi1ee1:ad1:ci2eee', 'a', 'b')).toBeUndefined();
    expect(raw('d1:ad1:bi1ee1:ai2ee', 'a', 'b')).toBeUndefined();
    expect(raw('d1:ai2e1:ad1:bi1eee', 'a', 'b')).toBe('i1e');
  });

  test('keys are latin1 text: any bytes can be named', () => {
    expect(raw('d3:\xff\x00\x80i1ee', '\xff\x00\x80')).toBe('i1e');
    expect(() => raw('de', '\u0100')).toThrow(RangeError);
  });

  test.each([
    ['d4:info', 'truncated', 7],
    ['d4:infode', 'truncated', 9],
    ['d4:infode1:ae', 'missing-value', 12],
    ['d4:infodei1e', 'key-not-string', 9],
    ['d4:infodee9', undefined, 0],
    ['d4:infode1:zi1.5ee', 'bad-integer', 14],
    ['d4:infode1:z9:e', 'truncated', 12],
    ['d4:infode1:zxe', 'unexpected-byte', 12],
    ['', 'truncated', 0],
    ['e', 'unexpected-byte', 0],
  ] as const)('what stands after the value is checked too: %j', (text, code, offset) => {
    const refusal = refusalOf(() => raw(text, 'info'));
    expect(refusal).toEqual(code && { code, offset });
  });

  test('101 levels are too deep', () => {
    expect(refusalOf(() => raw('l'.repeat(101)))).toEqual({ code: 'too-deep', offset: 100 });
  });
});
