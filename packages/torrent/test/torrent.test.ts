import { geometryOf } from '@shoal/pieces';
import { encodeHandshake, encodeMessage } from '@shoal/wire';
import { describe, expect, test } from 'vitest';
import { Host, idOf, infoHash, replyOf, World } from './harness.ts';

describe('a swarm of two', () => {
  test('moves everything from a seed to a leecher, verified piece by piece', () => {
    const world = new World();
    const seed = world.add(new Host({ id: 1, have: 'all' }));
    const leech = world.add(new Host({ id: 2 }));
    world.connect(leech, seed);
    world.pass(30_000);
    expect(leech.torrent.complete).toBe(true);
    expect(leech.right).toBe(true);
    expect(leech.reported('piece-verified')).toHaveLength(10);
    expect(leech.reported('completed')).toHaveLength(1);
    const snapshot = leech.torrent.snapshot(world.now);
    expect(snapshot).toMatchObject({ state: 'seeding', leftBytes: 0, wastedBytes: 0, corruptBytes: 0 });
    expect(snapshot.downloadedBytes).toBe(leech.geometry.totalLength);
    expect(seed.torrent.snapshot(world.now).uploadedBytes).toBe(leech.geometry.totalLength);
    expect(snapshot.contributions).toEqual([
      { peerId: '01'.repeat(20), downloadedBytes: leech.geometry.totalLength, uploadedBytes: 0 },
    ]);
  });

  test('ends with both hanging up, as two seeds have nothing to give each other (clients 24)', () => {
    const world = new World();
    const seed = world.add(new Host({ id: 1, have: 'all' }));
    const leech = world.add(new Host({ id: 2 }));
    world.connect(leech, seed);
    world.pass(30_000);
    expect(leech.torrent.snapshot(world.now).peers).toEqual([]);
    expect(seed.torrent.snapshot(world.now).peers).toEqual([]);
  });

  test('ends for good: a seed does not dial a seed again, until a tracker names it', () => {
    const world = new World();
    const seed = world.add(new Host({ id: 1, have: 'all' }));
    const leech = world.add(new Host({ id: 2 }));
    leech.handle({ type: 'announced', reply: replyOf({ peers: [seed.endpoint] }) }, world.now);
    world.connect(leech, seed);
    world.pass(600_000);
    expect(leech.torrent.complete).toBe(true);
    expect(leech.dials).toEqual([seed.endpoint]);
    leech.handle({ type: 'announced', reply: replyOf({ peers: [seed.endpoint] }) }, world.now);
    expect(leech.dials).toEqual([seed.endpoint, seed.endpoint]);
  });

  test('works without the fast extension too', () => {
    const world = new World();
    const seed = world.add(new Host({ id: 1, have: 'all', fast: false }));
    const leech = world.add(new Host({ id: 2 }));
    world.connect(seed, leech);
    world.pass(30_000);
    expect(leech.right).toBe(true);
  });

  test('starts within a moment: a free slot is given as soon as somebody is interested', () => {
    const world = new World();
    const seed = world.add(new Host({ id: 1, have: 'all' }));
    const leech = world.add(new Host({ id: 2 }));
    world.connect(leech, seed);
    world.settle();
    expect(leech.torrent.complete).toBe(true);
  });

  test('exchanges both ways when each has what the other lacks', () => {
    const world = new World();
    const a = world.add(new Host({ id: 1, have: [0, 1, 2, 3, 4] }));
    const b = world.add(new Host({ id: 2, have: [5, 6, 7, 8, 9] }));
    world.connect(a, b);
    world.pass(60_000);
    expect([a.right, b.right]).toEqual([true, true]);
  });

  test('resumes after the connection is cut, without asking again for what is verified', () => {
    const world = new World();
    const geometry = geometryOf(40 * 65_536, 65_536);
    const seed = world.add(new Host({ id: 1, have: 'all', geometry }));
    const leech = world.add(new Host({ id: 2, geometry, pieceBufferBytes: 65_536 * 2 }));
    const link = world.connect(leech, seed);
    let cut = false;
    for (let i = 0; i < 1000 && !leech.torrent.complete; i++) {
      if (!cut && leech.torrent.snapshot(world.now).havePieces > 5) {
        world.disconnect(leech, link.fromPeer);
        world.connect(leech, seed);
        cut = true;
      }
      world.pass(10);
    }
    expect(leech.right).toBe(true);
    expect(leech.torrent.snapshot(world.now).downloadedBytes).toBe(geometry.totalLength);
  });

  test('never holds more pieces in the making than its buffer allows', () => {
    const world = new World();
    const geometry = geometryOf(64 * 65_536, 65_536);
    const seed = world.add(new Host({ id: 1, have: 'all', geometry }));
    const leech = world.add(new Host({ id: 2, geometry, pieceBufferBytes: 3 * 65_536 }));
    world.connect(leech, seed);
    let most = 0;
    const set = leech.buffers.set.bind(leech.buffers);
    leech.buffers.set = (piece, buffer) => {
      const result = set(piece, buffer);
      most = Math.max(most, leech.buffers.size);
      return result;
    };
    world.pass(30_000);
    expect(leech.right).toBe(true);
    expect(most).toBeGreaterThan(0);
    expect(most).toBeLessThanOrEqual(3);
  });
});

