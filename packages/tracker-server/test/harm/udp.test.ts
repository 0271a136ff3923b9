import { type RemoteInfo, type Socket, createSocket } from 'node:dgram';
import { once } from 'node:events';
import { describe, expect, test } from 'vitest';
import {
  decodeUdpReply,
  encodeUdpAnnounceRequest,
  encodeUdpConnectRequest,
  encodeUdpScrapeRequest,
} from '@shoal/tracker-protocol';
import { createTraffic, serveUdp } from '../../src/index.ts';
import { localService } from '../../src/swarm-service.ts';
import { UdpAnswerer } from '../../src/udp/answerer.ts';
import { mulberry32, someHash, somePeer, trackerOf } from '../support.ts';

async function socketOn(host: string): Promise<Socket> {
  const socket = createSocket('udp4').bind(0, host);
  await once(socket, 'listening');
  return socket;
}

async function answerTo(socket: Socket): Promise<Uint8Array> {
  const [bytes] = (await once(socket, 'message')) as [Uint8Array, RemoteInfo];
  return bytes;
}

function announceBytes(connectionId: { readonly high: number; readonly low: number }, port = 6881): Uint8Array {
  const bytes = new Uint8Array(98);
  const stay = { uploaded: 0, downloaded: 0, left: 1, event: 'none' } as const;
  encodeUdpAnnounceRequest(bytes, 7, connectionId, { ...stay, infoHash: someHash, peerId: somePeer, port });
  return bytes;
}

function connectBytes(): Uint8Array {
  const bytes = new Uint8Array(16);
  encodeUdpConnectRequest(bytes, 7);
  return bytes;
}

function connectionIdIn(bytes: Uint8Array): { high: number; low: number } {
  const reply = decodeUdpReply(bytes, 4);
  if (reply?.action !== 'connect') throw new Error('no connection id');
  return { ...reply.connectionId };
}

/** What floods are made of: noise, connects, announces and scrapes with ids that were never issued. */
function floods(): (readonly [name: string, datagram: (random: () => number) => Uint8Array])[] {
  const noise = (random: () => number, length: number): Uint8Array =>
    Uint8Array.from({ length }, () => Math.floor(random() * 256));
  return [
    ['noise', (random) => noise(random, Math.floor(random() * 300))],
    ['connects', connectBytes],
    ['announces with invented ids', (random) => announceBytes({ high: random() * 2 ** 32, low: random() * 2 ** 32 })],
  ];
}

describe('a flood', () => {
  test.each(floods())('of %s keeps nobody from being answered and leaves nothing behind', async (_, datagram) => {
    const tracker = trackerOf();
    const random = mulberry32(9);
    await using server = await serveUdp(tracker, { host: '0.0.0.0', port: 0, errorsPerSecond: 100 });
    const { port } = server.address;
    const attacker = await socketOn('127.0.0.3');
    const client = await socketOn('127.0.0.2');
    client.send(connectBytes(), port, '127.0.0.1');
    const announce = announceBytes(connectionIdIn(await answerTo(client)));
    for (let turn = 0; turn < 60; turn++) {
      // As many as the smallest receive buffer holds: what the kernel drops is not ours to answer.
      for (let count = 0; count < 100; count++) attacker.send(datagram(random), port, '127.0.0.1');
      client.send(announce, port, '127.0.0.1');
      expect(decodeUdpReply(await answerTo(client), 4)?.action).toBe('announce');
    }
    expect(tracker.counts).toMatchObject({ announces: 60, leechers: 1, torrents: 1 });
    for (const socket of [attacker, client]) {
      socket.close();
      await once(socket, 'close');
    }
  });
});

/** Requests in the name of somebody who never asked, and who gets what is answered. */
function spoofed(): (readonly [name: string, datagram: (random: () => number) => Uint8Array])[] {
  const scrape = (random: () => number): Uint8Array => {
    const bytes = new Uint8Array(16 + 20 * 74);
    const id = { high: Math.floor(random() * 2 ** 32), low: Math.floor(random() * 2 ** 32) };
    encodeUdpScrapeRequest(
      bytes,
      7,
      id,
      Array.from({ length: 74 }, () => someHash),
    );
    return bytes;
  };
  return [...floods().slice(1), ['scrapes with invented ids', scrape]];
}

