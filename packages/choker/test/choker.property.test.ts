import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Choker, type ChokeCandidate } from '../src/index.ts';
import { seeded } from './candidates.ts';

const facts = fc.record({
  interested: fc.boolean(),
  snubbed: fc.boolean(),
  downloadRate: fc.nat(5),
  uploadRate: fc.nat(5),
  isSeed: fc.boolean(),
  hasQueue: fc.boolean(),
  isDrained: fc.boolean(),
});
const step = fc.record({
  peers: fc.array(facts, { maxLength: 12, size: 'max' }),
  seeding: fc.boolean(),
  waitMs: fc.nat(15_000),
});
const run = fc.record({
  steps: fc.array(step, { maxLength: 30, size: 'max' }),
  slots: fc.integer({ min: 1, max: 6 }),
  seed: fc.nat(),
});

test('whatever the peers do: no remote seed is served, slots are kept to, and free slots are used', () => {
  fc.assert(
    fc.property(run, ({ steps, slots, seed }) => {
      for (const { candidates, decision, seeding } of play(steps, slots, seed)) {
        const served = candidates.filter(({ peer }) => decision.unchoke.has(peer));
        const interested = served.filter((candidate) => candidate.interested);
        const wanting = candidates.filter((candidate) => candidate.interested && !candidate.isSeed);
        expect(served.every((candidate) => !candidate.isSeed)).toBe(true);
        expect(served).toHaveLength(decision.unchoke.size);
        expect(interested.length).toBeLessThanOrEqual(slots);
        if (seeding) {
          const usable = wanting.filter((candidate) => !candidate.choked || candidate.isDrained !== false);
          expect(served).toHaveLength(Math.min(slots, usable.length));
        } else {
          const regular = Math.min(slots - 1, wanting.filter((candidate) => !candidate.snubbed).length);
          expect(interested.length).toBe(Math.min(wanting.length, regular + Math.max(1, Math.min(2, slots) - regular)));
        }
      }
    }),
  );
});

test('the same random numbers and the same calls give the same decisions', () => {
  fc.assert(
    fc.property(run, ({ steps, slots, seed }) => {
      expect(play(steps, slots, seed)).toEqual(play(steps, slots, seed));
    }),
    { numRuns: 30 },
  );
});

interface Played {
  readonly candidates: readonly ChokeCandidate[];
  readonly decision: ReturnType<Choker['decide']>;
  readonly seeding: boolean;
}

type Step = typeof step extends fc.Arbitrary<infer Value> ? Value : never;

/** Plays the steps; peers are numbered by their place, so that they join and leave as the lists grow and shrink. */
function play(steps: readonly Step[], slots: number, seed: number): Played[] {
  const choker = new Choker({ random: seeded(seed), slots });
  const played: Played[] = [];
  let unchoked: ReadonlySet<number> = new Set();
  let now = 0;
  let joined = 0;
  for (const { peers, seeding, waitMs } of steps) {
    now += waitMs;
    for (; joined < peers.length; joined++) choker.peerJoined(joined, now);
    for (; joined > peers.length; joined--) choker.peerLeft(joined - 1);
    const candidates = peers.map((peerFacts, peer) => ({ ...peerFacts, peer, choked: !unchoked.has(peer) }));
    const decision = choker.decide(candidates, seeding, now);
    unchoked = decision.unchoke;
    played.push({ candidates, decision, seeding });
  }
  return played;
}
