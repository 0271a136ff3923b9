import { Picker } from '@shoal/picker';
import { Bitfield, geometryOf } from '@shoal/pieces';
import { describe, expect, test } from 'vitest';
import { Demand } from '../src/demand.ts';
import { resolveOptions } from '../src/options.ts';
import { PeerList } from '../src/peers.ts';
import { Progress } from '../src/progress.ts';
import { Swarm } from '../src/swarm.ts';
import { Host, idOf, infoHash, randomOf, World } from './harness.ts';
import { Remote } from './remote.ts';

const block = 16_384;
const geometry = geometryOf(64 * 65_536, 65_536);

const served = (host: Host, world: World): number =>
  host.torrent.snapshot(world.now).peers.filter(({ amChoking }) => !amChoking).length;

const outstanding = (host: Host, world: World): number[] =>
  host.torrent.snapshot(world.now).peers.map(({ outstandingRequests }) => outstandingRequests);

/** An interested peer with `blocks` requests, whose blocks nobody sends on. */
function busyTaker(world: World, host: Host, peer: number, blocks: number): Remote {
  const remote = new Remote(world, host, peer, { fast: true });
  remote.say({ type: 'have-none' }, { type: 'interested' });
  for (let at = 0; at < blocks; at++)
    remote.say({ type: 'request', piece: at >> 2, begin: (at & 3) * block, length: block });
  return remote;
}

describe('an upload limit', () => {
  test('of 10 KB/s lets one block go at a time, so that all others can still be cancelled and choked', () => {
    const world = new World();
    const host = world.add(new Host({ id: 1, have: 'all', geometry, uploadBytesPerSecond: 10_000 }));
    host.reads = 'silent';
    const taker = busyTaker(world, host, 90, 10);
    expect(host.torrent.snapshot(world.now).peers).toMatchObject([{ queuedRequests: 9 }]);
    host.handle({ type: 'uploaded', peer: 90, bytes: block }, world.now);
    expect(host.torrent.snapshot(world.now).peers).toMatchObject([{ queuedRequests: 8 }]);
    taker.heard();
    host.handle({ type: 'suspended', reason: 'test' }, world.now);
    expect(taker.heard().filter(({ type }) => type === 'reject')).toHaveLength(8);
  });

  test('of 1 MB/s hands at most half a second of it to the driver for one peer, and a quarter of that for each of four', () => {
    const world = new World();
    const host = world.add(new Host({ id: 1, have: 'all', geometry, uploadBytesPerSecond: 1_000_000 }));
    host.reads = 'silent';
    busyTaker(world, host, 90, 100);
    const [alone] = host.torrent.snapshot(world.now).peers;
    const handed = (100 - (alone?.queuedRequests ?? 0)) * block;
    expect(handed).toBeGreaterThanOrEqual(64 * 1024);
    expect(handed).toBeLessThanOrEqual(500_000);
    for (const peer of [91, 92, 93]) busyTaker(world, host, peer, 100);
    const last = host.torrent.snapshot(world.now).peers.at(-1);
    expect((100 - (last?.queuedRequests ?? 0)) * block).toBeLessThanOrEqual(125_000);
  });

  test.each([
    [5000, 2],
    [20_000, 4],
    [1_000_000, 24],
    [Infinity, 4],
  ])('of %f bytes/s decides the number of slots, unless that is given: %i', (uploadBytesPerSecond, slots) => {
    const world = new World();
    const host = world.add(new Host({ id: 1, have: 'all', geometry, uploadBytesPerSecond }));
    const fixed = world.add(new Host({ id: 2, have: 'all', geometry, uploadBytesPerSecond, uploadSlots: 3 }));
    for (let peer = 90; peer < 120; peer++) for (const each of [host, fixed]) busyTaker(world, each, peer, 0);
    expect(served(host, world)).toBe(slots);
    expect(served(fixed, world)).toBe(3);
  });

  test('that changes changes the slots', () => {
    const world = new World();
    const host = world.add(new Host({ id: 1, have: 'all', geometry }));
    for (let peer = 90; peer < 100; peer++) busyTaker(world, host, peer, 0);
    expect(served(host, world)).toBe(4);
    host.handle({ type: 'allowance', uploadBytesPerSecond: 10_000 }, world.now);
    expect(served(host, world)).toBe(3);
    host.handle({ type: 'allowance', uploadBytesPerSecond: Infinity }, world.now);
    expect(served(host, world)).toBe(4);
  });
});