describe('bad data', () => {
  test('from one peer alone bans it, and another peer completes the torrent', () => {
    const world = new World();
    const bad = world.add(new Host({ id: 1, have: 'all', corrupt: true }));
    const leech = world.add(new Host({ id: 3 }));
    world.connect(leech, bad);
    world.pass(1000);
    expect(leech.reported('peer-banned')).toMatchObject([{ endpoint: bad.endpoint }]);
    expect(leech.torrent.snapshot(world.now).corruptBytes).toBeGreaterThan(0);
    const good = world.add(new Host({ id: 2, have: 'all' }));
    world.connect(leech, good);
    world.pass(30_000);
    expect(leech.right).toBe(true);
    expect(leech.torrent.snapshot(world.now).downloadedBytes).toBe(leech.geometry.totalLength);
  });

  test('is the work of the one that sent it, also when it has left before the check', () => {
    const world = new World();
    const bad = world.add(new Host({ id: 1, have: 'all', corrupt: true }));
    const leech = world.add(new Host({ id: 3, geometry: geometryOf(65_536, 65_536) }));
    const { fromPeer } = world.connect(leech, bad);
    // Carries what is sent, but no answer of the disk: the check is still under way when the peer leaves.
    const held: typeof leech.later = [];
    leech.later.push = (...inputs) => held.push(...inputs);
    world.settle();
    world.disconnect(leech, fromPeer);
    for (const input of held) leech.handle(input, world.now);
    expect(leech.reported('peer-banned')).toMatchObject([{ endpoint: bad.endpoint }]);
  });

  test('a banned address is not let in again', () => {
    const world = new World();
    const bad = world.add(new Host({ id: 1, have: 'all', corrupt: true }));
    const leech = world.add(new Host({ id: 3 }));
    world.connect(leech, bad);
    world.pass(1000);
    const { fromPeer } = world.connect(leech, bad);
    expect(leech.hungUp).toContainEqual({ peer: fromPeer, reason: 'banned for corrupt data' });
  });

  test.each([1, 2, 3, 4, 5])(
    'mixed with good data from another peer ends with the right one banned (seed %i)',
    (seed) => {
      const world = new World();
      const bad = world.add(new Host({ id: 10 + seed, have: 'all', corrupt: true }));
      const good = world.add(new Host({ id: 20 + seed, have: 'all' }));
      const leech = world.add(new Host({ id: 30 + seed, geometry: bad.geometry }));
      world.connect(leech, bad);
      world.connect(leech, good);
      world.pass(120_000);
      expect(leech.right).toBe(true);
      expect(leech.reported('peer-banned').map((report) => report.endpoint.ip)).toEqual([bad.endpoint.ip]);
    },
  );
});

