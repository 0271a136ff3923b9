import { type Socket, createSocket } from 'node:dgram';
import { once } from 'node:events';
import { describe, expect, test } from 'vitest';
import { isFailure } from '@shoal/tracker-protocol';
import {
  type UdpConnectionId,
  decodeUdpReply,
  encodeUdpAnnounceRequest,
  encodeUdpConnectRequest,
  encodeUdpScrapeRequest,
} from '@shoal/tracker-protocol';
import { SourceAddress, type SwarmService, TrackerServerError, localService, serveUdp } from '../../src/index.ts';
import { ForwardingService } from '../../src/workers/forwarding-service.ts';
import { RingReader, RingWriter, ringMemory } from '../../src/workers/ring.ts';
import { SwarmOwner } from '../../src/workers/swarm-owner.ts';
import { binaryHeaderOf } from '../proxy-protocol/headers.ts';
import { someHash, somePeer, trackerOf } from '../support.ts';

type Reply = NonNullable<ReturnType<typeof decodeUdpReply>>;

/** A client that asks one thing after the other. */
class Client {
  readonly #socket: Socket = createSocket('udp4');
  readonly #port: number;
  readonly #datagram = new Uint8Array(2048);

  constructor(port: number) {
    this.#port = port;
  }

  async connect(): Promise<UdpConnectionId> {
    const reply = await this.#ask(encodeUdpConnectRequest(this.#datagram, 1));
    if (reply.action !== 'connect') throw new Error(reply.action);
    return reply.connectionId;
  }

