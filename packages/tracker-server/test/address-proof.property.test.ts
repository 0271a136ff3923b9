import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type UdpConnectionId,
  decodeUdpReply,
  encodeUdpAnnounceRequest,
  encodeUdpConnectRequest,
} from '@shoal/tracker-protocol';
import { type ConnectionIdMode, createTraffic, localService } from '../src/index.ts';
import { type DatagramSender, UdpAnswerer } from '../src/udp/answerer.ts';
import { someHash, somePeer, trackerOf } from './support.ts';

class Sent implements DatagramSender {
  readonly answers: Uint8Array[] = [];

  send(bytes: Uint8Array): void {
    this.answers.push(bytes.slice());
  }

  getSendQueueCount(): number {
    return 0;
  }
}

const modes: readonly ConnectionIdMode[] = ['strict', 'lenient', 'off'];

/** A tracker with 300 peers of either family in one swarm, so that answers would be long. */
function answererOf(connectionIds: ConnectionIdMode): { sent: Sent; answerer: UdpAnswerer } {
  const tracker = trackerOf();
  const peer = { infoHash: someHash, peerId: somePeer, uploaded: 0, downloaded: 0, left: 1, event: 'none' } as const;
  for (let host = 0; host < 300; host++) {
    const address = { ip: host % 2 === 0 ? `10.1.${host >> 8}.${host & 255}` : `2001:db8::${host.toString(16)}` };
    tracker.announce({ ...peer, port: 1000 + host }, address, 0);
  }
  const sent = new Sent();
  return {
    sent,
    answerer: new UdpAnswerer(localService(tracker), sent, createTraffic().udp, 1e9, { connectionIds }),
  };
}

const sender = fc.constantFrom(
  { address: '10.9.9.9', family: 'IPv4' } as const,
  { address: '2001:db8:ffff::1', family: 'IPv6' } as const,
);

/** Datagrams that look like requests: an action, a known or unknown torrent, whatever behind it. */
const datagram = fc
  .record({
    head: fc.uint8Array({ minLength: 8, maxLength: 8 }),
    isConnect: fc.boolean(),
    action: fc.nat(4),
    infoHash: fc.constantFrom(someHash, somePeer),
    rest: fc.uint8Array({ maxLength: 1500 }),
    size: fc.nat(1500),
  })
  .map(({ head, isConnect, action, infoHash, rest, size }) => {
    const bytes = new Uint8Array(1600);
    bytes.set(rest, 36);
    bytes.set(isConnect ? Uint8Array.of(0, 0, 4, 0x17, 0x27, 0x10, 0x19, 0x80) : head);
    bytes.set([0, 0, 0, action], 8);
    bytes.set(infoHash, 16);
    return bytes.subarray(0, size);
  });

describe.each(modes)('connection ids %s', (mode) => {
  test('an address that has proven nothing never gets more than it sent', () => {
    const { sent, answerer } = answererOf(mode);
    fc.assert(
      fc.property(datagram, sender, (bytes, from) => {
        sent.answers.length = 0;
        answerer.receive(bytes, { ...from, port: 7, size: bytes.length }, 0);
        expect(sent.answers.length).toBeLessThanOrEqual(1);
        expect(sent.answers[0]?.length ?? 0).toBeLessThanOrEqual(bytes.length);
      }),
      { numRuns: 2000 },
    );
  });
});

const minuteMs = 60_000;

describe('an announce', () => {
  /** The answer to an announce `afterMs` after the id was given, and with an invented id. */
  function ask(mode: ConnectionIdMode, afterMs: number, invented = false): ReturnType<typeof decodeUdpReply> {
    const { sent, answerer } = answererOf(mode);
    const from = { address: '10.9.9.9', family: 'IPv4', port: 7, size: 98 } as const;
    const bytes = new Uint8Array(98);
    encodeUdpConnectRequest(bytes, 1);
    answerer.receive(bytes.subarray(0, 16), from, 0);
    const connected = decodeUdpReply(sent.answers[0]!, 4);
    if (connected?.action !== 'connect') throw new Error('no connection id');
    const id = invented ? { high: 1, low: 2 } : connected.connectionId;
    const request = { infoHash: someHash, peerId: somePeer, port: 7, uploaded: 0, downloaded: 0, left: 1 } as const;
    encodeUdpAnnounceRequest(bytes, 2, id, { ...request, event: 'none', numWant: 200 });
    answerer.receive(bytes, from, afterMs);
    return decodeUdpReply(sent.answers[1]!, 4);
  }
  const peersOf = (answer: ReturnType<typeof ask>): number =>
    answer?.action === 'announce' ? answer.reply.peers.length : -1;

  test('trackers 52: with an id of four minutes ago is refused where ids are strict, and welcome where they are not', () => {
    expect(ask('strict', 4 * minuteMs)?.action).toBe('error');
    expect(peersOf(ask('strict', 2 * minuteMs))).toBe(150);
    expect(peersOf(ask('lenient', 30 * minuteMs))).toBe(150);
    expect(ask('lenient', 60 * minuteMs)?.action).toBe('error');
    expect(ask('lenient', 0, true)?.action).toBe('error');
  });

  test('trackers 52: with an invented id gets as many peers as its own length pays for where ids are off, and all with a valid one', () => {
    // 98 bytes hold 13 records of six behind a head of twenty.
    expect(peersOf(ask('off', 0, true))).toBe(13);
    expect(peersOf(ask('off', 0))).toBe(150);
  });
});

