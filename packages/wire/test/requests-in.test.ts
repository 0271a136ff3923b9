import { geometryOf } from '@shoal/pieces';
import { describe, expect, test } from 'vitest';
import type { PeerMessage } from '../src/index.ts';
import { block, endOf, feed, open, request, sent, shaken, typesOf } from './peers.ts';

const bad: readonly [string, PeerMessage][] = [
  ['over 16 KiB', { type: 'request', piece: 0, begin: 0, length: 16_385 }],
  ['of 128 KiB', { type: 'request', piece: 0, begin: 0, length: 131_072 }],
  ['of 4 GiB', { type: 'request', piece: 0, begin: 0, length: 2 ** 32 - 1 }],
  ['of no bytes', { type: 'request', piece: 0, begin: 0, length: 0 }],
  ['over the end of a piece', { type: 'request', piece: 0, begin: 16_385, length: 16_384 }],
  ['over the end of the last piece', { type: 'request', piece: 5, begin: 16_384, length: 16_384 }],
  ['that wraps around in 32 bits', { type: 'request', piece: 0, begin: 2 ** 32 - 16_384, length: 16_384 }],
  ['at the very end', { type: 'request', piece: 0, begin: 32_768, length: 1 }],
  ['of a piece that is not there', { type: 'request', piece: 6, begin: 0, length: 16_384 }],
  ['of a piece past 2^31', { type: 'request', piece: 2 ** 31, begin: 0, length: 16_384 }],
];

