import { describe, expect, test } from 'vitest';
import { parseMetainfo, type MetainfoFile } from '../src/index.ts';
import { folder, type RawPath } from './corpus.ts';
import { expectSafe } from './safe.ts';

type Link = readonly [path: string, target: string];

/** Where each link of a torrent leads, `undefined` where nowhere; files and links are given as `a/b`. */
function targetsOf(files: readonly string[], links: readonly Link[]): (string | undefined)[] {
  const metainfo = parseMetainfo(
    folder([
      ...files.map((path): RawPath => path.split('/')),
      ...links.map(([path, target]) => ({
        attr: 'l',
        length: 0,
        path: path.split('/'),
        'symlink path': target === '' ? [] : target.split('/'),
      })),
    ]),
  );
  expectSafe(metainfo);
  const made: readonly MetainfoFile[] = metainfo.files.slice(files.length);
  return made.map((file) => file.symlinkTarget?.join('/'));
}

describe('clients 62: a symbolic link', () => {
  test.for<readonly [string, string[], Link[], (string | undefined)[]]>([
    ['leads to a file', ['d/f'], [['l', 'd/f']], ['temp/d/f']],
    ['leads to a folder', ['d/e/f'], [['l', 'd/e']], ['temp/d/e']],
    [
      'leads to a file that comes later',
      ['f'],
      [
        ['a', 'b'],
        ['b', 'f'],
      ],
      ['temp/f', 'temp/f'],
    ],
    [
      'leads through a link to a folder',
      ['d/f'],
      [
        ['l', 'm/f'],
        ['m', 'd'],
      ],
      ['temp/d/f', 'temp/d'],
    ],
    ['leads nowhere when there is no such file', ['f'], [['l', 'g']], [undefined]],
    ['leads nowhere below a file', ['f'], [['l', 'f/g']], [undefined]],
    ['leads nowhere out of the torrent', ['f'], [['l', '../../etc/passwd']], [undefined]],
    ['does not lead to itself', ['f'], [['l', 'l']], [undefined]],
    [
      'does not go in a circle',
      ['f'],
      [
        ['a', 'b'],
        ['b', 'c'],
        ['c', 'a'],
      ],
      [undefined, undefined, undefined],
    ],
    [
      'does not go in a circle through folders',
      ['d/f'],
      [
        ['d/a', 'b/x'],
        ['b', 'd/a'],
      ],
      [undefined, undefined],
    ],
    [
      'does not lead to a folder that holds it',
      ['d/f'],
      [
        ['d/l', 'd'],
        ['D/m', ''],
      ],
      [undefined, undefined],
    ],
    [
      'loses dots on its way, which it is not to walk by',
      ['d/f'],
      [
        ['l', './d/f'],
        ['m', 'd/../d/f'],
      ],
      ['temp/d/f', undefined],
    ],
    ['is found without regard to case', ['Dir/File'], [['l', 'dir/file']], ['temp/Dir/File']],
  ])('clients 62: %s', ([, files, links, expected]) => {
    expect(targetsOf(files, links)).toEqual(expected);
  });

  test('clients 62: leads to the name a file got when its own was taken', () => {
    expect(targetsOf(['a', 'a/b'], [['l', 'a']])).toEqual(['temp/a']);
    expect(targetsOf(['x', 'X'], [['x', 'x']])).toEqual(['temp/x']);
  });

  test('clients 62: gives way to a folder of its name', () => {
    const metainfo = parseMetainfo(
      folder([{ attr: 'l', length: 0, path: ['out'], 'symlink path': ['d'] }, ['out', 'f'], ['d', 'g']]),
    );
    expect(metainfo.files.map((file) => file.path.join('/'))).toEqual(['temp/out.1', 'temp/out/f', 'temp/d/g']);
  });

  test('clients 62: without a target is left out', () => {
    const { files, warnings } = parseMetainfo(folder([['f'], { attr: 'l', path: ['l'] }]));
    expect(files[1]).toMatchObject({ isSkipped: true, length: 0 });
    expect(warnings).toHaveLength(1);
  });

  test('clients 62: at the end of a chain that Linux would not follow leads nowhere', () => {
    const chain = (length: number): Link[] =>
      Array.from({ length }, (_, i) => [`l${i}`, i === length - 1 ? 'f' : `l${i + 1}`] as const);
    expect(targetsOf(['f'], chain(40))[0]).toBe('temp/f');
    expect(targetsOf(['f'], chain(41))[0]).toBe(undefined);
  });

  test('clients 62: chains of thousands neither overflow nor take long', () => {
    const links: Link[] = Array.from({ length: 20_000 }, (_, i) => [`l${i}`, `l${i + 1}`] as const);
    const started = performance.now();
    expect(targetsOf(['f'], links).filter((target) => target !== undefined)).toEqual([]);
    expect(performance.now() - started).toBeLessThan(5000);
  });
});
