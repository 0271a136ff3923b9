// What a user chooses while the torrent runs: files, order, what is read next.
import { geometryOf } from '@shoal/pieces';
import { describe, expect, test } from 'vitest';
import { Host, replyOf, World } from './harness.ts';
import { Remote } from './remote.ts';

const geometry = geometryOf(10 * 65_536, 65_536);
const prioritiesOf = (...unwanted: readonly number[]): Uint8Array =>
  Uint8Array.from({ length: geometry.pieceCount }, (_, piece) => (unwanted.includes(piece) ? 0 : 4));

describe('pieces that are not wanted', () => {
  test('are not fetched; without them it is complete, a partial seed that says paused and what is left (BEP 21)', () => {
    const world = new World();
    const seed = world.add(new Host({ id: 1, have: 'all', geometry }));
    const leech = new Host({ id: 2, geometry });
    leech.handle({ type: 'priorities', pieces: prioritiesOf(0, 1, 9) }, world.now);
    world.add(leech);
    leech.handle({ type: 'announced', reply: replyOf({ interval: 900 }) }, world.now);
    world.connect(leech, seed);
    world.pass(30_000);
    expect(leech.torrent.complete).toBe(true);
    expect(leech.reported('completed')).toHaveLength(1);
    expect(leech.torrent.snapshot(world.now)).toMatchObject({
      state: 'seeding',
      havePieces: 7,
      leftBytes: 3 * 65_536,
      wantedBytes: 7 * 65_536,
      wantedLeftBytes: 0,
      downloadedBytes: 7 * 65_536,
    });
    world.pass(1_000_000);
    expect(leech.announces.map(({ facts }) => facts.event)).toEqual(['started', 'paused']);
    expect(leech.announces.at(-1)?.facts.left).toBe(3 * 65_536);
    leech.handle({ type: 'announced', reply: replyOf({ interval: 900 }) }, world.now);
    world.pass(900_000);
    expect(leech.announces.map(({ facts }) => facts.event)).toEqual(['started', 'paused', 'paused']);
  });

  test('wanted later are fetched, from seeds that were let go too, and only then it says completed', () => {
    const world = new World();
    const seed = world.add(new Host({ id: 1, have: 'all', geometry }));
    const leech = new Host({ id: 2, geometry });
    leech.handle({ type: 'priorities', pieces: prioritiesOf(3, 4) }, world.now);
    leech.handle({ type: 'peers-found', peers: [seed.endpoint], source: 'user' }, world.now);
    world.add(leech);
    leech.handle({ type: 'announced', reply: replyOf({ interval: 900 }) }, world.now);
    world.connect(leech, seed);
    world.pass(30_000);
    expect(leech.torrent.snapshot(world.now)).toMatchObject({ state: 'seeding', peers: [] });
    leech.handle({ type: 'priorities', pieces: prioritiesOf() }, world.now);
    expect(leech.torrent.snapshot(world.now)).toMatchObject({ state: 'downloading', wantedLeftBytes: 2 * 65_536 });
    world.pass(10_000);
    expect(leech.dials).toHaveLength(2);
    world.connect(leech, seed);
    leech.handle({ type: 'announced', reply: replyOf({ interval: 900 }) }, world.now);
    world.pass(30_000);
    expect(leech.right).toBe(true);
    expect(leech.announces.map(({ facts }) => facts.event)).toContain('completed');
    expect(leech.announces.at(-1)?.facts).toMatchObject({ event: 'completed', left: 0 });
  });

  test('of which a peer has nothing else make us not interested, and interested again', () => {
    const world = new World();
    const host = world.add(new Host({ id: 1, geometry }));
    const peer = new Remote(world, host, 90, { fast: true });
    peer.say({ type: 'have-none' }, { type: 'have', piece: 7 }, { type: 'unchoke' });
    expect(peer.heard().map(({ type }) => type)).toContain('interested');
    host.handle({ type: 'priorities', pieces: prioritiesOf(7) }, world.now);
    const heard = peer.heard().map(({ type }) => type);
    expect(heard.filter((type) => type === 'cancel')).toHaveLength(4);
    expect(heard).toContain('not-interested');
    host.handle({ type: 'priorities', pieces: prioritiesOf() }, world.now);
    expect(peer.heard().map(({ type }) => type)).toContain('interested');
  });

  test('free their buffers when they were in the making', () => {
    const world = new World();
    const host = world.add(new Host({ id: 1, geometry }));
    const peer = new Remote(world, host, 90, { fast: true });
    peer.say({ type: 'have-none' }, { type: 'have', piece: 7 }, { type: 'unchoke' });
    peer.sendBlock(7, 0);
    expect([...host.buffers.keys()]).toEqual([7]);
    host.handle({ type: 'priorities', pieces: prioritiesOf(7) }, world.now);
    expect([...host.buffers.keys()]).toEqual([]);
  });

  test('are a RangeError when they are not one a piece', () => {
    const host = new Host({ id: 1, geometry });
    expect(() => host.handle({ type: 'priorities', pieces: new Uint8Array(9) }, 0)).toThrow(RangeError);
    expect(() => host.handle({ type: 'priorities', pieces: new Uint8Array(10).fill(8) }, 0)).toThrow(RangeError);
  });
});

