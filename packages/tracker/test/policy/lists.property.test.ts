import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  ClientPrefixes,
  InfoHashSet,
  PolicyListError,
  parseAddressList,
  parseClientList,
  parseInfoHashList,
} from '@shoal/tracker';

/** Hashes that often agree in some of their words. */
const hash = fc
  .array(fc.constantFrom([0, 0, 0, 0], [255, 255, 255, 255], [128, 0, 0, 0], [0, 0, 0, 1]), {
    minLength: 5,
    maxLength: 5,
  })
  .map((words) => Uint8Array.from(words.flat()));

test('a set of info-hashes behaves as a set of texts', () => {
  fc.assert(
    fc.property(fc.array(hash), fc.array(hash), (members, others) => {
      const set = InfoHashSet.of(members);
      const texts = new Set(members.map((bytes) => bytes.join()));
      expect(set.size).toBe(texts.size);
      for (const bytes of [...members, ...others]) expect(set.has(bytes)).toBe(texts.has(bytes.join()));
    }),
  );
});

test('prefixes match as a comparison with each of them does', () => {
  const byte = fc.constantFrom(0, 45, 65, 66, 255);
  const prefix = fc
    .uint8Array({ minLength: 1, maxLength: 4 })
    .chain(({ length }) => fc.array(byte, { minLength: length, maxLength: length }));
  fc.assert(
    fc.property(fc.array(prefix), fc.array(byte, { minLength: 20, maxLength: 20 }), (prefixes, peerId) => {
      const list = new ClientPrefixes(prefixes.map((bytes) => Uint8Array.from(bytes)));
      const expected = prefixes.some((bytes) => bytes.every((value, at) => peerId[at] === value));
      expect(list.matches(Uint8Array.from(peerId))).toBe(expected);
    }),
    { numRuns: 1000 },
  );
});

test.each([
  ['info-hashes', parseInfoHashList],
  ['clients', parseClientList],
  ['addresses', parseAddressList],
])('any bytes are a list of %s or an error of the package', (_, parse) => {
  const line = fc.oneof(
    fc.string(),
    fc.constantFrom('#', '10.0.0.1', '-TR', 'ab'.repeat(20), '\r', '\u00ef\u00bb\u00bf'),
  );
  fc.assert(
    fc.property(fc.array(line), fc.constantFrom('\n', '\r\n', '\r'), (lines, end) => {
      try {
        parse(Uint8Array.from(lines.join(end), (character) => character.charCodeAt(0)));
      } catch (error) {
        expect(error).toBeInstanceOf(PolicyListError);
      }
    }),
  );
});
