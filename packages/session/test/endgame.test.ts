import { Bitfield } from '@shoal/pieces';
import { MemoryStorage } from '@shoal/storage';
import { encodeHandshake, encodeMessage } from '@shoal/wire';
import { describe, expect, test } from 'vitest';
import { endpointOf, openSession, randomFile, rawPeer } from './swarm.ts';

const pieceCount = 100;
const pieceLength = 65_536;

describe('the end of a download', () => {
  test('does not wait for a peer that took requests and fell silent: the last piece takes no longer than others', async () => {
    const { folder, metainfo } = await randomFile(pieceCount * pieceLength, pieceLength);
    const silent = await rawPeer((socket) => {
      const { infoHashBytes: infoHash } = metainfo;
      socket.write(encodeHandshake({ infoHash, peerId: new Uint8Array(20).fill(66), fast: false, extended: false }));
      socket.write(encodeMessage({ type: 'bitfield', bits: Bitfield.full(pieceCount).toBytes() }));
      socket.write(encodeMessage({ type: 'unchoke' }));
    });
    const seeder = await openSession();
    await seeder.add(metainfo, {
      directory: folder,
      requireComplete: true,
      limits: { uploadBytesPerSecond: 1_000_000 },
    });
    const downloader = await openSession();
    const storage = new MemoryStorage({ files: metainfo.files });
    const handle = await downloader.add(metainfo, { storage, peers: [silent] });
    const verifiedAt: number[] = [];
    const asked = Promise.withResolvers<void>();
    handle.onReport((report) => {
      if (report.type === 'piece-verified') verifiedAt.push(performance.now());
      if (report.type === 'peer-joined') asked.resolve();
    });
    await asked.promise;
    const begin = performance.now();
    handle.addPeers([endpointOf(seeder)]);
    await handle.completed;
    const mean = (verifiedAt.at(-1)! - begin) / pieceCount;
    // The last 1 % of a hundred pieces is one.
    const last = verifiedAt.at(-1)! - verifiedAt.at(-2)!;
    // Two tenths of a second are a busy machine's; without an end game it would be 20 s. The simulator has the exact bound.
    expect(last).toBeLessThanOrEqual(1.2 * mean + 200);
  });
});
