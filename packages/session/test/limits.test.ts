import { MemoryStorage } from '@shoal/storage';
import { describe, expect, test } from 'vitest';
import type { Session, TorrentRateLimits } from '../src/index.ts';
import { endpointOf, openSession, randomFile } from './swarm.ts';

/** Bytes per second that a download takes from first to last byte, the seeder and downloader limited as told. */
async function rateWith(
  length: number,
  seeding: TorrentRateLimits,
  downloading: TorrentRateLimits,
  act: (seeder: Session) => void = () => {},
): Promise<number> {
  const { folder, metainfo } = await randomFile(length, 65_536);
  const seeder = await openSession();
  await seeder.add(metainfo, { directory: folder, requireComplete: true, limits: seeding });
  const downloader = await openSession();
  const storage = new MemoryStorage({ files: metainfo.files });
  const begin = performance.now();
  const handle = await downloader.add(metainfo, { storage, limits: downloading, peers: [endpointOf(seeder)] });
  act(seeder);
  await handle.completed;
  return length / ((performance.now() - begin) / 1000);
}

const rate = 2_000_000;
// Short, with a handshake in it and on a machine that does other things: the exact figures are those of the throttle's tests.
const [least, most] = [0.8 * rate, 1.1 * rate];

describe('a rate limit', () => {
  test.each<[string, TorrentRateLimits, TorrentRateLimits]>([
    ['of the torrent holds back what is sent', { uploadBytesPerSecond: rate }, {}],
    ['of the torrent holds back what is received', {}, { downloadBytesPerSecond: rate }],
    ['of each peer holds back what is sent', { peer: { uploadBytesPerSecond: rate } }, {}],
    ['of each peer holds back what is received', {}, { peer: { downloadBytesPerSecond: rate } }],
  ])('%s', async (_, seeding, downloading) => {
    const measured = await rateWith(2_000_000, seeding, downloading);
    expect(measured).toBeGreaterThan(least);
    expect(measured).toBeLessThan(most);
  });

  test('of the session holds for its torrents and is changed while they run', async () => {
    const measured = await rateWith(2_000_000, { uploadBytesPerSecond: 10_000 }, {}, (seeder) => {
      seeder.setLimits({ uploadBytesPerSecond: rate });
      for (const torrent of seeder.torrents) torrent.setLimits({ uploadBytesPerSecond: Infinity });
    });
    expect(measured).toBeGreaterThan(least);
    expect(measured).toBeLessThan(most);
  });
});
