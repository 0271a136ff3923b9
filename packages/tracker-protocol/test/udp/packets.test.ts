import { describe, expect, test } from 'vitest';
import {
  decodeUdpReply,
  decodeUdpRequest,
  encodeCompactPeers,
  encodeUdpAnnounceReply,
  encodeUdpAnnounceRequest,
  encodeUdpConnectReply,
  encodeUdpConnectRequest,
  encodeUdpError,
  encodeUdpScrapeReply,
  encodeUdpScrapeRequest,
  keyNumber,
  udpTransactionId,
} from '../../src/index.ts';
import type { AnnounceRequest, UdpAnnounceRequest } from '../../src/index.ts';
import { bytes as bytesOf, toHex } from '../bytes.ts';

const connectionId = { high: 0xdead_beef, low: 0x8000_0001 };
const request: AnnounceRequest = {
  infoHash: new Uint8Array(20).fill(0xaa),
  peerId: new Uint8Array(20).fill(0xbb),
  port: 51_413,
  uploaded: 2 ** 40 + 7,
  downloaded: 5,
  left: 2 ** 53 - 1,
  event: 'started',
  key: 0xcafe_0123,
};

function packet(write: (target: Uint8Array) => number): Uint8Array {
  const target = new Uint8Array(2_048).fill(0x55);
  return target.subarray(0, write(target));
}

function announce(changes: Partial<AnnounceRequest> = {}, urlData?: string): Uint8Array {
  return packet((target) => encodeUdpAnnounceRequest(target, 7, connectionId, { ...request, ...changes }, urlData));
}

function readAnnounce(bytes: Uint8Array): UdpAnnounceRequest {
  const decoded = decodeUdpRequest(bytes);
  if (decoded?.action !== 'announce') throw new Error('not an announce');
  return decoded;
}

