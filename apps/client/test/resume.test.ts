// What a second start knows of the first: all of it after a clean end, and what others did meanwhile is noticed.
import { truncate } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { start, type Run } from './command.ts';
import { digests, listing, randomFile, randomFolder, temporaryFolder } from './content.ts';
import { loopback, seeding } from './seeder.ts';

const pieceLength = 65_536;
const checkingsOf = (run: Run): number => run.events.filter(({ event }) => event === 'checking').length;

describe('a second start', () => {
  test('after a stop half-way trusts what was verified, checks nothing and fetches only the rest', async () => {
    const content = await randomFile(4_194_304, { pieceLength });
    const { peer } = await seeding(content, '--upload-limit', '2MiB');
    const directory = await temporaryFolder();
    const words = ['download', content.torrent, '-d', directory, ...loopback, '--jsonl', '--interval-ms', '20'];
    const first = start([...words, '--peer', peer]);
    await first.until('progress', ({ havePieces }) => Number(havePieces) >= 16);
    expect((await first.kill('SIGTERM')).code).toBe(143);
    const havePieces = first.last('stopped')?.['havePieces'];
    const second = start([...words, '--peer', peer]);
    expect(await second.until('added')).toMatchObject({ havePieces, checkingPieces: 0 });
    expect((await second.ended).code).toBe(0);
    expect(checkingsOf(second)).toBe(0);
    expect(second.last('stopped')?.['downloadedBytes']).toBe((64 - Number(havePieces)) * pieceLength);
    expect(await digests(directory)).toEqual(await digests(content.folder));
  });

  test('of what is complete is at once complete, to download and to seed, and --no-resume checks it all', async () => {
    const content = await randomFolder({ a: 1_000_000, b: 500_000, empty: 0 }, { pieceLength });
    const { pieceCount } = content.metainfo.geometry;
    const words = ['download', content.torrent, '-d', content.folder, ...loopback, '--jsonl'];
    const first = start(words);
    expect((await first.ended).code).toBe(0);
    expect(first.last('added')).toMatchObject({ havePieces: 0, checkingPieces: pieceCount });
    expect(first.last('checked')).toMatchObject({ havePieces: pieceCount, pieces: pieceCount });
    expect(first.last('stopped')).toMatchObject({ downloadedBytes: 0 });

    const second = start(words);
    expect((await second.ended).code).toBe(0);
    expect(second.last('added')).toMatchObject({ havePieces: pieceCount, checkingPieces: 0 });
    expect(checkingsOf(second)).toBe(0);
    expect(second.last('completed')).toMatchObject({ seconds: 0 });

    const seeder = await seeding(content);
    expect(checkingsOf(seeder.run)).toBe(0);
    await seeder.run.kill('SIGTERM');

    const third = start([...words, '--no-resume']);
    expect((await third.ended).code).toBe(0);
    expect(third.last('added')).toMatchObject({ havePieces: 0, checkingPieces: pieceCount });
    expect(third.last('checking')).toMatchObject({ checked: pieceCount, total: pieceCount });
  });

  test('notices a file that was cut, checks that one alone and fetches what it lost', async () => {
    const content = await randomFolder({ a: 16 * pieceLength, b: 16 * pieceLength }, { pieceLength });
    const { peer } = await seeding(content);
    const directory = await temporaryFolder();
    const words = ['download', content.torrent, '-d', directory, ...loopback, '--jsonl', '--peer', peer];
    expect((await start(words).ended).code).toBe(0);
    await truncate(path.join(directory, 'content/b'), 10 * pieceLength);
    const second = start(words);
    expect((await second.ended).code).toBe(0);
    expect(second.last('added')).toMatchObject({ havePieces: 16, checkingPieces: 10 });
    expect(second.last('stopped')).toMatchObject({ downloadedBytes: 6 * pieceLength });
    expect(await digests(directory)).toEqual(await digests(content.folder));
  });

  test('keeps its notes where it is told', async () => {
    const content = await randomFile(100_000);
    const resume = path.join(await temporaryFolder(), 'notes');
    const state = await temporaryFolder();
    const words = ['download', content.torrent, '-d', content.folder, ...loopback, '--jsonl', '--resume-dir', resume];
    const env = { XDG_STATE_HOME: state };
    expect((await start(words, { env }).ended).code).toBe(0);
    expect(await listing(resume)).toEqual([
      expect.stringMatching(`^${content.metainfo.infoHash}-[0-9a-f]{8}\\.journal$`),
    ]);
    expect(await listing(state)).toEqual([]);
    const refused = await start([...words, '--no-resume'], { env }).ended;
    expect(refused).toMatchObject({ code: 2 });
  });
});
