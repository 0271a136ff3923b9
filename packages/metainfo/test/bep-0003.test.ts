// Statements of BEP 3 on metainfo files that no other test here states by itself. Numbers: docs/bep-0003.md.
import { bytesOf, encode } from '@shoal/bencode';
import { expect, test } from 'vitest';
import { parseMetainfo } from '../src/index.ts';
import { folder, single } from './corpus.ts';

const expectRefused = (bytes: Uint8Array, code: string, key?: string): void => {
  const wanted: unknown = expect.objectContaining({ code, ...(key === undefined ? {} : { key }) });
  expect(() => parseMetainfo(bytes)).toThrow(wanted as Error);
};

test('BEP 3.32: a metainfo file is one bencoded dictionary', () => {
  expect(parseMetainfo(single()).name).toBe('temp');
  for (const text of ['le', 'i7e', '4:spam']) expectRefused(bytesOf(text), 'no-info');
  expectRefused(bytesOf('announce=http://tracker.example/'), 'not-bencoded');
});

test('BEP 3.33: announce is the URL of the tracker', () => {
  const announce = 'http://tracker.example:6969/announce';
  expect(parseMetainfo(single({}, { announce })).announceTiers).toEqual([[announce]]);
});

test('BEP 3.34: info is a dictionary, and there has to be one', () => {
  for (const info of ['text', 7, ['name']]) expectRefused(encode({ announce: 'http://t.example/', info }), 'no-info');
  expectRefused(encode({ announce: 'http://t.example/' }), 'no-info');
});

test('BEP 3.35: name is the suggested name of the file or the folder', () => {
  expect(parseMetainfo(single({ name: 'holiday.mkv' })).files[0]?.path).toEqual(['holiday.mkv']);
  expectRefused(single({ name: undefined }), 'no-name');
  expectRefused(single({ name: 7 }), 'bad-name');
});

test('BEP 3.36: name is advice: what cannot be stored under it is stored under a name like it, and the torrent is the same', () => {
  const bytes = single({ name: '../a/b ' });
  const { name, files, infoBytes, warnings } = parseMetainfo(bytes);
  expect(name).toBe('..ab');
  expect(files[0]).toMatchObject({ path: ['..ab'], originalPath: ['../a/b '] });
  expect(Buffer.from(infoBytes).toString('latin1')).toContain('4:name7:../a/b ');
  expect(warnings).toHaveLength(1);
});

test('BEP 3.37: piece length is the number of bytes in each piece', () => {
  const bytes = single({ length: 262_144 * 3, 'piece length': 262_144, pieces: new Uint8Array(60) });
  expect(parseMetainfo(bytes).geometry).toEqual({ totalLength: 786_432, pieceLength: 262_144, pieceCount: 3 });
  expectRefused(single({ 'piece length': undefined }), 'piece-length', 'piece length');
});

test('BEP 3.40: pieces has 20 bytes for each piece, no more and no fewer', () => {
  for (const length of [0, 20, 39, 41, 60])
    expectRefused(single({ pieces: new Uint8Array(length) }), 'pieces', 'pieces');
  expect(parseMetainfo(single({ pieces: new Uint8Array(40).fill(9) })).pieceHashes).toEqual(new Uint8Array(40).fill(9));
});

test('BEP 3.43, 3.44: with a length the torrent is one file of that many bytes', () => {
  const { isMultiFile, files, geometry } = parseMetainfo(single({ length: 20_001 }));
  expect(isMultiFile).toBe(false);
  expect(files).toMatchObject([{ path: ['temp'], length: 20_001 }]);
  expect(geometry.totalLength).toBe(20_001);
});

test('BEP 3.43, 3.46: without a length it is the files of a list of dictionaries, in a folder', () => {
  const { isMultiFile, files } = parseMetainfo(folder([['b', 'one'], ['a']]));
  expect(isMultiFile).toBe(true);
  expect(files.map(({ path }) => path.join('/'))).toEqual(['temp/b/one', 'temp/a']);
  for (const list of [7, 'a', {}, [7], [['a']]]) expectRefused(single({ length: undefined, files: list }), 'no-files');
});

test('BEP 3.45: to all else the files are one, joined in the order of the list', () => {
  const files = [
    { length: 16_384, path: ['z'] },
    { length: 1, path: ['a'] },
    { length: 0, path: ['m'] },
    { length: 16_383, path: ['b'] },
  ];
  const metainfo = parseMetainfo(folder(files));
  expect(metainfo.geometry).toMatchObject({ totalLength: 32_768, pieceCount: 2 });
  expect(metainfo.files.map(({ path }) => path.at(-1))).toEqual(['z', 'a', 'm', 'b']);
});

test('BEP 3.47: each file has a length in bytes', () => {
  const lengths = [0, 1, 70_000];
  const { files } = parseMetainfo(folder(lengths.map((length) => ({ length, path: [`${length}`] }))));
  expect(files.map(({ length }) => length)).toEqual(lengths);
  for (const length of [undefined, -1, 'one']) expectRefused(folder([['a'], { length, path: ['b'] }]), 'bad-length');
});

test('BEP 3.48: path is a list of folder names, of which the last is the name of the file', () => {
  expect(parseMetainfo(folder([['one', 'two', 'three.txt']])).files[0]?.path).toEqual([
    'temp',
    'one',
    'two',
    'three.txt',
  ]);
  for (const path of ['a/b', 7, undefined, ['a', 7]]) expectRefused(folder([{ length: 10, path }]), 'bad-path');
});

test('BEP 3.49: a path without elements is a file without a name, which gets one, and a warning says so', () => {
  const { files, warnings } = parseMetainfo(folder([['a'], []]));
  expect(files[1]?.path).toEqual(['temp', '_']);
  expect(warnings).toHaveLength(1);
});

test('BEP 3.50: name is the file of a single file and the folder of several', () => {
  expect(parseMetainfo(single({ name: 'x' })).files[0]?.path).toEqual(['x']);
  expect(parseMetainfo(folder([['y']], { name: 'x' })).files[0]?.path).toEqual(['x', 'y']);
});

test('BEP 3.80: keys that nobody has told us of change nothing and get lost nowhere', () => {
  const bytes = single({ 'x-inside': 1 }, { 'x-outside': ['a'] });
  const metainfo = parseMetainfo(bytes);
  expect(metainfo.warnings).toEqual([]);
  expect(Buffer.from(metainfo.infoBytes).toString('latin1')).toContain('8:x-insidei1e');
  expect([...metainfo.unknown.keys()]).toEqual(['x-outside']);
});
