import { describe, expect, test } from 'vitest';
import {
  type AnnounceOutcome,
  MemoryStore,
  type MemoryStoreOptions,
  PeerSample,
  type StoreAnnounce,
} from '@shoal/tracker';
import { mulberry32 } from './random.ts';

const sample = new PeerSample(200);

function storeOf(options: Partial<MemoryStoreOptions> = {}): MemoryStore {
  return new MemoryStore({ random: mulberry32(1), ...options });
}

/** Announces peer number `peer`: its number is its address. */
function join(store: MemoryStore, peer: number, more: Partial<StoreAnnounce> = {}, now = 0): AnnounceOutcome {
  const address = Uint8Array.of(peer >>> 24, peer >>> 16, peer >>> 8, peer);
  const peerId = new Uint8Array(20);
  const infoHash = new Uint8Array(20);
  return store.announce(
    {
      infoHash,
      address,
      port: 6881,
      peerId,
      key: 0,
      formerly: undefined,
      seeding: false,
      partial: false,
      leaving: false,
      listing: 'public',
      want: 50,
      families: 'both',
      withPeerIds: false,
      since: undefined,
      ...more,
    },
    sample,
    now,
  );
}

describe('growth and shrinking', () => {
  test('a swarm larger than a page keeps every member, draws from all of it and shrinks again', () => {
    const store = storeOf();
    const size = 150_000;
    for (let peer = 0; peer < size; peer++) join(store, peer, { seeding: peer % 4 === 0, want: 0 });
    expect(store.counts(new Uint8Array(20))).toMatchObject({
      complete: size / 4,
      incomplete: (size * 3) / 4,
      downloaded: 0,
    });
    const seen = new Set<number>();
    for (let round = 0; round < 3000; round++) {
      join(store, 1);
      for (let at = 0; at < sample.ipv4.count; at++)
        seen.add(new DataView(sample.ipv4.records.buffer).getUint32(at * 6));
    }
    // 3000 × 50 draws of 149,999: 1 - 1/e of them are expected to be met.
    expect(seen.size).toBeGreaterThan(size * 0.62);
    expect(seen.size).toBeLessThan(size * 0.645);
    for (let peer = 0; peer < size - 10; peer++) join(store, peer, { leaving: true });
    join(store, size - 1);
    expect(sample.ipv4.count).toBe(9);
    for (let peer = size - 10; peer < size; peer++) expect(join(store, peer, { leaving: true })).toBe('left');
    expect(store.totals.torrents).toBe(0);
  });

  test('swarms that swing around a power of two keep their members', () => {
    const store = storeOf();
    for (let round = 0; round < 50; round++) {
      for (let peer = 0; peer < 70; peer++) join(store, peer);
      for (let peer = 5; peer < 70; peer++) join(store, peer, { leaving: true });
      join(store, 0);
      expect(new Set(listed()).size).toBe(4);
    }
  });

  test('fifty thousand torrents come, are found and go', () => {
    const store = storeOf();
    const hashOf = (torrent: number): Uint8Array => new Uint8Array(20).fill(torrent & 0xff).fill(torrent >> 8, 0, 10);
    for (let torrent = 0; torrent < 50_000; torrent++) join(store, 1, { infoHash: hashOf(torrent) });
    expect(store.totals).toMatchObject({ torrents: 50_000, ipv4Peers: 50_000 });
    for (let torrent = 0; torrent < 50_000; torrent += 999) expect(store.counts(hashOf(torrent))?.incomplete).toBe(1);
    while (store.expire(0, 1000) > 0);
    expect(store.totals).toMatchObject({ torrents: 0, ipv4Peers: 0 });
    expect(join(store, 1, { infoHash: hashOf(7) })).toBe('joined');
  });
});

