// Statements of BEP 3 on what a downloader does, told by what goes over its connections. Numbers: docs/bep-0003.md.
import { geometryOf } from '@shoal/pieces';
import { encodeHandshake, type PeerMessage } from '@shoal/wire';
import { describe, expect, test } from 'vitest';
import { Host, idOf, infoHash, replyOf, World } from './harness.ts';
import { Remote } from './remote.ts';

const blockLength = 16_384;

const typesOf = (messages: readonly PeerMessage[]): string[] => messages.map(({ type }) => type);
const requestsIn = (messages: readonly PeerMessage[]): PeerMessage[] =>
  messages.filter(({ type }) => type === 'request');

/** The answers of the disk and of the sockets that are due. */
function runDisk(world: World, host: Host): void {
  for (const input of host.later.splice(0)) host.handle(input, world.now);
}

/** The block that was asked for, with the right bytes. */
function answerTo(request: PeerMessage, content: Host): PeerMessage {
  if (request.type !== 'request') throw new TypeError('only requests have answers');
  const { piece, begin, length } = request;
  const from = piece * content.geometry.pieceLength + begin;
  return { type: 'piece', piece, begin, data: content.disk.slice(from, from + length) };
}

const small = geometryOf(4 * 32_768, 32_768);
const everything: PeerMessage = { type: 'bitfield', bits: Uint8Array.of(0xf0) };
const seedOf = (): Host => new Host({ id: 1, have: 'all', geometry: small });

describe('what the tracker is told', () => {
  test('BEP 3.62, 3.64: downloaded and left do not add up to the file after a resume and a piece that failed its check', () => {
    const world = new World();
    const leech = world.add(new Host({ id: 3, have: [0, 1, 2] }));
    const { totalLength, pieceLength } = leech.geometry;
    expect(leech.announces[0]?.facts).toMatchObject({ downloaded: 0, left: totalLength - 3 * pieceLength });
    leech.handle({ type: 'announced', reply: replyOf() }, world.now);
    const bad = world.add(new Host({ id: 1, have: 'all', corrupt: true }));
    world.connect(leech, bad);
    world.pass(1000);
    expect(leech.torrent.snapshot(world.now).corruptBytes).toBeGreaterThan(0);
    world.connect(leech, world.add(new Host({ id: 2, have: 'all' })));
    world.pass(30_000);
    expect(leech.announces.at(-1)?.facts).toMatchObject({
      event: 'completed',
      left: 0,
      // What was corrupt is left out, as in libtorrent: what came and is of use.
      downloaded: totalLength - 3 * pieceLength,
    });
  });

  test('BEP 3.61: uploaded counts all bytes of content that were sent', () => {
    const world = new World();
    const seed = world.add(new Host({ id: 1, have: 'all' }));
    for (const id of [2, 3]) {
      world.connect(world.add(new Host({ id })), seed);
      world.pass(10_000);
    }
    seed.handle({ type: 'stopped' }, world.now);
    expect(seed.announces.at(-1)?.facts).toMatchObject({
      event: 'stopped',
      uploaded: 2 * seed.geometry.totalLength,
      downloaded: 0,
      left: 0,
    });
  });
});

describe('having and wanting', () => {
  test('BEP 3.85, 3.117: a have goes to all peers once the piece has passed its check, and not before', () => {
    const world = new World();
    const content = seedOf();
    const host = world.add(new Host({ id: 2, geometry: small }));
    const giver = new Remote(world, host, 90);
    const others = [91, 92].map((peer) => new Remote(world, host, peer));
    for (const other of others) other.heard();
    giver.say({ type: 'bitfield', bits: Uint8Array.of(0x40) }, { type: 'unchoke' });
    for (const request of requestsIn(giver.heard())) giver.say(answerTo(request, content));
    for (const each of [giver, ...others]) expect(typesOf(each.heard())).not.toContain('have');
    runDisk(world, host);
    for (const each of [giver, ...others]) expect(each.heard()).toContainEqual({ type: 'have', piece: 1 });
  });

  test('BEP 3.85: a piece that fails its check is announced to nobody', () => {
    const world = new World();
    const host = world.add(new Host({ id: 2, geometry: small }));
    const giver = new Remote(world, host, 90);
    const other = new Remote(world, host, 91);
    giver.say({ type: 'bitfield', bits: Uint8Array.of(0x40) }, { type: 'unchoke' });
    for (const request of requestsIn(giver.heard())) {
      if (request.type === 'request') giver.say({ ...request, type: 'piece', data: new Uint8Array(blockLength) });
    }
    runDisk(world, host);
    expect(host.reported('piece-corrupt')).toHaveLength(1);
    expect(typesOf(other.heard())).not.toContain('have');
  });

  test('BEP 3.89: interest is told while choked: with the first piece we lack, and its end with the last', () => {
    const world = new World();
    const content = seedOf();
    const host = world.add(new Host({ id: 2, geometry: small, have: [0] }));
    const choking = new Remote(world, host, 90);
    choking.heard();
    choking.say({ type: 'have', piece: 0 });
    expect(choking.heard()).toEqual([]);
    choking.say({ type: 'have', piece: 2 });
    expect(typesOf(choking.heard())).toEqual(['interested']);
    const giver = new Remote(world, host, 91);
    giver.say({ type: 'bitfield', bits: Uint8Array.of(0x20) }, { type: 'unchoke' });
    for (const request of requestsIn(giver.heard())) giver.say(answerTo(request, content));
    runDisk(world, host);
    expect(typesOf(choking.heard())).toEqual(['have', 'not-interested']);
  });

  test('BEP 3.87, 3.88: nothing is asked of a peer that chokes us, and all as soon as it does not', () => {
    const world = new World();
    const host = world.add(new Host({ id: 2, geometry: small }));
    const remote = new Remote(world, host, 90);
    remote.say(everything);
    expect(requestsIn(remote.heard())).toEqual([]);
    remote.say({ type: 'unchoke' });
    expect(requestsIn(remote.heard()).length).toBeGreaterThan(1);
  });
});

