import { Bitfield, geometryOf } from '@shoal/pieces';
import { describe, expect, test } from 'vitest';
import { Torrent } from '../src/index.ts';
import { Host, idOf, infoHash, randomOf, replyOf, World } from './harness.ts';
import { Remote } from './remote.ts';

const geometry = geometryOf(10 * 65_536, 65_536);

const setOf = (...pieces: readonly number[]): Bitfield => {
  const bits = new Bitfield(geometry.pieceCount);
  for (const piece of pieces) bits.add(piece);
  return bits;
};

describe('pieces in doubt', () => {
  test('do not hold the transfer up: the others are fetched at once, these only when their check says missing', () => {
    const world = new World();
    const seed = world.add(new Host({ id: 1, have: 'all', geometry }));
    const leech = world.add(new Host({ id: 2, geometry, held: [0, 1, 2] }));
    world.connect(leech, seed);
    world.pass(5000);
    expect(leech.torrent.snapshot(world.now)).toMatchObject({
      state: 'downloading',
      havePieces: 7,
      checkingPieces: 3,
      leftBytes: 3 * 65_536,
    });
    leech.handle({ type: 'piece-missing', piece: 1 }, world.now);
    world.pass(5000);
    expect(leech.torrent.snapshot(world.now)).toMatchObject({ havePieces: 8, checkingPieces: 2 });
    leech.handle({ type: 'piece-found', piece: 0 }, world.now);
    leech.handle({ type: 'piece-found', piece: 2 }, world.now);
    expect(leech.torrent.complete).toBe(true);
    expect(leech.torrent.snapshot(world.now)).toMatchObject({
      state: 'seeding',
      checkingPieces: 0,
      leftBytes: 0,
      downloadedBytes: 8 * 65_536,
    });
    expect(leech.reported('completed')).toHaveLength(1);
    expect(leech.announces.map(({ facts }) => facts.event)).toEqual(['started']);
    leech.handle({ type: 'announced', reply: replyOf() }, world.now);
    expect(leech.announces.map(({ facts }) => facts.event)).toEqual(['started', 'completed']);
  });

  test('are told at once to who lacks them, and with the next message to who has them', () => {
    const world = new World();
    const host = world.add(new Host({ id: 1, geometry, held: [4, 5] }));
    const [seed, leech] = [new Remote(world, host, 90, { fast: true }), new Remote(world, host, 91, { fast: true })];
    seed.say({ type: 'have-all' });
    leech.say({ type: 'have-none' });
    world.settle();
    for (const peer of [seed, leech]) peer.heard();
    host.handle({ type: 'piece-found', piece: 5 }, world.now);
    expect(leech.heard()).toEqual([{ type: 'have', piece: 5 }]);
    expect(seed.heard()).toEqual([]);
    world.pass(1000);
    expect(seed.heard()).toContainEqual({ type: 'have', piece: 5 });
  });

  test('are announced to every peer one by one as they are found, and served', () => {
    const world = new World();
    const host = world.add(new Host({ id: 1, geometry, held: [4, 5] }));
    const peer = new Remote(world, host, 90, { fast: true });
    peer.say({ type: 'have-none' }, { type: 'interested' });
    world.settle();
    expect(peer.heard()).toContainEqual({ type: 'have-none' });
    host.handle({ type: 'piece-found', piece: 5 }, world.now);
    expect(peer.heard()).toContainEqual({ type: 'have', piece: 5 });
    expect(host.reported('piece-verified')).toEqual([{ type: 'piece-verified', piece: 5 }]);
    peer.say({ type: 'request', piece: 5, begin: 0, length: 16_384 });
    peer.say({ type: 'request', piece: 4, begin: 0, length: 16_384 });
    world.settle();
    expect(
      peer
        .heard()
        .map(({ type }) => type)
        .toSorted(),
    ).toEqual(['piece', 'reject']);
  });

  test('that are all found make it complete, but not completed: nothing was downloaded (BEP 3)', () => {
    const world = new World();
    const host = world.add(new Host({ id: 1, geometry, have: 'all', held: [0, 9] }));
    host.handle({ type: 'announced', reply: replyOf({ interval: 1800 }) }, world.now);
    expect(host.torrent.complete).toBe(false);
    for (const piece of [9, 0]) host.handle({ type: 'piece-found', piece }, world.now);
    expect(host.torrent.complete).toBe(true);
    expect(host.reported('completed')).toHaveLength(1);
    world.pass(61_000);
    expect(host.announces.map(({ facts }) => [facts.event, facts.left])).toEqual([
      ['started', 2 * 65_536],
      ['none', 0],
    ]);
  });

  test('that are found before the tracker has answered are told as soon as it may be asked again', () => {
    const world = new World();
    const host = world.add(new Host({ id: 1, geometry, have: 'all', held: [0] }));
    host.handle({ type: 'piece-found', piece: 0 }, world.now);
    host.handle({ type: 'announced', reply: replyOf({ interval: 1800, minInterval: 120 }) }, world.now);
    world.pass(119_000);
    expect(host.announces).toHaveLength(1);
    world.pass(2000);
    expect(host.announces.map(({ facts }) => facts.left)).toEqual([65_536, 0]);
    host.handle({ type: 'announced', reply: replyOf({ interval: 1800, minInterval: 120 }) }, world.now);
    world.pass(1_790_000);
    expect(host.announces).toHaveLength(2);
  });

  test('told twice, or told of a piece that is had, change nothing', () => {
    const world = new World();
    const host = world.add(new Host({ id: 1, geometry, held: [0] }));
    for (let times = 0; times < 2; times++) host.handle({ type: 'piece-found', piece: 0 }, world.now);
    for (const piece of [0, 1]) host.handle({ type: 'piece-missing', piece }, world.now);
    expect(host.torrent.snapshot(world.now)).toMatchObject({ havePieces: 1, leftBytes: 9 * 65_536, checkingPieces: 0 });
    expect(host.reported('piece-verified')).toHaveLength(1);
  });

  test('must fit the torrent, and are not had even when they are said to be', () => {
    const description = { infoHash, geometry, isPrivate: false };
    const options = { random: randomOf(1), peerId: idOf(1) };
    expect(() => new Torrent(description, setOf(1), options, { held: new Bitfield(9) })).toThrow(RangeError);
    const torrent = new Torrent(description, setOf(1, 2), options, { held: setOf(1) });
    expect(torrent.snapshot(0)).toMatchObject({ havePieces: 1, checkingPieces: 1, leftBytes: 9 * 65_536 });
  });
});

