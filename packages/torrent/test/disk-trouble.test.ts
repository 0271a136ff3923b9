import { geometryOf } from '@shoal/pieces';
import { encodeHandshake, encodeMessage } from '@shoal/wire';
import { describe, expect, test } from 'vitest';
import { Host, idOf, infoHash, replyOf, World } from './harness.ts';
import { Remote } from './remote.ts';

const geometry = geometryOf(40 * 65_536, 65_536);

describe('a disk in trouble', () => {
  test('suspends the torrent: nothing is requested, nobody served, connections and announces stay', () => {
    const world = new World();
    const host = world.add(new Host({ id: 1, have: [0, 1, 2, 3, 4] }));
    host.handle({ type: 'announced', reply: replyOf({ interval: 900 }) }, world.now);
    const giver = new Remote(world, host, 90, { fast: true });
    giver.say({ type: 'have-all' }, { type: 'unchoke' });
    const taker = new Remote(world, host, 91, { fast: true });
    taker.say({ type: 'interested' });
    const asked = giver.heard().filter(({ type }) => type === 'request');
    expect(asked.length).toBeGreaterThan(0);
    expect(taker.heard().some(({ type }) => type === 'unchoke')).toBe(true);
    host.handle({ type: 'suspended', reason: 'no space left' }, world.now);
    const toGiver = giver.heard();
    expect(toGiver.filter(({ type }) => type === 'cancel')).toHaveLength(asked.length);
    expect(toGiver.some(({ type }) => type === 'not-interested')).toBe(true);
    expect(taker.heard()).toEqual([{ type: 'choke' }]);
    taker.say({ type: 'request', piece: 0, begin: 0, length: 16_384 });
    expect(taker.heard()).toEqual([{ type: 'reject', piece: 0, begin: 0, length: 16_384 }]);
    world.pass(100_000);
    expect(giver.heard()).toEqual([{ type: 'keep-alive' }]);
    giver.say({ type: 'keep-alive' });
    taker.say({ type: 'keep-alive' });
    expect(host.torrent.snapshot(world.now)).toMatchObject({
      state: 'suspended',
      failure: 'no space left',
      havePieces: 5,
      peers: [{ outstandingRequests: 0 }, {}],
    });
    expect(host.reported('suspended')).toEqual([{ type: 'suspended', reason: 'no space left' }]);
    world.pass(100_000);
    giver.say({ type: 'keep-alive' });
    taker.say({ type: 'keep-alive' });
    host.handle({ type: 'resumed' }, world.now);
    world.settle();
    expect(giver.heard().filter(({ type }) => type === 'interested' || type === 'request').length).toBeGreaterThan(1);
    expect(taker.heard()).toContainEqual({ type: 'unchoke' });
    expect(host.reported('resumed')).toHaveLength(1);
    expect(host.torrent.snapshot(world.now).failure).toBeUndefined();
    expect(host.hungUp).toEqual([]);
  });

  test('lets announces go on at their interval', () => {
    const world = new World();
    const host = world.add(new Host({ id: 1 }));
    host.handle({ type: 'announced', reply: replyOf({ interval: 900 }) }, world.now);
    host.handle({ type: 'suspended', reason: 'no space left' }, world.now);
    world.pass(901_000);
    expect(host.announces.map(({ facts }) => facts.event)).toEqual(['started', 'none']);
  });

  test('dials nobody until it is over', () => {
    const world = new World();
    const host = world.add(new Host({ id: 1 }));
    host.handle({ type: 'suspended', reason: 'no space left' }, world.now);
    host.handle({ type: 'peers-found', peers: [{ ip: '10.9.9.9', port: 1 }], source: 'user' }, world.now);
    world.pass(5000);
    expect(host.dials).toEqual([]);
    host.handle({ type: 'resumed' }, world.now);
    expect(host.dials).toEqual([{ ip: '10.9.9.9', port: 1 }]);
  });

  test('still takes what arrives for pieces that have a buffer', () => {
    const world = new World();
    const host = world.add(new Host({ id: 1, geometry: geometryOf(65_536, 65_536) }));
    const giver = new Remote(world, host, 90, { fast: true });
    giver.say({ type: 'have-all' }, { type: 'unchoke' });
    giver.sendBlock(0, 0);
    host.handle({ type: 'suspended', reason: 'no space left' }, world.now);
    for (const begin of [16_384, 32_768, 49_152]) giver.sendBlock(0, begin);
    world.settle();
    expect(host.reported('piece-verified')).toEqual([{ type: 'piece-verified', piece: 0 }]);
    expect(host.torrent.snapshot(world.now)).toMatchObject({ state: 'suspended', wastedBytes: 0, leftBytes: 0 });
  });

  test('that keeps the piece: written later, nothing is fetched again', () => {
    const world = new World();
    const seed = world.add(new Host({ id: 1, have: 'all', geometry }));
    const leech = world.add(new Host({ id: 2, geometry, pieceBufferBytes: 4 * 65_536 }));
    leech.checks = 'silent';
    world.connect(leech, seed);
    world.pass(1000);
    leech.handle({ type: 'suspended', reason: 'no space left' }, world.now);
    world.pass(5000);
    const written = [...leech.buffers.keys()];
    expect(written.length).toBeGreaterThan(0);
    leech.checks = 'normal';
    for (const piece of written) leech.checkAgain(piece);
    leech.handle({ type: 'resumed' }, world.now);
    world.pass(30_000);
    expect(leech.right).toBe(true);
    expect(leech.torrent.snapshot(world.now)).toMatchObject({ downloadedBytes: geometry.totalLength, wastedBytes: 0 });
  });

  test('that gives the piece up suspends the torrent with the reason and blames no peer (clients 41)', () => {
    const world = new World();
    const seed = world.add(new Host({ id: 1, have: 'all' }));
    const leech = world.add(new Host({ id: 2 }));
    leech.checks = 'failing';
    world.connect(leech, seed);
    world.pass(1000);
    expect(leech.torrent.snapshot(world.now)).toMatchObject({ state: 'suspended', failure: 'no space left' });
    expect(leech.torrent.snapshot(world.now).peers).toHaveLength(1);
    expect(leech.reported('suspended')).toHaveLength(1);
    expect(leech.reported('peer-banned')).toEqual([]);
    leech.checks = 'normal';
    leech.handle({ type: 'resumed' }, world.now);
    world.pass(60_000);
    expect(leech.right).toBe(true);
    expect(leech.reported('peer-banned')).toEqual([]);
  });

  test('that cannot read tells the peer, and serves it again when it can', () => {
    const world = new World();
    const host = world.add(new Host({ id: 1, have: 'all' }));
    host.reads = 'failing';
    const taker = new Remote(world, host, 90, { fast: true });
    taker.say({ type: 'have-none' }, { type: 'interested' });
    world.settle();
    taker.heard();
    taker.say({ type: 'request', piece: 3, begin: 16_384, length: 16_384 });
    world.settle();
    expect(host.torrent.state).toBe('suspended');
    expect(taker.heard()).toEqual([{ type: 'choke' }, { type: 'reject', piece: 3, begin: 16_384, length: 16_384 }]);
    host.reads = 'normal';
    host.handle({ type: 'resumed' }, world.now);
    taker.heard();
    taker.say({ type: 'request', piece: 3, begin: 16_384, length: 16_384 });
    world.settle();
    expect(taker.heard().map(({ type }) => type)).toEqual(['piece']);
  });

  test('before the start holds the torrent back from its start on', () => {
    const world = new World();
    const host = new Host({ id: 1 });
    host.handle({ type: 'suspended', reason: 'the folder is gone' }, world.now);
    expect(host.torrent.state).toBe('idle');
    world.add(host);
    expect(host.torrent.state).toBe('suspended');
    expect(host.announces.map(({ facts }) => facts.event)).toEqual(['started']);
  });

  test('does not keep it from being stopped', () => {
    const world = new World();
    const host = world.add(new Host({ id: 1 }));
    host.handle({ type: 'peer-connected', peer: 9, endpoint: { ip: '10.9.9.9', port: 1 }, incoming: true }, world.now);
    host.handle({ type: 'suspended', reason: 'no space left' }, world.now);
    host.handle({ type: 'stopped' }, world.now);
    expect(host.hungUp).toMatchObject([{ peer: 9 }]);
    expect(host.announces.at(-1)?.facts.event).toBe('stopped');
    host.handle({ type: 'resumed' }, world.now);
    expect(host.torrent.state).toBe('stopped');
    expect(host.torrent.deadline).toBe(Infinity);
  });
});

