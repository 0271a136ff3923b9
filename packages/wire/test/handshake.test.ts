import { Bitfield } from '@shoal/pieces';
import { describe, expect, test } from 'vitest';
import { decodeHandshake, encodeHandshake, peekInfoHash, WireError, type WireEvent } from '../src/index.ts';
import { connect, endOf, feed, infoHash, ownId, peerId, sent, shaken, typesOf } from './peers.ts';

const theirs = encodeHandshake({ infoHash, peerId });

describe('BEP 3, the handshake as a codec', () => {
  test('is 19, the name of the protocol, 8 reserved bytes, the info-hash and the peer id', () => {
    expect(theirs.length).toBe(68);
    expect(theirs[0]).toBe(19);
    expect(new TextDecoder().decode(theirs.subarray(1, 20))).toBe('BitTorrent protocol');
    expect([...theirs.subarray(20, 28)]).toEqual([0, 0, 0, 0, 0, 0, 0, 0]);
    expect(theirs.subarray(28, 48)).toEqual(infoHash);
    expect(theirs.subarray(48)).toEqual(peerId);
  });

  test('offers fast, extensions and DHT in the bits that BEP 6, 10 and 5 name', () => {
    const bytes = encodeHandshake({ infoHash, peerId, fast: true, extended: true, dht: true });
    expect([...bytes.subarray(20, 28)]).toEqual([0, 0, 0, 0, 0, 0x10, 0, 0x05]);
  });

  test('comes back as it was written', () => {
    for (const fast of [false, true]) {
      for (const extended of [false, true]) {
        for (const dht of [false, true]) {
          const decoded = decodeHandshake(encodeHandshake({ infoHash, peerId, fast, extended, dht }));
          expect(decoded).toMatchObject({ infoHash, peerId, fast, extended, dht });
        }
      }
    }
  });

  test('refuses other lengths and other protocols with a code', () => {
    expect(codeOf(() => decodeHandshake(theirs.subarray(0, 67)))).toBe('truncated');
    expect(codeOf(() => decodeHandshake(new Uint8Array([...theirs, 0])))).toBe('trailing-bytes');
    expect(codeOf(() => decodeHandshake(new Uint8Array(68)))).toBe('not-bittorrent');
  });

  test('refuses an info-hash or a peer id of ours that is not 20 bytes as a bug of the caller', () => {
    expect(() => encodeHandshake({ infoHash: infoHash.subarray(1), peerId })).toThrow(RangeError);
    expect(() => connect({ peerId: new Uint8Array(21) })).toThrow(RangeError);
  });
});

describe('what a listener needs', () => {
  test('peekInfoHash knows the torrent at byte 48 and not before', () => {
    for (let length = 0; length < 48; length += 1) expect(peekInfoHash(theirs.subarray(0, length))).toBeUndefined();
    for (let length = 48; length <= 68; length += 1) expect(peekInfoHash(theirs.subarray(0, length))).toEqual(infoHash);
  });

  test('clients 3: peekInfoHash refuses what cannot be BitTorrent at its first wrong byte', () => {
    for (let wrong = 0; wrong < 20; wrong += 1) {
      const bytes = theirs.slice(0, wrong + 1);
      bytes[wrong]! ^= 1;
      expect(codeOf(() => peekInfoHash(bytes))).toBe('not-bittorrent');
    }
  });
});