describe('a hostile or broken peer', () => {
  const join = (world: World, host: Host, peer: number): void => {
    host.handle({ type: 'peer-connected', peer, endpoint: { ip: '10.9.9.9', port: 5000 }, incoming: true }, world.now);
  };
  const say = (world: World, host: Host, peer: number, bytes: Uint8Array): void =>
    host.handle({ type: 'bytes-received', peer, chunk: bytes, start: 0, end: bytes.length }, world.now);
  const handshake = (id: number): Uint8Array => encodeHandshake({ infoHash, peerId: idOf(id) });

  test('that sends garbage is dropped', () => {
    const world = new World();
    const host = world.add(new Host({ id: 1 }));
    join(world, host, 90);
    say(world, host, 90, new Uint8Array(500).fill(99));
    expect(host.hungUp).toMatchObject([{ peer: 90 }]);
  });

  test('that announces a message of 4 GiB is dropped before anything is allocated (clients 12)', () => {
    const world = new World();
    const host = world.add(new Host({ id: 1 }));
    join(world, host, 90);
    say(world, host, 90, handshake(9));
    say(world, host, 90, new Uint8Array([0xff, 0xff, 0xff, 0xff, 7]));
    expect(host.hungUp).toMatchObject([{ peer: 90 }]);
  });

  test('that says nothing is dropped after ten seconds (clients 11)', () => {
    const world = new World();
    const host = world.add(new Host({ id: 1 }));
    join(world, host, 90);
    world.pass(12_000);
    expect(host.hungUp).toMatchObject([{ peer: 90 }]);
  });

  test('that answers no request loses them to others, and the torrent completes', () => {
    const world = new World();
    const seed = world.add(new Host({ id: 1, have: 'all' }));
    const leech = world.add(new Host({ id: 2 }));
    join(world, leech, 90);
    say(world, leech, 90, handshake(9));
    say(world, leech, 90, encodeMessage({ type: 'bitfield', bits: new Uint8Array([0xff, 0xc0]) }));
    say(world, leech, 90, encodeMessage({ type: 'unchoke' }));
    world.settle();
    world.connect(leech, seed);
    world.pass(90_000);
    expect(leech.right).toBe(true);
  });

  test('that is ourselves is dropped and never dialled again (clients 8)', () => {
    const world = new World();
    const host = world.add(new Host({ id: 1 }));
    host.handle({ type: 'peers-found', peers: [{ ip: '10.9.9.9', port: 5000 }], source: 'tracker' }, world.now);
    expect(host.dials).toHaveLength(1);
    host.handle(
      { type: 'peer-connected', peer: 90, endpoint: { ip: '10.9.9.9', port: 5000 }, incoming: false },
      world.now,
    );
    say(world, host, 90, handshake(1));
    expect(host.hungUp).toMatchObject([{ peer: 90, reason: 'it is this very client' }]);
    host.handle({ type: 'peers-found', peers: [{ ip: '10.9.9.9', port: 5000 }], source: 'tracker' }, world.now);
    world.pass(10 * 60_000);
    expect(host.dials).toHaveLength(1);
  });

  test('connected twice keeps one connection, the same on both ends (clients 9)', () => {
    const world = new World();
    const a = world.add(new Host({ id: 1, have: 'all' }));
    const b = world.add(new Host({ id: 2 }));
    world.connect(a, b);
    world.connect(b, a);
    world.settle();
    expect(b.torrent.complete).toBe(true);
    expect(b.reports.filter((r) => r.type === 'peer-joined').length).toBeGreaterThanOrEqual(1);
    expect(b.torrent.snapshot(world.now).wastedBytes).toBe(0);
  });

  test('that asks for a piece we lack gets a reject or nothing, never data (clients 25)', () => {
    const world = new World();
    const host = world.add(new Host({ id: 1, have: [0] }));
    join(world, host, 90);
    say(world, host, 90, handshake(9));
    say(world, host, 90, encodeMessage({ type: 'interested' }));
    host.sent.length = 0;
    say(world, host, 90, encodeMessage({ type: 'request', piece: 3, begin: 0, length: 16_384 }));
    expect(host.sent).toEqual([]);
    say(world, host, 90, encodeMessage({ type: 'request', piece: 0, begin: 0, length: 16_384 }));
    expect(host.sent.length).toBe(1);
  });
});

