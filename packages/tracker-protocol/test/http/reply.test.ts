import { gunzipSync } from 'node:zlib';
import { decode } from '@shoal/bencode';
import { describe, expect, test } from 'vitest';
import {
  decodeAnnounceReply,
  encodeAnnounceFailure,
  encodeAnnounceReply,
  encodeCompactPeers,
} from '../../src/index.ts';
import type { AnnounceReply } from '../../src/index.ts';
import { bytes, errorOf, fixture, fromHex, text } from '../bytes.ts';

const seeder = { ip: '127.0.0.1', port: 6881, peerId: fromHex('0000000000000000000000007c2ee11def27a366') };
const leecher = { ip: '127.0.0.1', port: 6883, peerId: fromHex('000000000000000000000000f51ae4e85a875808') };

function read(body: string): AnnounceReply {
  const reply = decodeAnnounceReply(bytes(body));
  if ('failureReason' in reply) throw new Error(reply.failureReason);
  return reply;
}

describe('founding exchange', () => {
  test.each(['started', 'completed'])('the answer to %s names two peers and 1800 seconds', (event) => {
    const reply = decodeAnnounceReply(gunzipSync(fixture(`${event}-reply.gzip.hex`)));
    expect(reply).toMatchObject({ interval: 1_800, peers: [seeder, leecher], skippedPeers: undefined });
  });

  test('the answer to stopped names the seeder', () => {
    expect(decodeAnnounceReply(fixture('stopped-reply.hex'))).toMatchObject({ interval: 1_800, peers: [seeder] });
  });

  test('the answer to the stopped of a peer that had everything names the other one', () => {
    expect(decodeAnnounceReply(fixture('seeder-stopped-reply.hex'))).toMatchObject({
      interval: 1_800,
      peers: [{ ip: '127.0.0.1', port: 6881, peerId: fromHex('000000000000000000000000ab3021cb0e6ab22d') }],
    });
  });

  test('our tracker writes the same bytes for the same meaning', () => {
    const body = encodeAnnounceReply({ interval: 1_800, peers: [seeder, leecher] }, { compact: false });
    expect(body).toEqual(new Uint8Array(gunzipSync(fixture('started-reply.gzip.hex'))));
  });
});

