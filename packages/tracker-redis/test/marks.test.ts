// Who asks for what is new is given that, from a bounded memory; swarms in which nobody asks pay nothing. What a mark is
// good for is in the contract of peer stores.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { RemoteAnswer, StoreAnnounce } from '@shoal/tracker';
import type { RedisStore } from '../src/index.ts';
import { type RedisServer, commandOf, serverProgram, startRedis } from '../src/testing/redis-servers.ts';
import { emptied, peerOf, storeOn } from './support.ts';

const six = (host: number): Uint8Array => new Uint8Array(16).fill(host);

describe.skipIf(serverProgram() === undefined)('needs redis-server or valkey-server: a mark', () => {
  let server: RedisServer;
  let store: RedisStore;
  let now: number;
  beforeAll(async () => {
    server = await startRedis();
    store = await storeOn(server.url, { peerLifetimeMs: () => 60_000, clock: () => now });
  });
  afterAll(async () => {
    await store[Symbol.asyncDispose]();
    await server[Symbol.asyncDispose]();
  });
  beforeEach(async () => {
    now = 1_800_000_000_000;
    await emptied([server]);
  });

  const told = (host: number, more: Partial<StoreAnnounce> = {}): Promise<RemoteAnswer> =>
    store.announce(peerOf({ host, ...more }));
  /** Last bytes of the addresses. */
  const hostsIn = ({ ipv4 }: RemoteAnswer): number[] =>
    Array.from({ length: ipv4.length / 6 }, (_, at) => ipv4[at * 6 + 3]!).toSorted((one, other) => one - other);
  const members = async (): Promise<unknown> =>
    commandOf(server, 'ZCARD', `shoal:${Buffer.from(peerOf().infoHash).toString('hex')}`);

  test('is remembered for the last 256 that joined; who comes with an older one is given everybody', async () => {
    await told(1);
    const { mark } = await told(2, { since: 0 });
    for (let host = 10; host < 266; host++) await told(host, { port: 7000 });
    const news = await told(2, { since: mark, want: 1000 });
    expect([hostsIn(news).length, news.mark]).toEqual([256, mark + 256]);
    await told(300);
    const older = await told(2, { since: mark, want: 1000 });
    expect([hostsIn(older).length, older.mark]).toEqual([258, mark + 257]);
    // Record and address of 259 peers, the numbers of 256, and the last of them.
    expect(await members()).toBe(2 * 259 + 256 + 1);
  });

  test('is not given with a list that is not complete, whether of all or of the new', async () => {
    for (let host = 1; host <= 5; host++) await told(host);
    expect((await told(9, { since: 0, want: 4 })).mark).toBe(0);
    const { mark } = await told(9, { since: 0, want: 6 });
    expect(mark).toBeGreaterThan(0);
    for (let host = 11; host <= 13; host++) await told(host);
    const cut = await told(9, { since: mark, want: 2 });
    expect([hostsIn(cut).length, cut.mark]).toEqual([2, 0]);
    const whole = await told(9, { since: mark, want: 3 });
    expect([hostsIn(whole), whole.mark]).toEqual([[11, 12, 13], mark + 3]);
  });

  test('leaves out whom a list leaves out: seeds for seeds, the silent, those who left, one’s own other address', async () => {
    await told(1);
    const { mark } = await told(2, { since: 0, key: 7, seeding: true });
    await told(3, { seeding: true });
    await told(4, { partial: true });
    await told(5);
    now += 40_000;
    await told(2, { key: 7, seeding: true });
    await told(6);
    await told(7);
    await told(7, { leaving: true });
    await told(2, { address: six(2), key: 7, seeding: true });
    now += 30_000;
    expect(hostsIn(await told(2, { since: mark, key: 7, seeding: true }))).toEqual([6]);
    expect(hostsIn(await told(8, { since: mark, families: 'own' }))).toEqual([6]);
  });

  test('costs nothing where nobody asks, and goes with the peer that joined', async () => {
    await told(1);
    await told(2);
    expect(await members()).toBe(4);
    await told(3, { since: 0 });
    await told(4);
    expect(await members()).toBe(2 * 4 + 2);
    await told(4, { leaving: true });
    expect(await members()).toBe(2 * 3 + 1);
  });

  test('of a swarm that everybody has left means nothing in the next', async () => {
    const { mark } = await told(1, { since: 0 });
    await told(1, { leaving: true });
    await told(2);
    await told(3);
    expect(hostsIn(await told(1, { since: mark }))).toEqual([2, 3]);
  });
});
