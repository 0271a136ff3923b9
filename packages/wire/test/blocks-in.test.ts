import { type Block, geometryOf } from '@shoal/pieces';
import { describe, expect, test } from 'vitest';
import { encodeMessage, type PeerConnection, type WireEvent } from '../src/index.ts';
import { block, endOf, feed, open, pieceMessage, raw, sent, shaken, typesOf } from './peers.ts';

const half = 8192;

describe('blocks', () => {
  test('come as offsets into the chunk, and nothing of them is copied or kept', () => {
    const connection = open();
    connection.request(block(1, 1), 0);
    const bytes = encodeMessage(pieceMessage(block(1, 1)));
    const chunk = new Uint8Array(20_000).fill(0xee);
    chunk.set(bytes, 100);
    expect(connection.receive(chunk, 100, 100 + bytes.length, 0)).toEqual([
      {
        type: 'block-data',
        piece: 1,
        begin: 16_384,
        start: 113,
        end: 113 + 16_384,
        requested: true,
        outcome: 'requested',
      },
      { type: 'block-end', piece: 1, begin: 16_384, length: 16_384, outcome: 'requested' },
    ]);
    expect(connection.pipeline.outstanding).toBe(0);
  });

  test('come in fragments, each told where it belongs', () => {
    const connection = open();
    connection.request(block(5, 1), 0);
    const bytes = encodeMessage(pieceMessage(block(5, 1)));
    const fragments: [number, number][] = [];
    for (let at = 0; at < bytes.length; at += 1000) {
      for (const event of connection.receive(bytes, at, Math.min(bytes.length, at + 1000), 0)) {
        if (event.type === 'block-data') fragments.push([event.begin, event.end - event.start]);
      }
    }
    expect(fragments[0]).toEqual([16_384, 987]);
    expect(fragments[1]).toEqual([16_384 + 987, 1000]);
    expect(fragments.reduce((sum, [, length]) => sum + length, 0)).toBe(20_000 - 16_384);
  });

  test('of pieces smaller than 16 KiB are whole pieces', () => {
    const geometry = geometryOf(22_169, 256);
    const connection = open({}, { geometry });
    expect(connection.request({ piece: 0x27, begin: 0, length: 256 }, 0)).toBe(true);
    const data = new Uint8Array(256);
    expect(typesOf(feed(connection, [{ type: 'piece', piece: 0x27, begin: 0, data }]))).toEqual([
      'block-data',
      'block-end',
    ]);
  });

  test('clients 35: a choke drops all that was asked without fast, and nothing with fast', () => {
    const plain = open();
    plain.request(block(1), 0);
    plain.request(block(2), 0);
    expect(feed(plain, [{ type: 'choke' }])).toEqual([{ type: 'choke', dropped: [block(1), block(2)] }]);
    expect(plain.pipeline.outstanding).toBe(0);
    const fast = open({ fast: true });
    fast.request(block(1), 0);
    expect(feed(fast, [{ type: 'choke' }])).toEqual([{ type: 'choke', dropped: [] }]);
    expect(fast.pipeline.outstanding).toBe(1);
    expect(feed(fast, [{ type: 'reject', ...block(1) }])).toEqual([{ type: 'reject', ...block(1) }]);
    expect(fast.pipeline.outstanding).toBe(0);
  });

  test('clients 35: with fast a request that is never answered still times out', () => {
    const connection = open({ fast: true });
    connection.request(block(1), 0);
    feed(connection, [{ type: 'choke' }], 1000);
    expect(connection.pipeline.takeExpired(connection.pipeline.deadline)).toEqual([block(1)]);
  });

  test('clients 36: a reject of what was not asked, or misaligned, is ignored', () => {
    const connection = open({ fast: true });
    connection.request(block(1), 0);
    const events = feed(connection, [
      { type: 'reject', ...block(2) },
      { type: 'reject', piece: 1, begin: 1, length: 16_384 },
      { type: 'reject', piece: 1, begin: 0, length: 1 },
      { type: 'reject', piece: 2 ** 32 - 1, begin: 2 ** 32 - 1, length: 2 ** 32 - 1 },
    ]);
    expect(events).toEqual([]);
    expect(connection.pipeline.outstanding).toBe(1);
  });

  test('clients 36: a reject while choked takes the piece out of what we may ask while choked', () => {
    const connection = shaken({ fast: true });
    expect(connection.mayRequest(1)).toBe(false);
    feed(connection, [{ type: 'allowed-fast', piece: 1 }]);
    expect(connection.mayRequest(1)).toBe(true);
    expect(connection.request(block(1), 0)).toBe(true);
    feed(connection, [{ type: 'reject', ...block(1) }]);
    expect(connection.mayRequest(1)).toBe(false);
    expect(connection.request(block(1), 0)).toBe(false);
  });

  test('clients 37: blocks that nobody asked for are told apart, and the 33rd ends it', () => {
    const connection = open();
    const events = feed(connection, [pieceMessage(block(1))]);
    expect(events.map((event) => 'outcome' in event && event.outcome)).toEqual(['unrequested', 'unrequested']);
    feed(
      connection,
      Array.from({ length: 31 }, () => pieceMessage(block(1))),
    );
    expect(connection.ended).toBe(false);
    expect(endOf(feed(connection, [pieceMessage(block(1))]))).toBe('unrequested-blocks');
  });

  test('clients 37: a block that was cancelled, expired or dropped before is late, not invented', () => {
    const ways: [string, (connection: PeerConnection) => void][] = [
      ['cancel', (connection) => connection.cancel(block(1))],
      ['expiry', (connection) => connection.pipeline.takeExpired(60_000)],
      ['choke', (connection) => feed(connection, [{ type: 'choke' }])],
      ['clear', (connection) => connection.pipeline.clear()],
    ];
    for (const [, giveUp] of ways) {
      const connection = open();
      connection.request(block(1), 0);
      giveUp(connection);
      expect(connection.pipeline.outstanding).toBe(0);
      const first = feed(connection, [pieceMessage(block(1))], 61_000);
      expect(first).toMatchObject([
        { type: 'block-data', requested: false, outcome: 'late' },
        { type: 'block-end', outcome: 'late' },
      ]);
      const second = feed(connection, [pieceMessage(block(1))], 61_000);
      expect(second).toMatchObject([{ outcome: 'unrequested' }, { outcome: 'unrequested' }]);
    }
  });

  test('clients 37: three minutes after it was asked for a block is no longer late', () => {
    const connection = open();
    connection.request(block(1), 0);
    connection.cancel(block(1));
    expect(feed(connection, [pieceMessage(block(1))], 180_000)).toMatchObject([
      { outcome: 'unrequested' },
      { outcome: 'unrequested' },
    ]);
  });

  test('clients 37: a block given up while its data comes in ends late', () => {
    const connection = open();
    connection.request(block(1), 0);
    const bytes = encodeMessage(pieceMessage(block(1)));
    expect(connection.receive(bytes, 0, 5000, 0)).toMatchObject([{ requested: true }]);
    connection.cancel(block(1));
    expect(connection.receive(bytes, 5000, bytes.length, 0)).toMatchObject([
      { type: 'block-data', requested: false },
      { type: 'block-end', outcome: 'late' },
    ]);
  });

  test('clients 38: a piece message without data is a reject', () => {
    const connection = open();
    connection.request(block(1, 1), 0);
    expect(feed(connection, [raw(7, [0, 0, 0, 1, 0, 0, 0x40, 0])])).toEqual([{ type: 'reject', ...block(1, 1) }]);
    expect(feed(connection, [raw(7, [0, 0, 0, 1, 0, 0, 0x40, 0])])).toEqual([]);
    expect(connection.pipeline.outstanding).toBe(0);
  });

  test('clients 39: data off the grid ends it', () => {
    for (const [begin, length] of [
      [1, 16_384],
      [0, 16_383],
      [half, half],
      [0, 1],
    ] as const) {
      const message = { type: 'piece', piece: 1, begin, data: new Uint8Array(length) } as const;
      expect(endOf(feed(open(), [message]))).toBe('block-off-grid');
    }
  });

  test('clients 39: data in no piece ends it', () => {
    for (const [piece, begin, length] of [
      [6, 0, 16_384],
      [2 ** 31, 0, 16_384],
      [0, 32_768, 16_384],
      [0, 2 ** 32 - 16_384, 16_384],
      [5, 16_384, 16_384],
    ] as const) {
      const message = { type: 'piece', piece, begin, data: new Uint8Array(length) } as const;
      expect(endOf(feed(open(), [message]))).toBe('block-out-of-range');
    }
  });

  test('clients 39: data past the end of its piece is not taken for the next piece’s block', () => {
    for (const giveUp of [false, true]) {
      const connection = open();
      connection.request(block(1), 0);
      if (giveUp) connection.cancel(block(1));
      const message = { type: 'piece', piece: 0, begin: 32_768, data: new Uint8Array(16_384) } as const;
      expect(endOf(feed(connection, [message]))).toBe('block-out-of-range');
    }
  });

  test('clients 39: a block split over two messages is put together', () => {
    const connection = open();
    connection.request(block(1), 0);
    const data = new Uint8Array(half);
    const first = feed(connection, [{ type: 'piece', piece: 1, begin: 0, data }]);
    expect(first).toMatchObject([{ type: 'block-data', begin: 0, requested: true }]);
    expect(connection.pipeline.outstanding).toBe(1);
    const second = feed(connection, [{ type: 'piece', piece: 1, begin: half, data }]);
    expect(second).toMatchObject([
      { type: 'block-data', begin: half, requested: true },
      { type: 'block-end', ...block(1), outcome: 'requested' },
    ]);
    expect(connection.pipeline.outstanding).toBe(0);
  });

  test('clients 39: the second part of a split block does not come first', () => {
    const connection = open();
    connection.request(block(1), 0);
    const message = { type: 'piece', piece: 1, begin: half, data: new Uint8Array(half) } as const;
    expect(endOf(feed(connection, [message]))).toBe('block-off-grid');
  });

  test('clients 39: both parts of a split block that was cancelled are late', () => {
    const connection = open();
    connection.request(block(1), 0);
    connection.cancel(block(1));
    const data = new Uint8Array(half);
    const events = feed(connection, [
      { type: 'piece', piece: 1, begin: 0, data },
      { type: 'piece', piece: 1, begin: half, data },
    ]);
    expect(events.map((event) => 'outcome' in event && event.outcome)).toEqual(['late', 'late', 'late', 'late']);
  });

  test('clients 40: after choke and unchoke both copies may come, the second one late', () => {
    const connection = open();
    connection.request(block(1), 0);
    feed(connection, [{ type: 'choke' }, { type: 'unchoke' }]);
    connection.request(block(1), 0);
    const events = feed(connection, [pieceMessage(block(1)), pieceMessage(block(1))]);
    expect(outcomes(events)).toEqual(['requested', 'late']);
  });

  test('clients 40: each copy that was asked for and dropped may still come', () => {
    const connection = open();
    for (let round = 0; round < 3; round += 1) {
      connection.request(block(1), 0);
      feed(connection, [{ type: 'choke' }, { type: 'unchoke' }]);
    }
    const copies = feed(
      connection,
      Array.from({ length: 4 }, () => pieceMessage(block(1))),
    );
    expect(outcomes(copies)).toEqual(['late', 'late', 'late', 'unrequested']);
  });
});