describe('pieces doubted while running', () => {
  test('are not served until found again, and what peers asked of them is rejected', () => {
    const world = new World();
    const host = world.add(new Host({ id: 1, have: 'all', geometry, uploadWatermarkBytes: 16_384 }));
    host.reads = 'silent';
    const peer = new Remote(world, host, 90, { fast: true });
    peer.say({ type: 'have-none' }, { type: 'interested' });
    world.settle();
    peer.heard();
    for (let piece = 2; piece < 6; piece++) peer.say({ type: 'request', piece, begin: 0, length: 16_384 });
    host.handle({ type: 'pieces-doubted', pieces: setOf(3, 5) }, world.now);
    expect(peer.heard()).toEqual([3, 5].map((piece) => ({ type: 'reject', piece, begin: 0, length: 16_384 })));
    expect(host.torrent.snapshot(world.now)).toMatchObject({ havePieces: 8, checkingPieces: 2, leftBytes: 2 * 65_536 });
    expect(host.torrent.complete).toBe(false);
    host.handle({ type: 'piece-found', piece: 3 }, world.now);
    expect(peer.heard()).toEqual([{ type: 'have', piece: 3 }]);
    expect(host.torrent.snapshot(world.now).leftBytes).toBe(65_536);
  });

  test('in the making are given up, but for those in their check, whose answer counts', () => {
    const world = new World();
    const host = world.add(new Host({ id: 1, geometry }));
    host.checks = 'silent';
    const giver = new Remote(world, host, 90, { fast: true });
    giver.say({ type: 'have-none' }, { type: 'have', piece: 0 }, { type: 'have', piece: 1 }, { type: 'unchoke' });
    for (const begin of [0, 16_384, 32_768, 49_152]) giver.sendBlock(0, begin);
    giver.sendBlock(1, 0);
    world.settle();
    expect([...host.buffers.keys()]).toEqual([0, 1]);
    host.handle({ type: 'pieces-doubted', pieces: setOf(0, 1) }, world.now);
    expect([...host.buffers.keys()]).toEqual([0]);
    expect(host.torrent.snapshot(world.now).checkingPieces).toBe(1);
    host.checks = 'normal';
    host.checkAgain(0);
    world.settle();
    expect(host.torrent.snapshot(world.now)).toMatchObject({ havePieces: 1, checkingPieces: 1 });
  });
});