describe.each(['strict', 'lenient', 'off'] as const)(
  'a flood in the name of a victim, where ids are %s',
  (connectionIds) => {
    test.each(spoofed())(
      'of %s brings the victim no more than was sent, and keeps nobody waiting',
      async (_, datagram) => {
        const tracker = trackerOf();
        const stay = {
          uploaded: 0,
          downloaded: 0,
          left: 1,
          event: 'none',
          infoHash: someHash,
          peerId: somePeer,
        } as const;
        for (let peer = 0; peer < 250; peer++)
          tracker.announce({ ...stay, port: 1000 + peer }, { ip: `11.0.0.${peer}` }, 0);
        const random = mulberry32(4);
        await using server = await serveUdp(tracker, { host: '0.0.0.0', port: 0, connectionIds });
        const { port } = server.address;
        // Whoever sends from an address here is whoever has it.
        const victim = await socketOn('127.0.0.3');
        const client = await socketOn('127.0.0.2');
        let [sent, received] = [0, 0];
        victim.on('message', (bytes) => (received += bytes.length));
        client.send(connectBytes(), port, '127.0.0.1');
        const announce = announceBytes(connectionIdIn(await answerTo(client)));
        for (let turn = 0; turn < 30; turn++) {
          for (let count = 0; count < 50; count++) {
            const bytes = datagram(random);
            sent += bytes.length;
            victim.send(bytes, port, '127.0.0.1');
          }
          client.send(announce, port, '127.0.0.1');
          const answer = await answerTo(client);
          expect(decodeUdpReply(answer, 4)?.action).toBe('announce');
          // Who has proven its address is told of others.
          expect(answer.length).toBeGreaterThan(20 + 6 * 49);
        }
        expect(received).toBeGreaterThan(0);
        expect(received).toBeLessThanOrEqual(sent);
        for (const socket of [victim, client]) {
          socket.close();
          await once(socket, 'close');
        }
      },
    );
  },
);

/** An answerer without a socket: a million datagrams are a matter of seconds. */
class Bench {
  readonly tracker = trackerOf();
  readonly answers: Uint8Array[] = [];
  readonly #answerer: UdpAnswerer;

  constructor() {
    const sender = {
      send: (bytes: Uint8Array): void => void this.answers.push(bytes.slice()),
      getSendQueueCount: (): number => 0,
    };
    this.#answerer = new UdpAnswerer(localService(this.tracker), sender, createTraffic().udp, 1_000_000);
  }

  ask(bytes: Uint8Array, address = '11.0.0.1', now = 0): Uint8Array | undefined {
    this.answers.length = 0;
    this.#answerer.receive(bytes, { address, family: 'IPv4', port: 9, size: bytes.length }, now);
    return this.answers[0];
  }

  connect(address?: string, now?: number): { high: number; low: number } {
    const answer = this.ask(connectBytes(), address, now);
    if (answer === undefined) throw new Error('no answer');
    return connectionIdIn(answer);
  }
}

describe('somebody who guesses connection ids', () => {
  test('is wrong a hundred thousand times', () => {
    const bench = new Bench();
    const random = mulberry32(3);
    for (let guess = 0; guess < 100_000; guess++)
      bench.ask(announceBytes({ high: random() * 2 ** 32, low: random() * 2 ** 32 }));
    expect(bench.tracker.counts.announces).toBe(0);
  });

  test('learns nothing from an id of another time, another address, or one bit away', () => {
    const bench = new Bench();
    const own = bench.connect('11.0.0.1', 600_000);
    const later = bench.connect('11.0.0.1', 720_000);
    const neighbour = bench.connect('11.0.0.2', 600_000);
    const guesses = [
      ...Array.from({ length: 32 }, (_, bit) => ({ high: (own.high ^ (1 << bit)) >>> 0, low: own.low })),
      ...Array.from({ length: 32 }, (_, bit) => ({ high: own.high, low: (own.low ^ (1 << bit)) >>> 0 })),
      { high: own.low, low: own.high },
      neighbour,
      // What a hash that is linear would give away.
      { high: (own.high ^ later.high ^ neighbour.high) >>> 0, low: (own.low ^ later.low ^ neighbour.low) >>> 0 },
      { high: 0, low: 0 },
    ];
    for (const guess of guesses) {
      const request = announceBytes(guess);
      const answer = bench.ask(request, '11.0.0.1', 600_000);
      expect(answer?.length).toBeLessThanOrEqual(request.length);
    }
    expect(bench.tracker.counts.announces).toBe(0);
    bench.ask(announceBytes(own), '11.0.0.1', 600_000);
    expect(bench.tracker.counts.announces).toBe(1);
  });
});

describe('a client that lies over UDP', () => {
  test('about its address speaks for itself, and fills 256 places of a swarm', () => {
    const bench = new Bench();
    const id = bench.connect();
    for (let port = 1; port <= 400; port++) {
      const bytes = announceBytes(id, port);
      bytes.set([8, 8, 8, port & 255], 84);
      bench.ask(bytes);
    }
    expect(bench.tracker.counts).toMatchObject({ leechers: 256, ipv4Peers: 256, unlisted: 144 });
    const asked = bench.ask(announceBytes(bench.connect('11.0.0.9'), 1), '11.0.0.9');
    const reply = asked === undefined ? undefined : decodeUdpReply(asked, 4);
    if (reply?.action !== 'announce') throw new Error('no answer');
    expect(new Set(reply.reply.peers.map(({ ip }) => ip))).toEqual(new Set(['11.0.0.1']));
  });

  test('a thousand torrents that are asked for and left are not remembered', () => {
    const bench = new Bench();
    const id = bench.connect();
    for (let torrent = 0; torrent < 1000; torrent++) {
      const bytes = announceBytes(id);
      bytes[16] = torrent >> 8;
      bytes[17] = torrent;
      bench.ask(bytes);
      bytes[83] = 3;
      bench.ask(bytes);
    }
    expect(bench.tracker.counts).toMatchObject({ torrents: 0, leechers: 0 });
  });
});
