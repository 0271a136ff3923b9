import { bytesOf, encode } from '@shoal/bencode';
import { describe, expect, test } from 'vitest';
import { MetainfoError, parseMetainfo, type Metainfo } from '../src/index.ts';
import { folder, single } from './corpus.ts';

/** What parsing throws, which must be something. */
function errorOf(bytes: Uint8Array, options = {}): unknown {
  try {
    parseMetainfo(bytes, options);
  } catch (error) {
    return error;
  }
  return undefined;
}

const joined = (metainfo: Metainfo): string[] => metainfo.files.map((file) => file.path.join('/'));

describe('clients 58: the info-hash', () => {
  test('clients 58: is of the bytes received, whatever the order of their keys', () => {
    const info = `d4:name1:a6:lengthi5e12:piece lengthi16384e6:pieces20:${'h'.repeat(20)}e`;
    const metainfo = parseMetainfo(bytesOf(`d4:info${info}e`));
    expect(metainfo.infoBytes).toEqual(bytesOf(info));
    expect(metainfo.infoHash).toBe('b32157d0a6f939d8a5dd83c39307b292d975cdb1');
    expect(Buffer.from(metainfo.infoHashBytes).toString('hex')).toBe(metainfo.infoHash);
  });

  test('clients 58: is of the info dictionary that counts when there are two', () => {
    const info = (name: string): string =>
      `d6:lengthi5e4:name1:${name}12:piece lengthi16384e6:pieces20:${'h'.repeat(20)}e`;
    const metainfo = parseMetainfo(bytesOf(`d4:info${info('a')}4:info${info('b')}e`));
    expect(metainfo.name).toBe('b');
    expect(metainfo.infoBytes).toEqual(bytesOf(info('b')));
    expect(metainfo.warnings).toHaveLength(1);
  });

  test('clients 58: the files are those of the dictionary and of the list that count when there are two', () => {
    const file = (name: string): string => `d6:lengthi5e4:pathl1:${name}ee`;
    const info = (files: string): string => `d${files}4:name1:n12:piece lengthi16384e6:pieces20:${'h'.repeat(20)}e`;
    const lists = `5:filesl${file('a')}e5:filesl${file('b')}e`;
    expect(joined(parseMetainfo(bytesOf(`d4:info${info(lists)}e`)))).toEqual(['n/b']);
    const folderThenFile = `d4:info${info(`5:filesl${file('a')}e`)}4:info${info('6:lengthi5e')}e`;
    expect(joined(parseMetainfo(bytesOf(folderThenFile)))).toEqual(['n']);
    const noList = `5:filesl${file('a')}e5:filesi1e`;
    expect(errorOf(bytesOf(`d4:info${info(noList)}e`))).toMatchObject({ code: 'no-files' });
  });

  test('damage anywhere in the file is told before what is wrong with one of its files', () => {
    const text = 'd4:infod5:filesli1ee4:name1:n';
    expect(errorOf(bytesOf(text))).toMatchObject({ code: 'not-bencoded' });
    expect(errorOf(bytesOf(`${text}ee`))).toMatchObject({ code: 'no-files', file: 0 });
  });

  test('unknown keys inside the info dictionary are kept in its bytes', () => {
    const { infoBytes } = parseMetainfo(single({ 'x-cross-seed': 'abc' }));
    expect(Buffer.from(infoBytes).toString('latin1')).toContain('12:x-cross-seed3:abc');
  });

  test('what is no Uint8Array is a mistake of the caller', () => {
    for (const wrong of ['text', [100, 101], undefined]) {
      expect(() => parseMetainfo(wrong as unknown as Uint8Array)).toThrow(TypeError);
    }
  });

  test('a Buffer is read as it is and never handed on', () => {
    const { infoBytes, pieceHashes, unknown } = parseMetainfo(Buffer.from(single({}, { 'x-key': 'v' })));
    for (const bytes of [infoBytes, pieceHashes, unknown.get('x-key')]) expect(Buffer.isBuffer(bytes)).toBe(false);
  });
});

