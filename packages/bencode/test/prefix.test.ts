import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type BencodeValue, decodePrefix, latin1, rawValue, utf8 } from '../src/index.ts';
import { bytes, refusalOf } from './bytes.ts';

/** Keeps what it is given, as text where it is text. */
class Kept {
  readonly path: readonly string[];
  items: unknown[] = [];
  lists = 0;

  constructor(...path: string[]) {
    this.path = path;
  }

  opened(): void {
    this.lists += 1;
    this.items = [];
  }

  item(value: BencodeValue): void {
    this.items.push(value instanceof Uint8Array ? utf8(value) : value);
  }
}

describe('the range of a value', () => {
  test('is the bytes received, as a view', () => {
    const input = bytes('d1:ai1e4:infod1:xi007eee');
    const { raw } = decodePrefix(input, { lenient: true, rangeOf: 'info' });
    expect(latin1(raw!)).toBe('d1:xi007ee');
    expect(raw!.buffer).toBe(input.buffer);
  });

  test('is not there when the key is not, or is not one of the outermost dictionary', () => {
    for (const text of ['d1:ai1ee', 'd1:ad4:infoi1eee', 'ld4:infoi1eee', 'i1e']) {
      expect(decodePrefix(bytes(text), { rangeOf: 'info' })).not.toHaveProperty('raw');
    }
  });

  test('is what rawValue finds, for any document with keys that come twice', () => {
    const key = fc.constantFrom('a', 'info', 'z');
    const value = fc.constantFrom('i1e', '3:abc', 'le', 'd4:infoi7ee', 'l4:infoi1ee', 'd1:ad4:info0:ee');
    const document = fc
      .array(fc.tuple(key, value), { maxLength: 6 })
      .map((entries) => bytes(`d${entries.map(([k, v]) => `${k.length}:${k}${v}`).join('')}e`));
    fc.assert(
      fc.property(document, (input) => {
        const { raw } = decodePrefix(input, { lenient: true, rangeOf: 'info' });
        expect(raw).toEqual(rawValue(input, 'info'));
        expect(raw?.byteOffset).toBe(rawValue(input, 'info')?.byteOffset);
      }),
    );
  });
});

describe('a list handed over', () => {
  test('gives its items in order and stays empty in the value', () => {
    const files = new Kept('info', 'files');
    const { value } = decodePrefix(bytes('d4:infod5:filesl1:a1:bli1eee4:name1:nee'), { items: files });
    expect(files.items).toEqual(['a', 'b', [1]]);
    expect(value).toEqual(
      new Map([
        [
          'info',
          new Map<string, BencodeValue>([
            ['files', []],
            ['name', bytes('n')],
          ]),
        ],
      ]),
    );
  });

  test('is the one at the path and no other', () => {
    for (const text of [
      'd5:filesl1:aee',
      'd1:xd5:filesl1:aeee',
      'd4:infold5:filesl1:aeeee',
      'd4:infod5:filesd1:ai1eeee',
    ]) {
      const files = new Kept('info', 'files');
      const { value } = decodePrefix(bytes(text), { items: files });
      expect(files.lists).toBe(0);
      expect(value).toEqual(decodePrefix(bytes(text)).value);
    }
  });

  test('inside another list is not at the path, however its keys are called', () => {
    // Where the list stands now a dictionary stood before, whose key was the last of the path.
    const text = 'd4:infod5:filesl1:aee4:infoll1:bee';
    const files = new Kept('info', 'files');
    decodePrefix(bytes(`${text}e`), { lenient: true, items: files });
    expect(files).toMatchObject({ items: ['a'], lists: 1 });
  });

  test('begins anew for a key that comes again', () => {
    const files = new Kept('l');
    decodePrefix(bytes('d1:ll1:ae1:ll1:bee'), { lenient: true, items: files });
    expect(files).toMatchObject({ items: ['b'], lists: 2 });
  });

  test('may be the whole document', () => {
    const all = new Kept();
    expect(decodePrefix(bytes('l1:ali1eee'), { items: all }).value).toEqual([]);
    expect(all.items).toEqual(['a', [1]]);
  });

  test('is refused for what follows it as any document', () => {
    const options = { items: new Kept('l') };
    expect(refusalOf(() => decodePrefix(bytes('d1:ll1:ae1:xe'), options))).toEqual({
      code: 'missing-value',
      offset: 12,
    });
    expect(refusalOf(() => decodePrefix(bytes('d1:ll1:a1:be'), { ...options, maxTokens: 4 }))?.code).toBe(
      'too-many-tokens',
    );
  });
});
