import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import net from 'node:net';
import path from 'node:path';
import { createMetainfo } from '@shoal/metainfo';
import { MemoryStorage } from '@shoal/storage';
import { encodeHandshake, encodeMessage } from '@shoal/wire';
import { describe, expect, test } from 'vitest';
import { type SessionReport, Session } from '../src/index.ts';
import { digestOf, emptyFolder, endpointOf, openSession, randomFile, rawPeer } from './swarm.ts';

describe('a session', () => {
  test('downloads what another one seeds, equal byte for byte, and both let go of everything', async () => {
    const { folder, metainfo, bytes } = await randomFile(3_000_017);
    const seeder = await openSession();
    const downloader = await openSession();
    await seeder.add(metainfo, { directory: folder });
    const directory = await emptyFolder();
    const handle = await downloader.add(metainfo, { directory, peers: [endpointOf(seeder)] });
    await handle.completed;
    expect(new Uint8Array(await readFile(path.join(directory, 'content.bin')))).toEqual(bytes);
    expect(handle.snapshot()).toMatchObject({ state: 'seeding', leftBytes: 0, wastedBytes: 0 });
    await downloader.close();
    await seeder.close();
    expect(downloader.torrents).toEqual([]);
  });

  test('serves several downloaders at once, who serve each other', async () => {
    const { folder, metainfo } = await randomFile(2_000_000);
    const seeder = await openSession();
    await seeder.add(metainfo, { directory: folder });
    const first = await openSession();
    const peers = [endpointOf(seeder), endpointOf(first)];
    const directories = [await emptyFolder(), await emptyFolder(), await emptyFolder()];
    const handles = [await first.add(metainfo, { directory: directories[0]!, peers: [endpointOf(seeder)] })];
    for (const directory of directories.slice(1))
      handles.push(await (await openSession()).add(metainfo, { directory, peers }));
    await Promise.all(handles.map((handle) => handle.completed));
    const digests = await Promise.all(directories.map((directory) => digestOf(path.join(directory, 'content.bin'))));
    expect(new Set([...digests, await digestOf(path.join(folder, 'content.bin'))]).size).toBe(1);
  });

  test('moves many torrents over its one port', async () => {
    const contents = await Promise.all([100_000, 200_001, 5, 16_384].map((length) => randomFile(length)));
    const seeder = await openSession();
    for (const { folder, metainfo } of contents) await seeder.add(metainfo, { directory: folder });
    const downloader = await openSession();
    for (const { metainfo } of contents)
      await downloader.add(metainfo, {
        storage: new MemoryStorage({ files: metainfo.files }),
        peers: [endpointOf(seeder)],
      });
    await Promise.all(downloader.torrents.map((handle) => handle.completed));
    expect(downloader.torrents.map((handle) => handle.snapshot().leftBytes)).toEqual([0, 0, 0, 0]);
  });

  test('continues from what is on disk and asks for nothing that is there', async () => {
    const { folder, metainfo, bytes } = await randomFile(20 * 65_536);
    const directory = await emptyFolder();
    const half = bytes.slice(0, 10 * 65_536 + 100);
    await writeFile(path.join(directory, 'content.bin'), half);
    const seeder = await openSession();
    await seeder.add(metainfo, { directory: folder });
    const downloader = await openSession();
    const progress: number[] = [];
    const handle = await downloader.add(metainfo, {
      directory,
      peers: [endpointOf(seeder)],
      onCheckProgress: (checked) => progress.push(checked),
    });
    await handle.completed;
    expect(handle.snapshot().downloadedBytes).toBe(10 * 65_536);
    // What lies past the end of the file on disk cannot be there.
    expect(progress.at(-1)).toBe(10);
    expect(new Uint8Array(await readFile(path.join(directory, 'content.bin')))).toEqual(bytes);
  });

  test('makes what no piece tells of: empty files that are missing, and ends of files that are too long', async () => {
    const folder = await emptyFolder();
    const content = path.join(folder, 'content');
    await mkdir(content);
    await writeFile(path.join(content, 'a'), 'whole');
    await writeFile(path.join(content, 'empty'), '');
    const { metainfo } = await createMetainfo(content);
    await rm(path.join(content, 'empty'));
    await writeFile(path.join(content, 'a'), 'whole and more');
    const session = await openSession();
    await expect(
      session.add(metainfo, { directory: await emptyFolder(), requireComplete: true }),
    ).rejects.toMatchObject({
      code: 'incomplete',
      have: { count: 0 },
    });
    await session.add(metainfo, { directory: folder });
    expect(await readdir(content)).toEqual(['a', 'empty']);
    expect(await readFile(path.join(content, 'a'), 'utf8')).toBe('whole');
  });

  test('refuses the same torrent twice, and a port that is taken, saying what to do', async () => {
    const { folder, metainfo } = await randomFile(1000);
    const session = await openSession();
    await session.add(metainfo, { directory: folder });
    await expect(session.add(metainfo, { directory: folder })).rejects.toMatchObject({ code: 'duplicate-torrent' });
    await expect(Session.open({ port: session.port, bind: '127.0.0.1' })).rejects.toMatchObject({
      code: 'address-in-use',
      message: expect.stringContaining(`port ${session.port} is in use`) as string,
    });
  });

  test('refuses a second torrent of the same name in the same folder, which would overwrite the first', async () => {
    const [first, second] = [await randomFile(70_000), await randomFile(90_000)];
    const session = await openSession();
    const directory = await emptyFolder();
    const handle = await session.add(first.metainfo, { directory });
    await expect(session.add(second.metainfo, { directory })).rejects.toMatchObject({ code: 'place-in-use' });
    await session.add(second.metainfo, { directory: await emptyFolder() });
    await handle.stop();
    // The place is free again; the name is taken only as long as its torrent is there.
    await expect(session.add(first.metainfo, { directory })).resolves.toBeDefined();
  });

  test('tries the ports of a range in order (BEP 3: 6881 to 6889)', async () => {
    const first = await openSession();
    const second = await openSession({ port: [first.port, first.port + 20] });
    expect(second.port).toBeGreaterThan(first.port);
    expect(second.port).toBeLessThanOrEqual(first.port + 20);
  });

  test('says of every tracker that failed what the system said, and of many only so much', async () => {
    const gone = await rawPeer((socket) => socket.destroy());
    const trackers = [['http://127.0.0.1:1/announce'], [`http://127.0.0.1:${gone.port}/announce`]];
    const reasons = async (tiers: string[][]): Promise<string> => {
      const { metainfo } = await randomFile(1000, 16_384, tiers);
      const handle = await (await openSession()).add(metainfo, { directory: await emptyFolder() });
      return new Promise((resolve) =>
        handle.onReport((report) => {
          if (report.type === 'announce-failed') resolve(report.reason);
        }),
      );
    };
    expect(await reasons(trackers)).toMatch(
      /^127\.0\.0\.1:1: the tracker cannot be reached \(connect ECONNREFUSED .*\); 127\.0\.0\.1:\d+: .*\(socket hang up\)$/,
    );
    expect(await reasons(['1', '2', '3', '4', '5'].map((n) => [`http://127.0.0.1:1/${n}/announce`]))).toMatch(
      /; 2 more failed$/,
    );
  });

  test('rejects completed when it is stopped before the end, and accepts nothing afterwards', async () => {
    const { metainfo } = await randomFile(1000);
    const session = await openSession();
    const handle = await session.add(metainfo, { directory: await emptyFolder() });
    await handle.stop();
    await expect(handle.completed).rejects.toMatchObject({ code: 'closed' });
    await session.close();
    await expect(session.add(metainfo, { directory: await emptyFolder() })).rejects.toMatchObject({ code: 'closed' });
  });

  test('clients 41: stops with the reason when the disk is full, blames no peer, and goes on when there is room', async () => {
    const { folder, metainfo, bytes } = await randomFile(10 * 65_536);
    const seeder = await openSession();
    await seeder.add(metainfo, { directory: folder, requireComplete: true });
    const storage = new MemoryStorage({ files: metainfo.files });
    let writes = 0;
    let isFull = true;
    const write = storage.write.bind(storage);
    storage.write = (offset, piece) => {
      writes++;
      return isFull && writes > 3 ? Promise.reject(new Error('no space left on device')) : write(offset, piece);
    };
    const downloader = await openSession();
    const handle = await downloader.add(metainfo, { storage, peers: [endpointOf(seeder)] });
    const reports: SessionReport[] = [];
    const suspended = Promise.withResolvers<string>();
    handle.onReport((report) => {
      reports.push(report);
      if (report.type === 'suspended') suspended.resolve(report.reason);
    });
    expect(await suspended.promise).toContain('no space');
    expect(handle.snapshot()).toMatchObject({ state: 'suspended', havePieces: 3 });
    isFull = false;
    handle.retry();
    await handle.completed;
    expect(handle.snapshot()).toMatchObject({ downloadedBytes: bytes.length, corruptBytes: 0 });
    expect(reports.map(({ type }) => type)).toContain('resumed');
    expect(reports.map(({ type }) => type)).not.toContain('peer-banned');
    const copy = new Uint8Array(bytes.length);
    await storage.read(0, [copy]);
    expect(copy).toEqual(bytes);
  });
});

