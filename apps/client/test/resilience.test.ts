// What a swarm of processes must survive: an origin, a downloader or a tracker that goes away, at any moment.
import { describe, expect, test } from 'vitest';
import { start, startTracker, type Run } from './command.ts';
import { digests, randomFile, temporaryFolder } from './content.ts';
import { freePort, PieceWatcher } from './raw-peer.ts';
import { loopback, seeding } from './seeder.ts';
import { ThrottlingProxy } from './throttling-proxy.ts';

const pieceLength = 32_768;

describe('a swarm', () => {
  test('completes when its origin is killed as soon as one copy is out, spread over several downloaders', async () => {
    const content = await randomFile(8 * 1024 * 1024, { pieceLength });
    const { pieceCount } = content.metainfo.geometry;
    const tracker = await startTracker();
    const origin = await seeding(content);
    // Slow enough that nobody has everything when the last piece leaves the origin.
    const proxy = await ThrottlingProxy.start(origin, { bytesPerSecond: 4 * 1024 * 1024 });
    const { promise: oneCopyIsOut, resolve } = Promise.withResolvers<readonly number[]>();
    const watchers: PieceWatcher[] = [];
    const changed = (): void => {
      const out = new Set(watchers.flatMap((watcher) => [...watcher.pieces]));
      if (out.size === pieceCount) resolve(watchers.map((watcher) => watcher.pieces.size));
    };
    const downloads: { run: Run; directory: string }[] = [];
    for (let i = 0; i < 4; i++) {
      const directory = await temporaryFolder();
      const words = ['--peer', proxy.peer, '--tracker', tracker.announceUrl, '--interval-ms', '100', '--seed'];
      downloads.push({
        directory,
        run: start(['download', content.torrent, '-d', directory, ...loopback, '--jsonl', ...words]),
      });
    }
    for (const { run } of downloads) {
      const { port } = await run.until('listening');
      await run.until('added');
      watchers.push(PieceWatcher.connect(Number(port), content.metainfo.infoHashBytes, changed));
    }
    const had = await oneCopyIsOut;
    await origin.run.kill('SIGKILL');
    expect(Math.min(...had)).toBeLessThan(pieceCount);
    for (const { run, directory } of downloads) {
      await run.until('completed');
      expect(await digests(directory)).toEqual(await digests(content.folder));
    }
  }, 60_000);

  test('whose tracker is down at first meets when it comes up, on its own', async () => {
    const port = await freePort();
    const content = await randomFile(1_000_000, { trackers: [[`http://127.0.0.1:${port}/announce`]] });
    const { run: seed } = await seeding(content);
    const directory = await temporaryFolder();
    const download = start(['download', content.torrent, '-d', directory, ...loopback, '--jsonl']);
    const [failure] = await Promise.all([download.until('announce-failed'), seed.until('announce-failed')]);
    expect(failure).toMatchObject({ reason: expect.stringContaining('cannot be reached') as string });
    const tracker = await startTracker(port);
    expect((await download.ended).code).toBe(0);
    expect(await digests(directory)).toEqual(await digests(content.folder));
    expect(await tracker.swarms()).toMatchObject({ seeders: 1, leechers: 0, completed: 1 });
  }, 60_000);

  test('whose tracker goes away in the middle completes without it', async () => {
    const tracker = await startTracker();
    const content = await randomFile(2_000_000, { pieceLength, trackers: [[tracker.announceUrl]] });
    const origin = await seeding(content, '--tracker', `http://127.0.0.1:${await freePort()}/announce`);
    const proxy = await ThrottlingProxy.start(origin, { limitBytes: 1_000_000 });
    const directory = await temporaryFolder();
    const download = start([
      'download',
      content.torrent,
      '-d',
      directory,
      ...loopback,
      '--jsonl',
      '--peer',
      proxy.peer,
    ]);
    await Promise.all([
      download.until('announced'),
      download.until('progress', ({ havePieces }) => Number(havePieces) > 10),
    ]);
    await tracker.run.kill('SIGKILL');
    proxy.open();
    // Nobody is there to say goodbye to, and that takes no time.
    expect((await download.ended).code).toBe(0);
    expect(await digests(directory)).toEqual(await digests(content.folder));
  }, 60_000);
});

describe('a downloader', () => {
  test('killed in the middle and started again without notes checks what is there, and fetches nothing twice that it had verified', async () => {
    const content = await randomFile(16 * 1024 * 1024, { pieceLength });
    const { totalLength, pieceCount } = content.metainfo.geometry;
    const origin = await seeding(content);
    const proxy = await ThrottlingProxy.start(origin, { limitBytes: totalLength / 2 });
    const directory = await temporaryFolder();
    const words = [
      'download',
      content.torrent,
      '-d',
      directory,
      ...loopback,
      '--jsonl',
      '--no-resume',
      '--interval-ms',
      '50',
      '--peer',
    ];
    const first = start([...words, proxy.peer]);
    await first.until('progress', ({ havePieces }) => Number(havePieces) > pieceCount / 4);
    await first.kill('SIGKILL');
    const verified = Number(first.last('progress')?.['havePieces']);
    const second = start([...words, `127.0.0.1:${origin.port}`]);
    expect((await second.ended).code).toBe(0);
    expect(second.last('stopped')).toMatchObject({ havePieces: pieceCount });
    expect(second.last('stopped')?.['downloadedBytes']).toBeLessThanOrEqual(totalLength - verified * pieceLength);
    expect(second.last('result')).toMatchObject({ torrents: [{ wastedBytes: 0, corruptBytes: 0 }] });
    expect(await digests(directory)).toEqual(await digests(content.folder));
  }, 60_000);
});