describe('writing an answer', () => {
  const peers = [seeder, { ip: '2001:db8::1', port: 51_413 }];
  const full = {
    interval: 1_800,
    minInterval: 900,
    complete: 1,
    incomplete: 2,
    downloaded: 3,
    peers,
    downloaders: 3,
    last: 4096,
    numPeers: 12,
    trackerId: 'id\u00ff',
    warning: 'tür',
    externalIp: '10.0.0.1',
  };

  test('BEP 7: the compact answer is the one of the specification', () => {
    expect(
      text(encodeAnnounceReply({ interval: 1_800, peers: { v4: bytes('iiiipp'), v6: bytes('iiiiiiiiiiiiiiiipp') } })),
    ).toBe('d8:intervali1800e5:peers6:iiiipp6:peers618:iiiiiiiiiiiiiiiippe');
  });

  test('trackers 34: keys are sorted whatever is in the answer: a strict decoder accepts all of it', () => {
    for (const compact of [true, false]) {
      const value = decode(encodeAnnounceReply(full, { compact }));
      expect(value).toBeInstanceOf(Map);
      expect((value as Map<string, unknown>).size).toBe(compact ? 13 : 12);
    }
    expect(decode(encodeAnnounceFailure({ failureReason: 'no', interval: 5, retryIn: 3 }))).toBeInstanceOf(Map);
  });

  test('what is written is read back', () => {
    const back = decodeAnnounceReply(encodeAnnounceReply(full));
    expect(back).toEqual({
      ...full,
      peers: [{ ip: '127.0.0.1', port: 6881 }, peers[1]],
      namedPeers: undefined,
      skippedPeers: undefined,
    });
    expect(decodeAnnounceReply(encodeAnnounceReply(full, { compact: false }))).toMatchObject({ peers });
  });

  test('trackers 27: dictionaries carry the peer id as bytes, unless it is not wanted', () => {
    const body = text(
      encodeAnnounceReply(
        { interval: 1, peers: [{ ...seeder, peerId: new Uint8Array(20).fill(0xff) }] },
        { compact: false },
      ),
    );
    expect(body).toBe(`d8:intervali1e5:peersld2:ip9:127.0.0.17:peer id20:${'\u00ff'.repeat(20)}4:porti6881eeee`);
    expect(text(encodeAnnounceReply({ interval: 1, peers: [seeder] }, { compact: false, noPeerId: true }))).toBe(
      'd8:intervali1e5:peersld2:ip9:127.0.0.14:porti6881eeee',
    );
  });

  test('trackers 28: peers is always there, peers6 only with something in it', () => {
    expect(text(encodeAnnounceReply({ interval: 1, peers: [] }))).toBe('d8:intervali1e5:peers0:e');
    expect(text(encodeAnnounceReply({ interval: 1, peers: [] }, { compact: false }))).toBe('d8:intervali1e5:peerslee');
    expect(text(encodeAnnounceReply({ interval: 1, peers: [peers[1]!] }))).toContain('5:peers0:6:peers618:');
  });

  test('packed peers are written as dictionaries for a client that wants those', () => {
    const packed = { v4: encodeCompactPeers(peers, 4), v6: encodeCompactPeers(peers, 6) };
    expect(encodeAnnounceReply({ interval: 1, peers: packed }, { compact: false })).toEqual(
      encodeAnnounceReply({ interval: 1, peers }, { compact: false, noPeerId: true }),
    );
  });

  test('trackers 33: a failure is a reason, and may slow the client down', () => {
    expect(text(encodeAnnounceFailure({ failureReason: 'no' }))).toBe('d14:failure reason2:noe');
    expect(text(encodeAnnounceFailure({ failureReason: 'no', retryIn: 'never' }))).toBe(
      'd14:failure reason2:no8:retry in5:nevere',
    );
    expect(decodeAnnounceReply(encodeAnnounceFailure({ failureReason: 'nö', retryIn: 5, interval: 60 }))).toEqual({
      failureReason: 'nö',
      retryIn: 5,
      interval: 60,
    });
  });
});

