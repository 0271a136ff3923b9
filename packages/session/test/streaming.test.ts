import { MemoryStorage } from '@shoal/storage';
import { describe, expect, test } from 'vitest';
import type { TorrentHandle } from '../src/index.ts';
import { endpointOf, openSession, randomFile } from './swarm.ts';

const MiB = 1024 * 1024;
const pieceLength = MiB;
const bytesPerSecond = 5_000_000;
const pieceTimeMs = (pieceLength / bytesPerSecond) * 1000;

/** A download of a file of video size that runs at `bytesPerSecond` and is on its way. */
async function downloading(length: number): Promise<{ handle: TorrentHandle; bytes: Uint8Array }> {
  const { folder, metainfo, bytes } = await randomFile(length, pieceLength);
  const seeder = await openSession();
  await seeder.add(metainfo, {
    directory: folder,
    requireComplete: true,
    limits: { uploadBytesPerSecond: bytesPerSecond },
  });
  const session = await openSession();
  const storage = new MemoryStorage({ files: metainfo.files });
  const handle = await session.add(metainfo, { storage, peers: [endpointOf(seeder)] });
  await new Promise<void>((resolve) => {
    const end = handle.onReport((report) => {
      if (report.type !== 'piece-verified' || handle.snapshot().havePieces < 3) return;
      end();
      resolve();
    });
  });
  return { handle, bytes };
}

/** At the speed of the machine, which a comparison that explains differences has not. */
const same = (one: Uint8Array, other: Uint8Array): boolean => Buffer.compare(one, other) === 0;

async function contentOf(stream: ReadableStream<Uint8Array>): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return new Uint8Array(Buffer.concat(chunks));
}

describe('a file that is read while it is downloaded', () => {
  test('gives its first byte, from the middle, within two piece times', async () => {
    const { handle, bytes } = await downloading(128 * MiB);
    const waits: number[] = [];
    for (const start of [64 * MiB + 1000, 100 * MiB, 32 * MiB + 5]) {
      if (handle.snapshot().leftBytes === 0) break;
      const begin = performance.now();
      const reader = handle.read(0, { start }).getReader();
      const { value } = await reader.read();
      waits.push((performance.now() - begin) / pieceTimeMs);
      expect(same(value!, bytes.subarray(start, start + value!.length))).toBe(true);
      await reader.cancel();
    }
    expect(waits).toHaveLength(3);
    // The median, and a twentieth of a second for a machine that does other things.
    expect(waits.toSorted((a, b) => a - b)[1]).toBeLessThanOrEqual(2 + 50 / pieceTimeMs);
  });

  test('gives a range in order, to two readers at once, and the download still completes', async () => {
    const { handle, bytes } = await downloading(24 * MiB);
    const [one, two] = await Promise.all([
      contentOf(handle.read(0, { start: 10 * MiB + 17, end: 20 * MiB })),
      contentOf(handle.read(0)),
    ]);
    expect(same(one, bytes.subarray(10 * MiB + 17, 20 * MiB))).toBe(true);
    expect(same(two, bytes)).toBe(true);
    await handle.completed;
  });

  test('is read by ranges inside the file only, of which an empty one has no bytes', async () => {
    const { handle } = await downloading(24 * MiB);
    const stream = handle.read(0, { start: 0, end: 0 });
    expect(await contentOf(stream)).toHaveLength(0);
    expect(() => handle.read(0, { start: 5, end: 4 })).toThrow(RangeError);
    expect(() => handle.read(1)).toThrow(RangeError);
  });

  test('ends with an error when the torrent stops first', async () => {
    const { handle } = await downloading(24 * MiB);
    const reading = contentOf(handle.read(0));
    await handle.stop();
    await expect(reading).rejects.toMatchObject({ code: 'closed' });
  });
});