test('what a listener asks for while it hears of a peer comes after what that peer is told first: our pieces', async () => {
  const { folder, metainfo } = await randomFile(10 * 65_536);
  const session = await openSession();
  const handle = await session.add(metainfo, { directory: folder, requireComplete: true });
  handle.onReport((report) => {
    // From now on we lack pieces, so the peer hears that we are interested.
    if (report.type === 'peer-joined') void handle.recheck();
  });
  const socket = net.connect(session.port, '127.0.0.1');
  const { infoHashBytes: infoHash } = metainfo;
  socket.write(encodeHandshake({ infoHash, peerId: new Uint8Array(20).fill(66), fast: false, extended: false }));
  socket.write(encodeMessage({ type: 'bitfield', bits: new Uint8Array([128, 0]) }));
  let bytes = Buffer.alloc(0);
  for await (const chunk of socket) {
    bytes = Buffer.concat([bytes, chunk as Buffer]);
    if (bytes.length >= 68 + 5) break;
  }
  // Behind the handshake: length, and the id of a bitfield.
  expect(bytes[68 + 4]).toBe(5);
});

describe('a disk that is slower than the network', () => {
  test('makes us ask for less: no more pieces wait than the buffer holds, and the download completes', async () => {
    const { folder, metainfo, bytes } = await randomFile(60 * 65_536);
    const seeder = await openSession();
    await seeder.add(metainfo, { directory: folder });
    const storage = new MemoryStorage({ files: metainfo.files });
    const write = storage.write.bind(storage);
    const waiting: (() => void)[] = [];
    let most = 0;
    storage.write = async (offset, piece) => {
      const turn = Promise.withResolvers<void>();
      waiting.push(turn.resolve);
      most = Math.max(most, waiting.length);
      // One write at a time, and each only when nothing else is left to do: the slowest disk there can be.
      setImmediate(() => waiting.shift()?.());
      await turn.promise;
      await new Promise((resolve) => setImmediate(resolve));
      return write(offset, piece);
    };
    const downloader = await openSession({ pieceBufferBytes: 4 * 65_536 });
    const handle = await downloader.add(metainfo, { storage, peers: [endpointOf(seeder)] });
    await handle.completed;
    expect(most).toBeGreaterThan(0);
    expect(most).toBeLessThanOrEqual(4);
    const copy = new Uint8Array(bytes.length);
    await storage.read(0, [copy]);
    expect(copy).toEqual(bytes);
  });
});