describe('our requests', () => {
  test('are 17 bytes and go out once', () => {
    const connection = open();
    expect(connection.request(block(1, 1), 0)).toBe(true);
    expect(connection.request(block(1, 1), 0)).toBe(true);
    expect(connection.takeBytes()).toEqual(new Uint8Array([0, 0, 0, 13, 6, 0, 0, 0, 1, 0, 0, 0x40, 0, 0, 0, 0x40, 0]));
    expect(connection.pipeline.blocks()).toEqual([block(1, 1)]);
  });

  test('are refused here when the peer would not serve them', () => {
    const connection = open();
    feed(connection, [{ type: 'choke' }]);
    expect(connection.request(block(1), 0)).toBe(false);
    expect(sent(connection)).toEqual([]);
    expect(connection.pipeline.outstanding).toBe(0);
  });

  test('for what is no block of the torrent are a bug of the caller', () => {
    const connection = open();
    for (const wrong of [
      { piece: 6, begin: 0, length: 16_384 },
      { piece: 0, begin: 1, length: 16_384 },
      { piece: 5, begin: 16_384, length: 16_384 },
    ]) {
      expect(() => connection.request(wrong, 0)).toThrow(RangeError);
    }
  });

  test('BEP 10: never exceed 250 until the peer says what it queues, and then that', () => {
    const geometry = geometryOf(2 ** 26, 2 ** 20);
    const connection = open({ extended: true }, { geometry });
    const blocks: Block[] = Array.from({ length: 600 }, (_, index) => ({
      piece: index >> 6,
      begin: (index & 63) * 16_384,
      length: 16_384,
    }));
    const asked = (): number =>
      blocks.filter((each) => connection.request(each, 0) && connection.pipeline.has(each.piece, each.begin)).length;
    expect(asked()).toBe(250);
    expect(connection.peerRequestLimit).toBe(250);
    feed(connection, [raw(20, [0, ...new TextEncoder().encode('d4:reqqi300ee')])]);
    expect(asked()).toBe(300);
    feed(connection, [raw(20, [0, ...new TextEncoder().encode('d4:reqqi99999ee')])]);
    expect(asked()).toBe(500);
  });

  test('a cancel goes out only for what is outstanding', () => {
    const connection = open();
    connection.request(block(1), 0);
    sent(connection);
    connection.cancel(block(2));
    connection.cancel(block(1));
    connection.cancel(block(1));
    expect(sent(connection)).toEqual([{ type: 'cancel', ...block(1) }]);
  });
});

function outcomes(events: readonly WireEvent[]): string[] {
  return events.flatMap((event) => (event.type === 'block-end' ? [event.outcome] : []));
}