describe('requests (BEP 15)', () => {
  test('hash and id of an announce are copied where they are wanted, and to nowhere else', () => {
    const into = { infoHash: new Uint8Array(20), peerId: new Uint8Array(20) };
    const bytes = announce();
    const copied = decodeUdpRequest(bytes, into);
    expect(copied).toEqual(decodeUdpRequest(bytes));
    bytes.fill(0);
    expect(copied).toMatchObject({ request: { infoHash: request.infoHash, peerId: request.peerId } });
    expect(copied?.action === 'announce' && copied.request.infoHash).toBe(into.infoHash);
  });

  test('connect is 16 bytes that begin with the constant', () => {
    const bytes = packet((target) => encodeUdpConnectRequest(target, 0xfeed_f00d));
    expect(toHex(bytes)).toBe('000004172710198000000000feedf00d');
    expect(decodeUdpRequest(bytes)).toEqual({ action: 'connect', transactionId: 0xfeed_f00d });
  });

  test('announce has every field at its offset', () => {
    expect(toHex(announce())).toBe(
      `deadbeef80000001${'00000001'}${'00000007'}${'aa'.repeat(20)}${'bb'.repeat(20)}0000000000000005001fffffffffffff0000010000000007${'00000002'}00000000cafe0123ffffffffc8d5`,
    );
  });

  test('announce is read back as it was', () => {
    expect(readAnnounce(announce({ numWant: 50 }))).toEqual({
      action: 'announce',
      transactionId: 7,
      connectionId,
      urlData: undefined,
      request: { ...request, numWant: 50, ip: undefined, compact: true },
    });
  });

  test.each(['none', 'completed', 'started', 'stopped', 'paused'] as const)('event %s goes both ways', (event) => {
    expect(readAnnounce(announce({ event })).request.event).toBe(event);
  });

  test('clients 56: an unknown left is sent as 16 KiB', () => {
    expect(readAnnounce(announce({ left: undefined })).request.left).toBe(16_384);
  });

  test('a key that is no hex number is sent as the same number every time, no key as 0, which is none', () => {
    const key = readAnnounce(announce({ key: 'not hex' })).request.key;
    expect(readAnnounce(announce({ key: 'not hex' })).request.key).toBe(key);
    expect(key).toBe(keyNumber('not hex'));
    expect(readAnnounce(announce({ key: undefined })).request.key).toBeUndefined();
  });

  test('scrape carries hashes one after the other', () => {
    const infoHashes = [new Uint8Array(20).fill(1), new Uint8Array(20).fill(2)];
    const bytes = packet((target) => encodeUdpScrapeRequest(target, 9, connectionId, infoHashes));
    expect(bytes).toHaveLength(56);
    expect(decodeUdpRequest(bytes)).toEqual({ action: 'scrape', transactionId: 9, connectionId, infoHashes });
  });

  test('trackers 48: under 16 bytes, or an announce under 98, is dropped', () => {
    for (let length = 0; length < 16; length++)
      expect(
        decodeUdpRequest(packet((target) => encodeUdpConnectRequest(target, 1)).subarray(0, length)),
      ).toBeUndefined();
    for (let length = 16; length < 98; length++)
      expect(decodeUdpRequest(announce().subarray(0, length))).toBeUndefined();
  });

  test('trackers 49: a connect without the constant is dropped', () => {
    const bytes = packet((target) => encodeUdpConnectRequest(target, 1));
    for (let at = 0; at < 8; at++) {
      const wrong = bytes.slice();
      wrong[at]! ^= 1;
      expect(decodeUdpRequest(wrong)).toBeUndefined();
    }
  });

  test('trackers 54: an event over 4 is none, an action over 2 is named unknown', () => {
    const strange = announce();
    strange[83] = 99;
    expect(readAnnounce(strange).request.event).toBe('none');
    const action = announce();
    action[11] = 4;
    expect(decodeUdpRequest(action)).toEqual({ action: 'unknown', transactionId: 7, connectionId });
  });

  test('trackers 55: the address field is reported only when filled', () => {
    const bytes = announce();
    bytes.set([10, 0, 0, 1], 84);
    expect(readAnnounce(bytes).request.ip).toBe('10.0.0.1');
    expect(readAnnounce(announce()).request.ip).toBeUndefined();
  });

  test('trackers 56: num_want of −1 and any other negative is the default', () => {
    expect(readAnnounce(announce()).request.numWant).toBeUndefined();
    const negative = announce();
    negative.set([0x80, 0, 0, 0], 92);
    expect(readAnnounce(negative).request.numWant).toBeUndefined();
    expect(readAnnounce(announce({ numWant: 0 })).request.numWant).toBe(0);
  });

  test('trackers 58: at most 74 hashes, and whole ones of a length that is no multiple', () => {
    const hashes = Array.from({ length: 75 }, () => new Uint8Array(20));
    expect(() => packet((target) => encodeUdpScrapeRequest(target, 1, connectionId, hashes))).toThrow(RangeError);
    const bytes = new Uint8Array(16 + 20 * 80 + 13);
    bytes[11] = 2;
    expect(decodeUdpRequest(bytes)).toMatchObject({ infoHashes: { length: 74 } });
    expect(decodeUdpRequest(bytes.subarray(0, 16 + 39))).toMatchObject({ infoHashes: { length: 1 } });
    expect(decodeUdpRequest(bytes.subarray(0, 16))).toMatchObject({ infoHashes: [] });
  });

  test('trackers 13, 14, 15: 64-bit counters are clamped, negative ones are unknown or nothing', () => {
    const bytes = announce();
    bytes.fill(0xff, 56, 80);
    expect(readAnnounce(bytes).request).toMatchObject({ downloaded: 0, left: undefined, uploaded: 0 });
    for (const at of [56, 64, 72]) bytes[at] = 0x7f;
    const most = Number.MAX_SAFE_INTEGER;
    expect(readAnnounce(bytes).request).toMatchObject({ downloaded: most, left: most, uploaded: most });
  });

  test('refuses a buffer that is too small and a request that is none', () => {
    expect(() => encodeUdpConnectRequest(new Uint8Array(15), 1)).toThrow(RangeError);
    expect(() => announce({ infoHash: new Uint8Array(19) })).toThrow(RangeError);
    expect(() => announce({ uploaded: -1 })).toThrow(RangeError);
  });
});

describe('options (BEP 41)', () => {
  function options(...parts: (number | string)[]): string | undefined {
    const tail = parts.flatMap((part) => (typeof part === 'number' ? [part] : [...bytesOf(part)]));
    return readAnnounce(Uint8Array.of(...announce(), ...tail)).urlData;
  }

  test('clients 53, trackers 61: a long request string is split in chunks of 255 bytes and joined again', () => {
    const path = `/announce?auth=${'x'.repeat(600)}`;
    const bytes = announce({}, path);
    expect(bytes).toHaveLength(98 + path.length + 6);
    expect([bytes[98], bytes[99], bytes[98 + 257], bytes[98 + 258]]).toEqual([2, 255, 2, 255]);
    expect(readAnnounce(bytes).urlData).toBe(path);
  });

  test('trackers 61: NOP, EndOfOptions, repeated URLData, unknown types', () => {
    expect(options(1, 1, 2, 2, '/a', 1, 2, 2, '/b')).toBe('/a/b');
    expect(options(2, 2, '/a', 0, 2, 2, '/b')).toBe('/a');
    expect(options(9, 3, 'xyz', 2, 2, '/a')).toBe('/a');
    expect(options(2, 0)).toBe('');
    expect(options(1, 0)).toBeUndefined();
  });

  test('trackers 61: a truncated option ends the options', () => {
    expect(options(2, 2, '/a', 2, 5, '/b')).toBe('/a');
    expect(options(2, 2, '/a', 2)).toBe('/a');
    expect(options(9, 200, 2, 2, '/a')).toBeUndefined();
  });
});

