import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type BencodeValue, decode, decodePrefix, encode, latin1, rawValue } from '../src/index.ts';
import { refusalOf } from './bytes.ts';

const key = fc.uint8Array({ maxLength: 12 }).map(latin1);
const scalar = fc.oneof(
  fc.maxSafeInteger(),
  fc.integer({ min: -20, max: 20 }),
  fc.bigInt({ min: 2n ** 53n, max: 2n ** 80n }),
  fc.bigInt({ min: -(2n ** 80n), max: -(2n ** 53n) }),
  fc.uint8Array({ maxLength: 40 }),
  fc.uint8Array({ minLength: 1000, maxLength: 1100 }),
);
const { value } = fc.letrec<{ value: BencodeValue }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 5, depthSize: 'medium' },
    scalar,
    fc.array(tie('value'), { maxLength: 6 }),
    fc.array(fc.tuple(key, tie('value')), { maxLength: 6 }).map((entries) => new Map(entries)),
  ),
}));

/** Bytes that are nearly bencode: a document with some bytes changed, put in or taken out. */
const damaged = fc
  .tuple(
    value,
    fc.array(fc.tuple(fc.nat(), fc.constantFrom(...'ldie0123459:-+.x\xff'.split(''), '')), { maxLength: 4 }),
  )
  .map(([document, changes]) => {
    const text = latin1(encode(document)).split('');
    for (const [place, character] of changes) text[place % (text.length + 1)] = character;
    return Uint8Array.from(text.join(''), (character) => character.charCodeAt(0));
  });
const soup = fc
  .array(fc.constantFrom('i', 'e', 'l', 'd', '0:', '1:a', '1:b', '2:', 'i0e', 'i-', '-', '0', '1', '9', ':', 'x'), {
    maxLength: 30,
  })
  .map((parts) => Uint8Array.from(parts.join(''), (character) => character.charCodeAt(0)));
const anyBytes = fc.oneof(fc.uint8Array({ maxLength: 60 }), soup, damaged);

describe('round trips', () => {
  test('every value is what decoding its encoding gives', () => {
    fc.assert(
      fc.property(value, (document) => {
        expect(sorted(decode(encode(document)))).toStrictEqual(sorted(document));
      }),
    );
  });

  test('what strict decoding accepts is what encoding writes, byte for byte', () => {
    let accepted = 0;
    fc.assert(
      fc.property(anyBytes, (bytes) => {
        if (refusalOf(() => decode(bytes)) !== undefined) return;
        accepted += 1;
        expect(encode(decode(bytes))).toEqual(bytes);
      }),
      { numRuns: 1500 },
    );
    expect(accepted).toBeGreaterThan(100);
  });

  test('every value ends where it is said to end, whatever follows', () => {
    fc.assert(
      fc.property(value, fc.uint8Array({ maxLength: 9 }), (document, rest) => {
        const bytes = encode(document);
        const prefix = decodePrefix(Uint8Array.of(...bytes, ...rest));
        expect(prefix.end).toBe(bytes.length);
        expect(prefix).not.toHaveProperty('deviation');
      }),
    );
  });
});

describe('any bytes', () => {
  test('give a value or a BencodeError with an offset inside the input, in both modes', () => {
    fc.assert(
      fc.property(anyBytes, fc.boolean(), (bytes, lenient) => {
        // Passes on whatever is not a BencodeError.
        const refusal = refusalOf(() => decode(bytes, { lenient }));
        if (refusal === undefined) return;
        expect(refusal.offset).toBeGreaterThanOrEqual(0);
        expect(refusal.offset).toBeLessThanOrEqual(bytes.length);
      }),
      { numRuns: 1500 },
    );
  });

  test('that strict decoding accepts, lenient decoding reads the same', () => {
    fc.assert(
      fc.property(anyBytes, (bytes) => {
        if (refusalOf(() => decode(bytes)) !== undefined) return;
        expect(decode(bytes, { lenient: true })).toStrictEqual(decode(bytes));
        expect(decodePrefix(bytes, { lenient: true })).not.toHaveProperty('deviation');
      }),
      { numRuns: 1000 },
    );
  });

  test('that lenient decoding accepts with a deviation, strict decoding refuses for that reason', () => {
    fc.assert(
      fc.property(anyBytes, (bytes) => {
        if (refusalOf(() => decode(bytes, { lenient: true })) !== undefined) return;
        const { deviation } = decodePrefix(bytes, { lenient: true });
        expect(refusalOf(() => decodePrefix(bytes))).toEqual(deviation);
      }),
      { numRuns: 1000 },
    );
  });

  test('are accepted and refused alike by rawValue and lenient decoding', () => {
    fc.assert(
      fc.property(anyBytes, (bytes) => {
        const refusal = refusalOf(() => decode(bytes, { lenient: true }));
        expect(refusalOf(() => rawValue(bytes, 'a'))).toEqual(refusal);
      }),
      { numRuns: 1500 },
    );
  });
});

describe('rawValue', () => {
  test('is the encoding of what the path leads to, for every path of every document', () => {
    fc.assert(
      fc.property(value, (document) => {
        const bytes = encode(document);
        for (const [path, found] of pathsOf(document)) expect(rawValue(bytes, ...path)).toEqual(encode(found));
      }),
    );
  });

  test('of lenient documents decodes to what lenient decoding has under the key', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.constantFrom('a', 'b', 'c'), value), { maxLength: 6 }), (entries) => {
        const parts = entries.map(([name, item]) => `1:${name}${latin1(encode(item))}`);
        const bytes = Uint8Array.from(`d${parts.join('')}e`, (character) => character.charCodeAt(0));
        const document = decode(bytes, { lenient: true }) as Map<string, BencodeValue>;
        for (const name of ['a', 'b', 'c']) {
          const raw = rawValue(bytes, name);
          expect(raw && decode(raw)).toStrictEqual(document.get(name));
        }
      }),
    );
  });
});

/** The same value with its dictionaries in key order, so that comparing sees their order too. */
function sorted(document: BencodeValue): BencodeValue {
  if (Array.isArray(document)) return document.map(sorted);
  if (!(document instanceof Map)) return document;
  const entries = [...document].sort(([a], [b]) => (a < b ? -1 : 1));
  return new Map(entries.map(([name, item]) => [name, sorted(item)]));
}

function* pathsOf(document: BencodeValue, path: string[] = []): Generator<[string[], BencodeValue]> {
  yield [path, document];
  if (!(document instanceof Map)) return;
  for (const [name, item] of document) yield* pathsOf(item, [...path, name]);
}
