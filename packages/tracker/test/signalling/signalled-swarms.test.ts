import { describe, expect, test } from 'vitest';
import { announced, answered, countsOf, deliveries, idOf, swarmsOf } from './members.ts';

describe('members', () => {
  test('are counted by their role, and leave with a goodbye', () => {
    const swarms = swarmsOf();
    deliveries(swarms, 1);
    deliveries(swarms, 2, { seeding: true });
    expect(countsOf(swarms)).toEqual([1, 1, 0]);
    deliveries(swarms, 1, { leaving: true });
    deliveries(swarms, 3, { leaving: true });
    expect(countsOf(swarms)).toEqual([1, 0, 0]);
    deliveries(swarms, 2, { leaving: true });
    expect(countsOf(swarms)).toBeUndefined();
    expect(swarms.totals).toEqual({ torrents: 0, seeders: 0, leechers: 0, completed: 0 });
  });

  test('complete once in their stay, and a seed that joins completes nothing', () => {
    const swarms = swarmsOf();
    for (const seeding of [false, true, false, true]) deliveries(swarms, 1, { seeding });
    for (const seeding of [true, false, true]) deliveries(swarms, 2, { seeding });
    expect(countsOf(swarms)).toEqual([2, 0, 1]);
    expect(swarms.totals.completed).toBe(1);
  });

  test('trackers 69: leave every torrent when their connection is closed', () => {
    const swarms = swarmsOf();
    for (let torrent = 0; torrent < 5; torrent++) {
      deliveries(swarms, 1, { torrent });
      deliveries(swarms, 2, { torrent, seeding: true });
    }
    swarms.close(1);
    swarms.close(1);
    expect(swarms.totals).toEqual({ torrents: 5, seeders: 5, leechers: 0, completed: 0 });
    expect(deliveries(swarms, 2, { offers: [1] })).toEqual([]);
    swarms.close(2);
    expect(swarms.oldest).toBeUndefined();
    expect(swarms.totals.torrents).toBe(0);
  });

  test('trackers 67: keep their peer id in a torrent as long as they are connected', () => {
    const swarms = swarmsOf();
    deliveries(swarms, 1, { peer: 1 });
    expect(announced(swarms, 1, { peer: 2 })).toHaveProperty('failureReason');
    expect(announced(swarms, 1, { peer: 2, leaving: true })).toHaveProperty('failureReason');
    expect(announced(swarms, 1, { peer: 2, torrent: 1 })).toEqual([]);
    expect(countsOf(swarms)).toEqual([0, 1, 0]);
  });

  test('expire in the order they were last heard of, some at a time', () => {
    const swarms = swarmsOf();
    for (const connection of [1, 2, 3, 4]) deliveries(swarms, connection, {}, connection);
    deliveries(swarms, 1, {}, 5);
    expect(swarms.oldest).toBe(2);
    expect(swarms.expire(3, 1)).toBe(1);
    expect(swarms.oldest).toBe(3);
    expect(swarms.expire(3, 10)).toBe(1);
    expect(countsOf(swarms)).toEqual([0, 2, 0]);
    expect(swarms.expire(5, 10)).toBe(2);
    expect(swarms.oldest).toBeUndefined();
  });

  test('are bounded, all together and for each connection', () => {
    const swarms = swarmsOf({ maxTorrents: 2, maxMembers: 3 });
    deliveries(swarms, 1, { torrent: 0 });
    deliveries(swarms, 1, { torrent: 1 });
    expect(announced(swarms, 1, { torrent: 2 })).toHaveProperty('failureReason');
    deliveries(swarms, 2);
    expect(announced(swarms, 3)).toHaveProperty('failureReason');
    expect(swarms.totals).toMatchObject({ torrents: 2, leechers: 3 });
    deliveries(swarms, 1, { torrent: 0, leaving: true });
    deliveries(swarms, 1, { torrent: 2 });
    // A refused announce leaves nothing behind.
    expect(countsOf(swarms, 2)).toEqual([0, 1, 0]);
  });
});