describe('reading an answer', () => {
  test('clients 48: a failure reason wins over everything; retry in is minutes or never', () => {
    expect(decodeAnnounceReply(bytes('d14:failure reason2:no8:intervali60e5:peers6:iiiippe'))).toEqual({
      failureReason: 'no',
      interval: 60,
      retryIn: undefined,
    });
    expect(decodeAnnounceReply(bytes('d14:failure reason2:no8:retry ini10ee'))).toMatchObject({ retryIn: 10 });
    expect(decodeAnnounceReply(bytes('d14:failure reason2:no8:retry in2:10e'))).toMatchObject({ retryIn: 10 });
    expect(decodeAnnounceReply(bytes('d14:failure reason2:no8:retry in5:nevere'))).toMatchObject({ retryIn: 'never' });
    expect(decodeAnnounceReply(bytes('d14:failure reason2:no8:retry in3:yese'))).toMatchObject({ retryIn: undefined });
    expect(decodeAnnounceReply(bytes('d14:failure reasoni7ee'))).toMatchObject({
      failureReason: 'Refused without a reason',
    });
  });

  test('clients 48: a warning is not a failure', () => {
    expect(read('d8:intervali1800e5:peers6:\x01\x02\x03\x04\x1a\xe115:warning message4:slowe')).toMatchObject({
      warning: 'slow',
      peers: [{ ip: '1.2.3.4', port: 6881 }],
    });
  });

  test('clients 49: a missing or senseless interval is 30 minutes, and it stays between a minute and a day', () => {
    expect(read('d5:peers0:e').interval).toBe(1_800);
    expect(read('d8:intervali0e5:peers0:e').interval).toBe(1_800);
    expect(read('d8:intervali-5e5:peers0:e').interval).toBe(1_800);
    expect(read('d8:intervali5e5:peers0:e').interval).toBe(60);
    expect(read('d8:interval4:1200e').interval).toBe(1_200);
    expect(read('d8:intervali99999999999999999999ee').interval).toBe(86_400);
    expect(read('d8:intervali1800e12:min intervali900ee').minInterval).toBe(900);
    expect(read('d8:intervali1800e12:min intervali999999999ee').minInterval).toBe(86_400);
    expect(decodeAnnounceReply(bytes('d8:intervali1ee'), { minimumInterval: 1 })).toMatchObject({ interval: 1 });
  });

  test('clients 50: whole entries of a truncated compact list are used, the rest is counted', () => {
    expect(read('d5:peers8:\x01\x02\x03\x04\x1a\xe1\x05\x06e')).toMatchObject({
      peers: [{ ip: '1.2.3.4', port: 6881 }],
      skippedPeers: 1,
    });
    expect(read('d5:peers0:6:peers63:abce')).toMatchObject({ peers: [], skippedPeers: 1 });
  });

  test('clients 50: bad dictionaries are skipped, host names kept apart, and only a list without any good one fails', () => {
    const reply = read(
      'd5:peersld2:ip7:1.2.3.44:porti1eed2:ip12:peer.example4:porti2eei7ed2:ip7:5.6.7.84:porti0eed4:porti5eed2:ip1:!4:porti5eed2:ip5:[::1]4:port2:99eee',
    );
    expect(reply).toMatchObject({
      peers: [
        { ip: '1.2.3.4', port: 1 },
        { ip: '::1', port: 99 },
      ],
      namedPeers: [{ host: 'peer.example', port: 2 }],
      skippedPeers: 4,
    });
    expect(errorOf(() => read('d5:peersli7eee'))).toMatchObject({ code: 'malformed-peers' });
    expect(read('d5:peerslee').peers).toEqual([]);
  });

  test('a peer id of another length than 20 is left out, not believed', () => {
    expect(read('d5:peersld2:ip7:1.2.3.47:peer id3:abc4:porti1eeee').peers).toEqual([{ ip: '1.2.3.4', port: 1 }]);
  });

  test('no more peers are read than wanted', () => {
    const list = `d5:peers${6 * 3_000}:${'\x01'.repeat(6 * 3_000)}e`;
    expect(read(list).peers).toHaveLength(2_000);
    expect(
      decodeAnnounceReply(bytes(`d5:peersl${'d2:ip7:1.2.3.44:porti1ee'.repeat(50)}ee`), { maximumPeers: 10 }),
    ).toMatchObject({ peers: { length: 10 } });
  });

  test('BEP 24: external ip is 4 or 16 bytes, and text of it is understood', () => {
    expect(read('d11:external ip4:\x0a\x00\x00\x01e').externalIp).toBe('10.0.0.1');
    expect(read(`d11:external ip16:${'\0'.repeat(10)}\xff\xff\x0a\0\0\x01e`).externalIp).toBe('10.0.0.1');
    expect(read('d11:external ip8:10.0.0.1e').externalIp).toBe('10.0.0.1');
    expect(read('d11:external ip3:abce').externalIp).toBeUndefined();
  });

  test('trackers 34: unsorted keys of other trackers, and bytes after the dictionary, are accepted', () => {
    expect(read('d5:peers0:8:intervali900ee\r\n').interval).toBe(900);
  });

  test.each([
    '',
    'i5e',
    'le',
    '<html>not found</html>',
    'd8:intervali1800e',
    'd8:interval',
    'l-3:e',
    `${'l'.repeat(5_000)}`,
    `d5:peers${'9'.repeat(30)}:e`,
  ])('%j is malformed', (body) => {
    expect(errorOf(() => decodeAnnounceReply(bytes(body)))).toMatchObject({
      name: 'TrackerProtocolError',
      code: 'malformed-reply',
    });
  });
});
