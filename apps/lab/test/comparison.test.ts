import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Comparison, type Difference, expectedTree, treeOf } from '../src/comparison.ts';
import { isBelow } from '../src/content.ts';

let place: string;
beforeEach(async () => {
  place = await mkdtemp(join(tmpdir(), 'shoal-lab-compare-'));
  for (const side of ['original', 'copy']) {
    await mkdir(join(place, side, 'deep', 'hollow'), { recursive: true });
    await writeFile(join(place, side, 'one'), 'same');
    await writeFile(join(place, side, 'deep', 'two'), 'also the same');
    await writeFile(join(place, side, 'deep', 'none'), '');
  }
});
afterEach(() => rm(place, { recursive: true }));

interface Terms {
  readonly leftOut?: readonly string[];
  readonly renamed?: ReadonlyMap<string, string>;
  readonly limit?: number;
}

async function differences({ leftOut = [], renamed = new Map(), limit = 10 }: Terms = {}): Promise<Difference[]> {
  const expected = expectedTree(await treeOf(join(place, 'original')), leftOut, renamed);
  const comparison = new Comparison(expected, new AbortController().signal);
  return comparison.differences(await treeOf(join(place, 'copy')), limit);
}

describe('a comparison', () => {
  test('finds nothing in an equal copy, empty files and folders included', async () => {
    expect(await differences()).toEqual([]);
  });

  test.each([
    {
      what: 'a missing file',
      change: () => rm(join(place, 'copy', 'one')),
      found: [{ path: 'one', what: 'missing' }],
    },
    {
      what: 'a missing empty file',
      change: () => rm(join(place, 'copy', 'deep', 'none')),
      found: [{ path: 'deep/none', what: 'missing' }],
    },
    {
      what: 'a missing empty folder',
      change: () => rm(join(place, 'copy', 'deep', 'hollow'), { recursive: true }),
      found: [{ path: 'deep/hollow', what: 'missing' }],
    },
    {
      what: 'a file nobody asked for',
      change: () => writeFile(join(place, 'copy', 'deep', 'hollow', 'extra'), ''),
      found: [
        { path: 'deep/hollow', what: 'missing' },
        { path: 'deep/hollow/extra', what: 'added' },
      ],
    },
    {
      what: 'another length',
      change: () => writeFile(join(place, 'copy', 'one'), 'same!'),
      found: [{ path: 'one', what: 'length' }],
    },
    {
      what: 'other content of the same length',
      change: () => writeFile(join(place, 'copy', 'one'), 'sane'),
      found: [{ path: 'one', what: 'content' }],
    },
    {
      what: 'a folder instead of a file',
      change: async () => {
        await rm(join(place, 'copy', 'one'));
        await mkdir(join(place, 'copy', 'one'));
      },
      found: [{ path: 'one', what: 'length' }],
    },
    {
      what: 'a link instead of a file',
      change: async () => {
        await rm(join(place, 'copy', 'one'));
        await symlink(join(place, 'original', 'one'), join(place, 'copy', 'one'));
      },
      found: [{ path: 'one', what: 'length' }],
    },
  ])('finds $what', async ({ change, found }) => {
    await change();
    expect(await differences()).toEqual(found);
  });

  test('does not ask for what was left out, with all below it', async () => {
    await rm(join(place, 'copy', 'deep'), { recursive: true });
    expect(await differences({ leftOut: ['deep'] })).toEqual([]);
    expect(await differences({ leftOut: ['dee', 'deep/two'] })).toEqual([
      { path: 'deep/hollow', what: 'missing' },
      { path: 'deep/none', what: 'missing' },
    ]);
  });

  test('looks for a renamed file under its new name', async () => {
    await rm(join(place, 'copy', 'one'));
    await writeFile(join(place, 'copy', '_one'), 'same');
    expect(await differences({ renamed: new Map([['one', '_one']]) })).toEqual([]);
  });

  test('tells no more than it is asked for', async () => {
    await rm(join(place, 'copy'), { recursive: true });
    await mkdir(join(place, 'copy'));
    expect(await differences({ limit: 2 })).toHaveLength(2);
  });

  test('compares single files too', async () => {
    const tree = await treeOf(join(place, 'original', 'one'));
    const comparison = new Comparison(expectedTree(tree, [], new Map([['', '']])), new AbortController().signal);
    expect(await comparison.differences(await treeOf(join(place, 'copy', 'one')), 10)).toEqual([]);
    const other = await treeOf(join(place, 'copy', 'deep', 'two'));
    expect(await comparison.differences(other, 10)).toEqual([{ path: '', what: 'length' }]);
  });
});

test.each([
  ['/a/b', '/a', true],
  ['/a', '/a', true],
  ['/a', '/a/b', false],
  ['/ab', '/a', false],
  ['/a/..b', '/a', true],
])('%s is below %s: %s', (inner, outer, expected) => {
  expect(isBelow(inner, outer)).toBe(expected);
});
