import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  TrackerProtocolError,
  canonicalIp,
  decodeAnnounceReply,
  decodeCompactPeers,
  decodeScrapeReply,
  decodeUdpReply,
  decodeUdpRequest,
  encodeAnnounceQuery,
  encodeAnnounceReply,
  encodeCompactPeers,
  encodeUdpAnnounceRequest,
  formatIp,
  parseAnnounceQuery,
  parseEndpoint,
  parseIp,
  parseScrapeQuery,
} from '../src/index.ts';
import type { AnnounceRequest } from '../src/index.ts';
import { errorOf } from './bytes.ts';

const id = fc.uint8Array({ minLength: 20, maxLength: 20 });
const counter = fc.oneof(fc.maxSafeNat(), fc.nat(10));
const latin1 = fc.string({
  unit: fc.integer({ min: 0, max: 255 }).map((code) => String.fromCharCode(code)),
  minLength: 1,
  maxLength: 40,
});
const port = fc.integer({ min: 1, max: 65_535 });
const ip = fc
  .oneof(fc.uint8Array({ minLength: 4, maxLength: 4 }), fc.uint8Array({ minLength: 16, maxLength: 16 }))
  .map((bytes) => formatIp(bytes));
const announce: fc.Arbitrary<AnnounceRequest> = fc.record({
  infoHash: id,
  peerId: id,
  port,
  uploaded: counter,
  downloaded: counter,
  left: counter,
  event: fc.constantFrom('started', 'completed', 'stopped', 'paused', 'none'),
  numWant: fc.option(fc.nat(1_000), { nil: undefined }),
  compact: fc.boolean(),
  noPeerId: fc.constantFrom(true, undefined),
  key: fc.option(latin1, { nil: undefined }),
  trackerId: fc.option(latin1, { nil: undefined }),
  last: fc.option(counter, { nil: undefined }),
  ip: fc.option(ip, { nil: undefined }),
});
/** Bytes and texts that look like the real thing in places. */
const hostileQuery = fc
  .array(
    fc.oneof(
      fc.constantFrom(
        'info_hash=',
        'peer_id=',
        'port=',
        '&',
        '%',
        '?',
        '=',
        'left=-',
        '%00',
        'a'.repeat(20),
        '1',
        'key=',
      ),
      fc.string(),
    ),
    { maxLength: 30 },
  )
  .map((parts) => parts.join(''));
const hostileBody = fc.oneof(
  fc.uint8Array({ maxLength: 200 }),
  fc
    .array(
      fc.constantFrom(
        'd',
        'l',
        'e',
        'i1e',
        'i-5e',
        '5:peers',
        '6:peers6',
        '2:ip',
        '4:port',
        '7:1.2.3.4',
        '8:interval',
        '14:failure reason',
        '5:files',
        '0:',
        '3:abc',
        '9',
      ),
      { maxLength: 40 },
    )
    .map((parts) => Uint8Array.from(`d${parts.join('')}e`, (character) => character.charCodeAt(0))),
);