describe('replies (BEP 15)', () => {
  const peers = [
    { ip: '10.1.2.3', port: 6881 },
    { ip: '10.1.2.4', port: 6882 },
  ];

  test('connect', () => {
    const bytes = packet((target) => encodeUdpConnectReply(target, 5, connectionId));
    expect(toHex(bytes)).toBe('0000000000000005deadbeef80000001');
    expect(decodeUdpReply(bytes, 4)).toEqual({ action: 'connect', transactionId: 5, connectionId });
  });

  test('trackers 57: announce over IPv4 has 6-byte records, over IPv6 18-byte records', () => {
    const head = { interval: 1_800, leechers: 3, seeders: 4 };
    const four = packet((target) => encodeUdpAnnounceReply(target, 5, head, encodeCompactPeers(peers, 4)));
    expect(toHex(four)).toBe('00000001000000050000070800000003000000040a0102031ae10a0102041ae2');
    expect(decodeUdpReply(four, 4)).toEqual({
      action: 'announce',
      transactionId: 5,
      reply: { interval: 1_800, incomplete: 3, complete: 4, peers, skippedPeers: undefined },
    });
    const v6 = [{ ip: '2001:db8::1', port: 1 }];
    const six = packet((target) => encodeUdpAnnounceReply(target, 5, head, encodeCompactPeers(v6, 6)));
    expect(decodeUdpReply(six, 6)).toMatchObject({ reply: { peers: v6 } });
  });

  test('clients 50: a truncated UDP list gives its whole records', () => {
    const bytes = packet((target) =>
      encodeUdpAnnounceReply(target, 5, { interval: 60, leechers: 0, seeders: 0 }, new Uint8Array(8).fill(1)),
    );
    expect(decodeUdpReply(bytes, 4)).toMatchObject({
      reply: { peers: [{ ip: '1.1.1.1', port: 257 }], skippedPeers: 1 },
    });
  });

  test('clients 49: intervals are clamped here too', () => {
    const bytes = packet((target) =>
      encodeUdpAnnounceReply(target, 5, { interval: 0xffff_ffff, leechers: 0, seeders: 0 }, new Uint8Array()),
    );
    expect(decodeUdpReply(bytes, 4)).toMatchObject({ reply: { interval: 86_400 } });
  });

  test('scrape gives counts in the order asked', () => {
    const counts = [
      { complete: 1, downloaded: 2, incomplete: 3 },
      { complete: 0, downloaded: 0, incomplete: 0 },
    ];
    const bytes = packet((target) => encodeUdpScrapeReply(target, 5, counts));
    expect(toHex(bytes)).toBe(`0000000200000005000000010000000200000003${'00'.repeat(12)}`);
    expect(decodeUdpReply(bytes, 4)).toEqual({ action: 'scrape', transactionId: 5, counts });
  });

  test('error carries a text, cut at the end of the buffer', () => {
    const bytes = packet((target) => encodeUdpError(target, 5, 'nö'));
    expect(decodeUdpReply(bytes, 4)).toEqual({ action: 'error', transactionId: 5, message: 'nö' });
    expect(encodeUdpError(new Uint8Array(12), 5, 'too long for it')).toBe(12);
  });

  test('trackers 53: the transaction id is readable before anything else', () => {
    expect(udpTransactionId(packet((target) => encodeUdpError(target, 0xffff_fffe, '')))).toBe(0xffff_fffe);
    expect(udpTransactionId(new Uint8Array(7))).toBeUndefined();
  });

  test('clients 53: short packets and unknown actions are nothing', () => {
    const announceReply = packet((target) =>
      encodeUdpAnnounceReply(target, 5, { interval: 1, leechers: 0, seeders: 0 }, new Uint8Array()),
    );
    for (let length = 0; length < 20; length++)
      expect(decodeUdpReply(announceReply.subarray(0, length), 4)).toBeUndefined();
    const connect = packet((target) => encodeUdpConnectReply(target, 5, connectionId));
    for (let length = 0; length < 16; length++) expect(decodeUdpReply(connect.subarray(0, length), 4)).toBeUndefined();
    expect(decodeUdpReply(new Uint8Array(20).fill(9), 4)).toBeUndefined();
  });
});
