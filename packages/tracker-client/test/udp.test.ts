import { execFile } from 'node:child_process';
import { once } from 'node:events';
import {
  decodeUdpRequest,
  encodeUdpAnnounceReply,
  encodeUdpConnectReply,
  encodeUdpError,
  encodeUdpScrapeReply,
} from '@shoal/tracker-protocol';
import type { UdpRequest } from '@shoal/tracker-protocol';
import { describe, expect, test } from 'vitest';
import { announce, bep15RetransmitMs, scrape, UdpClient } from '../src/index.ts';
import { rejected, request } from './requests.ts';
import { hasIpv6, ManualClock, UdpTracker } from './servers.ts';
import type { Datagram } from './servers.ts';

const peers = [{ ip: '1.2.3.4', port: 6881 }];
const packed = Uint8Array.of(1, 2, 3, 4, 0x1a, 0xe1);
const head = { interval: 1_800, leechers: 2, seeders: 1 };

function packet(write: (target: Uint8Array) => number): Uint8Array {
  const target = new Uint8Array(2_048);
  return target.subarray(0, write(target));
}

function read(datagram: Datagram): UdpRequest {
  const decoded = decodeUdpRequest(datagram.bytes);
  if (decoded === undefined) throw new Error('The client sent a packet that is none');
  return decoded;
}

async function expectAction<Action extends UdpRequest['action']>(
  tracker: UdpTracker,
  action: Action,
): Promise<{ asked: Extract<UdpRequest, { action: Action }>; datagram: Datagram }> {
  const datagram = await tracker.next();
  const asked = read(datagram);
  expect(asked.action).toBe(action);
  return { asked: asked as Extract<UdpRequest, { action: Action }>, datagram };
}

async function connect(tracker: UdpTracker, low: number): Promise<number> {
  const { asked, datagram } = await expectAction(tracker, 'connect');
  await tracker.send(
    datagram.from,
    packet((target) => encodeUdpConnectReply(target, asked.transactionId, { high: 7, low })),
  );
  return asked.transactionId;
}

async function reply(tracker: UdpTracker): Promise<Extract<UdpRequest, { action: 'announce' }>> {
  const { asked, datagram } = await expectAction(tracker, 'announce');
  await tracker.send(
    datagram.from,
    packet((target) => encodeUdpAnnounceReply(target, asked.transactionId, head, packed)),
  );
  return asked;
}