describe('which connection ids are taken changes while a server runs', () => {
  const from = { address: '10.9.9.9', family: 'IPv4', port: 7, size: 98 } as const;
  const bytes = new Uint8Array(98);

  function idOf(sent: Sent, answerer: UdpAnswerer, now: number): UdpConnectionId {
    encodeUdpConnectRequest(bytes, 1);
    answerer.receive(bytes.subarray(0, 16), from, now);
    const connected = decodeUdpReply(sent.answers.at(-1)!, 4);
    if (connected?.action !== 'connect') throw new Error('no connection id');
    return connected.connectionId;
  }

  /** Peers in the answer to an announce; -1 for an error. */
  function peersFor(sent: Sent, answerer: UdpAnswerer, id: UdpConnectionId, now: number): number {
    const request = { infoHash: someHash, peerId: somePeer, port: 7, uploaded: 0, downloaded: 0, left: 1 } as const;
    encodeUdpAnnounceRequest(bytes, 2, id, { ...request, event: 'none', numWant: 200 });
    answerer.receive(bytes, from, now);
    const answer = decodeUdpReply(sent.answers.at(-1)!, 4);
    return answer?.action === 'announce' ? answer.reply.peers.length : -1;
  }

  test('strict ids stay good for their minutes, whatever holds now', () => {
    const { sent, answerer } = answererOf('strict');
    const id = idOf(sent, answerer, 0);
    for (const mode of ['lenient', 'off', 'strict'] as const) {
      answerer.takeIds(mode);
      expect(peersFor(sent, answerer, id, 2 * minuteMs)).toBe(150);
    }
    answerer.takeIds('lenient');
    expect(peersFor(sent, answerer, id, 4 * minuteMs)).toBe(-1);
  });

  test('ids that last for an hour are good until ids are strict', () => {
    const { sent, answerer } = answererOf('lenient');
    const id = idOf(sent, answerer, 0);
    answerer.takeIds('off');
    expect(peersFor(sent, answerer, id, 30 * minuteMs)).toBe(150);
    answerer.takeIds('strict');
    expect(peersFor(sent, answerer, id, 0)).toBe(-1);
    expect(peersFor(sent, answerer, idOf(sent, answerer, 0), 0)).toBe(150);
  });

  test('no strict id of another time is one that lasts for an hour', () => {
    const { sent, answerer } = answererOf('strict');
    // Slot 1 of two minutes, and slot 1 of thirty.
    const id = idOf(sent, answerer, 2 * minuteMs);
    answerer.takeIds('lenient');
    expect(peersFor(sent, answerer, id, 30 * minuteMs)).toBe(-1);
  });
});

test('servers that share a secret take the ids of each other', () => {
  const connectionSecret = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8);
  const sent = new Sent();
  const server = (): UdpAnswerer =>
    new UdpAnswerer(localService(trackerOf()), sent, createTraffic().udp, 1000, { connectionSecret });
  const from = { address: '::1', family: 'IPv6', port: 7, size: 98 } as const;
  const bytes = new Uint8Array(98);
  encodeUdpConnectRequest(bytes, 1);
  server().receive(bytes.subarray(0, 16), from, 0);
  const connected = decodeUdpReply(sent.answers[0]!, 6);
  if (connected?.action !== 'connect') throw new Error('no connection id');
  const peer = { infoHash: someHash, peerId: somePeer, port: 7, uploaded: 0, downloaded: 0, left: 1 } as const;
  encodeUdpAnnounceRequest(bytes, 2, connected.connectionId, { ...peer, event: 'none' });
  server().receive(bytes, from, 0);
  expect(decodeUdpReply(sent.answers[1]!, 6)?.action).toBe('announce');
});