describe('the handshake on a connection', () => {
  test('clients 1: is read in any fragmentation, with events at byte 48 and byte 68', () => {
    for (let cut = 1; cut < 68; cut += 1) {
      const connection = connect();
      const events: WireEvent[] = [...connection.receive(theirs, 0, cut, 0)];
      expect(typesOf(events)).toEqual(cut < 48 ? [] : ['handshake']);
      events.push(...connection.receive(theirs, cut, 68, 0));
      expect(typesOf(events)).toEqual(['handshake', 'peer-id']);
    }
    const connection = connect();
    const events = Array.from({ length: 68 }, (_, at) => connection.receive(theirs, at, at + 1, 0)).flat();
    expect(events).toEqual([
      { type: 'handshake', infoHash, reserved: new Uint8Array(8) },
      { type: 'peer-id', peerId },
    ]);
  });

  test('clients 2: a responder says nothing before the info-hash is known and answers at once when it is', () => {
    const connection = connect();
    connection.receive(theirs, 0, 47, 0);
    expect(connection.takeBytes()).toBeUndefined();
    connection.receive(theirs, 47, 48, 0);
    expect(connection.takeBytes()).toEqual(encodeHandshake({ infoHash, peerId: ownId, fast: true, extended: true }));
  });

  test('clients 2: a peer that holds back its id gets our pieces meanwhile', () => {
    const connection = connect();
    connection.receive(theirs, 0, 48, 0);
    connection.takeBytes();
    connection.sendPieces(Bitfield.full(6));
    expect(sent(connection)).toEqual([{ type: 'bitfield', bits: new Uint8Array([0xfc]) }]);
    expect(connection.ended).toBe(false);
  });

  test('BEP 3: an initiator speaks first', () => {
    const connection = connect({ initiator: true });
    expect(connection.takeBytes()).toEqual(encodeHandshake({ infoHash, peerId: ownId, fast: true, extended: true }));
    connection.receive(theirs, 0, 68, 0);
    expect(connection.takeBytes()).toBeUndefined();
  });

  test('clients 3: the first byte that cannot be BitTorrent ends it', () => {
    for (let wrong = 0; wrong < 20; wrong += 1) {
      const bytes = theirs.slice(0, wrong + 1);
      bytes[wrong]! ^= 0x20;
      const connection = connect();
      expect(connection.receive(bytes, 0, wrong, 0)).toEqual([]);
      expect(endOf(connection.receive(bytes, wrong, wrong + 1, 0))).toBe('not-bittorrent');
      expect(connection.ended).toBe(true);
    }
  });

  test('clients 6: a reply for another torrent ends it, and we never answered', () => {
    const other = encodeHandshake({ infoHash: new Uint8Array(20), peerId });
    for (const initiator of [false, true]) {
      const connection = connect({ initiator });
      connection.takeBytes();
      expect(endOf(feed(connection, [other]))).toBe('wrong-info-hash');
      expect(connection.takeBytes()).toBeUndefined();
    }
  });

  test('clients 8: our own id at the other end ends it', () => {
    expect(endOf(feed(connect(), [encodeHandshake({ infoHash, peerId: ownId })]))).toBe('self-connection');
  });

  test('BEP 3: another id than the expected one ends it, when one is expected', () => {
    expect(endOf(feed(connect({ expectedPeerId: ownId.toReversed() }), [theirs]))).toBe('wrong-peer-id');
    expect(endOf(feed(connect({ expectedPeerId: peerId }), [theirs]))).toBeUndefined();
  });

  test('clients 10: a feature is on only when both sides offer it', () => {
    for (const [ours, others, both] of [
      [true, true, true],
      [true, false, false],
      [false, true, false],
    ] as const) {
      const connection = connect({ fast: ours, extensionProtocol: ours, dht: ours });
      feed(connection, [encodeHandshake({ infoHash, peerId, fast: others, extended: others, dht: others })]);
      connection.takeBytes();
      connection.sendPieces(new Bitfield(6));
      expect([connection.fast, connection.extended]).toEqual([both, both]);
      connection.port(6881);
      expect(sent(connection).map((message) => message.type)).toEqual(both ? ['have-none', 'extended', 'port'] : []);
    }
  });

  test('clients 10: to a plain peer no message goes out that BEP 3 does not have', () => {
    const connection = shaken({ fast: false, extended: false, dht: false }, { dht: true });
    connection.port(6881);
    connection.suggest(1);
    expect(connection.allowFast(1)).toBe(false);
    connection.reject({ piece: 0, begin: 0, length: 16_384 });
    expect(connection.sendExtended('ut_pex', new Uint8Array(1))).toBe(false);
    expect(connection.takeBytes()).toBeUndefined();
  });

  test('reserved bits that we do not know are ignored', () => {
    const bytes = theirs.slice().fill(0xff, 20, 28);
    const connection = connect();
    const events = feed(connection, [bytes]);
    expect(events[0]).toEqual({ type: 'handshake', infoHash, reserved: new Uint8Array(8).fill(0xff) });
    expect([connection.fast, connection.extended]).toEqual([true, true]);
  });

  test('speaking before the pieces were announced is a bug of the caller', () => {
    const connection = connect();
    expect(() => connection.sendPieces(new Bitfield(6))).toThrow(TypeError);
    expect(() => connection.unchoke()).toThrow(TypeError);
    feed(connection, [theirs]);
    expect(() => connection.setInterested(true)).toThrow(TypeError);
    connection.have(1);
    connection.sendPieces(new Bitfield(6));
    expect(() => connection.sendPieces(new Bitfield(6))).toThrow(TypeError);
    connection.takeBytes();
    expect(connection.takeBytes()).toBeUndefined();
  });
});

function codeOf(act: () => unknown): string | undefined {
  try {
    act();
  } catch (error) {
    if (error instanceof WireError) return error.code;
    throw error;
  }
  return undefined;
}