describe('offers', () => {
  test('go to other members, each to one', () => {
    const swarms = swarmsOf();
    for (const connection of [1, 2, 3]) deliveries(swarms, connection);
    const found = deliveries(swarms, 1, { offers: [1, 2, 3, 4] });
    expect(new Set(found.map(({ connection }) => connection))).toEqual(new Set([2, 3]));
    expect(found.map(({ signal }) => signal)).toEqual(
      [1, 2].map((offer) => ({
        action: 'offer',
        infoHash: idOf(1, 0),
        peerId: idOf(2, 1),
        offerId: idOf(3, offer),
        sdp: `offer ${offer}`,
      })),
    );
  });

  test('of a seed go to leechers only', () => {
    const swarms = swarmsOf();
    for (const connection of [1, 2, 3]) deliveries(swarms, connection, { seeding: true });
    for (const connection of [4, 5]) deliveries(swarms, connection);
    const found = deliveries(swarms, 1, { seeding: true, offers: [1, 2, 3, 4] });
    expect(new Set(found.map(({ connection }) => connection))).toEqual(new Set([4, 5]));
  });

  test('are passed on as far as policy wants peers', () => {
    const swarms = swarmsOf();
    for (const connection of [1, 2, 3, 4]) deliveries(swarms, connection);
    expect(deliveries(swarms, 1, { offers: [1, 2, 3], want: 2 })).toHaveLength(2);
    expect(deliveries(swarms, 1, { offers: [4], want: 50 })).toHaveLength(1);
    expect(deliveries(swarms, 1, { offers: [], want: 50 })).toEqual([]);
  });

  test('trackers 66: are ten at most', () => {
    const swarms = swarmsOf();
    for (let connection = 0; connection < 30; connection++) deliveries(swarms, connection);
    const offers = Array.from({ length: 20 }, (_, index) => index);
    expect(deliveries(swarms, 1, { offers })).toHaveLength(10);
  });

  test('are limited for each connection over two minutes', () => {
    const swarms = swarmsOf({ maxOffers: 3 });
    for (const connection of [1, 2, 3]) deliveries(swarms, connection);
    const passedOn = (now: number): number => {
      const offers = [now, now + 1];
      return deliveries(swarms, 1, { offers }, now).length;
    };
    expect([0, 10, 20].map(passedOn)).toEqual([2, 1, 0]);
    expect(deliveries(swarms, 2, { offers: [50] }, 30)).toHaveLength(1);
    expect(passedOn(120_000)).toBe(2);
  });

  test('are limited for a connection that leaves all its torrents and comes back, as long as it is open', () => {
    const swarms = swarmsOf({ maxOffers: 3 });
    for (const connection of [1, 2, 3]) deliveries(swarms, connection);
    const passedOn = Array.from({ length: 4 }, (_, turn) => {
      const { length } = deliveries(swarms, 1, { offers: [2 * turn, 2 * turn + 1] });
      deliveries(swarms, 1, { leaving: true });
      return length;
    });
    expect(passedOn).toEqual([2, 1, 0, 0]);
    swarms.close(1);
    expect(deliveries(swarms, 1, { offers: [20, 21] })).toHaveLength(2);
  });

  test('do not go to a ghost of the same peer', () => {
    const swarms = swarmsOf();
    deliveries(swarms, 1, { peer: 7 });
    expect(deliveries(swarms, 2, { peer: 7, offers: [1] })).toEqual([]);
  });

  test('go to everybody equally often', () => {
    const swarms = swarmsOf({ maxOffers: 1_000_000, maxPendingOffers: 2 ** 20 });
    const [members, rounds] = [20, 6000];
    for (let connection = 0; connection < members; connection++) {
      deliveries(swarms, connection, { seeding: connection % 3 === 0 });
    }
    const hits = new Map<number, number>();
    for (let round = 0; round < rounds; round++) {
      const offers = [3 * round, 3 * round + 1, 3 * round + 2];
      for (const { connection } of deliveries(swarms, 7, { offers }, round * 50)) {
        hits.set(connection, (hits.get(connection) ?? 0) + 1);
      }
    }
    expect([...hits.keys()].toSorted((one, other) => one - other)).toEqual(
      Array.from({ length: members }, (_, index) => index).filter((connection) => connection !== 7),
    );
    const expected = (3 * rounds) / (members - 1);
    const chiSquare = [...hits.values()].reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
    // 18 degrees of freedom: 42.3 is passed by chance once in a thousand.
    expect(chiSquare).toBeLessThan(42.3);
  });
});

