import { type RemoteInfo, type Socket, createSocket } from 'node:dgram';
import { once } from 'node:events';
import { isIPv6 } from 'node:net';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type AnnounceRequest,
  type UdpConnectionId,
  type UdpReply,
  decodeUdpReply,
  encodeUdpAnnounceRequest,
  encodeUdpConnectRequest,
  encodeUdpScrapeRequest,
} from '@shoal/tracker-protocol';
import type { Tracker } from '@shoal/tracker';
import { type UdpOptions, type UdpServer, serveUdp } from '@shoal/tracker-server';
import { someHash, somePeer, trackerOf } from './support.ts';

const udpOn = (tracker: Tracker, options: UdpOptions = {}): Promise<UdpServer> =>
  serveUdp(tracker, { host: '127.0.0.1', port: 0, ...options });

function requestOf(more: Partial<AnnounceRequest> = {}): AnnounceRequest {
  return {
    infoHash: someHash,
    peerId: somePeer,
    port: 6881,
    uploaded: 0,
    downloaded: 0,
    left: 100,
    event: 'none',
    ...more,
  };
}

/** A socket that asks one tracker. */
class Client implements AsyncDisposable {
  readonly #socket: Socket;
  readonly #server: UdpServer;
  readonly #host: string;
  #transaction = 1000;
  connectionId: UdpConnectionId = { high: 0, low: 0 };

  private constructor(socket: Socket, server: UdpServer, host: string) {
    this.#socket = socket;
    this.#server = server;
    this.#host = host;
  }

  static async connected(server: UdpServer, host = server.address.ip): Promise<Client> {
    const client = await Client.unconnected(server, host);
    await client.connect();
    return client;
  }

  static async unconnected(server: UdpServer, host = server.address.ip): Promise<Client> {
    const socket = createSocket(isIPv6(host) ? 'udp6' : 'udp4').bind(0, host);
    await once(socket, 'listening');
    return new Client(socket, server, host);
  }

  async connect(): Promise<void> {
    const reply = await this.ask((target, id) => encodeUdpConnectRequest(target, id));
    if (reply.action !== 'connect') throw new Error(reply.action);
    this.connectionId = reply.connectionId;
  }

  announce(more: Partial<AnnounceRequest> = {}, urlData = ''): Promise<UdpReply> {
    return this.ask((target, id) => encodeUdpAnnounceRequest(target, id, this.connectionId, requestOf(more), urlData));
  }

  scrape(...hashes: Uint8Array[]): Promise<UdpReply> {
    return this.ask((target, id) => encodeUdpScrapeRequest(target, id, this.connectionId, hashes));
  }

  announceBytes(more: Partial<AnnounceRequest> = {}): Uint8Array {
    const target = new Uint8Array(98);
    encodeUdpAnnounceRequest(target, 7, this.connectionId, requestOf(more));
    return target;
  }

  send(bytes: Uint8Array): void {
    this.#socket.send(bytes, this.#server.address.port, this.#host);
  }