describe('the order of pieces', () => {
  test('is ascending when sequential, and higher priorities come first all the same', () => {
    const world = new World();
    const host = world.add(new Host({ id: 1, geometry }));
    host.handle({ type: 'sequential', on: true }, world.now);
    host.handle({ type: 'priorities', pieces: prioritiesOf().fill(7, 5, 7) }, world.now);
    const peer = new Remote(world, host, 90, { fast: true });
    peer.say({ type: 'have-all' }, { type: 'unchoke' });
    for (let at = 0; at < 40; at++) {
      peer.answerOldest();
      world.settle();
    }
    expect([...peer.askedPieces]).toEqual([5, 6, 0, 1, 2, 3, 4, 7, 8, 9]);
  });

  test('gives way to a deadline: what a full queue holds is taken back, and asked for behind it', () => {
    const world = new World();
    const host = world.add(new Host({ id: 1, geometry: geometryOf(60 * 65_536, 65_536) }));
    const peer = new Remote(world, host, 90, { fast: true });
    peer.say({ type: 'have-all' }, { type: 'unchoke' });
    for (let at = 0; at < 40; at++) {
      world.now += 1;
      peer.answerOldest();
    }
    peer.heard();
    const later = Array.from({ length: 60 }, (_, piece) => piece).find((piece) => !peer.askedPieces.has(piece)) ?? -1;
    const before = host.torrent.snapshot(world.now).peers[0]?.outstandingRequests ?? 0;
    expect(before).toBeGreaterThan(30);
    host.handle({ type: 'deadline', piece: later, at: world.now + 1000 }, world.now);
    const heard = peer.heard();
    const cancels = heard.filter(({ type }) => type === 'cancel').length;
    const pieces = heard.flatMap((message) => (message.type === 'request' ? [message.piece] : []));
    expect(cancels).toBeGreaterThan(0);
    expect(before - cancels).toBeLessThanOrEqual(20);
    expect(pieces.slice(0, 4)).toEqual([later, later, later, later]);
    const another = later === 59 ? 58 : 59;
    host.handle({ type: 'deadline', piece: another, at: world.now + 2000 }, world.now);
    const takenBack = peer.heard().flatMap((message) => (message.type === 'cancel' ? [message.piece] : []));
    expect(takenBack).not.toContain(later);
    for (let at = 0; at < 3; at++) {
      world.now += 1;
      peer.answerOldest();
      expect(host.torrent.snapshot(world.now).peers[0]?.outstandingRequests).toBeLessThanOrEqual(8);
    }
    expect(host.torrent.snapshot(world.now).wastedBytes).toBe(0);
  });

  test('gives way again to what was put off for an earlier deadline', () => {
    const world = new World();
    const host = world.add(new Host({ id: 1, geometry: geometryOf(100 * 65_536, 65_536) }));
    const peer = new Remote(world, host, 90, { fast: true });
    peer.say({ type: 'have-all' }, { type: 'unchoke' });
    const step = (): void => {
      world.now += 5;
      peer.answerOldest();
      world.settle();
    };
    for (let at = 0; at < 80; at++) step();
    peer.heard();
    host.handle({ type: 'deadline', piece: 99, at: world.now }, world.now);
    const putOff = peer.heard().flatMap((message) => (message.type === 'cancel' ? [message.piece] : []));
    expect(putOff.length).toBeGreaterThan(8);
    const next = putOff.at(-1) ?? -1;
    host.handle({ type: 'deadline', piece: next, at: world.now + 1 }, world.now);
    // Both of the pieces, and before them what was already asked for.
    for (let steps = 0; steps < 30 && !host.torrent.has(next); steps++) step();
    expect([host.torrent.has(99), host.torrent.has(next)]).toEqual([true, true]);
  });

  test('is as before once the deadline is cleared, or met', () => {
    const world = new World();
    const host = world.add(new Host({ id: 1, geometry }));
    host.handle({ type: 'sequential', on: true }, world.now);
    host.handle({ type: 'deadline', piece: 8, at: 500 }, world.now);
    host.handle({ type: 'deadline', piece: 9, at: 400 }, world.now);
    host.handle({ type: 'deadline', piece: 8, at: undefined }, world.now);
    const peer = new Remote(world, host, 90, { fast: true });
    peer.say({ type: 'have-all' }, { type: 'unchoke' });
    for (let at = 0; at < 40; at++) {
      peer.answerOldest();
      world.settle();
    }
    expect([...peer.askedPieces]).toEqual([9, 0, 1, 2, 3, 4, 5, 6, 7, 8]);
  });
});