describe('requests of the peer', () => {
  test('reach the torrent when the peer is unchoked', () => {
    const connection = open();
    expect(feed(connection, [request(block(1))])).toEqual([{ ...request(block(1)) }]);
    expect(sent(connection)).toEqual([]);
  });

  test('may have any range inside a piece up to 16 KiB', () => {
    const odd: PeerMessage = { type: 'request', piece: 5, begin: 19_990, length: 10 };
    expect(feed(open(), [odd])).toEqual([odd]);
  });

  test.each(bad)('clients 25: one %s is rejected with fast and ignored without', (_, message) => {
    const plain = open();
    expect(feed(plain, [message])).toEqual([]);
    expect(sent(plain)).toEqual([]);
    const fast = open({ fast: true });
    expect(feed(fast, [message])).toEqual([]);
    expect(sent(fast)).toEqual([{ ...message, type: 'reject' }]);
  });

  test('clients 25: the 301st bad one ends it', () => {
    const connection = open();
    const message: PeerMessage = { type: 'request', piece: 9, begin: 0, length: 1 };
    expect(
      feed(
        connection,
        Array.from({ length: 300 }, () => message),
      ),
    ).toEqual([]);
    expect(endOf(feed(connection, [message]))).toBe('too-many-bad-requests');
  });

  test('clients 25: a choked peer that asks for nonsense is told again that it is choked', () => {
    const connection = shaken();
    feed(
      connection,
      Array.from({ length: 16 }, () => ({ type: 'request', piece: 9, begin: 0, length: 1 }) as const),
    );
    expect(sent(connection)).toEqual([{ type: 'choke' }]);
  });

  test('clients 26: one while choked is rejected with fast and ignored without', () => {
    const plain = shaken();
    expect(typesOf(feed(plain, [request(block(1))]))).toEqual(['interested']);
    expect(sent(plain)).toEqual([]);
    const fast = shaken({ fast: true });
    feed(fast, [request(block(1))]);
    expect(sent(fast)).toEqual([{ type: 'reject', ...block(1) }]);
  });

  test('clients 26: requests that cross with our choke for 2 s do not count', () => {
    const connection = open();
    connection.choke();
    const hundred = Array.from({ length: 100 }, () => request(block(1)));
    feed(connection, hundred, 50_000);
    feed(connection, hundred, 51_999);
    expect(connection.ended).toBe(false);
    expect(endOf(feed(connection, hundred, 52_000))).toBe('requests-while-choked');
  });

  test('clients 26: asking on after that ends it at the 51st, with a reminder every 16', () => {
    const connection = open();
    connection.choke();
    sent(connection);
    feed(connection, [request(block(1))], 10_000);
    feed(
      connection,
      Array.from({ length: 50 }, () => request(block(1))),
      12_000,
    );
    expect(sent(connection)).toEqual([{ type: 'choke' }, { type: 'choke' }, { type: 'choke' }]);
    expect(endOf(feed(connection, [request(block(1))], 12_000))).toBe('requests-while-choked');
  });

  test('clients 27: an allowed fast piece is served while choked, but no more than three times', () => {
    const connection = shaken({ fast: true });
    expect(connection.allowFast(1)).toBe(true);
    expect(sent(connection)).toEqual([{ type: 'allowed-fast', piece: 1 }]);
    for (let round = 0; round < 3; round += 1) {
      for (const of of [block(1, 0), block(1, 1)]) {
        expect(typesOf(feed(connection, [request(of)]))).toContain('request');
        expect(connection.uploads.accept(of)).toBe('accepted');
        connection.uploads.clear();
      }
    }
    expect(sent(connection)).toEqual([]);
    expect(endOf(feed(connection, [request(block(1))]))).toBe('allowed-fast-abuse');
  });

  test('clients 27: at most 32 pieces can be allowed', () => {
    const connection = shaken({ fast: true }, { geometry: geometryOf(40, 1) });
    const allowed = Array.from({ length: 40 }, (_, piece) => connection.allowFast(piece));
    expect(allowed.filter(Boolean).length).toBe(32);
  });

  test('clients 28: one without interest is taken as interest', () => {
    const connection = open();
    feed(connection, [{ type: 'not-interested' }]);
    expect(feed(connection, [request(block(1))])).toEqual([{ type: 'interested' }, request(block(1))]);
    expect(connection.peerInterested).toBe(true);
  });

  test('clients 29: above our limit they are rejected, never queued, also within one chunk', () => {
    const connection = open({ fast: true }, { requestQueueLimit: 3 });
    const blocks = [block(0, 0), block(0, 1), block(1, 0), block(1, 1), block(2, 0)];
    const events = feed(connection, blocks.map(request));
    expect(events).toEqual(blocks.slice(0, 3).map(request));
    expect(sent(connection)).toEqual(blocks.slice(3).map((each) => ({ type: 'reject', ...each })));
    for (const each of blocks.slice(0, 3)) expect(connection.uploads.accept(each)).toBe('accepted');
    expect(feed(connection, [request(block(2, 1))])).toEqual([]);
    expect(connection.uploads.accept(block(2, 1))).toBe('full');
    expect(connection.uploads.length).toBe(3);
  });

  test('2000 of them wait by default, as many as libtorrent has outstanding', () => {
    const geometry = geometryOf(2001 * 16_384, 16_384);
    const connection = open({ fast: true }, { geometry });
    const asked = Array.from({ length: 2001 }, (_, piece) => request({ piece, begin: 0, length: 16_384 }));
    expect(feed(connection, asked)).toEqual(asked.slice(0, 2000));
  });

  test('clients 29: a peer that cannot be told of a refusal may ask for far more, and what is passed over is noted until a choke', () => {
    const geometry = geometryOf(20_000 * 16_384, 16_384);
    const connection = shaken({ fast: false }, { geometry, requestQueueLimit: 3 });
    connection.unchoke();
    const ask = (piece: number): PeerMessage => ({ type: 'request', piece, begin: 0, length: 16_384 });
    let accepted = 0;
    for (let piece = 0; piece < 20_000; piece++)
      for (const event of feed(connection, [ask(piece)]))
        if (event.type === 'request' && connection.uploads.accept(event) === 'accepted') accepted++;
    expect(accepted).toBe(16_384);
    expect(connection.uploads.hasPassedOver).toBe(true);
    connection.choke();
    expect(connection.uploads.hasPassedOver).toBe(false);
  });

  test('clients 30: a request that waits already is answered once', () => {
    const connection = open();
    const events = feed(connection, [request(block(1)), request(block(1))]);
    const accepted = events.map((event) => (event.type === 'request' ? connection.uploads.accept(event) : event.type));
    expect(accepted).toEqual(['accepted', 'duplicate']);
    expect(connection.uploads.takeRun(32)).toEqual([block(1)]);
    expect(connection.uploads.length).toBe(0);
  });

  test('clients 31: a cancel of one that waits is answered by a reject with fast and by nothing without', () => {
    for (const fast of [false, true]) {
      const connection = open({ fast });
      connection.uploads.accept(block(1));
      expect(feed(connection, [{ type: 'cancel', ...block(1) }])).toEqual([{ type: 'cancel', ...block(1) }]);
      expect(connection.uploads.length).toBe(0);
      expect(sent(connection)).toEqual(fast ? [{ type: 'reject', ...block(1) }] : []);
    }
  });

  test('clients 31: a cancel of one on its way, or of nothing, is not answered: the block is the answer', () => {
    const connection = open({ fast: true });
    connection.uploads.accept(block(1));
    connection.uploads.takeRun(32);
    feed(connection, [
      { type: 'cancel', ...block(1) },
      { type: 'cancel', piece: 99, begin: 5, length: 2 ** 32 - 1 },
    ]);
    expect(sent(connection)).toEqual([]);
    expect(connection.ended).toBe(false);
  });

  test('clients 32: our choke drops the queue silently without fast', () => {
    const connection = open();
    connection.uploads.accept(block(1));
    connection.uploads.accept(block(2));
    connection.choke();
    expect(connection.uploads.length).toBe(0);
    expect(sent(connection)).toEqual([{ type: 'choke' }]);
  });

  test('clients 32: with fast each dropped request gets its reject after the choke, except the allowed fast', () => {
    const connection = open({ fast: true });
    connection.allowFast(2);
    sent(connection);
    for (const each of [block(1), block(2), block(3)]) connection.uploads.accept(each);
    connection.choke();
    expect(sent(connection)).toEqual([
      { type: 'choke' },
      { type: 'reject', ...block(1) },
      { type: 'reject', ...block(3) },
    ]);
    expect(connection.uploads.takeRun(32)).toEqual([block(2)]);
  });

  test('clients 32: a request of the turn in which we choke is not taken into the queue any more', () => {
    const connection = open({ fast: true });
    const [event] = feed(connection, [request(block(1))]);
    connection.choke();
    expect(event?.type === 'request' && connection.uploads.accept(event)).toBe('full');
    connection.unchoke();
    expect(connection.uploads.accept(block(1))).toBe('accepted');
  });
});

describe('choke and interest', () => {
  test('BEP 3: connections start choked and not interested on both sides', () => {
    const { amChoking, amInterested, peerChoking, peerInterested } = shaken();
    expect({ amChoking, amInterested, peerChoking, peerInterested }).toEqual({
      amChoking: true,
      amInterested: false,
      peerChoking: true,
      peerInterested: false,
    });
  });

  test('only changes are sent', () => {
    const connection = shaken();
    connection.choke();
    connection.unchoke();
    connection.unchoke();
    connection.setInterested(false);
    connection.setInterested(true);
    connection.setInterested(true);
    connection.choke();
    connection.choke();
    expect(sent(connection).map((message) => message.type)).toEqual(['unchoke', 'interested', 'choke']);
  });

  test('only changes are told', () => {
    const connection = shaken();
    const twice = [{ type: 'unchoke' }, { type: 'interested' }, { type: 'choke' }, { type: 'not-interested' }] as const;
    const events = feed(
      connection,
      twice.flatMap((each) => [each, each]),
    );
    expect(typesOf(events)).toEqual(['unchoke', 'interested', 'choke', 'not-interested']);
  });
});
