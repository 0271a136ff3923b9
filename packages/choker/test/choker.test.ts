import { describe, expect, test } from 'vitest';
import { Choker, type ChokeCandidate } from '../src/index.ts';
import { candidate, seeded } from './candidates.ts';

/** Plays rounds with peers that are always interested and transfer as told; keeps who is choked. */
class Swarm {
  readonly choker: Choker;
  readonly servedMs = new Map<number, number>();
  readonly turnsMs: number[] = [];
  readonly #since = new Map<number, number>();
  now = 0;

  constructor(seed: number) {
    this.choker = new Choker({ random: seeded(seed) });
  }

  join(peer: number): void {
    this.choker.peerJoined(peer, this.now);
    this.servedMs.set(peer, 0);
  }

  round(seeding: boolean, facts: (peer: number) => Partial<ChokeCandidate> = () => ({})): ReadonlySet<number> {
    this.now = this.choker.deadline;
    return this.decide(seeding, facts);
  }

  decide(seeding: boolean, facts: (peer: number) => Partial<ChokeCandidate> = () => ({})): ReadonlySet<number> {
    const candidates = [...this.servedMs.keys()].map((peer) =>
      candidate(peer, { choked: !this.#since.has(peer), ...facts(peer) }),
    );
    const { unchoke } = this.choker.decide(candidates, seeding, this.now);
    for (const [peer, since] of this.#since) {
      this.servedMs.set(peer, (this.servedMs.get(peer) ?? 0) + this.now - since);
      if (unchoke.has(peer)) this.#since.set(peer, this.now);
      else this.#since.delete(peer);
    }
    for (const peer of unchoke) if (!this.#since.has(peer)) this.#since.set(peer, this.now);
    return unchoke;
  }

  leave(peer: number): void {
    this.choker.peerLeft(peer);
    this.#since.delete(peer);
    this.servedMs.delete(peer);
  }
}

describe('rounds', () => {
  test('there is no deadline while there are no peers', () => {
    const choker = new Choker({ random: seeded(1) });
    expect(choker.deadline).toBe(Number.POSITIVE_INFINITY);
    choker.peerJoined(1, 500);
    expect(choker.deadline).toBe(10_500);
    choker.peerLeft(1);
    expect(choker.deadline).toBe(Number.POSITIVE_INFINITY);
  });

  test('an early decision does not advance the round', () => {
    const choker = new Choker({ random: seeded(1) });
    choker.peerJoined(1, 0);
    choker.decide([candidate(1)], false, 9999);
    expect(choker.deadline).toBe(10_000);
    choker.decide([candidate(1)], false, 10_003);
    expect(choker.deadline).toBe(20_000);
  });

  test('missed rounds are not made up for', () => {
    const choker = new Choker({ random: seeded(1) });
    choker.peerJoined(1, 0);
    choker.decide([candidate(1)], false, 65_000);
    expect(choker.deadline).toBe(75_000);
  });

  test('the optimistic unchoke changes every third round and not in between', () => {
    const choker = new Choker({ random: seeded(3) });
    for (let peer = 1; peer <= 12; peer++) choker.peerJoined(peer, 0);
    const choked = new Set(Array.from({ length: 12 }, (_, index) => index + 1));
    const chosen: string[] = [];
    for (let round = 1; round <= 9; round++) {
      const candidates = Array.from({ length: 12 }, (_, index) =>
        candidate(index + 1, { choked: choked.has(index + 1), downloadRate: index < 3 ? 100 : 0 }),
      );
      const { unchoke, optimistic } = choker.decide(candidates, false, choker.deadline);
      for (let peer = 1; peer <= 12; peer++) choked.add(peer);
      for (const peer of unchoke) choked.delete(peer);
      chosen.push(optimistic.join());
    }
    expect(chosen[0]).toBe(chosen[1]);
    expect(chosen[1]).not.toBe(chosen[2]);
    expect(new Set(chosen.slice(2, 5)).size).toBe(1);
    expect(chosen[4]).not.toBe(chosen[5]);
    expect(new Set(chosen).size).toBe(4);
  });

  test('between rounds of unchanged facts nobody is choked or unchoked: no fibrillation', () => {
    for (const seeding of [false, true]) {
      const swarm = new Swarm(5);
      for (let peer = 0; peer < 30; peer++) swarm.join(peer);
      for (let round = 0; round < 20; round++) {
        const decided = swarm.round(seeding, (peer) => ({ downloadRate: peer % 7, uploadRate: peer % 5 }));
        swarm.now += 1000;
        const again = swarm.decide(seeding, (peer) => ({ downloadRate: peer % 7, uploadRate: peer % 5 }));
        expect(again).toEqual(decided);
      }
    }
  });
});

describe('thirty simulated minutes', () => {
  test.each([1, 2, 3])('a seed serves each of 20 peers for the same time, random seed %d', (seed) => {
    const swarm = new Swarm(seed);
    for (let peer = 0; peer < 20; peer++) swarm.join(peer);
    while (swarm.now < 30 * 60_000) swarm.round(true, (peer) => ({ uploadRate: 1000 * (peer + 1), hasQueue: true }));
    const fair = (30 * 60_000 * 4) / 20;
    for (const served of swarm.servedMs.values()) expect(Math.abs(served - fair)).toBeLessThanOrEqual(60_000);
  });

  test('a seed keeps serving equally while peers come and go', () => {
    const swarm = new Swarm(4);
    const busy = (): Partial<ChokeCandidate> => ({ hasQueue: true });
    for (let peer = 0; peer < 20; peer++) swarm.join(peer);
    for (let visitor = 100; swarm.now < 30 * 60_000; visitor++) {
      swarm.join(visitor);
      swarm.round(true, busy);
      swarm.round(true, busy);
      swarm.leave(visitor);
      swarm.decide(true, busy);
    }
    const served = [...swarm.servedMs.values()];
    expect(Math.max(...served) - Math.min(...served)).toBeLessThanOrEqual(120_000);
  });

  test('a peer whose own line is full loses its turn before one that waits for us', () => {
    const swarm = new Swarm(12);
    for (let peer = 0; peer < 20; peer++) swarm.join(peer);
    while (swarm.now < 30 * 60_000) swarm.round(true, (peer) => ({ hasQueue: peer % 2 === 0 }));
    const served = (parity: number): number =>
      [...swarm.servedMs].reduce((sum, [peer, servedMs]) => sum + (peer % 2 === parity ? servedMs : 0), 0);
    expect(served(0)).toBeGreaterThan(served(1) * 1.2);
  });

  test('a downloader gives every snubbing peer the same number of optimistic unchokes', () => {
    const swarm = new Swarm(6);
    for (let peer = 0; peer < 15; peer++) swarm.join(peer);
    const givers = (peer: number): Partial<ChokeCandidate> =>
      peer < 3 ? { downloadRate: 50_000 - peer } : { snubbed: true };
    while (swarm.now < 30 * 60_000) {
      const unchoke = swarm.round(false, givers);
      for (const giver of [0, 1, 2]) expect(unchoke.has(giver)).toBe(true);
    }
    const others = [...swarm.servedMs].filter(([peer]) => peer >= 3).map(([, served]) => served);
    expect(Math.max(...others) - Math.min(...others)).toBeLessThanOrEqual(30_000);
    expect(others.reduce((sum, served) => sum + served, 0)).toBeGreaterThan(29 * 60_000);
  });

  test('twice as many optimistic unchokes are made while everybody snubs us', () => {
    const swarm = new Swarm(7);
    for (let peer = 0; peer < 12; peer++) swarm.join(peer);
    while (swarm.now < 30 * 60_000) expect(swarm.round(false, () => ({ snubbed: true })).size).toBe(2);
  });

  test('a newcomer is next in turn three times as often as a place in the circle deserves', () => {
    let first = 0;
    const runs = 20_000;
    const random = seeded(8);
    for (let run = 0; run < runs; run++) {
      const choker = new Choker({ random, optimisticRounds: 1 });
      for (let peer = 0; peer < 10; peer++) choker.peerJoined(peer, 0);
      choker.peerJoined(99, 0);
      const candidates = [...Array.from({ length: 10 }, (_, peer) => peer), 99].map((peer) =>
        candidate(peer, { snubbed: true }),
      );
      const { optimistic } = choker.decide(candidates, false, choker.deadline);
      if (optimistic[0] === 99) first++;
    }
    expect((first / runs) * 13).toBeGreaterThan(2.85);
    expect((first / runs) * 13).toBeLessThan(3.15);
  });
});

describe('while seeding', () => {
  test('four slots are handed on at two per thirty seconds, so that a turn lasts a minute', () => {
    const swarm = new Swarm(9);
    for (let peer = 0; peer < 40; peer++) swarm.join(peer);
    let before = swarm.round(true);
    const handedOn: number[] = [];
    for (let round = 0; round < 12; round++) {
      const after = swarm.round(true);
      handedOn.push([...after].filter((peer) => !before.has(peer)).length);
      before = after;
    }
    expect(handedOn).toEqual([1, 0, 1, 1, 0, 1, 1, 0, 1, 1, 0, 1]);
  });

  test('three rounds after its unchoke a turn is no longer recent, and the faster taker stays', () => {
    const swarm = new Swarm(13);
    swarm.choker.slots = 2;
    for (let peer = 0; peer < 6; peer++) swarm.join(peer);
    const fast = (peer: number): Partial<ChokeCandidate> => ({ uploadRate: peer === 0 ? 100 : 1 });
    while (!swarm.round(true, fast).has(0));
    const others = new Set<number>();
    for (let round = 0; round < 30; round++) {
      const unchoke = swarm.round(true, fast);
      expect(unchoke.has(0)).toBe(true);
      for (const peer of unchoke) others.add(peer);
    }
    expect(others.size).toBe(6);
  });

  test('a slot handed on because a peer left counts towards the next round', () => {
    const swarm = new Swarm(10);
    for (let peer = 0; peer < 40; peer++) swarm.join(peer);
    const [gone] = swarm.round(true);
    swarm.leave(gone as number);
    const refilled = swarm.decide(true);
    expect(refilled.size).toBe(4);
    expect(swarm.round(true)).toEqual(refilled);
  });
});

describe('bugs of the caller', () => {
  test('a candidate that never joined is refused', () => {
    expect(() => new Choker({ random: seeded(1) }).decide([candidate(1)], false, 0)).toThrow(RangeError);
  });

  test('joining twice is refused, leaving twice is not', () => {
    const choker = new Choker({ random: seeded(1) });
    choker.peerJoined(1, 0);
    expect(() => choker.peerJoined(1, 0)).toThrow(RangeError);
    choker.peerLeft(1);
    choker.peerLeft(1);
  });

  test('limits below one are refused', () => {
    const random = seeded(1);
    for (const options of [
      { slots: 0 },
      { roundMs: 0 },
      { optimisticRounds: 0 },
      { minOptimistic: 0 },
      { minUploads: Number.NaN },
    ]) {
      expect(() => new Choker({ random, ...options })).toThrow(RangeError);
    }
    expect(() => (new Choker({ random }).slots = 0)).toThrow(RangeError);
  });

  test('a changed number of slots holds from the next decision', () => {
    const swarm = new Swarm(11);
    for (let peer = 0; peer < 20; peer++) swarm.join(peer);
    expect(swarm.round(true).size).toBe(4);
    swarm.choker.slots = 7;
    expect(swarm.round(true).size).toBe(7);
    swarm.choker.slots = 2;
    expect(swarm.round(true).size).toBe(2);
    expect(swarm.choker.slots).toBe(2);
  });
});
