// WebTorrent peers at two trackers over one store: they meet, also when the store comes and goes, and nodes die.
import { SignalledSwarms, Tracker, encodeMemberName } from '@shoal/tracker';
import { memberStoreContract } from '@shoal/tracker/testing';
import { type IdText, type SignalReply, idBytes, isFailure } from '@shoal/tracker-protocol';
import { describe, expect, onTestFinished, test } from 'vitest';
import { type HttpServer, SharedService, SharedTotals, type Traffic, createTraffic } from '../../src/index.ts';
import { httpOn, mulberry32 } from '../support.ts';
import { Peer, announceOf, idOf } from '../websocket/peers.ts';
import { StoreInMemory } from './store-in-memory.ts';

interface Node {
  readonly server: HttpServer;
  readonly service: SharedService;
  readonly tracker: Tracker;
  readonly traffic: Traffic;
}

async function nodeOn(store: StoreInMemory, maxOffers = 500): Promise<Node> {
  const signalling = new SignalledSwarms({ random: mulberry32(3), maxOffers });
  const tracker = new Tracker({ random: mulberry32(1), store: new SharedTotals(), signalling });
  const service = new SharedService(tracker, store);
  const traffic = createTraffic();
  const server = await httpOn(tracker, { webSocket: {}, service, traffic });
  onTestFinished(async () => {
    await server[Symbol.asyncDispose]();
    service[Symbol.dispose]();
  });
  return { server, service, tracker, traffic };
}

async function peerAt({ server }: Node): Promise<Peer> {
  const peer = await Peer.connect(server);
  onTestFinished(() => peer[Symbol.dispose]());
  return peer;
}

const storeOf = (): StoreInMemory => new StoreInMemory(mulberry32(4));
const offersOf = (...bytes: number[]): { offerId: IdText; sdp: string }[] =>
  bytes.map((byte) => ({ offerId: idOf(byte), sdp: `offer ${byte}` }));
const told = (complete: number, incomplete: number): object => ({ action: 'announce', complete, incomplete });
const infoHash = idBytes(idOf(0));

/** The next message that is no answer of the tracker itself. */
async function signalTo(peer: Peer): Promise<SignalReply | undefined> {
  for (;;) {
    const reply = await peer.next();
    if (reply?.action !== 'announce') return reply;
  }
}

test.each(memberStoreContract.map((entry) => [entry.name, entry] as const))(
  'the store of these tests is one: %s',
  (_, entry) => {
    const store = storeOf();
    const questions = entry.dialogue();
    for (let next = questions.next(); next.done !== true;) next = questions.next(store.member(next.value));
  },
);

