import { describe, expect, test } from 'vitest';
import { unchokeForSeeding, type SeedTurns } from '../src/strategies/seed.ts';
import { candidate } from './candidates.ts';

/** Peers 1 to 4 are served, unchoked in rounds 5 to 8 of which 7 and 8 are recent; 5 and up wait. */
const unchokedIn = (peer: number): number => peer + 4;
const turns = (facts: Partial<SeedTurns> = {}): SeedTurns => ({
  slots: 4,
  newUnchokes: 0,
  unchokedIn,
  recentFrom: 7,
  ...facts,
});
const served = (peer: number, uploadRate: number): ReturnType<typeof candidate> =>
  candidate(peer, { choked: false, uploadRate });

describe('while seeding', () => {
  const waiting = [candidate(5), candidate(6)];

  test('between rounds nobody loses a slot', () => {
    const rotation = [...waiting, served(1, 0), served(2, 0), served(3, 0), served(4, 0)];
    expect(unchokeForSeeding(rotation, turns())).toEqual({
      unchoke: new Set([1, 2, 3, 4]),
      optimistic: [],
      lastServed: undefined,
    });
  });

  test.each([
    ['an old turn with the lower rate ends first', [10, 20, 0, 0], 1, [4, 3, 2, 5]],
    ['the other old turn ends next', [10, 20, 0, 0], 2, [4, 3, 5, 6]],
    ['of two old turns the faster taker keeps its slot', [20, 10, 0, 0], 1, [4, 3, 1, 5]],
  ] as const)('a new unchoke takes a slot: %s', (_name, rates, newUnchokes, unchoked) => {
    const rotation = [...waiting, ...rates.map((rate, index) => served(index + 1, rate))];
    expect([...unchokeForSeeding(rotation, turns({ newUnchokes })).unchoke]).toEqual(unchoked);
  });

  test('recent turns are kept latest first, then by rate', () => {
    const rotation = [...waiting, served(1, 5), served(2, 9), served(3, 99), served(4, 1)];
    const kept = unchokeForSeeding(rotation, turns({ slots: 2, unchokedIn: (peer) => (peer === 3 ? 7 : 8) }));
    expect([...kept.unchoke]).toEqual([2, 1]);
  });

  test('a peer that waits only for us is as good as a recent one', () => {
    const rotation = [...waiting, { ...served(1, 0), hasQueue: true }, served(2, 50), served(3, 0), served(4, 0)];
    expect([...unchokeForSeeding(rotation, turns({ newUnchokes: 1 })).unchoke]).toEqual([4, 3, 1, 5]);
  });

  test('free slots go to the next in the rotation, and the last of them is reported', () => {
    const rotation = [candidate(9, { interested: false }), ...waiting, candidate(7), served(4, 0)];
    const decision = unchokeForSeeding(rotation, turns({ slots: 3 }));
    expect(decision).toEqual({ unchoke: new Set([4, 5, 6]), optimistic: [5, 6], lastServed: 6 });
  });

  test('a peer whose turn ended keeps a slot that nobody else can use', () => {
    const rotation = [served(1, 0), served(2, 0)];
    expect(unchokeForSeeding(rotation, turns({ slots: 2, newUnchokes: 1 })).unchoke).toEqual(new Set([1, 2]));
  });

  test('a choked peer with a clogged socket is passed over', () => {
    const rotation = [candidate(5, { isDrained: false }), candidate(6)];
    expect(unchokeForSeeding(rotation, turns({ slots: 1 })).unchoke).toEqual(new Set([6]));
  });

  test('peers without interest and other seeds are choked', () => {
    const rotation = [
      candidate(1, { choked: false, interested: false }),
      candidate(2, { choked: false, isSeed: true }),
      candidate(5, { isSeed: true }),
    ];
    expect(unchokeForSeeding(rotation, turns()).unchoke).toEqual(new Set());
  });
});
