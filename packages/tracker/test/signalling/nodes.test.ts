// Members of two nodes: what one passes away and the other takes, without anything in between.
import type { Delivery, MemberName, RelayedSignal, SignalledMember, SignalledSwarms } from '@shoal/tracker';
import { type SignalAnnounce, idBytes, isFailure } from '@shoal/tracker-protocol';
import { describe, expect, test } from 'vitest';
import { answered, deliveries, idOf, swarmsOf } from './members.ts';

const [here, there] = ['node one', 'node two'];

const messageOf = (peer: number, offers: readonly number[] = []): SignalAnnounce => ({
  action: 'announce',
  infoHash: idOf(1, 0),
  peerId: idOf(2, peer),
  uploaded: 0,
  downloaded: 0,
  left: 1,
  event: 'none',
  offers: offers.map((offer) => ({ offerId: idOf(3, offer), sdp: `offer ${offer}` })),
});

function enlisted(swarms: SignalledSwarms, connection: number): SignalledMember {
  const admitted = { infoHash: idBytes(idOf(1, 0)), seeding: false, leaving: false, want: 10 };
  const member = swarms.enlist(connection, messageOf(connection), admitted, 0);
  if (member === undefined || isFailure(member)) throw new Error('not enlisted');
  return member;
}

const nameOf = (node: string, connection: number, peer = connection): MemberName => ({
  node,
  connection,
  peerId: idOf(2, peer),
});

/** Offer number `offer` of connection 1 here for connection `to` there, as it arrives. */
const offerFor = (to: number, offer: number, peer = to): RelayedSignal => ({
  action: 'offer',
  infoHash: idBytes(idOf(1, 0)),
  from: nameOf(here, 1),
  to: nameOf(there, to, peer),
  offerId: idOf(3, offer),
  text: '',
});

describe('an offer for a member of another node', () => {
  test('is spent from the budget of its connection, as one for a member here', () => {
    const swarms = swarmsOf({ maxOffers: 2 });
    const member = enlisted(swarms, 1);
    const offer = { offerId: idOf(3, 1), sdp: 'offer 1' };
    expect(swarms.allowance(member, 5, 0)).toBe(2);
    expect(swarms.passAway(member, nameOf(there, 9), idOf(1, 0), offer)).toEqual({
      connection: 9,
      signal: { action: 'offer', infoHash: idOf(1, 0), peerId: idOf(2, 1), ...offer },
      away: nameOf(there, 9),
    });
    expect(swarms.allowance(member, 5, 0)).toBe(1);
  });

  test('is not made to its own ghost there', () => {
    const swarms = swarmsOf();
    const member = enlisted(swarms, 1);
    const offer = { offerId: idOf(3, 1), sdp: '' };
    expect(swarms.passAway(member, nameOf(there, 9, 1), idOf(1, 0), offer)).toBeUndefined();
  });

  test('arrives where that member is connected, once', () => {
    const swarms = swarmsOf();
    enlisted(swarms, 9);
    expect(swarms.receive(offerFor(9, 1), 0)).toBe(9);
    expect(swarms.receive(offerFor(9, 1), 0)).toBeUndefined();
    expect(swarms.receive(offerFor(9, 2, 8), 0)).toBeUndefined();
    expect(swarms.receive(offerFor(5, 3), 0)).toBeUndefined();
    swarms.close(9);
    expect(swarms.receive(offerFor(9, 4), 0)).toBeUndefined();
  });

  test('is answered to the node it came from, once, by who got it, to who made it', () => {
    const swarms = swarmsOf();
    for (const connection of [8, 9]) enlisted(swarms, connection);
    swarms.receive(offerFor(9, 1), 0);
    swarms.receive(offerFor(9, 2), 0);
    expect(answered(swarms, 8, { to: 1, offer: 1 })).toBeUndefined();
    const signal = { action: 'answer', infoHash: idOf(1, 0), peerId: idOf(2, 9), offerId: idOf(3, 1), sdp: 'answer 1' };
    expect(answered(swarms, 9, { to: 1, offer: 1 })).toEqual({ connection: 1, signal, away: nameOf(here, 1) });
    expect(answered(swarms, 9, { to: 1, offer: 1 })).toBeUndefined();
    expect(answered(swarms, 9, { to: 2, offer: 2 })).toBeUndefined();
  });

  test('is forgotten as others are: after two minutes, or when there are too many', () => {
    const swarms = swarmsOf({ maxPendingOffers: 4 });
    enlisted(swarms, 9);
    for (let offer = 0; offer < 50; offer++) swarms.receive(offerFor(9, offer), 0);
    expect(answered(swarms, 9, { to: 1, offer: 0 })).toBeUndefined();
    expect(answered(swarms, 9, { to: 1, offer: 49 })).toBeDefined();
    swarms.receive(offerFor(9, 60), 0);
    expect(answered(swarms, 9, { to: 1, offer: 60 }, 120_001)).toBeUndefined();
  });
});

test('an answer of another node arrives at who is still connected under that peer id', () => {
  const swarms = swarmsOf();
  enlisted(swarms, 1);
  const answer: RelayedSignal = { ...offerFor(9, 1), action: 'answer', from: nameOf(there, 9), to: nameOf(here, 1) };
  expect(swarms.receive(answer, 0)).toBe(1);
  expect(swarms.receive({ ...answer, to: nameOf(here, 1, 2) }, 0)).toBeUndefined();
  expect(swarms.receive({ ...answer, infoHash: idBytes(idOf(1, 1)) }, 0)).toBeUndefined();
  swarms.close(1);
  expect(swarms.receive(answer, 0)).toBeUndefined();
});

describe('an offer for a member here that was drawn elsewhere', () => {
  const offer = { offerId: idOf(3, 1), sdp: 'offer 1' };
  const passed = (swarms: SignalledSwarms, to: MemberName): Delivery | undefined =>
    swarms.passHere(enlisted(swarms, 1), to, idOf(1, 0), offer, 0);

  test('is passed on as one that was drawn here', () => {
    const swarms = swarmsOf();
    deliveries(swarms, 2);
    expect(passed(swarms, nameOf(here, 2))).toMatchObject({ connection: 2, signal: { sdp: 'offer 1' } });
    expect(answered(swarms, 2, { to: 1, offer: 1 })).toMatchObject({ connection: 1 });
  });

  test('goes nowhere once that member is gone', () => {
    const swarms = swarmsOf();
    deliveries(swarms, 2);
    expect(passed(swarms, nameOf(here, 2, 7))).toBeUndefined();
    swarms.close(2);
    expect(passed(swarms, nameOf(here, 2))).toBeUndefined();
  });
});

test('the torrents of a connection are known until it is closed', () => {
  const swarms = swarmsOf();
  for (const torrent of [0, 1]) deliveries(swarms, 1, { torrent });
  expect([swarms.has(idBytes(idOf(1, 0)), nameOf(here, 1)), swarms.has(idBytes(idOf(1, 2)), nameOf(here, 1))]).toEqual([
    true,
    false,
  ]);
  expect(swarms.membersOf(1).map(({ swarm }) => swarm.infoHash)).toEqual([idOf(1, 0), idOf(1, 1)].map(idBytes));
  swarms.close(1);
  expect(swarms.membersOf(1)).toEqual([]);
});