describe('bounds', () => {
  test('who leaves one list in each piece of memory, size after size, finds the store full before memory ends', () => {
    const most = 8192;
    const store = storeOf({ maxPeers: most });
    const outcomes = new Set<AnnounceOutcome>();
    const announce = (torrent: number, members: number, leaving: boolean): void => {
      const infoHash = new Uint8Array(20);
      new DataView(infoHash.buffer).setUint32(0, torrent);
      for (let port = 1; port <= members; port++)
        outcomes.add(join(store, 0, { infoHash, address: new Uint8Array(16), port, want: 0, leaving }));
    };
    let torrents = 0;
    for (const size of [1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 14, 16, 20, 24, 28, 32]) {
      const first = torrents;
      for (; store.totals.leechers + size <= most && !outcomes.has('store-full'); torrents++)
        announce(torrents, size, false);
      // As many as lie side by side.
      const apart = Math.floor(3276 / size);
      for (let torrent = first; torrent < torrents; torrent++)
        if ((torrent - first) % apart > 0) announce(torrent, size, true);
    }
    expect(outcomes).toContain('store-full');
    expect(store.totals.leechers).toBeLessThan(most / 8);
    store.expire(1, Infinity);
    expect(store.totals.torrents).toBe(0);
    expect(join(store, 1)).toBe('joined');
  });

  test('a full store answers newcomers without listing them and keeps serving the listed', () => {
    const store = storeOf({ maxPeers: 3 });
    for (let peer = 0; peer < 3; peer++) expect(join(store, peer)).toBe('joined');
    expect(join(store, 3)).toBe('store-full');
    expect(listed()).toHaveLength(3);
    expect(join(store, 4, { infoHash: new Uint8Array(20).fill(1) })).toBe('store-full');
    expect(store.totals).toMatchObject({ torrents: 1, ipv4Peers: 3 });
    expect(join(store, 1)).toBe('refreshed');
    join(store, 0, { leaving: true });
    expect(join(store, 3)).toBe('joined');
  });

  test('one address lists no more ports in a swarm than allowed, and as many in another', () => {
    const store = storeOf({ maxPeersPerAddress: 16 });
    const outcomes = Array.from({ length: 20 }, (_, port) => join(store, 9, { port: 1000 + port }));
    expect(outcomes.filter((outcome) => outcome === 'joined')).toHaveLength(16);
    expect(outcomes.slice(16)).toEqual(Array(4).fill('address-full'));
    expect(join(store, 9, { port: 1003 })).toBe('refreshed');
    expect(join(store, 10, { port: 1017 })).toBe('joined');
    expect(join(store, 9, { port: 1017, infoHash: new Uint8Array(20).fill(1) })).toBe('joined');
    join(store, 9, { port: 1000, leaving: true });
    expect(join(store, 9, { port: 1017 })).toBe('joined');
  });

  test.each([{ maxPeers: 0 }, { maxPeers: 2 ** 28 }, { maxPeersPerAddress: 0 }, { maxPeersPerAddress: 2000 }])(
    'refuses %j',
    (options) => {
      expect(() => storeOf(options)).toThrow(RangeError);
    },
  );
});

test('addresses are met in one torrent, however alike two info-hashes begin', () => {
  const store = storeOf();
  const [one, other] = [new Uint8Array(20).fill(9), new Uint8Array(20).fill(9)];
  other[19] = 1;
  const address = new Uint8Array(16).fill(7);
  expect(join(store, 1, { infoHash: one, key: 5 })).toBe('joined');
  expect(join(store, 1, { infoHash: other, key: 5, address })).toBe('joined');
  expect([store.counts(one)?.incomplete, store.counts(other)?.incomplete]).toEqual([1, 1]);
  expect(join(store, 1, { infoHash: one, key: 5, address })).toBe('joined');
  expect([store.counts(one)?.incomplete, store.counts(other)?.incomplete]).toEqual([1, 1]);
});

test('clients of two families are met among thousands that announce at once, and leave nothing behind', () => {
  const store = storeOf();
  const peerIdOf = (peer: number): Uint8Array => new Uint8Array(20).fill(peer & 255).fill(peer >> 8, 10);
  const six = (peer: number): Uint8Array =>
    new Uint8Array(16)
      .fill(1)
      .fill(peer & 255, 14)
      .fill(peer >> 8, 15);
  const peers = 20_000;
  // The second address comes a hundred announces after the first.
  for (let peer = 0; peer < peers + 100; peer++) {
    if (peer < peers) join(store, peer, { key: peer + 1, peerId: peerIdOf(peer), want: 0 });
    const late = peer - 100;
    if (late >= 0) join(store, 0, { key: late + 1, peerId: peerIdOf(late), address: six(late), want: 0 });
  }
  expect(store.totals).toMatchObject({ ipv4Peers: peers, ipv6Peers: peers });
  // The cache is made anew whenever it has become too small, nine times on the way: who was just in it is met later.
  expect(store.totals.leechers).toBeLessThan(peers * 1.06);
  for (let peer = 0; peer < peers; peer++) {
    join(store, peer, { key: peer + 1, peerId: peerIdOf(peer), want: 0 });
    join(store, 0, { key: peer + 1, peerId: peerIdOf(peer), address: six(peer), want: 0 });
  }
  expect(store.totals.leechers).toBe(peers);
  while (store.expire(0, 1000) > 0);
  expect(store.totals).toEqual({
    torrents: 0,
    seeders: 0,
    leechers: 0,
    ipv4Peers: 0,
    ipv6Peers: 0,
    ipv4Seeds: 0,
    ipv6Seeds: 0,
  });
});

test('a clock that is handed in out of order neither loses nor keeps anyone for ever', () => {
  const store = storeOf();
  join(store, 1, {}, 9000);
  join(store, 2, {}, 4000);
  expect(store.oldest).toBe(9000);
  expect(store.expire(9000, 10)).toBe(2);
});

function listed(): string[] {
  const { count, records } = sample.ipv4;
  return Array.from({ length: count }, (_, at) => records.subarray(at * 6, at * 6 + 6).join('.'));
}
