import { Bitfield, geometryOf } from '@shoal/pieces';
import { encodeHandshake, encodeMessage, pieceHeaderLength, writePieceHeader } from '@shoal/wire';
import { expect, test } from 'vitest';
import { Torrent, type TorrentInput } from '../src/index.ts';
import { Host, idOf, infoHash, randomOf, World } from './harness.ts';
import { Remote } from './remote.ts';

const block = 16_384;
const stallers = [1, 2];
const giver = 3;

/** Blocks requested in some sent bytes: messages of 13 bytes with id 6 (BEP 3). */
function requestsIn(bytes: Uint8Array): { piece: number; begin: number; length: number }[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const requests = [];
  for (let at = 0; at + 5 <= bytes.length; at += 4 + view.getUint32(at)) {
    if (view.getUint32(at) !== 13 || bytes[at + 4] !== 6) continue;
    requests.push({ piece: view.getUint32(at + 5), begin: view.getUint32(at + 9), length: view.getUint32(at + 13) });
  }
  return requests;
}

test('what a stalling peer lost goes to one that gives, even when no further piece may be started', () => {
  const torrent = new Torrent({ infoHash, geometry: geometryOf(8 * block, block), isPrivate: false }, new Bitfield(8), {
    random: randomOf(3),
    peerId: idOf(9),
    pieceBufferBytes: 2 * block,
  });
  let now = 0;
  const inputs: TorrentInput[] = [{ type: 'started' }];
  const says = (peer: number, ...parts: Uint8Array[]): void => {
    for (const chunk of parts) inputs.push({ type: 'bytes-received', peer, chunk, start: 0, end: chunk.length });
  };
  const greetings = new Set<number>();
  const perform = (): void => {
    for (let input = inputs.shift(); input !== undefined; input = inputs.shift()) {
      for (const output of torrent.handle(input, now)) {
        if (output.type === 'check-piece')
          inputs.push({ type: 'piece-checked', piece: output.piece, outcome: 'stored' });
        if (output.type !== 'send' || output.peer !== giver) continue;
        if (!greetings.has(giver)) {
          greetings.add(giver);
          continue;
        }
        for (const request of requestsIn(output.bytes)) {
          const message = new Uint8Array(pieceHeaderLength + request.length);
          writePieceHeader(message, 0, request);
          says(giver, message);
        }
      }
    }
  };
  for (const peer of [...stallers, giver]) {
    inputs.push({ type: 'peer-connected', peer, endpoint: { ip: `10.0.0.${peer}`, port: 6881 }, incoming: true });
    says(peer, encodeHandshake({ infoHash, peerId: idOf(peer) }));
    says(
      peer,
      encodeMessage({ type: 'bitfield', bits: Bitfield.full(8).toBytes() }),
      encodeMessage({ type: 'unchoke' }),
    );
  }
  for (; now <= 60_000 && !torrent.complete; now += 1000) {
    inputs.push({ type: 'time-passed' });
    perform();
  }
  // Requests are lost after 20 s without payload: by then twice, once to each that stalls.
  expect(torrent.complete).toBe(true);
});

test('a peer that sends nothing gives its place to another when all connections are in use', () => {
  const torrent = new Torrent({ infoHash, geometry: geometryOf(block, block), isPrivate: false }, new Bitfield(1), {
    random: randomOf(3),
    peerId: idOf(9),
    maxConnections: 1,
  });
  const hungUp: string[] = [];
  const handle = (input: TorrentInput, now: number): void => {
    for (const output of torrent.handle(input, now))
      if (output.type === 'hang-up') hungUp.push(`${output.peer}: ${output.reason}`);
  };
  const arrives = (peer: number, now: number): void => {
    handle({ type: 'peer-connected', peer, endpoint: { ip: `10.0.0.${peer}`, port: 6881 }, incoming: true }, now);
    const hello = [
      encodeHandshake({ infoHash, peerId: idOf(peer) }),
      encodeMessage({ type: 'bitfield', bits: Bitfield.full(1).toBytes() }),
      encodeMessage({ type: 'unchoke' }),
    ];
    for (const chunk of hello) handle({ type: 'bytes-received', peer, chunk, start: 0, end: chunk.length }, now);
  };
  handle({ type: 'started' }, 0);
  arrives(1, 0);
  arrives(2, 10_000);
  expect(hungUp).toEqual(['2: all connections are in use']);
  for (let now = 11_000; now <= 25_000; now += 1000) handle({ type: 'time-passed' }, now);
  arrives(3, 26_000);
  expect(hungUp.slice(1)).toEqual(['1: it sends nothing and its place is needed']);
  expect(torrent.snapshot(26_000).peers.map(({ peer }) => peer)).toEqual([3]);
});

