// Answers of UDP that wait for a store elsewhere when their server ends, or leaves its socket to another process.
import { type Socket, createSocket } from 'node:dgram';
import { once } from 'node:events';
import { describe, expect, test } from 'vitest';
import {
  type UdpConnectionId,
  decodeUdpReply,
  encodeUdpAnnounceRequest,
  encodeUdpConnectRequest,
  encodeUdpScrapeRequest,
} from '@shoal/tracker-protocol';
import { type SwarmService, type UdpServer, localService, serveUdp } from '../../src/index.ts';
import { someHash, somePeer, trackerOf } from '../support.ts';

/** Answers when told to, as a store does that is asked over a network. */
class SlowService implements SwarmService {
  readonly #inner = localService(trackerOf());
  readonly #held: (() => void)[] = [];
  #hear: (() => void) | undefined;

  announce: SwarmService['announce'] = ({ infoHash, peerId, ...request }, address, wanted, now, done) => {
    const kept = { ...request, infoHash: infoHash.slice(), peerId: peerId.slice() };
    const from = address.slice();
    this.#hold(() => this.#inner.announce(kept, from, wanted, now, done));
  };

  scrape: SwarmService['scrape'] = (infoHashes, now, done) => {
    const kept = infoHashes.map((infoHash) => infoHash.slice());
    this.#hold(() => this.#inner.scrape(kept, now, done));
  };

  /** Resolves when so many wait. */
  async holds(count: number): Promise<void> {
    while (this.#held.length < count) await new Promise<void>((resolve) => (this.#hear = resolve));
  }

  answerAll(): void {
    for (const answer of this.#held.splice(0)) answer();
  }

  #hold(answer: () => void): void {
    this.#held.push(answer);
    this.#hear?.();
  }
}

/** Asks, and counts what comes back. */
class Client implements AsyncDisposable {
  readonly #socket: Socket = createSocket('udp4');
  readonly #port: number;
  readonly #bytes = new Uint8Array(2048);
  #id: UdpConnectionId = { high: 0, low: 0 };
  readonly actions: string[] = [];

  constructor({ address }: UdpServer) {
    this.#port = address.port;
  }

  async connect(): Promise<void> {
    this.#send(encodeUdpConnectRequest(this.#bytes, 1));
    const [bytes] = (await once(this.#socket, 'message')) as [Uint8Array];
    const reply = decodeUdpReply(bytes, 4);
    if (reply?.action !== 'connect') throw new Error('no connection id');
    this.#id = reply.connectionId;
    this.#socket.on('message', (answer: Uint8Array) => this.actions.push(decodeUdpReply(answer, 4)?.action ?? 'none'));
  }

  announce(port: number): void {
    const stay = { uploaded: 0, downloaded: 0, left: 1, event: 'none' } as const;
    const request = { ...stay, infoHash: someHash, peerId: somePeer, port };
    this.#send(encodeUdpAnnounceRequest(this.#bytes, 2, this.#id, request));
  }

  scrape(): void {
    this.#send(encodeUdpScrapeRequest(this.#bytes, 3, this.#id, [someHash]));
  }

  #send(length: number): void {
    this.#socket.send(this.#bytes.slice(0, length), this.#port, '127.0.0.1');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#socket.close();
    await once(this.#socket, 'close');
  }
}

const asked = [...Array.from({ length: 40 }, () => 'announce'), 'scrape'];

/** Has asked so much of a service that answers later. */
async function waitingClient(server: UdpServer, service: SlowService): Promise<Client> {
  const client = new Client(server);
  await client.connect();
  for (let port = 1; port <= 40; port++) client.announce(port);
  client.scrape();
  await service.holds(asked.length);
  expect(client.actions).toEqual([]);
  return client;
}

const workers = process.platform === 'linux' ? [1, 2] : [1];

describe.each(workers)('a UDP server with %s workers', (count) => {
  const open = (service: SwarmService): Promise<UdpServer> =>
    serveUdp(trackerOf(), { host: '127.0.0.1', port: 0, workers: count, service });

  test('that ends waits for the answers it owes', async () => {
    const service = new SlowService();
    const server = await open(service);
    await using client = await waitingClient(server, service);
    const ended = server[Symbol.asyncDispose]();
    service.answerAll();
    await ended;
    await expect.poll(() => client.actions).toEqual(asked);
  });

  test('that ends does not wait for ever, and takes answers that come after its end for nobody', async () => {
    const service = new SlowService();
    const server = await open(service);
    await using client = await waitingClient(server, service);
    const began = performance.now();
    await server[Symbol.asyncDispose]();
    // A store has a second, in which it answers or is given up.
    expect(performance.now() - began).toBeLessThan(4000);
    service.answerAll();
    expect(client.actions).toEqual([]);
  });

  test('that leaves its socket to another gives that one the answers it owes, each of them once', async () => {
    const service = new SlowService();
    await using server = await open(service);
    await using client = await waitingClient(server, service);
    // Instead of one in another process, with the same socket.
    await using next = await open(localService(trackerOf()));
    const left = server.drain(5000, (datagram) => next.send(datagram));
    service.answerAll();
    await left;
    await expect.poll(() => client.actions).toEqual(asked);
  });
});
