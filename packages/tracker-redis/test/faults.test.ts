// What happens to announces when servers die, hang, forget, fill up, or hand over to their replicas.
import { readFile } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { RedisStore, TrackerRedisError } from '../src/index.ts';
import {
  type RedisCluster,
  type RedisServer,
  serverProgram,
  startCluster,
  startRedis,
} from '../src/testing/redis-servers.ts';
import { clientOf, peerOf, storeOn } from './support.ts';

/** The code of the failure of an announce; undefined when it succeeds. */
async function failureOf(store: RedisStore, torrent = 1): Promise<string | undefined> {
  try {
    await store.announce(peerOf({ torrent }));
    return undefined;
  } catch (error) {
    if (error instanceof TrackerRedisError) return error.code;
    throw error;
  }
}

/** Announces until it succeeds again; a test that waits for ever fails by its time limit. */
async function untilServed(store: RedisStore, torrents: readonly number[] = [1]): Promise<void> {
  for (const torrent of torrents) while ((await failureOf(store, torrent)) !== undefined) await pause(20);
}

describe.skipIf(serverProgram() === undefined)('needs redis-server or valkey-server: one server', () => {
  let server: RedisServer;
  let store: RedisStore;
  beforeEach(async () => {
    server = await startRedis();
    store = await storeOn(server.url);
  });
  afterEach(async () => {
    await store[Symbol.asyncDispose]();
    await server[Symbol.asyncDispose]();
  });

  test('is away at once when it dies, and serves again by itself when it is back, functions and all', async () => {
    await store.announce(peerOf());
    await server.stop();
    const began = performance.now();
    expect(await failureOf(store)).toBe('unavailable');
    expect(await failureOf(store)).toBe('unavailable');
    expect(performance.now() - began).toBeLessThan(500);
    await server.start();
    await untilServed(store);
    expect(await store.counts([peerOf().infoHash])).toMatchObject([{ incomplete: 1 }]);
  });

  test('does not need to be there at the start', async () => {
    await server.stop();
    await store[Symbol.asyncDispose]();
    store = new RedisStore(server.url, { random: () => 0.5 });
    expect(await failureOf(store)).toBe('unavailable');
    await server.start();
    await untilServed(store);
  });

  test('gets its functions back when it has lost them, once for everybody who waits', async () => {
    await store.announce(peerOf());
    await using client = clientOf(server);
    await client.function('FLUSH');
    await client.config('RESETSTAT');
    const outcomes = await Promise.all(Array.from({ length: 50 }, (_, at) => store.announce(peerOf({ host: at + 2 }))));
    expect(outcomes.map(({ outcome }) => outcome)).toEqual(Array.from({ length: 50 }, () => 'joined'));
    expect(await client.info('commandstats')).toMatch(/cmdstat_function\|load:calls=1,/);
  });

  test('counts as away when it says nothing for a second', async () => {
    await store.announce(peerOf());
    server.freeze();
    const began = performance.now();
    const failures = await Promise.all([failureOf(store), failureOf(store)]);
    expect(failures).toEqual(['unavailable', 'unavailable']);
    expect(performance.now() - began).toBeLessThan(2500);
    server.thaw();
    await untilServed(store);
  });

  test('answers without listing when it has no room left', async () => {
    for (let host = 1; host <= 5; host++) await store.announce(peerOf({ host }));
    await using client = clientOf(server);
    await client.config('SET', 'maxmemory', '1');
    const { outcome, leechers, ipv4 } = await store.announce(peerOf({ host: 6 }));
    expect([outcome, leechers, ipv4.length / 6]).toEqual(['store-full', 5, 5]);
    expect(await store.counts([peerOf().infoHash])).toMatchObject([{ incomplete: 5 }]);
    await client.config('SET', 'maxmemory', '0');
    expect((await store.announce(peerOf({ host: 6 }))).outcome).toBe('joined');
  });

  test('keeps one secret for everybody who asks', async () => {
    await using other = await storeOn(server.url);
    const [one, two] = [new Uint8Array(16).fill(1), new Uint8Array(16).fill(2)];
    expect(await store.sharedSecret(one)).toEqual(one);
    expect(await other.sharedSecret(two)).toEqual(one);
    expect(await store.totals()).toMatchObject({ torrents: 0 });
  });

  test('needs no more rights than the README says', async () => {
    const readme = await readFile(new URL('../README.md', import.meta.url), 'utf8');
    const rights = /Users need `([^`]+)`/.exec(readme)?.[1]?.split(' ') ?? [];
    await using client = clientOf(server);
    await client.call('ACL', 'SETUSER', 'tracker', 'on', '>pass', '~shoal:*', 'resetchannels', '-@all', ...rights);
    await using friend = await storeOn(server.url.replace('//', '//tracker:pass@'));
    for (let host = 1; host <= 60; host++) {
      await friend.announce(peerOf({ host, key: host, seeding: host % 2 === 0 }));
      await friend.announce(peerOf({ host, key: host, address: new Uint8Array(16).fill(host) }));
    }
    await friend.announce(peerOf({ host: 1, leaving: true }));
    expect(await friend.totals()).toMatchObject({ torrents: 1, ipv4Peers: 59, ipv6Peers: 60 });
    expect(await friend.sharedSecret(new Uint8Array(16))).toHaveLength(16);
    for (let host = 61; host <= 62; host++) await friend.announce(peerOf({ host, since: 0, want: 200 }));
    const name = new Uint8Array(34);
    const member = { infoHash: peerOf().infoHash, name, seeding: false, want: 5, lifetimeMs: 1000 };
    for (const leaving of [false, true]) await friend.signalling.announce({ ...member, leaving });
    let batches = 0;
    using _listening = friend.signalling.listen('one node', () => batches++);
    expect(await friend.signalling.hand('one node', name)).toBe('taken');
    await expect.poll(() => batches).toBe(1);
  });

  test('says so when it refuses us', async () => {
    await using client = clientOf(server);
    await client.config('SET', 'requirepass', 'secret');
    await using stranger = new RedisStore(server.url.replace('//', '//:wrong@'), { random: () => 0.5 });
    await expect.poll(() => failureOf(stranger)).toBe('refused');
    await using friend = await storeOn(server.url.replace('//', '//:secret@'));
    expect(await failureOf(friend)).toBeUndefined();
  });

  test('sends the announces of one moment in one round trip', async () => {
    await store.announce(peerOf());
    await using client = clientOf(server);
    const reads = async (): Promise<number> =>
      Number(/total_reads_processed:(\d+)/.exec(await client.info('stats'))?.[1]);
    const before = await reads();
    await Promise.all(Array.from({ length: 100 }, (_, at) => store.announce(peerOf({ host: at }))));
    // One for the announces, one or two more where they do not fit one read of 16 KiB, and the question itself.
    expect((await reads()) - before).toBeLessThan(10);
  });
});

describe.skipIf(serverProgram() === undefined)('needs redis-server or valkey-server: a cluster with replicas', () => {
  let cluster: RedisCluster;
  let store: RedisStore;
  beforeAll(async () => {
    cluster = await startCluster({ replicas: true });
    store = await storeOn(cluster.url);
  });
  afterAll(async () => {
    await store[Symbol.asyncDispose]();
    await cluster[Symbol.asyncDispose]();
  });

  test('follows swarms that move from one master to another', async () => {
    const torrents = Array.from({ length: 30 }, (_, at) => at + 1);
    await Promise.all(torrents.map((torrent) => store.announce(peerOf({ torrent, host: 2 }))));
    await using from = clientOf(cluster.masters[0]!);
    await using to = clientOf(cluster.masters[1]!);
    const [source, target] = [String(await from.call('CLUSTER', 'MYID')), String(await to.call('CLUSTER', 'MYID'))];
    for (let slot = 0; slot < 5461; slot++) {
      const keys = (await from.call('CLUSTER', 'GETKEYSINSLOT', `${slot}`, '10')) as string[];
      if (keys.length === 0) continue;
      await to.call('CLUSTER', 'SETSLOT', `${slot}`, 'IMPORTING', source);
      await from.call('CLUSTER', 'SETSLOT', `${slot}`, 'MIGRATING', target);
      await from.call('MIGRATE', '127.0.0.1', `${cluster.masters[1]!.port}`, '', '0', '1000', 'KEYS', ...keys);
      // In the middle of a move the old master asks to ask the new one.
      await Promise.all(torrents.map((torrent) => store.announce(peerOf({ torrent, host: 3 }))));
      for (const client of [to, from]) await client.call('CLUSTER', 'SETSLOT', `${slot}`, 'NODE', target);
    }
    await Promise.all(torrents.map((torrent) => store.announce(peerOf({ torrent, host: 4 }))));
    const counts = await store.counts(torrents.map((torrent) => peerOf({ torrent }).infoHash));
    expect(counts.map((entry) => entry?.incomplete)).toEqual(torrents.map(() => 3));
  });

  test('loses nobody when a master dies: its replica goes on, and the others never stop', async () => {
    const torrents = Array.from({ length: 60 }, (_, at) => at + 101);
    await Promise.all(torrents.map((torrent) => store.announce(peerOf({ torrent, host: 2 }))));
    // What a replica has not yet heard of is lost with its master.
    for (const master of cluster.masters) {
      await using client = clientOf(master);
      await client.wait(1, 5000);
    }
    // As many inboxes as make sure that the master has one.
    const nodes = Array.from({ length: 12 }, (_, at) => `node ${at + 101}`);
    const reached = new Set<string>();
    const listening = nodes.map((node) => store.signalling.listen(node, () => void reached.add(node)));
    await cluster.masters[0]!.stop();
    const failures = await Promise.all(torrents.map((torrent) => failureOf(store, torrent)));
    const served = failures.filter((failure) => failure === undefined).length;
    expect(served).toBeGreaterThan(20);
    expect(served).toBeLessThan(60);
    await untilServed(store, torrents);
    const counts = await store.counts(torrents.map((torrent) => peerOf({ torrent }).infoHash));
    expect(counts.map((entry) => entry?.incomplete)).toEqual(torrents.map(() => 2));

    // Every inbox is read at its new master.
    const handed = async (): Promise<number> => {
      const waiting = nodes.filter((node) => !reached.has(node));
      await Promise.allSettled(waiting.map((node) => store.signalling.hand(node, Uint8Array.of(1))));
      return reached.size;
    };
    await expect.poll(handed, { timeout: 10_000 }).toBe(nodes.length);
    for (const one of listening) one[Symbol.dispose]();
  });
});