describe('announces', () => {
  test('say started at once, then come at the interval of the reply, and stopped at the end', () => {
    const world = new World();
    const host = world.add(new Host({ id: 1 }));
    expect(host.announces.map((a) => a.facts.event)).toEqual(['started']);
    expect(host.announces[0]?.facts).toMatchObject({
      uploaded: 0,
      downloaded: 0,
      left: host.geometry.totalLength,
      numWant: 50,
    });
    host.handle(
      { type: 'announced', reply: replyOf({ interval: 900, peers: [{ ip: '10.0.0.9', port: 1 }] }) },
      world.now,
    );
    expect(host.dials).toEqual([{ ip: '10.0.0.9', port: 1 }]);
    world.pass(899_000);
    expect(host.announces).toHaveLength(1);
    world.pass(2000);
    expect(host.announces.map((a) => a.facts.event)).toEqual(['started', 'none']);
    host.handle({ type: 'stopped' }, world.now);
    expect(host.announces.at(-1)?.facts).toMatchObject({ event: 'stopped', numWant: 0 });
  });

  test('say completed once, on the way from incomplete to complete only (BEP 3)', () => {
    const world = new World();
    const seed = world.add(new Host({ id: 1, have: 'all' }));
    const leech = world.add(new Host({ id: 2 }));
    for (const host of [seed, leech]) host.handle({ type: 'announced', reply: replyOf() }, world.now);
    world.connect(leech, seed);
    world.pass(5000);
    expect(seed.announces.map((a) => a.facts.event)).toEqual(['started']);
    expect(leech.announces.map((a) => a.facts.event)).toEqual(['started', 'completed']);
    expect(leech.announces.at(-1)?.facts).toMatchObject({ left: 0, downloaded: leech.geometry.totalLength });
  });

  test('are tried again soon after a failure, later after each further one, and started is not forgotten', () => {
    const world = new World();
    const host = world.add(new Host({ id: 1 }));
    const waits: number[] = [];
    for (let i = 0; i < 4; i++) {
      host.handle({ type: 'announce-failed', reason: 'refused' }, world.now);
      waits.push(host.reported('announce-failed').at(-1)?.retryInMs ?? 0);
      world.pass((waits.at(-1) ?? 0) + 1);
    }
    expect(host.announces.map((a) => a.facts.event)).toEqual(['started', 'started', 'started', 'started', 'started']);
    expect(waits[0]).toBeLessThan(7000);
    for (let i = 1; i < waits.length; i++) expect(waits[i]).toBeGreaterThan((waits[i - 1] ?? 0) * 1.5);
  });

  test('wait as long as the tracker asks in a failure (BEP 31)', () => {
    const world = new World();
    const host = world.add(new Host({ id: 1 }));
    host.handle({ type: 'announce-failed', reason: 'busy', retryInMs: 600_000 }, world.now);
    world.pass(599_000);
    expect(host.announces).toHaveLength(1);
    world.pass(2000);
    expect(host.announces).toHaveLength(2);
  });

  test('are made early when there is nobody left to talk to, but not before the minimum interval', () => {
    const world = new World();
    const host = world.add(new Host({ id: 1 }));
    host.handle({ type: 'announced', reply: replyOf({ interval: 1800, minInterval: 300 }) }, world.now);
    world.pass(299_000);
    expect(host.announces).toHaveLength(1);
    world.pass(2000);
    expect(host.announces).toHaveLength(2);
  });

  test('without an interval count as half an hour, and never more often than once a minute (clients 49)', () => {
    const world = new World();
    const host = world.add(new Host({ id: 1, have: 'all' }));
    host.handle({ type: 'announced', reply: replyOf({ interval: 0 }) }, world.now);
    world.pass(1_799_000);
    expect(host.announces).toHaveLength(1);
    world.pass(2000);
    host.handle({ type: 'announced', reply: replyOf({ interval: 1 }) }, world.now);
    world.pass(59_000);
    expect(host.announces).toHaveLength(2);
    world.pass(2000);
    expect(host.announces).toHaveLength(3);
  });

  test('stop: no announce, dial or connection follows', () => {
    const world = new World();
    const host = world.add(new Host({ id: 1 }));
    host.handle({ type: 'stopped' }, world.now);
    const announces = host.announces.length;
    host.handle({ type: 'announced', reply: replyOf({ peers: [{ ip: '10.0.0.9', port: 1 }] }) }, world.now);
    world.pass(3_600_000);
    expect(host.announces).toHaveLength(announces);
    expect(host.dials).toEqual([]);
    expect(host.torrent.deadline).toBe(Infinity);
  });
});