describe('answers', () => {
  test('go back to who made the offer', () => {
    const swarms = swarmsOf();
    deliveries(swarms, 1);
    deliveries(swarms, 2, { offers: [5] });
    expect(answered(swarms, 1, { to: 2, offer: 5 })).toEqual({
      connection: 2,
      signal: { action: 'answer', infoHash: idOf(1, 0), peerId: idOf(2, 1), offerId: idOf(3, 5), sdp: 'answer 5' },
    });
  });

  test('trackers 68: are passed once, and only within two minutes', () => {
    const swarms = swarmsOf();
    deliveries(swarms, 1);
    deliveries(swarms, 2, { offers: [5] });
    expect(answered(swarms, 1, { to: 2, offer: 5 }, 120_000)).toBeDefined();
    expect(answered(swarms, 1, { to: 2, offer: 5 }, 120_000)).toBeUndefined();
    deliveries(swarms, 2, { offers: [6] }, 130_000);
    expect(answered(swarms, 1, { to: 2, offer: 6 }, 250_001)).toBeUndefined();
  });

  test('trackers 68: to an offer that nobody passed to them are dropped', () => {
    const swarms = swarmsOf();
    for (const connection of [1, 3]) deliveries(swarms, connection, { seeding: true });
    deliveries(swarms, 4, { seeding: true, torrent: 1 });
    deliveries(swarms, 2);
    const [found] = deliveries(swarms, 2, { offers: [5] });
    const other = found!.connection === 1 ? 3 : 1;
    expect(answered(swarms, other, { to: 2, offer: 5 })).toBeUndefined();
    expect(answered(swarms, 4, { to: 2, offer: 5, torrent: 1 })).toBeUndefined();
    expect(answered(swarms, 9, { to: 2, offer: 5 })).toBeUndefined();
    expect(answered(swarms, found!.connection, { to: 2, offer: 6 })).toBeUndefined();
    expect(answered(swarms, found!.connection, { to: 2, offer: 5 })).toBeDefined();
  });

  test('trackers 67: under another peer id than the own one are dropped', () => {
    const swarms = swarmsOf();
    deliveries(swarms, 1);
    deliveries(swarms, 2, { offers: [5] });
    expect(answered(swarms, 1, { to: 2, offer: 5, peer: 9 })).toBeUndefined();
    expect(answered(swarms, 1, { to: 2, offer: 5 })).toBeDefined();
  });

  test('trackers 67: do not go to a stranger that claims the peer id of who made the offer', () => {
    const swarms = swarmsOf();
    deliveries(swarms, 1);
    deliveries(swarms, 2, { offers: [5] });
    deliveries(swarms, 3, { peer: 2 });
    expect(answered(swarms, 1, { to: 2, offer: 5 })).toMatchObject({ connection: 2 });
  });

  test('trackers 70: to nobody, or to another than made the offer, are dropped', () => {
    const swarms = swarmsOf();
    deliveries(swarms, 1);
    deliveries(swarms, 2, { offers: [5, 6] });
    expect(answered(swarms, 1, { to: 9, offer: 5 })).toBeUndefined();
  });

  test('to a peer that has left are dropped', () => {
    const swarms = swarmsOf();
    deliveries(swarms, 1);
    deliveries(swarms, 2, { offers: [5] });
    swarms.close(2);
    expect(answered(swarms, 1, { to: 2, offer: 5 })).toBeUndefined();
  });

  test('find their offer as long as there is room for it, and the oldest are forgotten first', () => {
    const swarms = swarmsOf({ maxPendingOffers: 8 });
    for (let connection = 1; connection < 20; connection++) deliveries(swarms, connection);
    for (let connection = 20; connection < 24; connection++) deliveries(swarms, connection);
    const first = deliveries(swarms, 20, { offers: [1, 2, 3, 4] });
    const second = deliveries(swarms, 21, { offers: [11, 12, 13, 14] });
    const passes = (all: typeof first, maker: number, offset: number): boolean[] =>
      all.map(
        ({ connection }, index) => answered(swarms, connection, { to: maker, offer: offset + index }) !== undefined,
      );
    expect(passes(second, 21, 11)).toEqual([true, true, true, true]);
    deliveries(swarms, 22, { offers: [21, 22, 23, 24] });
    deliveries(swarms, 23, { offers: [31, 32, 33, 34] });
    expect(passes(first, 20, 1)).toEqual([false, false, false, false]);
  });

  test('an offer whose id waits at the same member already is not passed on', () => {
    const swarms = swarmsOf();
    deliveries(swarms, 1);
    deliveries(swarms, 2, { seeding: true, offers: [5] });
    expect(deliveries(swarms, 3, { seeding: true, offers: [5] })).toEqual([]);
    expect(answered(swarms, 1, { to: 3, offer: 5 })).toBeUndefined();
  });
});

test('one offer may be made to many, up to a limit, and each may answer it', () => {
  const swarms = swarmsOf();
  for (let connection = 1; connection <= 60; connection++) deliveries(swarms, connection);
  const reached = new Set<number>();
  for (let round = 0; round < 400; round++) {
    for (const { connection } of deliveries(swarms, 0, { offers: [5] })) {
      expect(reached.has(connection)).toBe(false);
      reached.add(connection);
    }
  }
  expect(reached.size).toBe(32);
  for (const connection of reached) {
    expect(answered(swarms, connection, { to: 0, offer: 5 })).toMatchObject({ connection: 0 });
    expect(answered(swarms, connection, { to: 0, offer: 5 })).toBeUndefined();
  }
});

test('limits out of range are mistakes of the caller', () => {
  expect(() => swarmsOf({ maxTorrents: 0 })).toThrow(RangeError);
  expect(() => swarmsOf({ maxPendingOffers: Number.NaN })).toThrow(RangeError);
});
