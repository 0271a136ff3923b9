import { describe, expect, test } from 'vitest';
import { bytesOf, isUtf8, latin1, utf8 } from '../src/index.ts';

describe('text', () => {
  test('latin1 and bytesOf are inverse for every byte, at every length around eight', () => {
    const all = Uint8Array.from({ length: 256 }, (_, index) => index);
    for (let length = 0; length < 20; length += 1) {
      const part = all.subarray(120, 120 + length);
      expect(bytesOf(latin1(part))).toEqual(part);
    }
    expect(bytesOf(latin1(all))).toEqual(all);
    expect(latin1(all).charCodeAt(0x85)).toBe(0x85);
  });

  test('a character above one byte is no byte string', () => {
    expect(() => bytesOf('a\u0100')).toThrow(RangeError);
  });

  test('utf8 keeps a byte order mark and replaces what is malformed', () => {
    expect(utf8(bytesOf('\xef\xbb\xbfx'))).toBe('\ufeffx');
    expect(utf8(bytesOf('a\xffb'))).toBe('a\ufffdb');
  });

  test('isUtf8 refuses overlong forms, surrogates and cut sequences', () => {
    expect(isUtf8(bytesOf('h\xc3\xa9'))).toBe(true);
    for (const text of ['\xc0\xaf', '\xed\xa0\x80', '\xc3', '\xff', '\xf4\x90\x80\x80']) {
      expect(isUtf8(bytesOf(text))).toBe(false);
    }
  });
});