describe('a peer that offers everything and rejects every request', () => {
  test('is let go, and the torrent completes from another', () => {
    const world = new World();
    const host = world.add(new Host({ id: 1 }));
    host.handle(
      { type: 'peer-connected', peer: 90, endpoint: { ip: '10.9.9.9', port: 5000 }, incoming: true },
      world.now,
    );
    const say = (bytes: Uint8Array): void =>
      host.handle({ type: 'bytes-received', peer: 90, chunk: bytes, start: 0, end: bytes.length }, world.now);
    say(encodeHandshake({ infoHash, peerId: idOf(9), fast: true }));
    say(encodeMessage({ type: 'have-all' }));
    say(encodeMessage({ type: 'unchoke' }));
    for (let turns = 0; turns < 2000 && host.hungUp.length === 0; turns++) {
      for (const { bytes } of host.sent.splice(0))
        for (let at = 0; at + 17 <= bytes.length;) {
          const length = new DataView(bytes.buffer, bytes.byteOffset + at).getUint32(0);
          // A reject is the request with another id (BEP 6).
          if (length === 13 && bytes[at + 4] === 6)
            say(Uint8Array.from(bytes.subarray(at, at + 17), (byte, i) => (i === 4 ? 16 : byte)));
          at += 4 + length;
        }
      world.now += 10;
      host.handle({ type: 'time-passed' }, world.now);
    }
    expect(host.hungUp).toEqual([{ peer: 90, reason: 'it offers pieces and rejects every request' }]);
    const seed = world.add(new Host({ id: 2, have: 'all' }));
    world.connect(host, seed);
    world.pass(30_000);
    expect(host.right).toBe(true);
  });
});

describe('a connection that comes to nothing', () => {
  test('is reported with its reason: a dial that failed, and one that ended before its handshake', () => {
    const world = new World();
    const host = world.add(new Host({ id: 1 }));
    const [dead, mute] = [
      { ip: '10.9.9.8', port: 1 },
      { ip: '10.9.9.9', port: 2 },
    ];
    host.handle({ type: 'peers-found', peers: [dead, mute], source: 'user' }, world.now);
    host.handle({ type: 'dial-failed', endpoint: dead, reason: 'connection refused' }, world.now);
    host.handle({ type: 'peer-connected', peer: 90, endpoint: mute, incoming: false }, world.now);
    host.handle({ type: 'peer-disconnected', peer: 90, reason: 'reset' }, world.now);
    expect(host.reported('connection-failed')).toEqual([
      { type: 'connection-failed', endpoint: dead, reason: 'connection refused' },
      { type: 'connection-failed', endpoint: mute, reason: 'reset' },
    ]);
    expect(host.reported('peer-left')).toEqual([]);
  });
});
