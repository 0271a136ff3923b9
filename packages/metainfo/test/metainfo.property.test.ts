import type { BencodeInput } from '@shoal/bencode';
import fc from 'fast-check';
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { createMetainfo, formatMagnet, MetainfoError, parseMagnet, parseMetainfo, type Magnet } from '../src/index.ts';
import { safeElement } from '../src/safe-path.ts';
import { cleaned, dictionary, folder, loaded, refused, single } from './corpus.ts';
import { expectSafe, isSafeElement } from './safe.ts';

/** Parses; whatever comes of it must be a MetainfoError or a torrent that writes nothing outside its folder. */
function expectErrorOrSafe(bytes: Uint8Array): void {
  let metainfo;
  try {
    metainfo = parseMetainfo(bytes);
  } catch (error) {
    expect(error).toBeInstanceOf(MetainfoError);
    return;
  }
  expectSafe(metainfo);
  expect(metainfo.warnings.length).toBeLessThanOrEqual(51);
  expect(metainfo.pieceHashes).toHaveLength(20 * metainfo.geometry.pieceCount);
  expect(metainfo.files.reduce((sum, file) => sum + file.length, 0)).toBe(metainfo.geometry.totalLength);
}

/** Texts that attack: what each rule is about, alone and mixed. */
const nasty = fc.oneof(
  fc.constantFrom(
    '.',
    '..',
    '',
    '/',
    '\\',
    '../..',
    'CON',
    'nul.txt',
    'com1',
    'a ',
    'a.',
    'A',
    'a',
    'é',
    'e\u0301',
    'É',
  ),
  fc.constantFrom(
    '\u202e..',
    '.\u200b.',
    '\0',
    'C:',
    '~',
    '-',
    '_____padding_file_0',
    'a.1',
    'x'.repeat(250),
    'ﬁ'.repeat(90),
  ),
  fc
    .array(fc.constantFrom('.', ' ', '/', '\\', 'a', 'A', '\0', '\u202e', '\u200d', 'é', 'con', '\ufeff', '1', '🐟'), {
      maxLength: 8,
    })
    .map((parts) => parts.join('')),
  fc.string({ unit: 'binary', maxLength: 12 }),
);
const nastyBytes: fc.Arbitrary<BencodeInput> = fc.oneof(
  { weight: 8, arbitrary: nasty.map((text) => text.toWellFormed()) },
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 12 }) },
);
const path = fc.array(nastyBytes, { maxLength: 5 });
const entry = fc
  .record(
    {
      length: fc.oneof({ weight: 20, arbitrary: fc.nat(30_000) }, fc.constantFrom(-1, 2 ** 53 - 1)),
      path,
      attr: fc.constantFrom('p', 'l', 'x', 'lp', 'h', ''),
      'symlink path': path,
    },
    { requiredKeys: ['length', 'path'] },
  )
  .map((fields) => dictionary(fields));

describe('parsing', () => {
  test('any bytes give a MetainfoError or a safe torrent', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), expectErrorOrSafe));
  });

  test('any torrent with some bytes changed gives a MetainfoError or a safe torrent', () => {
    const whole = [...refused, ...cleaned, ...loaded].map(({ bytes }) => bytes).filter(({ length }) => length < 5000);
    const change = fc.tuple(fc.nat(), fc.oneof(fc.nat(255), fc.constantFrom(...Buffer.from('delis0123456789:-./\\'))));
    fc.assert(
      fc.property(fc.constantFrom(...whole), fc.array(change, { minLength: 1, maxLength: 6 }), (bytes, changes) => {
        const changed = bytes.slice();
        for (const [place, byte] of changes) changed[place % changed.length] = byte;
        expectErrorOrSafe(changed);
      }),
      { numRuns: 1000 },
    );
  });

  test('any file names and links give a MetainfoError or a safe torrent', () => {
    fc.assert(
      fc.property(fc.array(entry, { minLength: 1, maxLength: 12 }), nastyBytes, (files, name) => {
        expectErrorOrSafe(folder(files, { name }));
      }),
      { numRuns: 1500 },
    );
  });

  test('any values under the keys that have a meaning give a MetainfoError or a safe torrent', () => {
    const { value } = fc.letrec<{ value: BencodeInput }>((tie) => ({
      value: fc.oneof(
        { maxDepth: 3 },
        fc.maxSafeInteger(),
        nastyBytes,
        fc.array(tie('value'), { maxLength: 3 }),
        fc.dictionary(fc.constantFrom('length', 'path', 'attr', 'x'), tie('value'), { maxKeys: 3 }),
      ),
    }));
    const some = (...keys: string[]): fc.Arbitrary<Record<string, BencodeInput>> =>
      fc.dictionary(fc.constantFrom(...keys), value, { maxKeys: 3 });
    const infoKeys = some(
      'name',
      'name.utf-8',
      'length',
      'files',
      'piece length',
      'pieces',
      'private',
      'source',
      'meta version',
    );
    const rootKeys = some('announce', 'announce-list', 'url-list', 'comment', 'encoding', 'creation date', 'info');
    fc.assert(
      fc.property(infoKeys, rootKeys, (info, root) => expectErrorOrSafe(single(info, root))),
      { numRuns: 1000 },
    );
  });

  test('any text makes a safe element, and a safe element stays as it is', () => {
    fc.assert(
      fc.property(nasty, fc.boolean(), (text, replaceWindowsCharacters) => {
        const element = safeElement(text.toWellFormed(), replaceWindowsCharacters);
        if (element === undefined || element === '') return;
        expect(isSafeElement(element)).toBe(true);
        expect(safeElement(element, replaceWindowsCharacters)).toBe(element);
      }),
      { numRuns: 2000 },
    );
  });
});

