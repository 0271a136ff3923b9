import { describe, expect, test } from 'vitest';
import { Framer } from '../src/framer.ts';
import type { WireEvent } from '../src/index.ts';
import { connect, endOf, feed, join, raw, shaken, typesOf } from './peers.ts';

const have = { type: 'have', piece: 1 } as const;

describe('length prefixes', () => {
  test('clients 12: any number of messages of length 0 is ignored', () => {
    const keepAlives = Array.from({ length: 1000 }, () => ({ type: 'keep-alive' }) as const);
    expect(feed(shaken(), [...keepAlives, have, ...keepAlives, have])).toEqual([have, have]);
  });

  test('clients 12: a prefix of 4 GiB ends it at its fourth byte', () => {
    const connection = shaken();
    expect(connection.receive(new Uint8Array([0xff, 0xff, 0xff]), 0, 3, 0)).toEqual([]);
    expect(endOf(connection.receive(new Uint8Array([0xff]), 0, 1, 0))).toBe('message-too-long');
  });

  test.each([
    ['unknown message', 99, 1024 * 1024 + 1, 'message-too-long'],
    ['piece', 7, 9 + 16_384 + 1, 'message-too-long'],
    ['extended message', 20, 2 + 65_536 + 1, 'message-too-long'],
    ['bitfield', 5, 3, 'wrong-length'],
  ])('clients 12: an %s over its limit ends it at its id, before anything is kept', (_, id, length, code) => {
    const bytes = new Uint8Array(5);
    new DataView(bytes.buffer).setUint32(0, length);
    bytes[4] = id;
    expect(endOf(shaken().receive(bytes, 0, 5, 0))).toBe(code);
    new DataView(bytes.buffer).setUint32(0, length - 1);
    expect(endOf(shaken().receive(bytes, 0, 5, 0))).toBeUndefined();
  });

  test('clients 12: memory grows with bytes received, not with bytes promised', () => {
    const framer = new Framer(8 * 1024 * 1024);
    const bytes = raw(5, new Uint8Array(1024 * 1024));
    const allocated: number[] = [];
    const Native = Uint8Array;
    // Counts what the framer asks for while a megabyte is promised and 100 bytes arrive.
    globalThis.Uint8Array = new Proxy(Native, {
      construct(target, [size]: [number]) {
        allocated.push(size);
        return new target(size);
      },
    });
    try {
      for (let at = 0; at < 100; at += 1) framer.next(bytes, at, at + 1);
    } finally {
      globalThis.Uint8Array = Native;
    }
    expect(allocated.length).toBeGreaterThan(0);
    expect(Math.max(...allocated)).toBeLessThanOrEqual(200);
  });

  test.each([
    ['choke', 0, [2, 5]],
    ['unchoke', 1, [2]],
    ['interested', 2, [2]],
    ['not-interested', 3, [2]],
    ['have', 4, [1, 4, 6]],
    ['request', 6, [1, 12, 14]],
    ['piece', 7, [1, 8]],
    ['cancel', 8, [12, 14]],
    ['port', 9, [1, 2, 4]],
    ['suggest', 13, [4, 6]],
    ['have-all', 14, [2]],
    ['have-none', 15, [2]],
    ['reject', 16, [12, 14]],
    ['allowed-fast', 17, [4, 6]],
    ['extended', 20, [1]],
  ])('clients 13: a %s of another size ends it', (_, id, lengths) => {
    for (const length of lengths) {
      expect(endOf(feed(shaken({ fast: true, extended: true }), [raw(id, new Uint8Array(length - 1))]))).toBe(
        'wrong-length',
      );
    }
  });

  test('clients 14: messages with an unknown id are skipped by their length', () => {
    for (const id of [10, 11, 12, 18, 19, 21, 22, 23, 255]) {
      for (const length of [0, 1, 8, 40, 1024 * 1024 - 1]) {
        expect(feed(shaken(), [have, raw(id, new Uint8Array(length)), have])).toEqual([have, have]);
      }
    }
  });

  test('clients 14: a skipped message is not kept while it trickles in', () => {
    const connection = shaken();
    const bytes = join([raw(99, new Uint8Array(1000).fill(1)), raw(4, [0, 0, 0, 1])]);
    const events: WireEvent[] = [];
    for (let at = 0; at < bytes.length; at += 1) events.push(...connection.receive(bytes, at, at + 1, 0));
    expect(events).toEqual([have]);
  });

  test('clients 10: messages of BEP 52 are skipped like any unknown one', () => {
    expect(feed(shaken(), [raw(21, new Uint8Array(48)), raw(23, new Uint8Array(48)), have])).toEqual([have]);
  });
});

describe('chunks', () => {
  test('only the part between start and end is read', () => {
    const bytes = join([raw(4, [0, 0, 0, 5]), raw(4, [0, 0, 0, 1]), raw(4, [0, 0, 0, 5])]);
    expect(shaken().receive(bytes, 9, 18, 0)).toEqual([have]);
    expect(shaken().receive(bytes, 9, 9, 0)).toEqual([]);
  });

  test('the bytes of a chunk do not matter after the call', () => {
    const connection = shaken({ fast: true, extended: true }, { extensions: ['xx'] });
    const bytes = join([raw(5, [0xf0]), raw(20, [1, 7, 8, 9])]);
    const events: WireEvent[] = [];
    const shared = new Uint8Array(4);
    for (let at = 0; at < bytes.length; at += 4) {
      const part = bytes.subarray(at, at + 4);
      shared.set(part);
      events.push(...connection.receive(shared, 0, part.length, 0));
      shared.fill(0xee);
    }
    expect(events).toEqual([
      { type: 'bitfield', bits: new Uint8Array([0xf0]) },
      { type: 'extended', name: 'xx', payload: new Uint8Array([7, 8, 9]) },
    ]);
  });

  test('handshake and messages may come in one chunk', () => {
    const connection = connect();
    const events = feed(connection, [
      new Uint8Array([19, ...new TextEncoder().encode('BitTorrent protocol'), ...new Uint8Array(8)]),
      new Uint8Array(20).fill(0xaa),
      new Uint8Array(20).fill(0x31),
      have,
      { type: 'unchoke' },
    ]);
    expect(typesOf(events)).toEqual(['handshake', 'peer-id', 'have', 'unchoke']);
  });
});
