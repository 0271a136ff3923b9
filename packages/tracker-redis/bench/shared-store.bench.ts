// What an announce costs over a shared store, beside one in memory: of the store's processor, of ours, and per peer in
// memory. Run: node bench/shared-store.bench.ts [peers] [seconds]. Starts servers of its own; prints figures, asserts nothing.
import { argv, cpuUsage } from 'node:process';
import { MemoryStore, PeerSample, type StoreAnnounce } from '@shoal/tracker';
import { seededRandom } from '@shoal/tracker/testing';
import { RedisStore } from '../src/index.ts';
import { type RedisServer, commandOf, startCluster, startRedis } from '../src/testing/redis-servers.ts';
import { memoryOf, processorOf } from './servers.ts';

const peers = Number(argv[2] ?? 100_000);
const milliseconds = Number(argv[3] ?? 3) * 1000;

/** A swarm of five for most, and one that holds a tenth of all peers. */
const profiles = {
  'swarms of five': (peer: number): number => Math.floor(peer / 5),
  'one large swarm': (): number => 0,
} as const;
type Profile = keyof typeof profiles;

/** Announces under way at once, as a busy tracker has them. */
const depths = [1, 16, 256] as const;

const random = seededRandom(7);
console.log(`${peers} peers, numwant 50, a quarter seeds; ${milliseconds / 1000} s each`);
{
  await using server = await startRedis();
  await measure('one server', [server], server.url);
}
{
  await using cluster = await startCluster();
  await measure('three masters', cluster.masters, cluster.url);
}
compareMemory();

async function measure(name: string, servers: readonly RedisServer[], url: string): Promise<void> {
  for (const profile of Object.keys(profiles) as Profile[]) {
    for (const server of servers) await commandOf(server, 'FLUSHALL');
    await using store = new RedisStore(url, { random });
    await store.ready();
    const empty = await memoryOf(servers);
    await fill(store, profile);
    const bytes = ((await memoryOf(servers)) - empty) / peers;
    console.log(`\n${name}, ${profile}: ${bytes.toFixed(0)} bytes a peer in the store`);
    for (const depth of depths) await load(store, servers, profile, depth);
  }
}

async function fill(store: RedisStore, profile: Profile): Promise<void> {
  for (let peer = 0; peer < peers; peer += 500) {
    await Promise.all(Array.from({ length: 500 }, (_, at) => store.announce(peerOf(profile, peer + at, 0))));
  }
}

async function load(
  store: RedisStore,
  servers: readonly RedisServer[],
  profile: Profile,
  depth: number,
): Promise<void> {
  let announces = 0;
  const times: number[] = [];
  const [storeBefore, ownBefore, began] = [await processorOf(servers), cpuUsage(), performance.now()];
  const worker = async (): Promise<void> => {
    while (performance.now() - began < milliseconds) {
      const asked = performance.now();
      await store.announce(peerOf(profile, Math.floor(random() * peers), 50));
      times.push(performance.now() - asked);
      announces++;
    }
  };
  await Promise.all(Array.from({ length: depth }, worker));
  const own = cpuUsage(ownBefore);
  const seconds = (performance.now() - began) / 1000;
  const storeMicros = ((await processorOf(servers)) - storeBefore) * 1e6;
  times.sort((one, other) => one - other);
  const columns = {
    'under way': depth,
    'a second': Math.round(announces / seconds),
    'µs of the store': (storeMicros / announces).toFixed(1),
    'µs of the tracker': ((own.user + own.system) / announces).toFixed(1),
    'median ms': times[Math.floor(times.length / 2)]?.toFixed(2),
    'p99 ms': times[Math.floor(times.length * 0.99)]?.toFixed(2),
  };
  console.log(
    Object.entries(columns)
      .map(([title, value]) => `${title} ${value}`)
      .join('   '),
  );
}

function compareMemory(): void {
  for (const profile of Object.keys(profiles) as Profile[]) {
    const store = new MemoryStore({ random });
    const sample = new PeerSample(200);
    for (let peer = 0; peer < peers; peer++) store.announce(peerOf(profile, peer, 0), sample, peer);
    const began = cpuUsage();
    for (let turn = 0; turn < 200_000; turn++) {
      store.announce(peerOf(profile, Math.floor(random() * peers), 50), sample, peers + turn);
    }
    const { user, system } = cpuUsage(began);
    console.log(`\nmemory, ${profile}: ${((user + system) / 200_000).toFixed(2)} µs an announce`);
  }
}

function peerOf(profile: Profile, peer: number, want: number): StoreAnnounce {
  const torrent = profiles[profile](peer);
  const infoHash = new Uint8Array(20);
  new DataView(infoHash.buffer).setUint32(0, Math.imul(torrent, 2_654_435_761));
  new DataView(infoHash.buffer).setUint32(16, torrent);
  const peerId = new Uint8Array(20);
  new DataView(peerId.buffer).setUint32(8, peer);
  return {
    infoHash,
    address: Uint8Array.of(1 + (peer >>> 24), peer >>> 16, peer >>> 8, peer),
    port: 6881,
    peerId,
    key: 0,
    formerly: undefined,
    seeding: peer % 4 === 0,
    partial: false,
    leaving: false,
    listing: 'public',
    want,
    families: 'both',
    withPeerIds: false,
    since: undefined,
  };
}