describe('a hostile peer on the other end of a real socket', () => {
  const handshakeFor = (infoHash: Uint8Array): Uint8Array =>
    encodeHandshake({ infoHash, peerId: new Uint8Array(20).fill(66) });

  /** A download from an honest seeder and, besides, from a peer that behaves as told. */
  async function downloadBeside(serve: (socket: net.Socket, infoHash: Uint8Array) => void): Promise<void> {
    const { folder, metainfo, bytes } = await randomFile(1_500_000, 32_768);
    const bad = await rawPeer((socket) => serve(socket, metainfo.infoHashBytes));
    const seeder = await openSession();
    await seeder.add(metainfo, { directory: folder });
    const downloader = await openSession();
    const directory = await emptyFolder();
    const handle = await downloader.add(metainfo, { directory, peers: [bad] });
    handle.addPeers([endpointOf(seeder)]);
    await handle.completed;
    expect(new Uint8Array(await readFile(path.join(directory, 'content.bin')))).toEqual(bytes);
  }

  test('that sends garbage stalls nothing', async () => {
    await downloadBeside((socket) => socket.write(Buffer.alloc(100_000, 0xa5)));
  });

  test('that announces messages of 4 GiB stalls nothing', async () => {
    await downloadBeside((socket, infoHash) => {
      socket.write(handshakeFor(infoHash));
      socket.write(Buffer.from([0xff, 0xff, 0xff, 0xff, 7, 0, 0, 0, 0]));
    });
  });

  test('that says nothing at all stalls nothing', async () => {
    await downloadBeside(() => {});
  });

  test('that claims every piece, unchokes and never answers stalls nothing', async () => {
    await downloadBeside((socket, infoHash) => {
      socket.write(handshakeFor(infoHash));
      socket.write(encodeMessage({ type: 'bitfield', bits: new Uint8Array([255, 255, 255, 255, 255, 0b11111100]) }));
      socket.write(encodeMessage({ type: 'unchoke' }));
    });
  }, 90_000);

  test('that asks for another torrent, or never finishes its handshake, is let go', async () => {
    const { folder, metainfo } = await randomFile(1000);
    const session = await openSession({ handshakeTimeoutMs: 200 });
    await session.add(metainfo, { directory: folder });
    for (const bytes of [
      handshakeFor(new Uint8Array(20).fill(1)),
      handshakeFor(metainfo.infoHashBytes).subarray(0, 30),
    ]) {
      const socket = net.connect(session.port, '127.0.0.1');
      socket.write(bytes);
      socket.resume();
      await new Promise((resolve) => socket.once('close', resolve));
    }
  });

  test('that only knocks to see whether we listen gets our handshake after 48 bytes (clients 2)', async () => {
    const { folder, metainfo } = await randomFile(1000);
    const session = await openSession();
    const handle = await session.add(metainfo, { directory: folder });
    const socket = net.connect(session.port, '127.0.0.1');
    const answer = new Promise<Buffer>((resolve) => {
      let got = Buffer.alloc(0);
      socket.on('data', (chunk: Buffer) => {
        got = Buffer.concat([got, chunk]);
        if (got.length >= 68) resolve(got);
      });
    });
    socket.write(handshakeFor(metainfo.infoHashBytes).subarray(0, 20));
    socket.write(handshakeFor(metainfo.infoHashBytes).subarray(20, 48));
    const bytes = await answer;
    expect(bytes.subarray(28, 48)).toEqual(Buffer.from(metainfo.infoHashBytes));
    expect(bytes.subarray(48, 68).toString('hex')).toBe(handle.peerId);
    socket.destroy();
  });
});