describe('peers at two nodes', () => {
  test('are counted together, over WebSockets, and leave the count when they leave', async () => {
    const store = storeOf();
    const [a, b] = [await nodeOn(store), await nodeOn(store)];
    const [one, other] = [await peerAt(a), await peerAt(b)];
    expect(await one.announce(1)).toMatchObject(told(0, 1));
    expect(await other.announce(2, { left: 0 })).toMatchObject(told(1, 1));
    expect(await one.announce(1, { event: 'none' })).toMatchObject(told(1, 1));
    one.send({ action: 'scrape', infoHashes: [idOf(0)] });
    const { files } = (await one.next()) as Extract<SignalReply, { action: 'scrape' }>;
    expect(files.get(idOf(0))).toMatchObject({ complete: 1, incomplete: 1 });
    expect(await one.announce(1, { event: 'stopped' })).toMatchObject(told(1, 0));
    other[Symbol.dispose]();
    await expect.poll(() => store.membersOf(infoHash)).toBe(0);
  });

  test('get the offers of each other, and their answers back', async () => {
    const store = storeOf();
    const [a, b] = [await nodeOn(store), await nodeOn(store)];
    const [one, other] = [await peerAt(a), await peerAt(b)];
    await one.announce(1);
    await other.announce(2, { offers: offersOf(5) });
    const offer = { infoHash: idOf(0), peerId: idOf(2), offerId: idOf(5) };
    expect(await one.next()).toEqual({ action: 'offer', ...offer, sdp: 'offer 5' });
    const answer = { infoHash: idOf(0), peerId: idOf(1), toPeerId: idOf(2), offerId: idOf(5), sdp: 'ünswer' };
    one.send({ action: 'answer', ...answer });
    const { toPeerId: _, ...passed } = answer;
    expect(await other.next()).toEqual({ action: 'answer', ...passed });
    expect([a.traffic.websocket, b.traffic.websocket]).toMatchObject([
      { offers: 0, answers: 1, relayed: 1, lost: 0 },
      { offers: 1, answers: 0, relayed: 1, lost: 0 },
    ]);
  });

  test('take no answer to an offer that was not passed to who answers', async () => {
    const store = storeOf();
    const [a, b] = [await nodeOn(store), await nodeOn(store)];
    const [one, other, liar] = [await peerAt(a), await peerAt(b), await peerAt(a)];
    await one.announce(1);
    await other.announce(2, { offers: offersOf(5) });
    await signalTo(one);
    await liar.announce(3);
    liar.send({ action: 'answer', infoHash: idOf(0), peerId: idOf(3), toPeerId: idOf(2), offerId: idOf(5), sdp: '' });
    await expect.poll(() => a.traffic.websocket.dropped).toBe(1);
    expect(a.traffic.websocket.relayed).toBe(0);
  });

  test('get at most the offers that a connection may have passed on', async () => {
    const store = storeOf();
    const [a, b] = [await nodeOn(store), await nodeOn(store, 2)];
    for (let byte = 1; byte <= 5; byte++) await (await peerAt(a)).announce(byte);
    const other = await peerAt(b);
    for (let turn = 0; turn < 3; turn++) await other.announce(9, { offers: offersOf(20, 21, 22) });
    expect(b.traffic.websocket).toMatchObject({ offers: 2, relayed: 2 });
  });

  test('share a batch where several of one node are offered something in the same announce', async () => {
    const store = storeOf();
    const [a, b] = [await nodeOn(store), await nodeOn(store)];
    const peers = await Promise.all([1, 2, 3].map(() => peerAt(a)));
    for (const [at, peer] of peers.entries()) await peer.announce(at + 1);
    await (await peerAt(b)).announce(9, { offers: offersOf(20, 21, 22) });
    for (const peer of peers) expect(await peer.next()).toMatchObject({ action: 'offer' });
    expect(store.handed).toHaveLength(1);
  });

  test('are drawn with those of the own node, all equally', async () => {
    const store = storeOf();
    const [a, b] = [await nodeOn(store), await nodeOn(store)];
    const [near, far] = [await peerAt(a), await peerAt(b)];
    await near.announce(1);
    await far.announce(2);
    const asker = await peerAt(a);
    for (let turn = 0; turn < 60; turn++) await asker.announce(3, { offers: offersOf(40 - turn) });
    expect(a.traffic.websocket.offers).toBe(60);
    // 30 ± 5 standard deviations.
    expect(a.traffic.websocket.relayed).toBeGreaterThan(10);
    expect(a.traffic.websocket.relayed).toBeLessThan(50);
  });
});

describe('a node that is gone', () => {
  test('has its members taken out as soon as one of them is drawn', async () => {
    const store = storeOf();
    const [a, b] = [await nodeOn(store), await nodeOn(store)];
    await (await peerAt(b)).announce(2);
    store.gone.add(b.service.signalling!.node);
    const one = await peerAt(a);
    expect(await one.announce(1, { offers: offersOf(5) })).toMatchObject(told(0, 2));
    await expect.poll(() => store.membersOf(infoHash)).toBe(1);
    expect(a.traffic.websocket.lost).toBe(1);
    expect(await one.announce(1)).toMatchObject(told(0, 1));
  });
});