describe('announce over UDP (BEP 15)', () => {
  test('connects, announces, and reads the answer; a new transaction id for each step', async () => {
    await using tracker = await UdpTracker.open();
    const announced = announce(tracker.url, { ...request, event: 'started' });
    const first = await connect(tracker, 42);
    const asked = await reply(tracker);
    expect(await announced).toMatchObject({ interval: 1_800, complete: 1, incomplete: 2, peers });
    expect(asked).toMatchObject({
      connectionId: { high: 7, low: 42 },
      request: { event: 'started', port: 51_413, key: 0xcafe_0123, numWant: undefined },
    });
    expect(asked.transactionId).not.toBe(first);
  });

  test('clients 53: path and query of the URL travel as BEP 41 options', async () => {
    await using tracker = await UdpTracker.open();
    const path = `/announce?passkey=${'x'.repeat(300)}`;
    const announced = announce(tracker.url.replace('/announce', path), request);
    await connect(tracker, 1);
    expect((await reply(tracker)).urlData).toBe(path);
    await announced;
    const bare = announce(tracker.url.replace('/announce', ''), request);
    await connect(tracker, 1);
    expect((await reply(tracker)).urlData).toBeUndefined();
    await bare;
  });

  test.runIf(hasIpv6)('clients 53: over IPv6 peers have 18 bytes', async () => {
    await using tracker = await UdpTracker.open('::1');
    const announced = announce(tracker.url, request);
    await connect(tracker, 1);
    const { asked, datagram } = await expectAction(tracker, 'announce');
    const peer = Buffer.from('20010db80000000000000000000000011ae1', 'hex');
    await tracker.send(
      datagram.from,
      packet((target) => encodeUdpAnnounceReply(target, asked.transactionId, head, peer)),
    );
    expect(await announced).toMatchObject({ peers: [{ ip: '2001:db8::1', port: 6881 }] });
  });

  test('clients 53: a connection id is used for 60 s and then asked for again', async () => {
    await using tracker = await UdpTracker.open();
    const clock = new ManualClock();
    await using udp = new UdpClient({ clock });
    const first = announce(tracker.url, request, { udp });
    await connect(tracker, 1);
    await reply(tracker);
    await first;
    clock.advance(59_999);
    const second = announce(tracker.url, request, { udp });
    expect((await reply(tracker)).connectionId.low).toBe(1);
    await second;
    clock.advance(1);
    const third = announce(tracker.url, request, { udp });
    await connect(tracker, 2);
    expect((await reply(tracker)).connectionId.low).toBe(2);
    await third;
    expect(clock.waiting).toBe(0);
  });

  test('clients 53: a packet is sent again by the schedule, under the same transaction id, and then the tracker is silent', async () => {
    await using tracker = await UdpTracker.open();
    const clock = new ManualClock();
    await using udp = new UdpClient({ clock });
    const announced = rejected(announce(tracker.url, request, { udp }));
    const ids = new Set<number>();
    for (const ms of [5_000, 10_000, 15_000]) {
      ids.add((await expectAction(tracker, 'connect')).asked.transactionId);
      clock.advance(ms - 1);
      expect(tracker.unread).toBe(0);
      clock.advance(1);
    }
    expect(await announced).toMatchObject({ code: 'timeout', url: tracker.url });
    expect([ids.size, tracker.unread, clock.waiting]).toEqual([1, 0, 0]);
  });

  test('BEP 15’s own schedule is there: 15 s doubling to 3840 s, and its example of an announce that times out holds', async () => {
    expect(bep15RetransmitMs).toEqual([
      15_000, 30_000, 60_000, 120_000, 240_000, 480_000, 960_000, 1_920_000, 3_840_000,
    ]);
    await using tracker = await UdpTracker.open();
    const clock = new ManualClock();
    await using udp = new UdpClient({ clock, retransmitMs: bep15RetransmitMs });
    const announced = announce(tracker.url, request, { udp });
    await connect(tracker, 1);
    for (const ms of [15_000, 30_000, 60_000]) {
      await expectAction(tracker, 'announce');
      clock.advance(ms);
    }
    // The id has expired: 105 s after the announce a connect is sent, and sent again 120 s later.
    await expectAction(tracker, 'connect');
    clock.advance(120_000);
    await connect(tracker, 2);
    expect((await reply(tracker)).connectionId.low).toBe(2);
    expect(await announced).toMatchObject({ peers });
  });

  test('clients 53: a late answer to the first sending counts', async () => {
    await using tracker = await UdpTracker.open();
    const clock = new ManualClock();
    await using udp = new UdpClient({ clock });
    const announced = announce(tracker.url, request, { udp });
    const { asked, datagram } = await expectAction(tracker, 'connect');
    clock.advance(5_000);
    await expectAction(tracker, 'connect');
    await tracker.send(
      datagram.from,
      packet((target) => encodeUdpConnectReply(target, asked.transactionId, { high: 0, low: 9 })),
    );
    expect((await reply(tracker)).connectionId).toEqual({ high: 0, low: 9 });
    await announced;
  });

  test('clients 53: other senders, wrong actions, wrong ids and short packets are ignored', async () => {
    await using tracker = await UdpTracker.open();
    await using stranger = await UdpTracker.open();
    const announced = announce(tracker.url, request);
    const { asked, datagram } = await expectAction(tracker, 'connect');
    const id = asked.transactionId;
    await stranger.send(
      datagram.from,
      packet((target) => encodeUdpConnectReply(target, id, { high: 6, low: 6 })),
    );
    await stranger.send(
      datagram.from,
      packet((target) => encodeUdpError(target, id, 'go away')),
    );
    const noise = [
      packet((target) => encodeUdpAnnounceReply(target, id, head, packed)),
      packet((target) => encodeUdpScrapeReply(target, id, [])),
      packet((target) => encodeUdpConnectReply(target, id ^ 1, { high: 6, low: 6 })),
      packet((target) => encodeUdpConnectReply(target, id, { high: 6, low: 6 })).subarray(0, 15),
      Uint8Array.of(0, 0, 0, 0),
      new Uint8Array(),
      packet((target) => encodeUdpConnectReply(target, id, { high: 7, low: 7 })),
      packet((target) => encodeUdpConnectReply(target, id, { high: 6, low: 6 })),
    ];
    for (const bytes of noise) await tracker.send(datagram.from, bytes);
    expect((await reply(tracker)).connectionId).toEqual({ high: 7, low: 7 });
    expect(await announced).toMatchObject({ peers });
  });

  test('clients 53: an error is the tracker’s refusal and resets the connection id', async () => {
    await using tracker = await UdpTracker.open();
    await using udp = new UdpClient();
    const announced = rejected(announce(tracker.url, request, { udp }));
    await connect(tracker, 1);
    const { asked, datagram } = await expectAction(tracker, 'announce');
    await tracker.send(
      datagram.from,
      packet((target) => encodeUdpError(target, asked.transactionId, 'not registered')),
    );
    expect(await announced).toMatchObject({ code: 'refused', failureReason: 'not registered' });
    const again = announce(tracker.url, request, { udp });
    await connect(tracker, 2);
    expect((await reply(tracker)).connectionId.low).toBe(2);
    await again;
  });

  test('a remembered id that a restarted tracker rejects is replaced once', async () => {
    await using tracker = await UdpTracker.open();
    await using udp = new UdpClient();
    const first = announce(tracker.url, request, { udp });
    await connect(tracker, 1);
    await reply(tracker);
    await first;
    const second = announce(tracker.url, request, { udp });
    const { asked, datagram } = await expectAction(tracker, 'announce');
    await tracker.send(
      datagram.from,
      packet((target) => encodeUdpError(target, asked.transactionId, 'Connection ID mismatch')),
    );
    await connect(tracker, 2);
    expect((await reply(tracker)).connectionId.low).toBe(2);
    expect(await second).toMatchObject({ peers });
  });

  test('an error in answer to a connect is a refusal', async () => {
    await using tracker = await UdpTracker.open();
    const announced = rejected(announce(tracker.url, request));
    const { asked, datagram } = await expectAction(tracker, 'connect');
    await tracker.send(
      datagram.from,
      packet((target) => encodeUdpError(target, asked.transactionId, 'full')),
    );
    expect(await announced).toMatchObject({ code: 'refused', failureReason: 'full' });
  });

  test.runIf(hasIpv6)('of a name with two families the one that answers is used, and announced to once', async () => {
    await using tracker = await UdpTracker.open('127.0.0.1');
    const clock = new ManualClock();
    await using udp = new UdpClient({ clock });
    await using silent = await UdpTracker.open('::1', tracker.port);
    const lookup = async () => [
      { address: '::1', family: 6 as const },
      { address: '127.0.0.1', family: 4 as const },
    ];
    const announced = announce(`udp://dual.example:${tracker.port}/announce`, request, { udp, lookup });
    await expectAction(silent, 'connect');
    clock.advance(250);
    await connect(tracker, 1);
    await reply(tracker);
    expect(await announced).toMatchObject({ peers });
    expect([silent.unread, tracker.unread, clock.waiting]).toEqual([0, 0, 0]);
  });

  test('clients 57: one family only when asked to, and a local address decides it', async () => {
    await using tracker = await UdpTracker.open('127.0.0.1');
    const lookup = async () => [
      { address: '::1', family: 6 as const },
      { address: '127.0.0.1', family: 4 as const },
    ];
    for (const binding of [{ family: 4 as const }, { localAddress: '127.0.0.3' }]) {
      const announced = announce(`udp://dual.example:${tracker.port}/announce`, request, { ...binding, lookup });
      await connect(tracker, 1);
      const asked = await reply(tracker);
      expect(asked.request.port).toBe(51_413);
      expect(await announced).toMatchObject({ peers });
    }
    expect(await rejected(announce(tracker.url, request, { family: 6 }))).toMatchObject({ code: 'unresolved' });
    expect(await rejected(announce(tracker.url, request, { localAddress: '203.0.113.1' }))).toMatchObject({
      code: 'unreachable',
      cause: { code: 'EADDRNOTAVAIL' },
    });
  });

  test('concurrent requests share a socket and get their own answers', async () => {
    await using tracker = await UdpTracker.open();
    await using udp = new UdpClient();
    const both = [
      announce(tracker.url, { ...request, port: 1 }, { udp }),
      announce(tracker.url, { ...request, port: 2 }, { udp }),
    ];
    await connect(tracker, 1);
    await connect(tracker, 1);
    const datagrams = [await tracker.next(), await tracker.next()];
    expect(datagrams[0]!.from.port).toBe(datagrams[1]!.from.port);
    for (const datagram of datagrams.toReversed()) {
      const asked = read(datagram) as Extract<UdpRequest, { action: 'announce' }>;
      const interval = 1_000 + asked.request.port;
      await tracker.send(
        datagram.from,
        packet((target) => encodeUdpAnnounceReply(target, asked.transactionId, { ...head, interval }, packed)),
      );
    }
    expect((await Promise.all(both)).map((answer) => answer.interval)).toEqual([1_001, 1_002]);
  });
});