describe('clients 59: bencode that is not', () => {
  test.for([
    ['nothing', '', 0],
    ['a web page', '<html></html>', 0],
    ['a leading zero', 'd4:infod6:lengthi05eee', 16],
    ['a negative zero', 'd4:infod6:lengthi-0eee', 16],
    ['an empty integer', 'd4:infod6:lengthieee', 17],
    ['a string longer than the file', 'd4:infod4:name99999999999:aee', 13],
    ['bytes after the end', 'd4:infodee\n', 10],
  ] as const)('clients 59: %s is refused with its place', ([, text, offset]) => {
    const error = errorOf(bytesOf(text));
    expect(error).toMatchObject({ code: 'not-bencoded' });
    expect((error as MetainfoError).offset).toBeGreaterThanOrEqual(Math.max(0, offset - 1));
  });

  test('clients 59: nesting beyond the limit is refused', () => {
    expect(errorOf(bytesOf(`d1:a${'l'.repeat(100)}${'e'.repeat(100)}e`))).toMatchObject({ code: 'too-large' });
    expect(errorOf(bytesOf('d1:allee4:infode'), { maxDepth: 2 })).toMatchObject({ code: 'too-large' });
  });

  test('clients 59: more values than the limit are refused', () => {
    expect(errorOf(single(), { maxTokens: 5 })).toMatchObject({ code: 'too-large' });
  });

  test('a file beyond the limit is refused unread', () => {
    expect(errorOf(new Uint8Array(10_000_001))).toMatchObject({ code: 'too-large' });
    expect(errorOf(single(), { maxBytes: 50 })).toMatchObject({ code: 'too-large' });
  });
});

describe('clients 63: lengths', () => {
  test.for([
    ['a length beyond 2^53', single({ length: 2n ** 60n }), 'bad-length', 'length', undefined],
    [
      'lengths whose sum is beyond 2^53',
      folder([['a'], { length: Number.MAX_SAFE_INTEGER, path: ['b'] }], { pieces: '' }),
      'bad-length',
      'length',
      undefined,
    ],
    ['a negative length', folder([['a'], { length: -1, path: ['b'] }]), 'bad-length', 'length', 1],
    ['a missing length', folder([['a'], { path: ['b'] }]), 'bad-length', 'length', 1],
    ['a file that is no dictionary', single({ length: undefined, files: ['a'] }), 'no-files', 'files', 0],
    ['neither length nor files', single({ length: undefined }), 'no-files', 'files', undefined],
    ['files that are no list', single({ length: undefined, files: {} }), 'no-files', 'files', undefined],
    ['a piece length of 0', single({ 'piece length': 0 }), 'piece-length', 'piece length', undefined],
    [
      'a piece length above 512 MiB',
      single({ 'piece length': 2 ** 29 + 1 }),
      'piece-length',
      'piece length',
      undefined,
    ],
    ['one hash too few', single({ pieces: new Uint8Array(20) }), 'pieces', 'pieces', undefined],
    ['one hash too many', single({ pieces: new Uint8Array(60) }), 'pieces', 'pieces', undefined],
    ['no hashes', single({ pieces: '' }), 'pieces', 'pieces', undefined],
    ['hashes that are a number', single({ pieces: 7 }), 'pieces', 'pieces', undefined],
  ] as const)('clients 63: %s is refused', ([, bytes, code, key, file]) => {
    const error = errorOf(bytes);
    expect(error).toBeInstanceOf(MetainfoError);
    expect(error).toMatchObject({ code, key, file });
  });

  test('clients 63: a piece length of 512 MiB and one that is no power of two are taken', () => {
    expect(parseMetainfo(single({ 'piece length': 2 ** 29, pieces: new Uint8Array(20) })).geometry.pieceCount).toBe(1);
    expect(parseMetainfo(single({ 'piece length': 10_001 })).geometry.pieceCount).toBe(2);
  });
});

