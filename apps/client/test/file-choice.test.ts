// Which files the words of a person mean.
import { parseMetainfo, type Metainfo } from '@shoal/metainfo';
import { encode } from '@shoal/bencode';
import { describe, expect, test } from 'vitest';
import { fileCalled, listedFiles, prioritiesOf, type FileChoice } from '../src/file-choice.ts';

const nothing: FileChoice = { select: [], skip: [], prefer: [], defer: [] };

/** A torrent of these files, 100 bytes each; `.pad` in a path makes filler of it. */
function torrentOf(name: string, ...paths: string[]): Metainfo {
  const files = paths.map((path) => ({
    length: 100,
    path: path.split('/'),
    ...(path.includes('.pad') ? { attr: 'p' } : {}),
  }));
  const pieces = new Uint8Array(20 * Math.ceil((100 * paths.length) / 16_384));
  return parseMetainfo(encode({ info: { name, files, 'piece length': 16_384, pieces } }));
}

const album = torrentOf(
  'album',
  'cover.jpg',
  'disc 1/01 [live].flac',
  '.pad/412',
  'disc 1/02.flac',
  'disc 2/01.flac',
  'disc 2/notes.txt',
);

const single = parseMetainfo(
  encode({ info: { name: 'film.mkv', length: 100, 'piece length': 16_384, pieces: new Uint8Array(20) } }),
);

/** Numbers of the files that are not skipped. */
function selected(choice: Partial<FileChoice>, metainfo = album): number[] {
  const [priorities] = prioritiesOf([metainfo], { ...nothing, ...choice });
  const isWanted = (index: number): boolean => (priorities?.[index] ?? 'normal') !== 'skip';
  return listedFiles(metainfo)
    .filter(({ index }) => isWanted(index))
    .map(({ number }) => number);
}

describe('files', () => {
  test('are numbered from 1 without filler', () => {
    expect(listedFiles(album).map(({ number, index, path }) => [number, index, path])).toEqual([
      [1, 0, 'album/cover.jpg'],
      [2, 1, 'album/disc 1/01 [live].flac'],
      [3, 3, 'album/disc 1/02.flac'],
      [4, 4, 'album/disc 2/01.flac'],
      [5, 5, 'album/disc 2/notes.txt'],
    ]);
  });

  test.each<[string, number[]]>([
    ['2', [2]],
    ['2-4', [2, 3, 4]],
    ['1-2,5', [1, 2, 5]],
    ['*.flac', [2, 3, 4]],
    ['*.jpg', [1]],
    ['disc 2', [4, 5]],
    ['disc 2/', [4, 5]],
    ['disc ?', [2, 3, 4, 5]],
    ['disc 1/*', [2, 3]],
    ['album/disc 1/*', [2, 3]],
    ['album/**', [1, 2, 3, 4, 5]],
    ['**/01*', [2, 4]],
    ['01*', [2, 4]],
    ['01 [live].flac', [2]],
    ['* [live].*', [2]],
    ['album/*', [1, 2, 3, 4, 5]],
    ['album/*.flac', []],
    ['1.flac', []],
    ['*.FLAC', []],
    ['disc', []],
    ['(*', []],
  ])('that %j selects are %j', (pattern, numbers) => {
    if (numbers.length > 0) expect(selected({ select: [pattern] })).toEqual(numbers);
    else expect(() => selected({ select: [pattern] })).toThrow(`no file matches ${pattern}; there are:\n  1  album/`);
  });

  test('of several patterns are those of any, less those that are skipped', () => {
    expect(selected({ select: ['*.flac', '1'], skip: ['disc 2'] })).toEqual([1, 2, 3]);
    expect(selected({ skip: ['*.flac'] })).toEqual([1, 5]);
  });

  test('that are preferred or deferred are selected, and skipping is stronger', () => {
    const [priorities] = prioritiesOf([album], {
      select: ['1'],
      skip: ['notes.txt'],
      prefer: ['disc 1/02.flac', '1'],
      defer: ['disc 2'],
    });
    expect(priorities).toEqual(['high', 'skip', 'skip', 'high', 'low', 'skip']);
  });

  test('are all wanted alike when nothing is said', () => {
    expect(prioritiesOf([album, single], nothing)).toEqual([undefined, undefined]);
  });

  test('of which nothing is left are refused, and so are numbers that are not there', () => {
    expect(() => selected({ skip: ['*'] })).toThrow(/nothing of "album" is selected/);
    expect(() => selected({ select: ['4-6'] })).toThrow(/there is no file 6 in "album"/);
    expect(() => selected({ select: ['0'] })).toThrow(/no file matches 0/);
    expect(() => selected({ select: ['1-999999999'] })).toThrow(/there is no file 999999999/);
  });

  test('of several torrents: a pattern may match in one of them, a number would be of any', () => {
    const choice = { ...nothing, skip: ['*.jpg'] };
    expect(prioritiesOf([album, single], choice)).toEqual([
      ['skip', 'normal', 'normal', 'normal', 'normal', 'normal'],
      ['normal'],
    ]);
    expect(() => prioritiesOf([album, single], { ...nothing, select: ['1'] })).toThrow(/files of one torrent/);
    expect(() => prioritiesOf([album, single], { ...nothing, select: ['*.jpg'] })).toThrow(
      /nothing of "film\.mkv" is selected/,
    );
  });

  test('are spelled out to twenty', () => {
    const many = torrentOf('many', ...Array.from({ length: 30 }, (_, i) => `f${i}`));
    expect(() => selected({ select: ['x'] }, many)).toThrow(/ {2}20 {2}many\/f19\n {2}and 10 more, see --list$/);
  });
});

describe('the file for standard output', () => {
  test.each<[string, number]>([
    ['3', 3],
    ['album/disc 2/01.flac', 4],
    ['disc 2/01.flac', 4],
    ['notes.txt', 5],
    ['01.flac', 4],
  ])('called %j is number %d among all', (word, index) => {
    expect(fileCalled(album, word)).toBe(index);
  });

  test('is the only one when none is named', () => {
    expect(fileCalled(single, undefined)).toBe(0);
    expect(() => fileCalled(album, undefined)).toThrow(/"album" has 5 files: --stdout FILE says which; there are:/);
  });

  test('that is not there, or of which there are two, is refused', () => {
    expect(() => fileCalled(album, 'x.mkv')).toThrow(/there is no file x\.mkv in "album"/);
    const twins = torrentOf('twins', 'a/x', 'b/x');
    expect(() => fileCalled(twins, 'x')).toThrow(/x is the name of 2 files/);
  });
});
