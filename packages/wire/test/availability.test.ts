import { Bitfield, geometryOf } from '@shoal/pieces';
import { describe, expect, test } from 'vitest';
import { encodeHandshake, type PeerMessage } from '../src/index.ts';
import { connect, endOf, feed, infoHash, peerId, raw, sent, shaken, typesOf } from './peers.ts';

describe('what the peer has', () => {
  test('clients 17: a bitfield of another length ends it', () => {
    for (const bytes of [[], [0xfc, 0], [0xfc, 0, 0]]) {
      expect(endOf(feed(shaken(), [raw(5, bytes)]))).toBe('wrong-length');
    }
  });

  test('clients 17: spare bits are cleared, not punished, and the bits are a copy', () => {
    const bytes = raw(5, [0xff]);
    const connection = shaken();
    const [event] = connection.receive(bytes, 0, bytes.length, 0);
    bytes.fill(0);
    expect(event).toEqual({ type: 'bitfield', bits: new Uint8Array([0b1111_1100]) });
  });

  test('clients 17: no bit is spare in a bitfield of whole bytes', () => {
    const geometry = geometryOf(16 * 1024, 1024);
    const [event] = feed(shaken({}, { geometry }), [raw(5, [0xff, 0xff])]);
    expect(event).toEqual({ type: 'bitfield', bits: new Uint8Array([0xff, 0xff]) });
  });

  test('clients 17: a bitfield over 1 MiB is read when the torrent has that many pieces', () => {
    const geometry = geometryOf(9_000_000, 1);
    const bytes = raw(5, new Uint8Array(1_125_000).fill(0xff));
    const connection = shaken({}, { geometry });
    const events = [
      ...connection.receive(bytes, 0, 600_000, 0),
      ...connection.receive(bytes, 600_000, bytes.length, 0),
    ];
    expect(events).toEqual([{ type: 'bitfield', bits: bytes.subarray(5) }]);
  });

  test('clients 18: no bitfield at all is nothing special', () => {
    expect(typesOf(feed(shaken(), [{ type: 'unchoke' }, { type: 'have', piece: 2 }]))).toEqual(['unchoke', 'have']);
  });

  test('clients 19: bitfield, have-all and have-none, repeated or mixed or late, are each passed on', () => {
    const messages: PeerMessage[] = [
      { type: 'have-all' },
      { type: 'bitfield', bits: new Uint8Array([0x80]) },
      { type: 'have', piece: 3 },
      { type: 'have-none' },
      { type: 'bitfield', bits: new Uint8Array([0x40]) },
    ];
    expect(feed(shaken({ fast: true }), messages)).toEqual(messages);
  });

  test('clients 19: each message of the fast extension ends it when fast was not agreed', () => {
    const messages: PeerMessage[] = [
      { type: 'have-all' },
      { type: 'have-none' },
      { type: 'suggest', piece: 0 },
      { type: 'allowed-fast', piece: 0 },
      { type: 'reject', piece: 0, begin: 0, length: 16_384 },
    ];
    for (const message of messages) {
      expect(endOf(feed(shaken({ fast: false }), [message]))).toBe('fast-not-negotiated');
      expect(endOf(feed(shaken({ fast: true }, { fast: false }), [message]))).toBe('fast-not-negotiated');
      expect(endOf(feed(shaken({ fast: true }), [message]))).toBeUndefined();
    }
  });

  test('clients 21: a have out of range ends it, whatever its sign would be', () => {
    for (const piece of [6, 7, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1]) {
      expect(endOf(feed(shaken(), [{ type: 'have', piece }]))).toBe('piece-out-of-range');
    }
  });

  test('clients 21: a have may come twice', () => {
    const have: PeerMessage = { type: 'have', piece: 5 };
    expect(feed(shaken(), [have, have])).toEqual([have, have]);
  });

  test('advice about pieces that are not there is ignored', () => {
    const connection = shaken({ fast: true });
    expect(
      feed(connection, [
        { type: 'suggest', piece: 6 },
        { type: 'allowed-fast', piece: 2 ** 31 },
      ]),
    ).toEqual([]);
    expect(feed(connection, [{ type: 'suggest', piece: 5 }])).toEqual([{ type: 'suggest', piece: 5 }]);
  });
});

describe('what we say we have', () => {
  test.each([
    ['everything, with fast', true, Bitfield.full(6), [{ type: 'have-all' }]],
    ['nothing, with fast', true, new Bitfield(6), [{ type: 'have-none' }]],
    [
      'something, with fast',
      true,
      new Bitfield(6, new Uint8Array([0x80])),
      [{ type: 'bitfield', bits: new Uint8Array([0x80]) }],
    ],
    ['everything, without fast', false, Bitfield.full(6), [{ type: 'bitfield', bits: new Uint8Array([0xfc]) }]],
    ['nothing, without fast', false, new Bitfield(6), []],
  ] as const)('clients 17, 18: %s', (_, fast, have, messages) => {
    expect(announcing(fast, have)).toEqual(messages);
  });

  test('BEP 6: what we have comes before any answer to a peer that asked too early', () => {
    expect(announcing(true, Bitfield.full(6), [{ type: 'request', piece: 9, begin: 0, length: 16_384 }])).toEqual([
      { type: 'have-all' },
      { type: 'reject', piece: 9, begin: 0, length: 16_384 },
    ]);
  });

  test('a have is 9 bytes', () => {
    const connection = shaken();
    connection.have(5);
    expect(connection.takeBytes()).toEqual(new Uint8Array([0, 0, 0, 5, 4, 0, 0, 0, 5]));
    expect(sent(connection)).toEqual([]);
  });
});

/** What goes out for `have` to a peer whose handshake and `early` messages came in one chunk. */
function announcing(fast: boolean, have: Bitfield, early: readonly PeerMessage[] = []): PeerMessage[] {
  const connection = connect({ initiator: true });
  connection.takeBytes();
  feed(connection, [encodeHandshake({ infoHash, peerId, fast }), ...early]);
  connection.sendPieces(have);
  return sent(connection);
}