describe('clients 61: files that want one place', () => {
  test('clients 61: the later is numbered, without regard to case and composition', () => {
    const metainfo = parseMetainfo(folder([['é.txt'], ['E\u0301.txt'], ['é.1.txt'], ['É.TXT']]));
    expect(joined(metainfo)).toEqual(['temp/é.txt', 'temp/E\u0301.1.txt', 'temp/é.1.1.txt', 'temp/É.2.TXT']);
    expect(metainfo.files[1]?.originalPath).toEqual(['temp', 'E\u0301.txt']);
    expect(metainfo.warnings).toHaveLength(3);
  });

  test('clients 61: a file gives way to a folder, even when the folder comes later', () => {
    expect(joined(parseMetainfo(folder([['a'], ['A', 'b']])))).toEqual(['temp/a.1', 'temp/A/b']);
  });

  test('clients 61: 500 namesakes are numbered, one more is refused', () => {
    const files = Array.from({ length: 501 }, () => ['same.txt']);
    expect(joined(parseMetainfo(folder(files))).at(-1)).toBe('temp/same.500.txt');
    expect(errorOf(folder([...files, ['SAME.txt']]))).toMatchObject({ code: 'collisions', file: 501 });
  });

  test('clients 61: many groups of namesakes take time in proportion to their number', () => {
    const files = Array.from({ length: 40_000 }, (_, i) => [`${i % 100}`]);
    const bytes = folder(files);
    const started = performance.now();
    parseMetainfo(bytes);
    expect(performance.now() - started).toBeLessThan(5000);
  });

  test('a path deeper than 128 is refused', () => {
    const path = (depth: number): string[] => Array.from({ length: depth }, () => 'a');
    expect(parseMetainfo(folder([path(128)])).files[0]?.path).toHaveLength(129);
    expect(errorOf(folder([['b'], path(129)]))).toMatchObject({ code: 'bad-path', file: 1 });
  });
});

describe('clients 64: padding', () => {
  test('clients 64: by attribute and by BitComet’s name is marked and never written', () => {
    const bitComet = '_____padding_file_0_if you see this file, please update to BitComet 0.85 or above____';
    const { files } = parseMetainfo(folder([['a'], [bitComet], { attr: 'px', length: 3, path: ['pad'] }]));
    expect(files.map((file) => file.isPadding)).toEqual([false, true, true]);
    expect(files.map((file) => file.isSkipped)).toEqual([false, true, true]);
  });

  test('clients 64: takes no name from a file, nor a folder’s place', () => {
    const pad = { attr: 'p', length: 5, path: ['a', '5'] };
    const metainfo = parseMetainfo(folder([pad, ['a'], pad]));
    expect(joined(metainfo)).toEqual(['temp/a/5', 'temp/a', 'temp/a/5']);
    expect(metainfo.warnings).toEqual([]);
  });
});

describe('trackers and web seeds', () => {
  const tiers = (root: Parameters<typeof single>[1]): readonly (readonly string[])[] =>
    parseMetainfo(single({}, root)).announceTiers;

  test('BEP 12: the list replaces announce', () => {
    const list = [['udp://a.example:1', 'http://b.example/announce'], ['wss://c.example']];
    expect(tiers({ 'announce-list': list })).toEqual(list);
  });

  test.for([
    ['empty', []],
    ['empty tiers', [[], ['']]],
    ['no list', 'http://b.example'],
    ['junk', [['not a url', 7, 'magnet:?x'], [{}]]],
  ] as const)('BEP 12: announce counts when the list is %s', ([, list]) => {
    expect(tiers({ 'announce-list': list })).toEqual([['http://tracker.example/announce']]);
  });

  test('BEP 12: a flat list is one tier for each URL', () => {
    expect(tiers({ 'announce-list': ['udp://a.example:1', 'udp://b.example:1'] })).toEqual([
      ['udp://a.example:1'],
      ['udp://b.example:1'],
    ]);
  });

  test('repeated, junk and padded URLs are dropped or trimmed, with warnings that hold no control codes', () => {
    const list = [[' udp://a.example:1 ', 'udp://a.example:1', '\u001b[31mred\u202e', `http://${'x'.repeat(3000)}`]];
    const metainfo = parseMetainfo(single({}, { 'announce-list': list }));
    expect(metainfo.announceTiers).toEqual([['udp://a.example:1']]);
    expect(metainfo.warnings).toHaveLength(2);
    expect(metainfo.warnings.join()).toContain(String.raw`\u{1b}[31mred\u{202e}`);
  });

  test('at most 500 trackers are kept', () => {
    const list = Array.from({ length: 10_000 }, (_, i) => [`udp://t${i}.example:1`]);
    expect(tiers({ 'announce-list': list })).toHaveLength(500);
  });

  test('a torrent without trackers has no tiers', () => {
    expect(tiers({ announce: undefined })).toEqual([]);
  });

  test('BEP 19: only http, https and ftp are web seeds', () => {
    const urls = ['udp://a.example', 'ftp://a.example/f', 'https://a.example/f', 'file:///etc/passwd'];
    const metainfo = parseMetainfo(single({}, { 'url-list': urls }));
    expect(metainfo.webSeeds).toEqual(['ftp://a.example/f', 'https://a.example/f']);
    expect(metainfo.warnings).toHaveLength(2);
  });
});