describe('without the store', () => {
  test('peers of one node meet, and are told how many they are', async () => {
    const store = storeOf();
    const node = await nodeOn(store);
    store.available = false;
    const [one, other] = [await peerAt(node), await peerAt(node)];
    expect(await one.announce(1)).toMatchObject(told(0, 1));
    expect(await other.announce(2, { offers: offersOf(5) })).toMatchObject(told(0, 2));
    expect(await one.next()).toMatchObject({ action: 'offer', sdp: 'offer 5' });
    one.send({ action: 'answer', infoHash: idOf(0), peerId: idOf(1), toPeerId: idOf(2), offerId: idOf(5), sdp: 'yes' });
    expect(await other.next()).toMatchObject({ action: 'answer', sdp: 'yes' });
  });

  test('a store that is back counts them with their next announce', async () => {
    const store = storeOf();
    const [a, b] = [await nodeOn(store), await nodeOn(store)];
    store.available = false;
    const [one, other] = [await peerAt(a), await peerAt(b)];
    await one.announce(1);
    store.available = true;
    expect(await other.announce(2)).toMatchObject(told(0, 1));
    expect(await one.announce(1, { offers: offersOf(5) })).toMatchObject(told(0, 2));
    expect(await other.next()).toMatchObject({ action: 'offer' });
  });

  test('a store that says nothing delays them by its time, and no longer', async () => {
    const store = storeOf();
    const node = await nodeOn(store);
    const [one, other] = [await peerAt(node), await peerAt(node)];
    await one.announce(1);
    store.holds = true;
    const began = performance.now();
    expect(await other.announce(2, { offers: offersOf(5) })).toMatchObject(told(0, 2));
    expect(performance.now() - began).toBeLessThan(5000);
    expect(await one.next()).toMatchObject({ action: 'offer' });
  });

  test('a bounded amount of offers waits for it; whoever comes then meets the peers of the node', async () => {
    const store = storeOf();
    const { tracker, service } = await nodeOn(store);
    store.holds = true;
    const [swarms, shared] = [tracker.signalling!, service.signalling!];
    const admitted = { infoHash, seeding: false, leaving: false, want: 10 };
    const offers = Array.from({ length: 10 }, (_, at) => ({ offerId: idOf(at), sdp: 'x'.repeat(65_536) }));
    let answered = 0;
    for (let connection = 0; connection < 60; connection++) {
      const message = announceOf(connection, { offers });
      const member = swarms.enlist(connection, message, admitted, 0);
      if (member === undefined || isFailure(member)) throw new Error('not enlisted');
      shared.announce({ connection, message, admitted, member, interval: 120 }, 0, () => answered++);
    }
    // 51 of 640 KiB fit into 32 MiB.
    expect([answered, service.waiting]).toEqual([9, 51]);
  });

  test('whoever leaves while the store is asked gets and gives nothing more', async () => {
    const store = storeOf();
    const [a, b] = [await nodeOn(store), await nodeOn(store)];
    const [one, other] = [await peerAt(a), await peerAt(b)];
    await one.announce(1);
    store.holds = true;
    other.send(announceOf(2, { offers: offersOf(5) }));
    await expect.poll(() => store.held.length).toBe(1);
    other[Symbol.dispose]();
    await expect.poll(() => b.tracker.signalling!.totals.leechers).toBe(0);
    store.holds = false;
    for (const go of store.held.splice(0)) go();
    expect(await one.announce(1, { event: 'none' })).toMatchObject({ action: 'announce' });
    expect(b.traffic.websocket.offers).toBe(0);
    await expect.poll(() => store.membersOf(infoHash)).toBe(1);
  });
});

describe('a member that the store has and its node has not', () => {
  const ghostOf = (node: string, connection: number): Uint8Array =>
    encodeMemberName({ node, connection, peerId: idOf(7) });
  const known = (store: StoreInMemory, name: Uint8Array): void =>
    void store.member({ infoHash, name, seeding: false, leaving: false, want: 0, lifetimeMs: 1 });

  test('is taken out by that node when it is offered something, from elsewhere', async () => {
    const store = storeOf();
    const [a, b] = [await nodeOn(store), await nodeOn(store)];
    known(store, ghostOf(b.service.signalling!.node, 99));
    await (await peerAt(a)).announce(1, { offers: offersOf(5) });
    await expect.poll(() => store.membersOf(infoHash)).toBe(1);
    expect([a.traffic.websocket.relayed, b.traffic.websocket.lost]).toEqual([1, 1]);
  });

  test('is taken out when it is drawn for a peer of that node', async () => {
    const store = storeOf();
    const a = await nodeOn(store);
    known(store, ghostOf(a.service.signalling!.node, 99));
    await (await peerAt(a)).announce(1, { offers: offersOf(5) });
    await expect.poll(() => store.membersOf(infoHash)).toBe(1);
    expect(a.traffic.websocket.offers).toBe(0);
  });

  test('stays where it is only offered the same twice', async () => {
    const store = storeOf();
    const [a, b] = [await nodeOn(store), await nodeOn(store)];
    const [one, other] = [await peerAt(a), await peerAt(b)];
    await one.announce(1);
    for (let turn = 0; turn < 3; turn++) await other.announce(2, { offers: offersOf(5) });
    await expect.poll(() => a.traffic.websocket.lost).toBe(2);
    expect(store.membersOf(infoHash)).toBe(2);
  });
});

test('thousands of connections that close at once leave room for other questions', async () => {
  const store = storeOf();
  const { tracker, service } = await nodeOn(store);
  store.holds = true;
  const swarms = tracker.signalling!;
  const admitted = { infoHash, seeding: false, leaving: false, want: 0 };
  for (let connection = 0; connection < 5000; connection++) {
    swarms.enlist(connection, announceOf(1), admitted, 0);
    service.signalling!.close(connection);
    swarms.close(connection);
  }
  expect(service.waiting).toBe(2048);
});

test('what other nodes send that is not for anybody here is lost, and harms nobody', async () => {
  const store = storeOf();
  const node = await nodeOn(store);
  const one = await peerAt(node);
  await one.announce(1);
  const { node: name } = node.service.signalling!;
  for (const bytes of [[], [1], [9, 9, 9], Array.from({ length: 500 }, () => 1)]) {
    await store.signalling.hand(name, Uint8Array.from(bytes));
  }
  expect(await one.announce(1, { event: 'none' })).toMatchObject(told(0, 1));
});
