import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { ScrapeDone, SwarmService } from '@shoal/tracker-server';
import { pagesOf } from '../src/index-page.ts';
import { TorrentFolder } from '../src/torrent-folder.ts';

let path: string;
beforeEach(async () => {
  path = await mkdtemp(join(tmpdir(), 'shoal-tracker-'));
  const pieces = '6:lengthi5e4:name3:one12:piece lengthi16384e6:pieces20:aaaaaaaaaaaaaaaaaaaa';
  await writeFile(join(path, 'one.torrent'), `d4:infod${pieces}ee`);
});
afterEach(() => rm(path, { recursive: true }));

function serviceSaying(...answer: Parameters<ScrapeDone>): SwarmService {
  return {
    announce: () => expect.unreachable(),
    scrape: (_hashes, _now, done) => void setImmediate(() => done(...answer)),
  };
}

test.each([
  ['counts that come later', [{ complete: 3, incomplete: 4, downloaded: 5 }], '<td>3</td><td>4</td>'],
  ['nobody', [undefined], '<td>0</td><td>0</td>'],
  ['a store that is away', { failureReason: 'away' }, '<td>–</td><td>–</td>'],
])('the list of torrents shows %s', async (_, answer, shown) => {
  const folder = await TorrentFolder.open(path, () => {});
  const pages = pagesOf(serviceSaying(answer), folder, () => 0);
  expect((await pages('/'))?.body).toContain(shown);
});

test('the list of torrents is written once in two seconds, however many look at it', async () => {
  let now = 0;
  const pages = pagesOf(serviceSaying([]), undefined, () => now);
  const first = await pages('/');
  now = 1999;
  expect(await pages('/')).toBe(first);
  now = 2000;
  expect(await pages('/')).not.toBe(first);
});