describe('the other fields', () => {
  test('are read', () => {
    const root = { comment: 'hi', 'created by': 'me', encoding: 'UTF-8', 'creation date': 7 };
    expect(parseMetainfo(single({ private: 1, source: 'PT' }, root))).toMatchObject({
      comment: 'hi',
      createdBy: 'me',
      encoding: 'UTF-8',
      creationDate: 7,
      isPrivate: true,
      source: 'PT',
      warnings: [],
    });
  });

  test('of the wrong type are left out with a warning', () => {
    const metainfo = parseMetainfo(single({}, { comment: 7, encoding: [], 'creation date': -1 }));
    expect(metainfo).not.toHaveProperty('comment');
    expect(metainfo).not.toHaveProperty('encoding');
    expect(metainfo).not.toHaveProperty('creationDate');
    expect(metainfo.warnings).toHaveLength(3);
  });

  test.for([
    [undefined, false, 0],
    [0, false, 0],
    [1, true, 0],
    [2, true, 1],
    ['1', true, 1],
  ] as const)('BEP 27: private %j is %j', ([value, expected, warnings]) => {
    const metainfo = parseMetainfo(single({ private: value }));
    expect(metainfo.isPrivate).toBe(expected);
    expect(metainfo.warnings).toHaveLength(warnings);
  });

  test('name.utf-8, path.utf-8 and comment.utf-8 are preferred', () => {
    const legacy = bytesOf('\xb4\xfa');
    const metainfo = parseMetainfo(
      folder(
        [{ length: 10, path: [legacy], 'path.utf-8': ['代.txt'] }],
        { name: legacy, 'name.utf-8': '代' },
        { comment: legacy, 'comment.utf-8': '好' },
      ),
    );
    expect(joined(metainfo)).toEqual(['代/代.txt']);
    expect(metainfo.comment).toBe('好');
  });

  test('a torrent that is file and folder at once is read as a folder, with a warning', () => {
    const metainfo = parseMetainfo(folder([['a']], { length: 999 }));
    expect(metainfo.geometry.totalLength).toBe(10);
    expect(metainfo.warnings).toHaveLength(1);
  });

  test('keys of the root that mean nothing here are kept as they were', () => {
    const unknown = parseMetainfo(single({}, { nodes: [['h', 1]], 'x-y': { z: 1 } })).unknown;
    expect(encode(unknown)).toEqual(encode({ nodes: [['h', 1]], 'x-y': { z: 1 } }));
  });

  test('warnings stop at 50 and count the rest', () => {
    const list = Array.from({ length: 200 }, (_, i) => [`junk ${i}`]);
    const { warnings } = parseMetainfo(single({}, { 'announce-list': list }));
    expect(warnings).toHaveLength(51);
    expect(warnings.at(-1)).toContain('150 more');
  });

  test('characters that Windows refuses are replaced when asked', () => {
    const bytes = folder([['a:b', 'what?.txt']], { name: 'x|y' });
    expect(joined(parseMetainfo(bytes, { replaceWindowsCharacters: true }))).toEqual(['x_y/a_b/what_.txt']);
    expect(joined(parseMetainfo(bytes, { replaceWindowsCharacters: false }))).toEqual(['x|y/a:b/what?.txt']);
  });
});