describe('pieces that are lost', () => {
  test('are fetched again, from a seed that was let go', () => {
    const world = new World();
    const seed = world.add(new Host({ id: 1, have: 'all', geometry }));
    const leech = world.add(new Host({ id: 2, geometry }));
    leech.handle({ type: 'peers-found', peers: [seed.endpoint], source: 'user' }, world.now);
    world.connect(leech, seed);
    world.pass(30_000);
    expect(leech.torrent.complete).toBe(true);
    leech.handle({ type: 'pieces-lost', pieces: setOf(3, 4) }, world.now);
    expect(leech.torrent.snapshot(world.now)).toMatchObject({ state: 'downloading', havePieces: 8 });
    world.pass(60_000);
    expect(leech.dials.at(-1)).toEqual(seed.endpoint);
    expect(leech.dials).toHaveLength(2);
    world.connect(leech, seed);
    world.pass(30_000);
    expect(leech.torrent.complete).toBe(true);
    expect(leech.reported('completed')).toHaveLength(2);
  });

  test('in doubt are in doubt no more', () => {
    const world = new World();
    const host = world.add(new Host({ id: 1, geometry, held: [0, 1] }));
    host.handle({ type: 'pieces-lost', pieces: setOf(0, 7) }, world.now);
    expect(host.torrent.snapshot(world.now)).toMatchObject({ checkingPieces: 1, havePieces: 0 });
  });
});

describe('a piece that is found on disk', () => {
  test('while peers send it frees its buffer and takes back what was asked', () => {
    const world = new World();
    const host = world.add(new Host({ id: 1, geometry }));
    const giver = new Remote(world, host, 90, { fast: true });
    giver.say({ type: 'have-none' }, { type: 'have', piece: 4 }, { type: 'unchoke' });
    giver.sendBlock(4, 0);
    giver.heard();
    expect([...host.buffers.keys()]).toEqual([4]);
    host.handle({ type: 'piece-found', piece: 4 }, world.now);
    expect([...host.buffers.keys()]).toEqual([]);
    expect(giver.heard().filter(({ type }) => type === 'cancel')).toHaveLength(3);
    expect(host.torrent.snapshot(world.now)).toMatchObject({ havePieces: 1, leftBytes: 9 * 65_536 });
  });

  test('while it is in its check waits for that answer', () => {
    const world = new World();
    const host = world.add(new Host({ id: 1, geometry }));
    host.checks = 'silent';
    const giver = new Remote(world, host, 90, { fast: true });
    giver.say({ type: 'have-none' }, { type: 'have', piece: 4 }, { type: 'unchoke' });
    for (const begin of [0, 16_384, 32_768, 49_152]) giver.sendBlock(4, begin);
    host.handle({ type: 'piece-found', piece: 4 }, world.now);
    expect(host.torrent.has(4)).toBe(false);
    host.checks = 'normal';
    host.checkAgain(4);
    world.settle();
    expect(host.torrent.has(4)).toBe(true);
  });
});
