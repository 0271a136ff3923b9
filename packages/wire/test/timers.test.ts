import { Bitfield } from '@shoal/pieces';
import { encodeHandshake } from '../src/index.ts';
import { describe, expect, test } from 'vitest';
import { connect, endOf, feed, infoHash, peerId, sent, shaken } from './peers.ts';

describe('time', () => {
  test('clients 11: a peer that sends nothing for 10 s is given up', () => {
    const connection = connect({ now: 5000 });
    expect(connection.deadline).toBe(15_000);
    expect(connection.timePassed(14_999)).toEqual([]);
    expect(endOf(connection.timePassed(15_000))).toBe('handshake-timeout');
    expect(connection.deadline).toBe(Infinity);
  });

  test('clients 11: dribbling bytes of a handshake does not buy more time', () => {
    const connection = connect();
    const bytes = encodeHandshake({ infoHash, peerId });
    for (let at = 0; at < 60; at += 1) connection.receive(bytes, at, at + 1, at * 160);
    expect(connection.deadline).toBe(10_000);
    expect(endOf(connection.timePassed(10_000))).toBe('handshake-timeout');
  });

  test('BEP 3: a keep-alive goes out before we have been silent for 100 s', () => {
    const connection = shaken();
    let silentSince = 0;
    for (let now = connection.deadline; now < 1_000_000; now = connection.deadline) {
      feed(connection, [{ type: 'keep-alive' }], now);
      connection.timePassed(now);
      const bytes = connection.takeBytes();
      if (bytes === undefined) continue;
      expect([...bytes]).toEqual([0, 0, 0, 0]);
      expect(now - silentSince).toBeLessThanOrEqual(100_000);
      silentSince = now;
    }
    expect(silentSince).toBeGreaterThan(900_000);
  });

  test('no keep-alive while there is something to say', () => {
    const connection = shaken();
    for (let now = 0; now < 500_000; now += 10_000) {
      connection.have(1);
      feed(connection, [{ type: 'keep-alive' }], now);
      connection.timePassed(now);
      expect(sent(connection)).toEqual([{ type: 'have', piece: 1 }]);
    }
  });

  test('a peer silent for 240 s is given up, one that sends keep-alives is not', () => {
    const connection = shaken();
    feed(connection, [{ type: 'keep-alive' }], 200_000);
    connection.timePassed(439_999);
    expect(connection.ended).toBe(false);
    expect(endOf(connection.timePassed(440_000))).toBe('timed-out');
  });

  test('the deadline always lies ahead of a clock that obeys it', () => {
    const connection = shaken();
    let now = 0;
    for (let turn = 0; turn < 100 && !connection.ended; turn += 1) {
      expect(connection.deadline).toBeGreaterThan(now);
      now = connection.deadline;
      connection.timePassed(now);
    }
    expect(connection.ended).toBe(true);
  });
});

describe('after the end', () => {
  test('nothing is said, sent or awaited any more', () => {
    const connection = shaken({ fast: true });
    connection.have(1);
    expect(
      endOf(
        feed(connection, [
          { type: 'have', piece: 6 },
          { type: 'have', piece: 1 },
        ]),
      ),
    ).toBe('piece-out-of-range');
    connection.have(2);
    connection.unchoke();
    connection.setInterested(true);
    connection.sendPieces(new Bitfield(6));
    expect(connection.request({ piece: 0, begin: 0, length: 16_384 }, 0)).toBe(false);
    expect(connection.takeBytes()).toBeUndefined();
    expect(feed(connection, [{ type: 'have', piece: 1 }])).toEqual([]);
    expect(connection.timePassed(1e9)).toEqual([]);
  });

  test('closing on our side ends it without an event', () => {
    const connection = shaken();
    connection.have(1);
    connection.close();
    expect(connection.ended).toBe(true);
    expect(connection.takeBytes()).toBeUndefined();
    expect(feed(connection, [{ type: 'unchoke' }])).toEqual([]);
  });
});
