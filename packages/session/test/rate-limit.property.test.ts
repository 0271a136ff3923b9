// Whatever the tree, the peers and the lateness of timers: no bucket gives more than its rate, none of it is lost, and
// who competes gets alike.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { RateLimit, segmentBytes } from '../src/rate-limit/limiter.ts';
import { Auditor, fairRates, Swarm, type Hungry } from './rate-limit-tree.ts';

const rate = fc.oneof(fc.constant(Infinity), fc.integer({ min: 20_000, max: 5_000_000 }));
const torrents = fc.array(
  fc.record({
    rate,
    peers: fc.array(fc.record({ rate, chunkBytes: fc.integer({ min: 17, max: 65_536 }) }), {
      minLength: 1,
      maxLength: 6,
    }),
  }),
  { minLength: 1, maxLength: 4 },
);
const trees = fc.record({ rate: fc.integer({ min: 20_000, max: 5_000_000 }), torrents });

interface TreeFacts {
  readonly rate: number;
  readonly torrents: readonly {
    readonly rate: number;
    readonly peers: readonly { readonly rate: number; readonly chunkBytes: number }[];
  }[];
}

function plant(swarm: Swarm, tree: TreeFacts, chunkBytes?: number): Hungry[] {
  swarm.root.bytesPerSecond = tree.rate;
  const all: Hungry[] = [];
  for (const torrent of tree.torrents) {
    const parent = new RateLimit(swarm.root, torrent.rate);
    for (const peer of torrent.peers)
      all.push({ limit: new RateLimit(parent, peer.rate), chunkBytes: chunkBytes ?? peer.chunkBytes });
  }
  for (const hungry of all) swarm.add(hungry);
  return all;
}

/** Timers up to so late, the same in each replay. */
function lateness(seed: number, mostMs: number): () => number {
  let state = seed;
  return () => ((state = (state * 48_271) % 2_147_483_647) / 2_147_483_647) * mostMs;
}

const seeds = fc.integer({ min: 1, max: 2_147_483_646 });

describe('a throttle over any tree of rates', () => {
  test('lets no bucket move more than its rate, 100 ms of it and a segment, in any span of time', () => {
    fc.assert(
      fc.property(trees, seeds, (tree, seed) => {
        const auditor = new Auditor();
        const swarm = new Swarm(lateness(seed, 30), (limit, bytes, now) => auditor.moved(limit, bytes, now));
        plant(swarm, tree);
        swarm.runUntil(2000);
        expect(auditor.excess).toBeLessThan(1);
      }),
      { numRuns: 60 },
    );
  });

  test('gives every flow its max-min fair share of ten seconds within 5 %, and loses none of the rate', () => {
    fc.assert(
      fc.property(trees, seeds, (tree, seed) => {
        const swarm = new Swarm(lateness(seed, 5));
        const all = plant(swarm, tree, 1_000_000);
        swarm.runUntil(10_000);
        const fair = fairRates(all);
        let total = 0;
        for (const hungry of all) {
          const expected = fair.get(hungry)! * 10;
          total += expected;
          // At twenty thousand bytes a second among many, a segment or two is more than 5 %.
          expect(Math.abs(swarm.moved.get(hungry)! - expected)).toBeLessThan(0.05 * expected + 2 * segmentBytes);
        }
        expect(swarm.total).toBeGreaterThan(0.98 * total - all.length * segmentBytes);
      }),
      { numRuns: 60 },
    );
  });

  test('lets nobody starve, however small or large the wishes of the others', () => {
    fc.assert(
      fc.property(trees, seeds, (tree, seed) => {
        const swarm = new Swarm(lateness(seed, 30));
        const all = plant(swarm, tree);
        const smallest = Math.min(...fairRates(all).values());
        // Twice the time in which each could have had a few turns.
        swarm.runUntil(((2 * 4 * segmentBytes) / smallest) * 1000 + 500);
        for (const hungry of all) expect(swarm.moved.get(hungry)).toBeGreaterThan(0);
      }),
      { numRuns: 60 },
    );
  });

  test('keeps its word while rates change and flows come and go', () => {
    const changes = fc.array(
      fc.record({ what: fc.constantFrom('rate', 'remove', 'add'), at: fc.nat(), rate, waitMs: fc.nat(400) }),
      { maxLength: 20 },
    );
    fc.assert(
      fc.property(trees, seeds, changes, (tree, seed, list) => {
        const auditor = new Auditor();
        const swarm = new Swarm(lateness(seed, 30), (limit, bytes, now) => {
          if (limit === swarm.root) auditor.moved(limit, bytes, now);
        });
        const all = plant(swarm, tree);
        for (const change of list) {
          const hungry = all[change.at % Math.max(1, all.length)];
          if (hungry === undefined) break;
          if (change.what === 'rate') (hungry.limit.parent ?? hungry.limit).bytesPerSecond = change.rate;
          else if (change.what === 'add') swarm.add(all[all.push({ ...hungry }) - 1]!);
          else {
            swarm.remove(hungry);
            all.splice(all.indexOf(hungry), 1);
          }
          swarm.runUntil(swarm.now + change.waitMs);
        }
        expect(auditor.excess).toBeLessThan(1);
        const before = new Map(swarm.moved);
        const smallest = all.length === 0 ? Infinity : Math.min(...fairRates(all).values());
        swarm.runUntil(swarm.now + ((8 * segmentBytes) / smallest) * 1000 + 500);
        for (const hungry of all) expect(swarm.moved.get(hungry)).toBeGreaterThan(before.get(hungry)!);
        for (const hungry of all) swarm.remove(hungry);
        expect([swarm.throttle.waiting, swarm.throttle.deadline, swarm.root.held]).toEqual([0, Infinity, 0]);
      }),
      { numRuns: 60 },
    );
  });
});