describe('giving', () => {
  const asks = (count: number): PeerMessage[] =>
    Array.from({ length: count }, (_, block) => ({
      type: 'request',
      piece: block >> 2,
      begin: (block & 3) * blockLength,
      length: blockLength,
    }));

  test('BEP 3.93: requests wait with us and not in a socket, and a choke throws them out', () => {
    const world = new World();
    const host = world.add(new Host({ id: 1, have: 'all', geometry: geometryOf(100 * 65_536, 65_536) }));
    const remote = new Remote(world, host, 90);
    remote.say({ type: 'interested' });
    expect(typesOf(remote.heard())).toContain('unchoke');
    remote.say(...asks(100));
    const underWay = remote.heard();
    // Half a second of a peer that has no rate yet: the least that is ever handed over, 128 KiB.
    expect(typesOf(underWay)).toEqual(Array.from({ length: 8 }, () => 'piece'));
    remote.say({ type: 'not-interested' });
    expect(typesOf(remote.heard())).toEqual(['choke']);
    runDisk(world, host);
    expect(remote.heard()).toEqual([]);
    expect(host.torrent.snapshot(world.now).uploadedBytes).toBe(8 * blockLength);
  });

  test('BEP 3.87: a choked peer that asks all the same gets no data', () => {
    const world = new World();
    const host = world.add(new Host({ id: 1, have: 'all', geometry: small, uploadSlots: 1 }));
    const served = new Remote(world, host, 90);
    served.say({ type: 'interested' });
    const choked = new Remote(world, host, 91);
    choked.heard();
    choked.say({ type: 'interested' }, ...asks(2));
    expect(choked.heard()).toEqual([]);
  });
});

describe('whom we talk to', () => {
  test('BEP 3.104: a peer with another id than the tracker named is kept', () => {
    const world = new World();
    const host = world.add(new Host({ id: 1, geometry: small }));
    const endpoint = { ip: '10.9.9.90', port: 5000 };
    host.handle({ type: 'announced', reply: replyOf({ peers: [{ ...endpoint, peerId: idOf(50) }] }) }, world.now);
    expect(host.dials).toEqual([endpoint]);
    host.handle({ type: 'peer-connected', peer: 90, endpoint, incoming: false }, world.now);
    const chunk = encodeHandshake({ infoHash, peerId: idOf(51) });
    host.handle({ type: 'bytes-received', peer: 90, chunk, start: 0, end: chunk.length }, world.now);
    expect(host.hungUp).toEqual([]);
    expect(host.reported('peer-joined')).toMatchObject([{ peerId: '33'.repeat(20) }]);
  });
});

describe('the end game', () => {
  test('BEP 3.126, 3.127: when all is asked for, the rest is asked of others too, and cancelled where it has not come from', () => {
    const world = new World();
    const content = seedOf();
    const host = world.add(new Host({ id: 2, geometry: small }));
    const slow = new Remote(world, host, 90);
    slow.say(everything, { type: 'unchoke' });
    const owed = requestsIn(slow.heard());
    expect(owed.length).toBeGreaterThan(1);
    const quick = new Remote(world, host, 91);
    quick.say(everything, { type: 'unchoke' });
    const asked = requestsIn(quick.heard());
    const first = asked.splice(0);
    expect(first.length + owed.length).toBe(8);
    for (const request of first) quick.say(answerTo(request, content));
    const copies = requestsIn(quick.heard());
    expect(copies.length).toBeGreaterThan(0);
    for (const copy of copies) expect(owed).toContainEqual(copy);
    runDisk(world, host);
    slow.heard();
    const [one] = copies;
    quick.say(answerTo(one as PeerMessage, content));
    expect(slow.heard()).toContainEqual({ ...(one as PeerMessage), type: 'cancel' });
  });
});