describe('an allowance that changes', () => {
  test('downwards lets the connections go that gave and took least', () => {
    const world = new World();
    const host = world.add(new Host({ id: 1, have: 'all', geometry }));
    const users = [90, 91, 92].map((peer) => new Remote(world, host, peer, { fast: true }));
    users[1]?.say({ type: 'have-none' }, { type: 'interested' });
    world.settle();
    users[1]?.say({ type: 'request', piece: 3, begin: 0, length: 16_384 });
    world.settle();
    host.handle({ type: 'allowance', maxConnections: 1 }, world.now);
    expect(host.hungUp.map(({ peer }) => peer).toSorted((a, b) => a - b)).toEqual([90, 92]);
    host.handle({ type: 'peer-connected', peer: 95, endpoint: { ip: '10.9.9.5', port: 1 }, incoming: true }, world.now);
    expect(host.hungUp.at(-1)).toEqual({ peer: 95, reason: 'all connections are in use' });
    host.handle({ type: 'allowance', maxConnections: 2 }, world.now);
    host.handle({ type: 'peer-connected', peer: 96, endpoint: { ip: '10.9.9.6', port: 1 }, incoming: true }, world.now);
    expect(host.hungUp.at(-1)?.peer).toBe(95);
  });

  test('of slots takes effect at once', () => {
    const world = new World();
    const host = world.add(new Host({ id: 1, have: 'all', uploadSlots: 2 }));
    for (let peer = 90; peer < 98; peer++)
      new Remote(world, host, peer, { fast: true }).say({ type: 'have-none' }, { type: 'interested' });
    const served = (): number => host.torrent.snapshot(world.now).peers.filter((peer) => !peer.amChoking).length;
    expect(served()).toBe(2);
    host.handle({ type: 'allowance', uploadSlots: 5 }, world.now);
    expect(served()).toBe(5);
  });

  test('of bytes in the making bounds the pieces that are opened from then on', () => {
    const world = new World();
    const seed = world.add(new Host({ id: 1, have: 'all', geometry }));
    const leech = world.add(new Host({ id: 2, geometry, pieceBufferBytes: 20 * 65_536 }));
    leech.handle({ type: 'allowance', pieceBufferBytes: 3 * 65_536 }, world.now);
    let most = 0;
    const set = leech.buffers.set.bind(leech.buffers);
    leech.buffers.set = (piece, buffer) => {
      set(piece, buffer);
      most = Math.max(most, leech.buffers.size);
      return leech.buffers;
    };
    world.connect(leech, seed);
    world.pass(30_000);
    expect(leech.right).toBe(true);
    expect(most).toBeLessThanOrEqual(3);
  });

  test('that makes no sense is a RangeError and changes nothing', () => {
    const host = new Host({ id: 1 });
    for (const change of [
      { uploadSlots: 0 },
      { maxConnections: -1 },
      { uploadBytesPerSecond: 0 },
      { pieceBufferBytes: NaN },
    ])
      expect(() => host.handle({ type: 'allowance', ...change }, 0)).toThrow(RangeError);
  });
});

describe('bytes of a stranger', () => {
  test('cost nothing while suspended: a new connection is greeted and kept', () => {
    const world = new World();
    const host = world.add(new Host({ id: 1, have: [0] }));
    host.handle({ type: 'suspended', reason: 'no space left' }, world.now);
    host.handle({ type: 'peer-connected', peer: 9, endpoint: { ip: '10.9.9.9', port: 1 }, incoming: true }, world.now);
    const hello = [encodeHandshake({ infoHash, peerId: idOf(9) }), encodeMessage({ type: 'interested' })];
    for (const chunk of hello)
      host.handle({ type: 'bytes-received', peer: 9, chunk, start: 0, end: chunk.length }, world.now);
    expect(host.torrent.snapshot(world.now).peers).toMatchObject([{ amChoking: true, peerInterested: true }]);
    expect(host.hungUp).toEqual([]);
  });
});
