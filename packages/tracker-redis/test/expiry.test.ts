// Who falls silent is not counted and not drawn from that moment on, and is removed a few at a time.
import { seededRandom } from '@shoal/tracker/testing';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { RedisStore } from '../src/index.ts';
import { type RedisServer, commandOf, serverProgram, startRedis } from '../src/testing/redis-servers.ts';
import { emptied, peerOf } from './support.ts';

describe.skipIf(serverProgram() === undefined)('needs redis-server or valkey-server: silence', () => {
  let server: RedisServer;
  let now: number;
  beforeAll(async () => void (server = await startRedis()));
  afterAll(() => server[Symbol.asyncDispose]());
  beforeEach(async () => {
    now = 1_800_000_000_000;
    await emptied([server]);
  });

  const keyOf = (torrent: number): string => `shoal:${Buffer.from(peerOf({ torrent }).infoHash).toString('hex')}`;

  async function opened(): Promise<RedisStore> {
    const options = { random: seededRandom(1), peerLifetimeMs: () => 60_000, clock: () => now };
    const store = new RedisStore(server.url, options);
    await store.ready();
    return store;
  }

  test('ends the counting and drawing of a peer at once, in large swarms too', async () => {
    await using store = await opened();
    for (let host = 1; host <= 300; host++) await store.announce(peerOf({ host, seeding: host % 2 === 0 }));
    now += 30_000;
    for (let host = 301; host <= 310; host++) await store.announce(peerOf({ host }));
    now += 30_000;
    const { leechers, seeders, ipv4 } = await store.announce(peerOf({ host: 400, want: 200 }));
    expect([leechers, seeders, ipv4.length / 6]).toEqual([11, 0, 10]);
    expect(await store.counts([peerOf().infoHash])).toMatchObject([{ incomplete: 11, complete: 0 }]);
  });

  test('is swept out a few members at a time', async () => {
    await using store = await opened();
    for (let host = 1; host <= 300; host++) await store.announce(peerOf({ host, seeding: host % 2 === 0 }));
    const full = Number(await commandOf(server, 'ZCARD', keyOf(1)));
    now += 61_000;
    const sizes: number[] = [];
    for (let turn = 0; turn < 12; turn++) {
      await store.announce(peerOf({ host: 400 }));
      sizes.push(Number(await commandOf(server, 'ZCARD', keyOf(1))));
    }
    for (const [at, size] of sizes.entries()) expect((at === 0 ? full + 2 : sizes[at - 1]!) - size).toBeLessThan(100);
    // The announcer and its address.
    expect(sizes.at(-1)).toBe(2);
  });

  test('leaves nothing of a small swarm behind either', async () => {
    await using store = await opened();
    for (let host = 1; host <= 5; host++) await store.announce(peerOf({ host }));
    now += 61_000;
    await store.announce(peerOf({ host: 6 }));
    expect(await commandOf(server, 'ZCARD', keyOf(1))).toBe(2);
  });

  test('over one family leaves a participant with its other address, counted before anybody sweeps', async () => {
    await using store = await opened();
    await store.announce(peerOf({ key: 7 }));
    now += 30_000;
    const { leechers } = await store.announce(peerOf({ key: 7, address: new Uint8Array(16).fill(0x20) }));
    expect(leechers).toBe(1);
    now += 31_000;
    expect(await store.counts([peerOf().infoHash])).toMatchObject([{ incomplete: 1 }]);
  });

  test('of everybody frees the key of the swarm', async () => {
    await using store = await opened();
    await store.announce(peerOf());
    const seconds = Number(await commandOf(server, 'TTL', keyOf(1)));
    expect(seconds).toBeGreaterThan(55);
    expect(seconds).toBeLessThanOrEqual(60);
  });

  test('makes room among the ports of an address', async () => {
    const options = { random: () => 0.3, peerLifetimeMs: () => 60_000, clock: () => now, maxPeersPerAddress: 3 };
    await using store = new RedisStore(server.url, options);
    await store.ready();
    const outcomes: string[] = [];
    for (let port = 1; port <= 4; port++) outcomes.push((await store.announce(peerOf({ port }))).outcome);
    expect(outcomes).toEqual(['joined', 'joined', 'joined', 'address-full']);
    expect((await store.announce(peerOf({ port: 2 }))).outcome).toBe('refreshed');
    expect((await store.announce(peerOf({ port: 2, leaving: true }))).outcome).toBe('left');
    expect((await store.announce(peerOf({ port: 4 }))).outcome).toBe('joined');
    now += 61_000;
    // The first to announce finds its own address taken by the silent; it is swept and comes back.
    await store.announce(peerOf({ port: 9 }));
    expect((await store.announce(peerOf({ port: 9 }))).leechers).toBe(1);
  });

  test('of keys is forgotten too: what is remembered of them does not grow with announces', async () => {
    await using store = await opened();
    const sizes: number[] = [];
    for (let round = 0; round < 20; round++) {
      for (let key = 1; key <= 20; key++) await store.announce(peerOf({ host: 1, key: round * 20 + key }));
      now += 50_000;
      await store.announce(peerOf({ host: 1 }));
      sizes.push(Number(await commandOf(server, 'ZCARD', keyOf(1))));
    }
    // 60 keys in two minutes, as many that are old, and the peer.
    expect(Math.max(...sizes)).toBeLessThan(140);
  });
});
