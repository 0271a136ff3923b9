// WebTorrent peers of several nodes: who is counted and drawn, until when, and what nodes hand to each other.
import { type RemoteMember, encodeMemberName } from '@shoal/tracker';
import { memberStoreContract, seededRandom } from '@shoal/tracker/testing';
import { idText } from '@shoal/tracker-protocol';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { RedisStore } from '../src/index.ts';
import {
  type RedisCluster,
  type RedisServer,
  commandOf,
  serverProgram,
  startCluster,
  startRedis,
} from '../src/testing/redis-servers.ts';
import { emptied, peerOf, storeOn } from './support.ts';

const infoHash = peerOf().infoHash;

function memberOf(connection: number, told: Partial<RemoteMember> = {}): RemoteMember {
  const name = encodeMemberName({ node: 'one node', connection, peerId: idText(new Uint8Array(20).fill(7)) });
  return { infoHash, name, seeding: false, leaving: false, want: 0, lifetimeMs: 60_000, ...told };
}

/** Numbers of the connections among those drawn. */
const connectionsIn = (drawn: Uint8Array): number[] =>
  Array.from({ length: drawn.length / 34 }, (_, at) => drawn[at * 34 + 13]!).toSorted((one, other) => one - other);

describe.skipIf(serverProgram() === undefined)('needs redis-server or valkey-server: members in a cluster', () => {
  let cluster: RedisCluster;
  beforeAll(async () => void (cluster = await startCluster()));
  afterAll(() => cluster[Symbol.asyncDispose]());

  test.each(memberStoreContract.map((entry, index) => [entry.name, entry, index] as const))(
    'three masters: %s',
    async (_name, entry, index) => {
      await emptied(cluster.masters);
      await using store = await storeOn(cluster.url, { random: seededRandom(index + 1) });
      const questions = entry.dialogue();
      for (let next = questions.next(); next.done !== true;)
        next = questions.next(await store.signalling.announce(next.value));
    },
  );

  test('batches arrive at their node alone, in order, whichever master has its inbox', async () => {
    await using store = await storeOn(cluster.url);
    const nodes = ['node 001', 'node 002', 'node 003', 'node 004'];
    const arrived = new Map<string, number[]>(nodes.map((node) => [node, []]));
    const listening = nodes.map((node) =>
      store.signalling.listen(node, (batch) => void arrived.get(node)!.push(...batch)),
    );
    for (let count = 0; count < 40; count++) {
      const [node = ''] = nodes.splice(0, 1);
      nodes.push(node);
      expect(await store.signalling.hand(node, Uint8Array.of(count))).toBe('taken');
    }
    for (const [at, node] of nodes.entries()) {
      const expected = Array.from({ length: 10 }, (_, round) => round * 4 + at);
      await expect.poll(() => arrived.get(node), { timeout: 5000 }).toEqual(expected);
    }
    for (const one of listening) one[Symbol.dispose]();
  });
});

