import { describe, expect, test } from 'vitest';
import { unchokeForLeeching } from '../src/strategies/leecher.ts';
import { candidate } from './candidates.ts';

const limits = { slots: 4, minOptimistic: 1, minUploads: 2 };

describe('while downloading', () => {
  test('the three best givers and the first of the rotation are unchoked', () => {
    const rotation = [1, 2, 3, 4, 5, 6].map((peer) => candidate(peer, { downloadRate: peer * 10 }));
    const { unchoke, optimistic } = unchokeForLeeching(rotation, limits);
    expect(unchoke).toEqual(new Set([1, 4, 5, 6]));
    expect(optimistic).toEqual([1]);
  });

  test('equal rates are settled by the place in the rotation', () => {
    const rotation = [5, 3, 8, 1, 2].map((peer) => candidate(peer, { downloadRate: 7 }));
    const { unchoke, optimistic } = unchokeForLeeching(rotation, limits);
    expect([...unchoke]).toEqual([5, 3, 8, 1]);
    expect(optimistic).toEqual([1]);
  });

  test('two optimistic unchokes are made when nobody reciprocates', () => {
    const rotation = [1, 2, 3, 4, 5].map((peer) => candidate(peer, { snubbed: true, downloadRate: 100 }));
    expect(unchokeForLeeching(rotation, limits)).toEqual({ unchoke: new Set([1, 2]), optimistic: [1, 2] });
  });

  test('a snubbing peer loses its regular slot and may still be the optimistic one', () => {
    const rotation = [
      candidate(1, { snubbed: true, downloadRate: 900 }),
      ...[2, 3, 4, 5].map((peer) => candidate(peer, { downloadRate: peer })),
    ];
    expect(unchokeForLeeching(rotation, limits).optimistic).toEqual([1]);
    expect(unchokeForLeeching(rotation.toReversed(), limits).unchoke).toEqual(new Set([5, 4, 3, 2]));
  });

  test('peers without interest are unchoked for nothing up to the optimistic one and choked behind it', () => {
    const rotation = [
      candidate(1, { interested: false }),
      candidate(2, { interested: false, downloadRate: 900 }),
      candidate(3),
      candidate(4, { interested: false }),
      ...[5, 6, 7].map((peer) => candidate(peer, { downloadRate: peer })),
    ];
    expect(unchokeForLeeching(rotation, limits).unchoke).toEqual(new Set([7, 6, 5, 1, 2, 3]));
  });

  test('immediate reciprocation: an unchoked peer that becomes interested is served at once and the worst is dropped', () => {
    const givers = [5, 6, 7].map((peer) => candidate(peer, { downloadRate: peer, choked: false }));
    const waiting = candidate(3, { choked: false });
    const before = [candidate(1, { interested: false, downloadRate: 50 }), waiting, ...givers];
    expect(unchokeForLeeching(before, limits).unchoke).toEqual(new Set([7, 6, 5, 1, 3]));
    const after = [candidate(1, { choked: false, downloadRate: 50 }), waiting, ...givers];
    expect(unchokeForLeeching(after, limits).unchoke).toEqual(new Set([1, 7, 6, 3]));
  });

  test('a remote seed is never unchoked, though it says it is interested', () => {
    const rotation = [candidate(1, { isSeed: true, downloadRate: 900 }), candidate(2)];
    expect(unchokeForLeeching(rotation, limits).unchoke).toEqual(new Set([2]));
  });

  test('a single slot is the optimistic one', () => {
    const rotation = [candidate(1), candidate(2, { downloadRate: 5 })];
    expect(unchokeForLeeching(rotation, { ...limits, slots: 1 }).unchoke).toEqual(new Set([1]));
  });

  test('nobody is unchoked when there is nobody', () => {
    expect(unchokeForLeeching([], limits)).toEqual({ unchoke: new Set(), optimistic: [] });
  });
});
