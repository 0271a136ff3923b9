// The contract of peer stores, over one server and over a cluster of three masters.
import { peerStoreContract, seededRandom } from '@shoal/tracker/testing';
import { afterAll, beforeAll, describe, test } from 'vitest';
import {
  type RedisCluster,
  type RedisServer,
  serverProgram,
  startCluster,
  startRedis,
} from '../src/testing/redis-servers.ts';
import { emptied, runCase, storeOn } from './support.ts';

const cases = peerStoreContract
  // It has a clock of its own.
  .filter(({ needs }) => !needs.includes('clock'))
  .map((entry, index) => [entry.name, entry, index] as const);

describe.skipIf(serverProgram() === undefined)('needs redis-server or valkey-server: the store in Redis', () => {
  let server: RedisServer;
  beforeAll(async () => void (server = await startRedis()));
  afterAll(() => server[Symbol.asyncDispose]());

  test.each(cases)('alone: %s', async (_name, entry, index) => {
    await emptied([server]);
    await using store = await storeOn(server.url, { random: seededRandom(index + 1) });
    await runCase(entry, store);
  });
});

describe.skipIf(serverProgram() === undefined)('needs redis-server or valkey-server: the store in a cluster', () => {
  let cluster: RedisCluster;
  beforeAll(async () => void (cluster = await startCluster()));
  afterAll(() => cluster[Symbol.asyncDispose]());

  test.each(cases)('three masters: %s', async (_name, entry, index) => {
    await emptied(cluster.masters);
    await using store = await storeOn(cluster.url, { random: seededRandom(index + 1) });
    await runCase(entry, store);
  });
});
