import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { describe, expect, test } from 'vitest';
import {
  decodeUdpReply,
  encodeUdpAnnounceRequest,
  encodeUdpConnectRequest,
  encodeUdpScrapeRequest,
} from '@shoal/tracker-protocol';
import { type SwarmService, createTraffic, localService, serveUdp } from '../src/index.ts';
import { type DatagramSender, UdpAnswerer } from '../src/udp/answerer.ts';
import {
  announceTarget,
  compactIn,
  dictionaryIn,
  exchange,
  get,
  httpOn,
  responsesIn,
  someHash,
  somePeer,
  trackerOf,
} from './support.ts';

/** A service whose answers come when they are let go, in the order of the questions. */
class LateService implements SwarmService {
  readonly #inner = localService(trackerOf());
  readonly #held: (() => void)[] = [];
  #asked: () => void = () => {};

  announce: SwarmService['announce'] = (request, address, wanted, now, done) => {
    const [kept, from] = [
      { ...request, infoHash: request.infoHash.slice(), peerId: request.peerId.slice() },
      address.slice(),
    ];
    this.#hold(() => this.#inner.announce(kept, from, wanted, now, done));
  };

  scrape: SwarmService['scrape'] = (infoHashes, now, done) => {
    const kept = infoHashes.map((infoHash) => infoHash.slice());
    this.#hold(() => this.#inner.scrape(kept, now, done));
  };

  /** Resolves when `count` questions wait. */
  async asked(count: number): Promise<void> {
    while (this.#held.length < count) await new Promise<void>((resolve) => (this.#asked = resolve));
  }

  letGo(): void {
    for (const answer of this.#held.splice(0)) answer();
  }

  #hold(answer: () => void): void {
    this.#held.push(answer);
    this.#asked();
  }
}

class Sent implements DatagramSender {
  readonly datagrams: { readonly bytes: Uint8Array; readonly to: string }[] = [];

  send(bytes: Uint8Array, port: number, address: string): void {
    this.datagrams.push({ bytes: bytes.slice(), to: `${address}:${port}` });
  }

  getSendQueueCount(): number {
    return 0;
  }
}

const request = {
  infoHash: someHash,
  peerId: somePeer,
  port: 6881,
  uploaded: 0,
  downloaded: 0,
  left: 1,
  event: 'started',
} as const;

describe('a service that answers later', () => {
  test('serves UDP: every answer goes to who asked, though its datagram and address were overwritten meanwhile', async () => {
    const [service, sent] = [new LateService(), new Sent()];
    const answerer = new UdpAnswerer(service, sent, createTraffic().udp, 1000);
    const datagram = new Uint8Array(98);
    for (const host of [1, 2, 3]) {
      const from = { address: `10.0.0.${host}`, family: 'IPv4', port: 1000 + host, size: 98 } as const;
      encodeUdpConnectRequest(datagram, host);
      answerer.receive(datagram.subarray(0, 16), from, 0);
      const connected = decodeUdpReply(sent.datagrams.pop()!.bytes, 4);
      if (connected?.action !== 'connect') throw new Error('no connection id');
      encodeUdpAnnounceRequest(datagram, 100 + host, connected.connectionId, { ...request, port: 7000 + host });
      answerer.receive(datagram, from, 0);
      encodeUdpScrapeRequest(datagram, 200 + host, connected.connectionId, [someHash]);
      answerer.receive(datagram.subarray(0, 36), from, 0);
    }
    datagram.fill(0xee);
    expect(sent.datagrams).toEqual([]);
    service.letGo();
    expect(sent.datagrams.map(({ bytes, to }) => [to, decodeUdpReply(bytes, 4)?.transactionId])).toEqual(
      [1, 2, 3].flatMap((host) => [100, 200].map((id) => [`10.0.0.${host}:${1000 + host}`, id + host])),
    );
    const last = decodeUdpReply(sent.datagrams.at(-2)!.bytes, 4);
    expect(last?.action === 'announce' && last.reply.peers.map(({ ip, port }) => `${ip}:${port}`).toSorted()).toEqual([
      '10.0.0.1:7001',
      '10.0.0.2:7002',
    ]);
  });

  test('finds no UDP socket after closing, and does no harm', async () => {
    const service = new LateService();
    const server = await serveUdp(trackerOf(), { host: '127.0.0.1', port: 0, service });
    const client = createSocket('udp4');
    const datagram = new Uint8Array(98);
    encodeUdpConnectRequest(datagram, 1);
    client.send(datagram.subarray(0, 16), server.address.port, '127.0.0.1');
    const [bytes] = (await once(client, 'message')) as [Uint8Array];
    const connected = decodeUdpReply(bytes, 4);
    if (connected?.action !== 'connect') throw new Error('no connection id');
    encodeUdpAnnounceRequest(datagram, 2, connected.connectionId, request);
    client.send(datagram, server.address.port, '127.0.0.1');
    await service.asked(1);
    await server[Symbol.asyncDispose]();
    service.letGo();
    expect(server.traffic.udp.announces).toBe(1);
    client.close();
  });

  test.each([
    ['compact lists', '1'],
    ['dictionaries', '0'],
  ])('serves HTTP with %s', async (_, compact) => {
    const service = new LateService();
    await using server = await httpOn(trackerOf(), { service });
    const asked = [7001, 7002].map((port) => get(server, announceTarget({ port, compact })));
    await service.asked(2);
    service.letGo();
    const answers = (await Promise.all(asked)).map(dictionaryIn);
    expect(new Set(answers.map((answer) => answer.get('incomplete')))).toEqual(new Set([1, 2]));
    const full = answers.find((answer) => answer.get('incomplete') === 2)?.get('peers');
    if (compact === '1') expect(compactIn(full)).toHaveLength(1);
    else expect(full).toHaveLength(1);
  });

  test('answers a scrape and paths with a key through the router too', async () => {
    const service = new LateService();
    await using server = await httpOn(trackerOf(), { service });
    const announced = get(server, announceTarget({}, '/key/announce'));
    await service.asked(1);
    service.letGo();
    expect((await announced).status).toBe(200);
    const [, query = ''] = announceTarget().split('?');
    const scraped = get(server, `/scrape?${query.split('&')[0]}`);
    await service.asked(1);
    service.letGo();
    expect(dictionaryIn(await scraped).has('files')).toBe(true);
  });

  test('keeps pipelined answers in order', async () => {
    const service = new LateService();
    await using server = await httpOn(trackerOf(), { service });
    const lines = [7001, 7002, 7003].map(
      (port) => `GET ${announceTarget({ port, compact: 1 })} HTTP/1.1\r\nHost: x\r\n`,
    );
    const stream = exchange(server.address.port, `${lines.join('\r\n')}Connection: close\r\n\r\n`);
    await service.asked(3);
    service.letGo();
    const counts = responsesIn(await stream).map((response) => dictionaryIn(response).get('incomplete'));
    expect(counts).toEqual([1, 2, 3]);
  });
});