describe.skipIf(serverProgram() === undefined)('needs redis-server or valkey-server: members in one server', () => {
  let server: RedisServer;
  let now: number;
  beforeAll(async () => void (server = await startRedis()));
  afterAll(() => server[Symbol.asyncDispose]());
  beforeEach(async () => {
    now = 1_800_000_000_000;
    await emptied([server]);
  });

  async function opened(): Promise<RedisStore> {
    return storeOn(server.url, { peerLifetimeMs: () => 600_000, clock: () => now });
  }

  test('are counted with all other peers, by every way of asking, and not among those that can be dialled', async () => {
    await using store = await opened();
    const { signalling } = store;
    await store.announce(peerOf({ host: 1, seeding: true }));
    await signalling.announce(memberOf(1));
    expect(await signalling.announce(memberOf(2, { seeding: true }))).toMatchObject({ seeders: 2, leechers: 1 });
    const answer = await store.announce(peerOf({ host: 2 }));
    expect(answer).toMatchObject({ seeders: 2, leechers: 2, signalled: 2 });
    expect(answer.ipv4).toHaveLength(6);
    expect(await store.counts([infoHash])).toMatchObject([{ complete: 2, incomplete: 2 }]);
    expect(await store.totals()).toEqual({
      torrents: 1,
      seeders: 2,
      leechers: 2,
      ipv4Peers: 2,
      ipv6Peers: 0,
      ipv4Seeds: 1,
      ipv6Seeds: 0,
      signalled: { torrents: 1, seeders: 1, leechers: 1 },
    });
  });

  test.each([
    ['small', 3],
    ['large', 40],
  ])('of a node that died are gone when their time is over, in a %s swarm', async (_, others) => {
    await using store = await opened();
    const { signalling } = store;
    for (let host = 1; host <= others; host++) await store.announce(peerOf({ host }));
    for (let connection = 1; connection <= 3; connection++) {
      await signalling.announce(memberOf(connection, { lifetimeMs: connection * 10_000 }));
    }
    const asked = memberOf(9, { want: 10, lifetimeMs: 1000 });
    const counted: unknown[] = [];
    for (let turn = 0; turn < 4; turn++) {
      const { leechers, drawn } = await signalling.announce(asked);
      const [scraped] = await store.counts([infoHash]);
      counted.push([leechers - others, connectionsIn(drawn), scraped!.incomplete - others]);
      now += 10_000;
    }
    expect(counted).toEqual([
      [4, [1, 2, 3], 4],
      [3, [2, 3], 3],
      [2, [3], 2],
      [1, [], 1],
    ]);
  });

  test('are swept out of the store as well', async () => {
    await using store = await opened();
    for (let connection = 1; connection <= 100; connection++) await store.signalling.announce(memberOf(connection));
    now += 61_000;
    for (let turn = 0; turn < 10; turn++) await store.signalling.announce(memberOf(200));
    expect(await commandOf(server, 'ZCARD', `shoal:${Buffer.from(infoHash).toString('hex')}`)).toBe(1);
  });

  test('leave no key behind when the last one leaves, and one that lasts as long as peers may be silent else', async () => {
    await using store = await opened();
    await store.signalling.announce(memberOf(1));
    const key = `shoal:${Buffer.from(infoHash).toString('hex')}`;
    expect(await commandOf(server, 'TTL', key)).toBeGreaterThan(590);
    await store.signalling.announce(memberOf(1, { leaving: true }));
    expect(await commandOf(server, 'EXISTS', key)).toBe(0);
  });

  test('are all that stays when the last peer that can be dialled leaves', async () => {
    await using store = await opened();
    await store.announce(peerOf());
    await store.signalling.announce(memberOf(1));
    expect(await store.announce(peerOf({ leaving: true }))).toMatchObject({ leechers: 1, signalled: 1 });
    expect(await store.counts([infoHash])).toMatchObject([{ incomplete: 1 }]);
  });

  test('a node that does not read for five seconds is gone, and nothing more is put into its inbox', async () => {
    await using store = await opened();
    const { signalling } = store;
    const outcomes: string[] = [];
    for (const ms of [0, 5000, 1000, 0]) {
      now += ms;
      outcomes.push(await signalling.hand('one node', Uint8Array.of(1)));
    }
    expect(outcomes).toEqual(['taken', 'taken', 'gone', 'gone']);
    const inbox = `shoal:node:${Buffer.from('one node').toString('hex')}`;
    expect(await commandOf(server, 'TTL', inbox)).toBeGreaterThan(50);

    const arrived: number[] = [];
    using _listening = signalling.listen('one node', (batch) => void arrived.push(...batch));
    await expect.poll(() => arrived, { timeout: 5000 }).toEqual([1, 1]);
    expect(await signalling.hand('one node', Uint8Array.of(2))).toBe('taken');
  });

  test('an inbox takes a bounded number of batches', async () => {
    await using store = await opened();
    const outcomes = await Promise.all(Array.from({ length: 130 }, () => store.signalling.hand('one node', infoHash)));
    expect(outcomes.filter((outcome) => outcome === 'taken')).toHaveLength(128);
    expect(outcomes.at(-1)).toBe('full');
  });

  test('an inbox is read again when the server is back', async () => {
    const own = await startRedis();
    await using store = await storeOn(own.url);
    const arrived: number[] = [];
    using _listening = store.signalling.listen('one node', (batch) => void arrived.push(...batch));
    await store.signalling.hand('one node', Uint8Array.of(1));
    await expect.poll(() => arrived, { timeout: 5000 }).toEqual([1]);
    await own.stop();
    await own.start();
    const handed = async (): Promise<string> =>
      store.signalling.hand('one node', Uint8Array.of(2)).catch(() => 'unavailable');
    await expect.poll(handed, { timeout: 5000 }).toBe('taken');
    await expect.poll(() => arrived, { timeout: 5000 }).toEqual([1, 2]);
    await own[Symbol.asyncDispose]();
  });
});