describe('scrape over UDP', () => {
  test('asks in batches of 74 over one connection and keys the counts by hash', async () => {
    await using tracker = await UdpTracker.open();
    const hashes = Array.from({ length: 80 }, (_, index) => new Uint8Array(20).fill(index));
    const scraped = scrape(tracker.url, hashes);
    await connect(tracker, 1);
    for (const [first, count] of [
      [0, 74],
      [74, 6],
    ] as const) {
      const { asked, datagram } = await expectAction(tracker, 'scrape');
      expect(asked.infoHashes).toHaveLength(count);
      const counts = asked.infoHashes.map((_, index) => ({ complete: first + index, downloaded: 0, incomplete: 0 }));
      await tracker.send(
        datagram.from,
        packet((target) => encodeUdpScrapeReply(target, asked.transactionId, counts)),
      );
    }
    const { files } = await scraped;
    expect(files.size).toBe(80);
    expect(files.get('4f'.repeat(20))).toEqual({ complete: 79, downloaded: 0, incomplete: 0 });
  });
});

describe('life and death of a UDP client', () => {
  test('a timeout and an abort end the request', async () => {
    await using tracker = await UdpTracker.open();
    expect(await rejected(announce(tracker.url, request, { timeoutMs: 20 }))).toMatchObject({ code: 'timeout' });
    const stop = new AbortController();
    const announced = rejected(announce(tracker.url, request, { signal: stop.signal }));
    await tracker.next();
    await tracker.next();
    stop.abort('enough');
    expect(await announced).toMatchObject({ code: 'aborted', cause: 'enough' });
  });

  test('closing ends what is under way and refuses what comes later', async () => {
    await using tracker = await UdpTracker.open();
    const udp = new UdpClient();
    const announced = rejected(announce(tracker.url, request, { udp }));
    await tracker.next();
    await udp[Symbol.asyncDispose]();
    expect(await announced).toMatchObject({ code: 'aborted' });
    expect(await rejected(announce(tracker.url, request, { udp }))).toMatchObject({ code: 'aborted' });
  });

  test('a process whose UDP client is idle, closed or not, ends by itself', async () => {
    await using tracker = await UdpTracker.open();
    const program = `
      import { announce, UdpClient } from ${JSON.stringify(new URL('../src/index.ts', import.meta.url).href)};
      const request = { infoHash: new Uint8Array(20), peerId: new Uint8Array(20), port: 1, uploaded: 0, downloaded: 0, left: 0, event: 'none' };
      for (const options of [{ udp: new UdpClient() }, {}]) await announce(${JSON.stringify(tracker.url)}, request, options);
      console.log('asked twice');`;
    const child = execFile(process.execPath, ['--input-type=module', '--eval', program], { timeout: 20_000 });
    const output = once(child.stdout!, 'data');
    const exit = once(child, 'exit');
    for (let asked = 0; asked < 2; asked++) {
      await connect(tracker, 1);
      await reply(tracker);
    }
    expect(String((await output)[0])).toBe('asked twice\n');
    expect((await exit)[0]).toBe(0);
  });

  test('a request that is none is a bug of the caller', async () => {
    await using tracker = await UdpTracker.open();
    await expect(announce(tracker.url, { ...request, peerId: new Uint8Array(3) })).rejects.toThrow(RangeError);
    expect(tracker.unread).toBe(0);
    expect(() => new UdpClient({ retransmitMs: [] })).toThrow(RangeError);
  });
});