describe('round trips', () => {
  test('an announce query is read back as it was written', () => {
    fc.assert(
      fc.property(announce, (request) => {
        expect(parseAnnounceQuery(encodeAnnounceQuery(request))).toEqual({
          ...request,
          ipv4: undefined,
          ipv6: undefined,
        });
      }),
    );
  });

  test('a UDP announce is read back as it was written', () => {
    fc.assert(
      fc.property(announce, latin1, (request, urlData) => {
        const target = new Uint8Array(400);
        const length = encodeUdpAnnounceRequest(target, 1, { high: 2, low: 3 }, request, urlData);
        const { infoHash, peerId, uploaded, downloaded, left, event, numWant } = request;
        expect(decodeUdpRequest(target.subarray(0, length))).toMatchObject({
          urlData,
          request: { infoHash, peerId, port: request.port, uploaded, downloaded, left, event, numWant },
        });
      }),
    );
  });

  test('addresses and compact lists are read back as they were written', () => {
    fc.assert(
      fc.property(fc.array(fc.record({ ip, port }), { maxLength: 20 }), (peers) => {
        for (const peer of peers) expect(formatIp(parseIp(peer.ip)!)).toBe(peer.ip);
        for (const family of [4, 6] as const) {
          const wanted = peers.filter((peer) => peer.ip.includes(':') === (family === 6));
          expect(decodeCompactPeers(encodeCompactPeers(peers, family), family, 100).peers).toEqual(wanted);
        }
        for (const compact of [true, false]) {
          const reply = decodeAnnounceReply(encodeAnnounceReply({ interval: 1_800, peers }, { compact }));
          const sorted = compact
            ? [...peers].toSorted((a, b) => Number(a.ip.includes(':')) - Number(b.ip.includes(':')))
            : peers;
          expect(reply).toMatchObject({ peers: sorted });
        }
      }),
    );
  });

  test('an answer with packed peers has the same bytes as one with the same peers spelled out', () => {
    const count = fc.option(counter, { nil: undefined });
    const counts = {
      interval: fc.nat(86_400),
      minInterval: count,
      complete: count,
      incomplete: count,
      downloaded: count,
      downloaders: count,
      last: count,
      numPeers: count,
      trackerId: fc.option(latin1, { nil: undefined }),
    };
    const list = fc.array(fc.record({ ip, port }), { maxLength: 20 });
    fc.assert(
      fc.property(fc.record(counts), list, fc.option(ip, { nil: undefined }), (reply, peers, address) => {
        const packed = { v4: encodeCompactPeers(peers, 4), v6: encodeCompactPeers(peers, 6) };
        const externalIp = address === undefined ? undefined : parseIp(address);
        expect(encodeAnnounceReply({ ...reply, externalIp, peers: packed })).toEqual(
          encodeAnnounceReply({ ...reply, externalIp: address, peers }),
        );
      }),
    );
  });
});

describe('hostile input', () => {
  test('any query is read or refused with an error of ours', () => {
    fc.assert(
      fc.property(hostileQuery, (query) => {
        for (const parse of [parseAnnounceQuery, parseScrapeQuery]) {
          const error = errorOf(() => parse(query));
          if (error !== undefined) expect(error).toBeInstanceOf(TrackerProtocolError);
        }
      }),
      { numRuns: 2_000 },
    );
  });

  test('any body is read or refused with an error of ours', () => {
    fc.assert(
      fc.property(hostileBody, (body) => {
        for (const decode of [decodeAnnounceReply, decodeScrapeReply]) {
          const error = errorOf(() => decode(body));
          if (error !== undefined) expect(error).toBeInstanceOf(TrackerProtocolError);
        }
      }),
      { numRuns: 2_000 },
    );
  });

  test('any datagram is read or dropped, never an exception', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.integer({ min: 0, max: 4 }), (bytes, action) => {
        if (bytes.length > 11) bytes.set([0, 0, 0, action], 8);
        expect(() => decodeUdpRequest(bytes)).not.toThrow();
        if (bytes.length > 3) bytes.set([0, 0, 0, action], 0);
        expect(() => decodeUdpReply(bytes, action > 2 ? 4 : 6)).not.toThrow();
      }),
      { numRuns: 2_000 },
    );
  });

  test('any text is an address or it is not', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(':', '.', '0', '1', 'f', '[', ']', '255', '::') }), (text) => {
        const canonical = canonicalIp(text);
        if (canonical !== undefined) expect(canonicalIp(canonical)).toBe(canonical);
        expect(() => parseEndpoint(text, 1)).not.toThrow();
      }),
      { numRuns: 5_000 },
    );
  });

  test('a query of separators is read in linear time', () => {
    const query = '&'.repeat(1_000_000);
    expect(errorOf(() => parseAnnounceQuery(query))).toMatchObject({ code: 'missing-info-hash' });
    expect(errorOf(() => parseAnnounceQuery(`${query}=`))).toMatchObject({ code: 'missing-info-hash' });
    expect(errorOf(() => parseAnnounceQuery('a=1&'.repeat(1_000_000)))).toMatchObject({ code: 'missing-info-hash' });
  });
});
