// Statements of BEP 3 on a whole downloader, over real sockets and with a tracker that writes down what it is asked.
// Numbers: docs/bep-0003.md.
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import net from 'node:net';
import path from 'node:path';
import { decodeHandshake, encodeHandshake } from '@shoal/wire';
import {
  encodeAnnounceReply,
  parseAnnounceQuery,
  type AnnounceRequest,
  type TrackedPeer,
} from '@shoal/tracker-protocol';
import { describe, expect, onTestFinished, test } from 'vitest';
import { defaults } from '../src/options.ts';
import type { Session } from '../src/index.ts';
import { emptyFolder, endpointOf, openSession, randomFile, type Content } from './swarm.ts';

const hexOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

/** Every announce in the order it came, as text and as read. Each answer names the peers that announced before. */
class RecordingTracker {
  readonly queries: string[] = [];
  readonly announces: AnnounceRequest[] = [];
  url = '';
  readonly #waiting: (() => void)[] = [];

  static async open(): Promise<RecordingTracker> {
    const tracker = new RecordingTracker();
    const server = createServer((request, response) => {
      const query = (request.url ?? '').split('?')[1] ?? '';
      const peers = tracker.#peersBut(query);
      tracker.queries.push(query);
      tracker.announces.push(parseAnnounceQuery(query));
      response.end(encodeAnnounceReply({ interval: 1800, peers }, { compact: false }));
      for (const wake of tracker.#waiting.splice(0)) wake();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    });
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('no port');
    tracker.url = `http://127.0.0.1:${address.port}/announce`;
    return tracker;
  }

  /** Events of the peer with this id, in order. */
  eventsOf(peerId: string): string[] {
    return this.announces.filter((announce) => hexOf(announce.peerId) === peerId).map(({ event }) => event);
  }

  async until(condition: () => boolean): Promise<void> {
    while (!condition()) await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  #peersBut(query: string): TrackedPeer[] {
    const own = hexOf(parseAnnounceQuery(query).peerId);
    return this.announces
      .filter(({ peerId }) => hexOf(peerId) !== own)
      .map(({ peerId, port }) => ({ ip: '127.0.0.1', port, peerId }));
  }
}

interface Swarm {
  readonly tracker: RecordingTracker;
  readonly content: Content;
  readonly seeder: Session;
  readonly downloader: Session;
}

async function swarm(length = 300_001): Promise<Swarm> {
  const tracker = await RecordingTracker.open();
  const content = await randomFile(length, 65_536, [[tracker.url]]);
  return { tracker, content, seeder: await openSession(), downloader: await openSession() };
}

describe('what the tracker hears', () => {
  test('BEP 3.67, 3.68, 3.69, 3.70: started first, completed when it is, never completed from who was complete, stopped at the end', async () => {
    const { tracker, content, seeder, downloader } = await swarm();
    const seed = await seeder.add(content.metainfo, { directory: content.folder, requireComplete: true });
    await tracker.until(() => tracker.announces.length === 1);
    const leech = await downloader.add(content.metainfo, { directory: await emptyFolder() });
    await leech.completed;
    await tracker.until(() => tracker.eventsOf(leech.peerId).length === 2);
    await Promise.all([downloader.close(), seeder.close()]);
    expect(tracker.eventsOf(leech.peerId)).toEqual(['started', 'completed', 'stopped']);
    expect(tracker.eventsOf(seed.peerId)).toEqual(['started', 'stopped']);
  });

  test('BEP 3.59, 3.61, 3.62, 3.63: the port we listen on, and what was sent, received and is left, in decimal digits', async () => {
    const length = 300_001;
    const { tracker, content, seeder, downloader } = await swarm(length);
    const [seederPort, downloaderPort] = [seeder.port, downloader.port];
    const seed = await seeder.add(content.metainfo, { directory: content.folder, requireComplete: true });
    await tracker.until(() => tracker.announces.length === 1);
    const leech = await downloader.add(content.metainfo, { directory: await emptyFolder() });
    await leech.completed;
    await downloader.close();
    await seeder.close();
    const told = (peerId: string): (string | undefined)[] =>
      tracker.queries
        .filter((_, at) => hexOf(tracker.announces[at]!.peerId) === peerId)
        .map((query) => /port=\d+&uploaded=\d+&downloaded=\d+&left=\d+/.exec(query)?.[0]);
    expect(told(leech.peerId).at(0)).toBe(`port=${downloaderPort}&uploaded=0&downloaded=0&left=${length}`);
    expect(told(leech.peerId).at(-1)).toBe(`port=${downloaderPort}&uploaded=0&downloaded=${length}&left=0`);
    expect(told(seed.peerId).at(0)).toBe(`port=${seederPort}&uploaded=0&downloaded=0&left=0`);
    expect(told(seed.peerId).at(-1)).toBe(`port=${seederPort}&uploaded=${length}&downloaded=0&left=0`);
  });

  test('BEP 3.51, 3.54, 3.100, 3.103: info-hash and peer id are 20 bytes, and the same to the tracker and in the handshake', async () => {
    const { tracker, content, seeder } = await swarm(1000);
    await seeder.add(content.metainfo, { directory: content.folder });
    await tracker.until(() => tracker.announces.length === 1);
    const { infoHash, peerId } = tracker.announces[0]!;
    expect([infoHash.length, peerId.length]).toEqual([20, 20]);
    expect(hexOf(infoHash)).toBe(content.metainfo.infoHash);
    const answer = decodeHandshake(await handshakeWith(seeder.port, infoHash));
    expect(answer).toMatchObject({ infoHash, peerId });
  });

  test('BEP 3.55: each download has a peer id of its own, drawn anew each time it starts', async () => {
    const { content } = await swarm(1000);
    const other = await randomFile(1000);
    const session = await openSession();
    const ids: string[] = [];
    for (const { metainfo, folder } of [content, other, content]) {
      const handle = await session.add(metainfo, { directory: folder, trackers: [] });
      ids.push(handle.peerId);
      await handle.stop();
    }
    expect(new Set(ids).size).toBe(3);
    // BEP 20: eight bytes say which client it is, twelve are random.
    for (const id of ids) expect(Buffer.from(id, 'hex').toString('latin1')).toMatch(/^-SH\d{4}-[0-9A-Za-z]{12}$/);
  });

  test('BEP 3.58: no address is claimed: the tracker takes the one it sees', async () => {
    const { tracker, content, seeder } = await swarm(1000);
    await seeder.add(content.metainfo, { directory: content.folder });
    await tracker.until(() => tracker.announces.length === 1);
    expect(tracker.queries[0]).not.toMatch(/(?:^|&)ip(?:v4|v6)?=/);
  });
});

describe('a downloader', () => {
  test('BEP 3.22: that is complete goes on uploading until it is told to stop', async () => {
    const { content, seeder, downloader } = await swarm();
    await seeder.add(content.metainfo, { directory: content.folder, trackers: [] });
    const peers = [endpointOf(seeder)];
    const first = await downloader.add(content.metainfo, { directory: await emptyFolder(), trackers: [], peers });
    await first.completed;
    await seeder.close();
    const directory = await emptyFolder();
    const second = await (
      await openSession()
    ).add(content.metainfo, { directory, trackers: [], peers: [endpointOf(downloader)] });
    await second.completed;
    expect(new Uint8Array(await readFile(path.join(directory, 'content.bin')))).toEqual(content.bytes);
    expect(first.snapshot()).toMatchObject({ state: 'seeding', uploadedBytes: content.bytes.length });
    await first.stop();
    await expect(handshakeWith(downloader.port, content.metainfo.infoHashBytes)).rejects.toThrow('closed');
  });

  test('BEP 3.60: listens on the first free port of a range, 6881 to 6889 by default, and gives up after the last', async () => {
    expect(defaults.port).toEqual([6881, 6889]);
    const { port: first } = await openSession();
    const range = [first, first + 3] as const;
    const ports = [first];
    const next = async (): Promise<void> => {
      const { port } = await openSession({ port: range });
      expect(port).toBeGreaterThan(ports.at(-1)!);
      ports.push(port);
      if (ports.length > range[1] - range[0] + 1) expect.unreachable('a range of four ports gave five');
      return next();
    };
    await expect(next()).rejects.toMatchObject({
      code: 'address-in-use',
      message: expect.stringContaining(`ports ${range[0]} to ${range[1]} are in use`) as string,
    });
  });
});

/** What answers our handshake; rejects when the connection closes without one. */
function handshakeWith(port: number, infoHash: Uint8Array): Promise<Uint8Array> {
  const socket = net.connect(port, '127.0.0.1');
  socket.on('error', () => {});
  onTestFinished(() => void socket.destroy());
  socket.write(encodeHandshake({ infoHash, peerId: new Uint8Array(20).fill(1) }));
  return new Promise((resolve, reject) => {
    let got = Buffer.alloc(0);
    socket.on('data', (chunk: Buffer) => {
      got = Buffer.concat([got, chunk]);
      if (got.length >= 68) resolve(new Uint8Array(got.subarray(0, 68)));
    });
    socket.on('close', () => reject(new Error('closed')));
  });
}
