// Who is at an address now is not who was there before: what the one said is not held for the other.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { RedisStore } from '../src/index.ts';
import { type RedisServer, serverProgram, startRedis } from '../src/testing/redis-servers.ts';
import { emptied, peerOf, storeOn } from './support.ts';

const six = new Uint8Array(16).fill(0x20);
const self = { key: 7, peerId: new Uint8Array(20).fill(1) };
const stranger = { key: 0, peerId: new Uint8Array(20).fill(2) };

describe.skipIf(serverProgram() === undefined)('needs redis-server or valkey-server: a stranger at an address', () => {
  let server: RedisServer;
  let store: RedisStore;
  beforeAll(async () => {
    server = await startRedis();
    store = await storeOn(server.url);
  });
  afterAll(async () => {
    await store[Symbol.asyncDispose]();
    await server[Symbol.asyncDispose]();
  });
  beforeEach(() => emptied([server]));

  const leechers = async (): Promise<number | undefined> => (await store.counts([peerOf().infoHash]))[0]?.incomplete;

  test('is not the participant whose key was heard from there a moment ago', async () => {
    await store.announce(peerOf({ ...self, address: six }));
    await store.announce(peerOf({ ...stranger, address: six }));
    await store.announce(peerOf(self));
    expect(await leechers()).toBe(2);
  });

  test('ends a participant of two addresses, which is one again when it is back', async () => {
    await store.announce(peerOf(self));
    await store.announce(peerOf({ ...self, address: six }));
    expect(await leechers()).toBe(1);
    await store.announce(peerOf({ ...stranger, address: six }));
    expect(await leechers()).toBe(2);
    await store.announce(peerOf({ ...self, address: six }));
    expect(await leechers()).toBe(1);
  });

  test('is given out under its own peer id', async () => {
    await store.announce(peerOf(self));
    await store.announce(peerOf(stranger));
    const { ipv4Ids } = await store.announce(peerOf({ host: 2, withPeerIds: true }));
    expect([...ipv4Ids]).toEqual([...stranger.peerId]);
  });
});