test('a peer with which nothing was exchanged for a minute makes room, one in ten seconds, who is of least use first', () => {
  const world = new World();
  const host = world.add(new Host({ id: 1, have: [0, 1, 2, 3, 4], maxConnections: 3 }));
  const remotes = [90, 91, 92].map((peer) => new Remote(world, host, peer, { fast: true }));
  // 90 has what we lack and chokes us; 91 wants nothing and has nothing; 92 takes a block now and then.
  remotes[0]?.say({ type: 'have-all' });
  remotes[1]?.say({ type: 'have-none' });
  remotes[2]?.say({ type: 'have-none' }, { type: 'interested' });
  const addresses = Array.from({ length: 5 }, (_, index) => ({ ip: `10.8.8.${index + 1}`, port: 6881 }));
  host.handle({ type: 'peers-found', source: 'user', peers: addresses }, world.now);
  for (let second = 0; second < 58; second++) {
    world.pass(1000);
    if (second % 20 === 10) remotes[2]?.say({ type: 'request', piece: 0, begin: 0, length: 16_384 });
  }
  expect(host.hungUp).toEqual([]);
  world.pass(4000);
  expect(host.hungUp.map(({ peer }) => peer)).toEqual([91]);
  expect(host.dials).toHaveLength(1);
  host.handle({ type: 'peer-connected', peer: 95, endpoint: addresses[0]!, incoming: false }, world.now);
  world.pass(5000);
  expect(host.hungUp).toHaveLength(1);
  world.pass(4500);
  expect(host.hungUp.map(({ peer }) => peer)).toEqual([91, 90]);
});

test('clients 33: a seed lets go of a peer that may ask and has not for a minute', () => {
  const world = new World();
  const host = world.add(new Host({ id: 1, have: 'all' }));
  const silent = new Remote(world, host, 90, { fast: true });
  silent.say({ type: 'have-none' }, { type: 'interested' });
  const busy = new Remote(world, host, 91, { fast: true });
  busy.say({ type: 'have-none' }, { type: 'interested' });
  const choked = new Remote(world, host, 92, { fast: true });
  choked.say({ type: 'have-none' });
  for (let second = 0; second < 100; second++) {
    world.pass(1000);
    if (second % 30 === 10) busy.say({ type: 'request', piece: 0, begin: 0, length: 16_384 });
  }
  expect(host.hungUp).toEqual([{ peer: 90, reason: 'it asks for nothing though it may' }]);
});

test('a peer that sends nothing gives its place to a known address when all connections are in use', () => {
  const torrent = new Torrent({ infoHash, geometry: geometryOf(block, block), isPrivate: false }, new Bitfield(1), {
    random: randomOf(3),
    peerId: idOf(9),
    maxConnections: 1,
  });
  const dialled: string[] = [];
  const handle = (input: TorrentInput, now: number): void => {
    for (const output of torrent.handle(input, now)) if (output.type === 'dial') dialled.push(output.endpoint.ip);
  };
  handle({ type: 'started' }, 0);
  handle({ type: 'peer-connected', peer: 1, endpoint: { ip: '10.0.0.1', port: 6881 }, incoming: true }, 0);
  const hello = [
    encodeHandshake({ infoHash, peerId: idOf(1) }),
    encodeMessage({ type: 'bitfield', bits: Bitfield.full(1).toBytes() }),
    encodeMessage({ type: 'unchoke' }),
  ];
  for (const chunk of hello) handle({ type: 'bytes-received', peer: 1, chunk, start: 0, end: chunk.length }, 0);
  handle({ type: 'peers-found', source: 'user', peers: [{ ip: '10.0.0.2', port: 6881 }] }, 0);
  for (let now = 1000; now <= 19_000; now += 1000) handle({ type: 'time-passed' }, now);
  expect(dialled).toEqual([]);
  for (let now = 20_000; now <= 25_000; now += 1000) handle({ type: 'time-passed' }, now);
  expect(dialled).toEqual(['10.0.0.2']);
});