  /** Asks for an id with something before the request. */
  connectThrough(header: Uint8Array): Promise<Reply> {
    const length = encodeUdpConnectRequest(this.#datagram, 1);
    this.#datagram.copyWithin(header.length, 0, length);
    this.#datagram.set(header);
    return this.#ask(header.length + length);
  }

  announce(id: UdpConnectionId, port: number, infoHash = someHash): Promise<Reply> {
    const request = {
      infoHash,
      peerId: somePeer,
      port,
      uploaded: 0,
      downloaded: 0,
      left: 1,
      event: 'started',
    } as const;
    return this.#ask(encodeUdpAnnounceRequest(this.#datagram, 2, id, request));
  }

  scrape(id: UdpConnectionId, infoHashes: readonly Uint8Array[]): Promise<Reply> {
    return this.#ask(encodeUdpScrapeRequest(this.#datagram, 3, id, infoHashes));
  }

  close(): void {
    this.#socket.close();
  }

  async #ask(length: number): Promise<Reply> {
    this.#socket.send(this.#datagram.subarray(0, length), this.#port, '127.0.0.1');
    const [bytes] = (await once(this.#socket, 'message')) as [Uint8Array];
    const reply = decodeUdpReply(bytes, 4);
    if (reply === undefined) throw new Error('no reply');
    return reply;
  }
}

describe.runIf(process.platform === 'linux')('a UDP server of three threads', () => {
  test('serves one swarm, and takes the connection ids of each other', async () => {
    const tracker = trackerOf();
    await using server = await serveUdp(tracker, { host: '127.0.0.1', port: 0, workers: 3 });
    // The system deals sockets out by address and port: with so many each thread has some.
    const clients = Array.from({ length: 24 }, () => new Client(server.address.port));
    const id = await clients[0]!.connect();
    const replies = await Promise.all(clients.map((client, index) => client.announce(id, 7000 + index)));
    const lists = replies.map((reply) => (reply.action === 'announce' ? reply.reply.peers.length : -1));
    expect(lists.toSorted((a, b) => a - b)).toEqual(clients.map((_, index) => index));
    const scraped = await clients[7]!.scrape(id, [someHash, somePeer]);
    expect(scraped.action === 'scrape' && scraped.counts).toEqual([
      { complete: 0, incomplete: 24, downloaded: 0 },
      { complete: 0, incomplete: 0, downloaded: 0 },
    ]);
    expect(tracker.counts).toMatchObject({ leechers: 24, torrents: 1, announces: 24 });
    for (const client of clients) client.close();
  });

  test('refuses by the policy of the one tracker, which may change meanwhile', async () => {
    let isOpen = false;
    await using server = await serveUdp(trackerOf({ allow: () => isOpen }), { host: '127.0.0.1', port: 0, workers: 2 });
    const client = new Client(server.address.port);
    const id = await client.connect();
    expect(await client.announce(id, 7000)).toMatchObject({ action: 'error' });
    isOpen = true;
    expect(await client.announce(id, 7000)).toMatchObject({ action: 'announce' });
    client.close();
  });

  test('takes the connection ids that its owner wants taken, also when that changes', async () => {
    await using server = await serveUdp(trackerOf(), { host: '127.0.0.1', port: 0, workers: 2 });
    const clients = Array.from({ length: 16 }, () => new Client(server.address.port));
    const invented = { high: 1, low: 1 };
    const actions = async (): Promise<ReadonlySet<string>> => {
      const replies = await Promise.all(clients.map((client, index) => client.announce(invented, 7000 + index)));
      return new Set(replies.map(({ action }) => action));
    };
    expect(await actions()).toEqual(new Set(['error']));
    server.configure({ connectionIds: 'off' });
    // It reaches the threads as a message.
    await expect.poll(actions).toEqual(new Set(['announce']));
    server.configure({});
    server.configure({ connectionIds: 'strict' });
    await expect.poll(actions).toEqual(new Set(['error']));
    for (const client of clients) client.close();
  });

  test('believes the proxies that its owner believes, also when that changes', async () => {
    const source = new SourceAddress({});
    const tracker = trackerOf();
    await using server = await serveUdp(tracker, { host: '127.0.0.1', port: 0, workers: 2, source });
    const clients = Array.from({ length: 16 }, () => new Client(server.address.port));
    const header = binaryHeaderOf({ ip: '203.0.113.5', port: 4711 }, 2);
    const actions = async (): Promise<ReadonlySet<string>> => {
      const replies = await Promise.all(clients.map((client) => client.connectThrough(header)));
      return new Set(replies.map(({ action }) => action));
    };
    expect(await actions()).toEqual(new Set(['error']));
    source.replace({ trustedProxies: ['127.0.0.1'], proxyProtocol: true });
    // Until a thread has heard of it, a header is a request with a wrong connection id.
    await expect.poll(actions).toEqual(new Set(['connect']));
    source.replace({ trustedProxies: ['127.0.0.1'] });
    await expect.poll(actions).toEqual(new Set(['error']));
    for (const client of clients) client.close();
  });

  test('has counted everything when it has closed', async () => {
    const server = await serveUdp(trackerOf(), { host: '127.0.0.1', port: 0, workers: 2 });
    const client = new Client(server.address.port);
    const id = await client.connect();
    await client.announce(id, 7000);
    await client.announce({ high: 1, low: 1 }, 7000);
    client.close();
    await server[Symbol.asyncDispose]();
    expect(server.traffic.udp).toMatchObject({ connects: 1, announces: 1, errors: 1 });
  });

  test('says why it cannot listen, and leaves no thread behind', async () => {
    await using taken = await serveUdp(trackerOf(), { host: '127.0.0.1', port: 0 });
    const { port } = taken.address;
    const failure = serveUdp(trackerOf(), { host: '127.0.0.1', port, workers: 2 });
    await expect(failure).rejects.toThrow(TrackerServerError);
    await expect(failure).rejects.toMatchObject({ code: 'address-in-use', transport: 'udp', port });
  });

  test.each([0, 65, 1.5])('cannot be one of %s threads', async (workers) => {
    await expect(serveUdp(trackerOf(), { host: '127.0.0.1', port: 0, workers })).rejects.toThrow(RangeError);
  });
});

describe('a service that forwards', () => {
  const request = {
    infoHash: someHash,
    peerId: somePeer,
    port: 7000,
    uploaded: 0,
    downloaded: 0,
    left: 1,
    event: 'none',
  } as const;
  const address = Uint8Array.of(10, 0, 0, 1);
  const wanted = { families: 'own', withPeerIds: false } as const;

  /** Both ends in one thread; `deliver` carries everything that is under way. */
  function pair(service: SwarmService): { forwarding: ForwardingService; deliver: () => void } {
    const [questions, answers] = [ringMemory(1 << 20), ringMemory(1 << 19)];
    const silent = (): void => {};
    const forwarding = new ForwardingService(new RingWriter(questions, silent), new RingReader(answers));
    const owner = new SwarmOwner(service, () => 0, new RingReader(questions), new RingWriter(answers, silent));
    return {
      forwarding,
      deliver: () => {
        owner.serve();
        forwarding.collect();
      },
    };
  }

  test('turns away what is asked while thousands of questions are under way, and takes more when they are answered', () => {
    const { forwarding, deliver } = pair(localService(trackerOf()));
    let [answered, refused] = [0, 0];
    const ask = (count: number): void => {
      for (let index = 0; index < count; index++) {
        forwarding.announce({ ...request, port: 1 + index }, address, wanted, 0, (reply) => {
          if (isFailure(reply)) refused++;
          else answered++;
        });
      }
    };
    ask(6000);
    expect(answered).toBe(0);
    expect(refused).toBeGreaterThan(1000);
    const underWay = 6000 - refused;
    for (let turn = 0; turn < 100; turn++) deliver();
    expect(answered).toBe(underWay);
    const before = refused;
    ask(100);
    deliver();
    expect(refused).toBe(before);
    expect(answered).toBe(underWay + 100);
  });

  test('carries refusals of announces and scrapes', () => {
    const failure = { failureReason: 'the store is away', retryIn: 2, interval: 120 } as const;
    const { forwarding, deliver } = pair({
      announce: (_request, _address, _wanted, _now, done) => done(failure),
      scrape: (_infoHashes, _now, done) => done(failure),
    });
    const heard: unknown[] = [];
    forwarding.announce(request, address, wanted, 0, (reply) => heard.push(reply));
    forwarding.scrape([someHash], 0, (reply) => heard.push(reply));
    deliver();
    expect(heard).toEqual([failure, failure]);
  });

  test('answers in any order that its owner does', () => {
    const held: (() => void)[] = [];
    const inner = localService(trackerOf());
    const { forwarding, deliver } = pair({
      announce: (announce, from, wants, now, done) => {
        const kept = { ...announce, infoHash: announce.infoHash.slice(), peerId: announce.peerId.slice() };
        const [own, families] = [from.slice(), wants];
        held.push(() => inner.announce(kept, own, families, now, done));
      },
      scrape: (infoHashes, now, done) => inner.scrape(infoHashes, now, done),
    });
    const order: string[] = [];
    for (const name of ['a', 'b', 'c']) forwarding.announce(request, address, wanted, 0, () => order.push(name));
    forwarding.scrape([someHash], 0, () => order.push('scrape'));
    deliver();
    for (const answer of held.toReversed()) answer();
    deliver();
    expect(order).toEqual(['scrape', 'c', 'b', 'a']);
  });
});