describe('a download limit', () => {
  const givers = (world: World, host: Host, count: number): Remote[] =>
    Array.from({ length: count }, (_, index) => {
      const giver = new Remote(world, host, 90 + index, { fast: true });
      giver.say({ type: 'have-all' }, { type: 'unchoke' });
      return giver;
    });

  test('of 10 KB/s asks twenty seeds together for no more than it can take in before they seem to stall', () => {
    const world = new World();
    const host = world.add(new Host({ id: 1, geometry, downloadBytesPerSecond: 10_000 }));
    const seeds = givers(world, host, 20);
    const asked = outstanding(host, world);
    expect(Math.max(...asked)).toBeLessThanOrEqual(2);
    const total = asked.reduce((sum, each) => sum + each, 0);
    expect(total).toBeGreaterThanOrEqual(4);
    // 10 s of the limit, where 20 s without payload make a peer snubbed.
    expect(total * block).toBeLessThanOrEqual(10 * 10_000);
    for (let at = 0; at < 12; at++) {
      world.pass(block / 10);
      const giver = seeds.find((seed) => seed.answerOldest());
      expect(giver).toBeDefined();
    }
    expect(outstanding(host, world).reduce((sum, each) => sum + each, 0)).toBe(total);
    expect(host.torrent.snapshot(world.now)).toMatchObject({ wastedBytes: 0, downloadedBytes: 12 * block });
  });

  test('that is lifted lets everybody be asked again', () => {
    const world = new World();
    const host = world.add(new Host({ id: 1, geometry, downloadBytesPerSecond: 10_000 }));
    givers(world, host, 20);
    host.handle({ type: 'allowance', downloadBytesPerSecond: Infinity }, world.now);
    expect(Math.min(...outstanding(host, world))).toBe(4);
  });

  test('is not used up by peers that are gone', () => {
    const world = new World();
    const host = world.add(new Host({ id: 1, geometry, downloadBytesPerSecond: 10_000 }));
    for (let round = 0; round < 5; round++) {
      givers(world, host, 8);
      expect(outstanding(host, world).reduce((sum, each) => sum + each, 0)).toBe(6);
      for (let peer = 90; peer < 98; peer++)
        host.handle({ type: 'peer-disconnected', peer, reason: 'gone' }, world.now);
    }
  });
});

describe('the queue of a peer', () => {
  const depthAfter = (answersInMs: number): number => {
    const world = new World();
    const host = world.add(new Host({ id: 1, geometry: geometryOf(400 * 65_536, 65_536) }));
    const giver = new Remote(world, host, 90, { fast: true, reqq: 500 });
    giver.say({ type: 'have-all' }, { type: 'unchoke' });
    world.now += answersInMs;
    for (let at = 0; at < 300; at++) giver.answerOldest();
    return Math.max(...outstanding(host, world));
  };

  test('is 256 deep at most when it answers within 5 ms, and deeper when it is far away', () => {
    expect(depthAfter(1)).toBe(256);
    expect(depthAfter(50)).toBe(304);
  });
});

describe('pieces in the making', () => {
  test('stay few while few peers give, whatever memory there is', () => {
    const world = new World();
    const host = world.add(new Host({ id: 1, geometry, pieceBufferBytes: 64 * 65_536 }));
    const seed = world.add(new Host({ id: 2, have: 'all', geometry }));
    let most = 0;
    const set = host.buffers.set.bind(host.buffers);
    host.buffers.set = (piece, buffer) => {
      set(piece, buffer);
      most = Math.max(most, host.buffers.size);
      return host.buffers;
    };
    world.connect(host, seed);
    world.pass(30_000);
    expect(host.right).toBe(true);
    expect(most).toBeLessThanOrEqual(4);
  });

  test('are as many as their requests need, never more than fit, and all that fit while somebody waits for one', () => {
    const description = { infoHash, geometry, isPrivate: false };
    const options = resolveOptions({ random: randomOf(1), peerId: idOf(1), pieceBufferBytes: 20 * 65_536 });
    const picker = new Picker({ geometry, have: new Bitfield(64), random: options.random });
    const parts = { picker, known: new PeerList(options), progress: new Progress(geometry) };
    const demand = new Demand(new Swarm(description, options, parts));
    expect(demand.openPieces(0, 0)).toBe(2);
    expect(demand.openPieces(20, 3)).toBe(8);
    expect(demand.openPieces(500, 0)).toBe(20);
    demand.setDeadline(5, true);
    expect(demand.openPieces(0, 0)).toBe(20);
    demand.setDeadline(5, false);
    expect(demand.openPieces(0, 0)).toBe(2);
  });
});