/** Names that survive as they are on every file system the tests may run on. */
const plainName = fc
  .stringMatching(/^[a-z0-9_-][a-z0-9_ -]{0,10}[a-z0-9_-](\.[a-z0-9]{1,4})?$/)
  .filter((name) => safeElement(name, true) === name);

describe('making', () => {
  test('any tree of files is read back as it was made', async () => {
    const trees = fc.uniqueArray(
      fc.tuple(fc.array(plainName, { minLength: 1, maxLength: 4 }), fc.uint8Array({ maxLength: 3000 })),
      { minLength: 1, maxLength: 12, selector: ([elements]) => elements.join('/') },
    );
    await fc.assert(fc.asyncProperty(trees, fc.constantFrom(1024, 2048, 16_384), expectRoundTrip), { numRuns: 40 });
  });
});

type Tree = readonly (readonly [elements: readonly string[], content: Uint8Array])[];

async function expectRoundTrip(given: Tree, pieceLength: number): Promise<void> {
  const paths = given.map(([elements]) => elements.join('/'));
  fc.pre(!paths.some((path) => paths.some((other) => other.startsWith(`${path}/`))));
  fc.pre(given.some(([, content]) => content.length > 0));
  const base = await mkdtemp(join(tmpdir(), 'shoal-tree-'));
  try {
    for (const [elements, content] of given) {
      const location = join(base, 'tree', ...elements);
      await mkdir(dirname(location), { recursive: true });
      await writeFile(location, content);
    }
    const { bytes, metainfo, skipped } = await createMetainfo(join(base, 'tree'), { pieceLength });
    expect(parseMetainfo(bytes)).toEqual(metainfo);
    expect(metainfo.warnings).toEqual([]);
    expect(skipped).toEqual([]);
    const sorted = given.toSorted(([a], [b]) => Buffer.compare(Buffer.from(a.join('/')), Buffer.from(b.join('/'))));
    expect(metainfo.files.map((file) => [file.path.slice(1), file.length])).toEqual(
      sorted.map(([elements, content]) => [elements, content.length]),
    );
    const whole = Buffer.concat(sorted.map(([, content]) => content));
    const hashes: Buffer[] = [];
    for (let begin = 0; begin < whole.length; begin += pieceLength) {
      hashes.push(
        createHash('sha1')
          .update(whole.subarray(begin, begin + pieceLength))
          .digest(),
      );
    }
    expect(metainfo.pieceHashes).toEqual(new Uint8Array(Buffer.concat(hashes)));
  } finally {
    await rm(base, { recursive: true, force: true });
  }
}

const hex = (length: number): fc.Arbitrary<string> => fc.stringMatching(new RegExp(`^[0-9a-f]{${length}}$`));
const text = fc.string({ unit: 'grapheme', maxLength: 20 });
const address = fc.webUrl({ withQueryParameters: true });
const ranges = fc
  .array(fc.tuple(fc.nat(50), fc.integer({ min: 2, max: 9 })), { minLength: 1, maxLength: 5 })
  .map((steps) => {
    let next = -2;
    return steps.map(([length, gap]) => {
      const first = next + gap;
      next = first + length;
      return { first, last: next };
    });
  });
const magnet = fc.record(
  {
    infoHash: hex(40),
    infoHashV2: hex(64).map((digest) => `1220${digest}`),
    name: text,
    length: fc.maxSafeNat(),
    trackers: fc.uniqueArray(address, { maxLength: 4 }),
    webSeeds: fc.uniqueArray(address, { maxLength: 3 }),
    exactSources: fc.uniqueArray(address, { maxLength: 2 }),
    peers: fc.uniqueArray(
      fc.oneof(fc.ipV4(), fc.domain()).map((host) => `${host}:6881`),
      { maxLength: 3 },
    ),
    selectOnly: ranges,
    unknown: fc.array(fc.tuple(fc.stringMatching(/^[a-z]{4,8}$/), text), { maxLength: 3 }),
  },
  { requiredKeys: ['infoHash'] },
);

describe('magnet links', () => {
  test('any link that is written is read back as it was', () => {
    fc.assert(
      fc.property(magnet, (fields) => {
        const nothing = { trackers: [], webSeeds: [], exactSources: [], peers: [], unknown: [], warnings: [] };
        const expected: Magnet = { ...nothing, ...fields };
        expect(parseMagnet(formatMagnet(fields))).toEqual(expected);
      }),
      { numRuns: 500 },
    );
  });

  test('any text gives a MetainfoError or a magnet that can be written', () => {
    const piece = fc.constantFrom(
      'xt=urn:btih:',
      'tr=',
      'so=',
      '-',
      ',',
      '&',
      '=',
      '%',
      '%41',
      '%ff',
      'dn',
      '.1',
      'x.pe=',
      'a'.repeat(40),
    );
    const part = fc.oneof(piece, fc.string({ unit: 'binary', maxLength: 5 }));
    const query = fc.array(part, { maxLength: 20 }).map((parts) => `magnet:?${parts.join('')}`);
    fc.assert(
      fc.property(
        fc.oneof(
          query,
          query.map((rest) => `${rest}&xt=urn:btih:${'a'.repeat(40)}`),
          fc.string(),
        ),
        (given) => {
          let parsed;
          try {
            parsed = parseMagnet(given);
          } catch (error) {
            expect(error).toBeInstanceOf(MetainfoError);
            return;
          }
          const { warnings: _, ...again } = parseMagnet(formatMagnet(parsed));
          const { warnings: __, ...first } = parsed;
          expect(again).toEqual(first);
        },
      ),
      { numRuns: 1500 },
    );
  });
});