  async receive(): Promise<Uint8Array> {
    const [bytes] = (await once(this.#socket, 'message')) as [Uint8Array, RemoteInfo];
    return bytes;
  }

  /** Sends and reads the next datagram, whose transaction id must be that of the request. */
  async ask(encode: (target: Uint8Array, transactionId: number) => number): Promise<UdpReply> {
    const transactionId = this.#transaction++;
    const target = new Uint8Array(2000);
    this.send(target.subarray(0, encode(target, transactionId)));
    const reply = decodeUdpReply(await this.receive(), isIPv6(this.#host) ? 6 : 4);
    if (reply?.transactionId !== transactionId)
      throw new Error(`no answer to ${transactionId}: ${JSON.stringify(reply)}`);
    return reply;
  }

  /** Sends bytes that must get no answer: the next thing heard is the answer to a connect. */
  async expectSilence(...datagrams: readonly Uint8Array[]): Promise<void> {
    for (const bytes of datagrams) this.send(bytes);
    await this.connect();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#socket.close();
    await once(this.#socket, 'close');
  }
}

describe('a UDP tracker', () => {
  test('BEP 15: connects, announces and scrapes', async () => {
    await using server = await udpOn(trackerOf());
    await using client = await Client.connected(server);
    await client.announce({ port: 1, left: 0 });
    const announced = await client.announce({ port: 2 });
    expect(announced).toMatchObject({
      reply: { interval: 1800, complete: 1, incomplete: 1, peers: [{ ip: '127.0.0.1', port: 1 }] },
    });
    await client.announce({ port: 2, left: 0, event: 'completed' });
    const counts = [{ complete: 2, downloaded: 1, incomplete: 0 }];
    expect(await client.scrape(someHash)).toMatchObject({ action: 'scrape', counts });
    await client.announce({ port: 1, left: 0, event: 'stopped' });
    expect(await client.scrape(someHash)).toMatchObject({ counts: [{ complete: 1 }] });
    expect(server.traffic.udp).toEqual({ connects: 1, announces: 4, scrapes: 2, errors: 0, dropped: 0 });
  });

  test('BEP 15: answers over IPv6 with records of 18 bytes', async () => {
    await using server = await udpOn(trackerOf(), { host: '::1' });
    expect(server.url).toMatch(/^udp:\/\/\[::1\]:\d+$/);
    await using client = await Client.connected(server);
    await client.announce({ port: 1 });
    expect(await client.announce({ port: 2 })).toMatchObject({ reply: { peers: [{ ip: '::1', port: 1 }] } });
  });

  test('trackers 48: short datagrams and short announces are dropped', async () => {
    await using server = await udpOn(trackerOf());
    await using client = await Client.connected(server);
    const announce = client.announceBytes();
    await client.expectSilence(
      new Uint8Array(0),
      new Uint8Array(15),
      announce.subarray(0, 16),
      announce.subarray(0, 97),
    );
    expect(server.traffic.udp.dropped).toBe(4);
  });

  test('trackers 49: a connect with another constant gets no answer, not even an error', async () => {
    await using server = await udpOn(trackerOf());
    await using client = await Client.connected(server);
    const wrong = new Uint8Array(16);
    encodeUdpConnectRequest(wrong, 5);
    wrong[7]! ^= 1;
    await client.expectSilence(wrong);
  });

  test('trackers 50: an id is good from another port of the same address, and not from another address', async () => {
    await using server = await udpOn(trackerOf(), { host: '0.0.0.0' });
    await using first = await Client.connected(server, '127.0.0.1');
    await using rebound = await Client.unconnected(server, '127.0.0.1');
    rebound.connectionId = first.connectionId;
    expect((await rebound.announce()).action).toBe('announce');
    await using stranger = await Client.unconnected(server, '127.0.0.2');
    stranger.connectionId = first.connectionId;
    // Sent from 127.0.0.2 to the tracker's socket, which is bound to every address.
    expect((await stranger.announce()).action).toBe('error');
  });

  test('trackers 52: a wrong id is an error no larger than the request, within a budget', async () => {
    let now = 0;
    await using server = await udpOn(trackerOf(), { errorsPerSecond: 2, clock: () => now });
    await using client = await Client.unconnected(server);
    const scrape = new Uint8Array(36);
    encodeUdpScrapeRequest(scrape, 9, { high: 1, low: 2 }, [someHash]);
    client.send(scrape);
    const error = await client.receive();
    expect(error.length).toBeLessThanOrEqual(scrape.length);
    expect(decodeUdpReply(error, 4)).toMatchObject({
      action: 'error',
      transactionId: 9,
      message: expect.stringContaining('connection id'),
    });
    client.send(scrape);
    await client.receive();
    await client.expectSilence(scrape, scrape);
    now = 1000;
    expect((await client.scrape(someHash)).action).toBe('scrape');
    client.send(scrape);
    expect(decodeUdpReply(await client.receive(), 4)?.action).toBe('error');
    expect(server.traffic.udp).toMatchObject({ errors: 3, dropped: 2 });
  });

  test('trackers 52: an id is refused when it is too old', async () => {
    let now = 0;
    await using server = await udpOn(trackerOf(), { clock: () => now });
    await using client = await Client.connected(server);
    now = 119_000;
    expect((await client.announce()).action).toBe('announce');
    now = 240_000;
    expect((await client.announce()).action).toBe('error');
  });

  test('trackers 54: an unknown action is an error, an unknown event none, and the old IPv6 announce is unknown', async () => {
    await using server = await udpOn(trackerOf());
    await using client = await Client.connected(server);
    for (const action of [3, 4, 99]) {
      const bytes = client.announceBytes();
      bytes[11] = action;
      client.send(bytes);
      expect(decodeUdpReply(await client.receive(), 4)).toMatchObject({
        action: 'error',
        transactionId: 7,
        message: 'unknown action',
      });
    }
    const announce = client.announceBytes();
    announce[83] = 77;
    client.send(announce);
    expect(decodeUdpReply(await client.receive(), 4)).toMatchObject({ reply: { incomplete: 1 } });
  });

  test('trackers 55: the address field is not believed', async () => {
    await using server = await udpOn(trackerOf());
    await using client = await Client.connected(server);
    const bytes = client.announceBytes({ port: 1 });
    bytes.set([8, 8, 8, 8], 84);
    client.send(bytes);
    await client.receive();
    expect(await client.announce({ port: 2 })).toMatchObject({ reply: { peers: [{ ip: '127.0.0.1', port: 1 }] } });
  });

  test.each([
    [0xffff_ffff, 50],
    [0x8000_0000, 50],
    [0, 0],
    [7, 7],
    [0x7fff_ffff, 196],
  ])('trackers 56 and 59: num_want %i gives %i of 250 peers, in at most 1,200 bytes', async (numWant, expected) => {
    const tracker = trackerOf();
    for (let host = 0; host < 250; host++) tracker.announce(requestOf(), { ip: `10.0.0.${host}` }, 0);
    await using server = await udpOn(tracker);
    await using client = await Client.connected(server);
    const bytes = client.announceBytes();
    new DataView(bytes.buffer).setUint32(92, numWant);
    client.send(bytes);
    const answer = await client.receive();
    expect(answer.length).toBe(20 + 6 * expected);
    expect(answer.length).toBeLessThanOrEqual(1200);
  });

  test('trackers 57: a client is never given records of the other family', async () => {
    const tracker = trackerOf();
    tracker.announce(requestOf(), { ip: '2001:db8::1' }, 0);
    tracker.announce(requestOf(), { ip: '10.0.0.1' }, 0);
    await using four = await udpOn(tracker);
    await using six = await udpOn(tracker, { host: '::1' });
    await using client4 = await Client.connected(four);
    await using client6 = await Client.connected(six);
    expect(await client4.announce()).toMatchObject({ reply: { incomplete: 3, peers: [{ ip: '10.0.0.1' }] } });
    expect(await client6.announce()).toMatchObject({ reply: { incomplete: 4, peers: [{ ip: '2001:db8::1' }] } });
  });

  test('trackers 24 and 57: an IPv4 client of a dual-stack socket is an IPv4 peer and gets 6-byte records', async () => {
    const tracker = trackerOf();
    tracker.announce(requestOf(), { ip: '10.0.0.1' }, 0);
    await using server = await udpOn(tracker, { host: '::' });
    await using client = await Client.connected(server, '127.0.0.1');
    expect(await client.announce()).toMatchObject({ reply: { peers: [{ ip: '10.0.0.1' }] } });
    expect(tracker.counts).toMatchObject({ ipv4Peers: 2, ipv6Peers: 0 });
  });

  test('trackers 59: 65 peers fit an IPv6 answer', async () => {
    const tracker = trackerOf();
    for (let host = 1; host <= 90; host++) tracker.announce(requestOf(), { ip: `2001:db8::${host}` }, 0);
    await using server = await udpOn(tracker, { host: '::1' });
    await using client = await Client.connected(server);
    client.send(client.announceBytes({ numWant: 200 }));
    expect((await client.receive()).length).toBe(20 + 18 * 65);
  });

  test('trackers 44 and 58: a scrape keeps positions, with zeros for the unknown, and uses whole hashes only', async () => {
    await using server = await udpOn(trackerOf());
    await using client = await Client.connected(server);
    await client.announce();
    const known = { complete: 0, downloaded: 0, incomplete: 1 };
    const unknown = { complete: 0, downloaded: 0, incomplete: 0 };
    expect(await client.scrape(new Uint8Array(20), someHash, someHash)).toMatchObject({
      counts: [unknown, known, known],
    });
    const bytes = new Uint8Array(16 + 20 + 19);
    encodeUdpScrapeRequest(bytes, 8, client.connectionId, [someHash]);
    client.send(bytes);
    expect(decodeUdpReply(await client.receive(), 4)).toMatchObject({ counts: [known] });
  });

  test('trackers 58: of more than 74 hashes 74 are answered, and of none an error', async () => {
    await using server = await udpOn(trackerOf());
    await using client = await Client.connected(server);
    const bytes = new Uint8Array(16 + 20 * 80);
    encodeUdpScrapeRequest(bytes, 8, client.connectionId, []);
    client.send(bytes);
    expect((await client.receive()).length).toBe(8 + 12 * 74);
    expect((await client.scrape()).action).toBe('error');
  });

  test('trackers 60: an announce of port 0 is dropped, unless it is a goodbye', async () => {
    const tracker = trackerOf();
    await using server = await udpOn(tracker);
    await using client = await Client.connected(server);
    await client.expectSilence(client.announceBytes({ port: 0 }));
    expect((await client.announce({ port: 0, event: 'stopped' })).action).toBe('announce');
    expect(tracker.counts.torrents).toBe(0);
  });

  test.each([
    ['URL data', Uint8Array.of(2, 3, 0x2f, 0x61, 0x62)],
    ['URL data in pieces', Uint8Array.of(2, 1, 0x2f, 1, 2, 1, 0x61, 0)],
    ['an unknown option', Uint8Array.of(9, 2, 1, 1, 0)],
    ['a truncated option', Uint8Array.of(2, 200, 0x2f)],
    ['an option without a length', Uint8Array.of(2)],
    ['a kilobyte of nothing', new Uint8Array(1000).fill(1)],
  ])('trackers 61: BEP 41: an announce with %s is answered', async (_, options) => {
    await using server = await udpOn(trackerOf());
    await using client = await Client.connected(server);
    client.send(Buffer.concat([client.announceBytes(), options]));
    expect(decodeUdpReply(await client.receive(), 4)).toMatchObject({ reply: { incomplete: 1 } });
  });

  test('trackers 53 and 63: a datagram that arrives twice is one peer, answered alike with its transaction id', async () => {
    const tracker = trackerOf();
    await using server = await udpOn(tracker);
    await using client = await Client.connected(server);
    const bytes = client.announceBytes();
    client.send(bytes);
    const first = await client.receive();
    client.send(bytes);
    expect(await client.receive()).toEqual(first);
    expect(decodeUdpReply(first, 4)?.transactionId).toBe(7);
    expect(tracker.counts.leechers).toBe(1);
  });

  test('trackers 64: a burst of datagrams is answered from whole buffers, each with its own answer', async () => {
    const tracker = trackerOf();
    await using server = await udpOn(tracker);
    await using client = await Client.connected(server);
    const target = new Uint8Array(98);
    for (let id = 0; id < 100; id++) {
      encodeUdpAnnounceRequest(target, id, client.connectionId, requestOf({ port: 1 + id, numWant: 0 }));
      client.send(target.slice());
    }
    const seen = new Set<number | undefined>();
    while (seen.size < 100) seen.add(decodeUdpReply(await client.receive(), 4)?.transactionId);
    expect(tracker.counts.leechers).toBe(100);
  });

  test('a torrent that is not served is an error with the reason', async () => {
    await using server = await udpOn(trackerOf({ allow: () => false }));
    await using client = await Client.connected(server);
    expect(await client.announce()).toMatchObject({
      action: 'error',
      message: 'this tracker does not serve this torrent',
    });
    expect(await client.scrape(someHash)).toMatchObject({ counts: [{ complete: 0, incomplete: 0, downloaded: 0 }] });
  });

  test('no bytes whatever disturb it, and no answer is larger than what it answers, before an id is proven', async () => {
    await using server = await udpOn(trackerOf());
    await using client = await Client.unconnected(server);
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 200 }), async (bytes) => {
        const transaction = new Uint8Array(16);
        encodeUdpConnectRequest(transaction, 0xabcd_0123);
        client.send(bytes);
        client.send(transaction);
        for (let answer = await client.receive(); !isConnectReply(answer); answer = await client.receive()) {
          expect(answer.length).toBeLessThanOrEqual(bytes.length);
        }
      }),
      { numRuns: 200 },
    );
  });
});

describe('listening', () => {
  test.each([
    ['address-not-available', { host: '192.0.2.1' }],
    ['host-not-found', { host: 'tracker.invalid' }],
  ])('fails with %s', async (code, options) => {
    await expect(udpOn(trackerOf(), options)).rejects.toMatchObject({
      name: 'TrackerServerError',
      code,
      transport: 'udp',
      ...options,
    });
  });

  test('fails with address-in-use, saying which address', async () => {
    await using server = await udpOn(trackerOf());
    const { port } = server.address;
    await expect(udpOn(trackerOf(), { port })).rejects.toMatchObject({
      code: 'address-in-use',
      message: expect.stringContaining(`:${port}`),
    });
  });

  test('takes a host name', async () => {
    await using server = await udpOn(trackerOf(), { host: 'localhost' });
    expect(server.address.ip).toBe('127.0.0.1');
  });
});

function isConnectReply(bytes: Uint8Array): boolean {
  const reply = decodeUdpReply(bytes, 4);
  return reply?.action === 'connect' && reply.transactionId === 0xabcd_0123;
}
