import type { ChokeCandidate } from '../src/index.ts';

/** An interested, choked peer that transfers nothing. */
export function candidate(peer: number, facts: Partial<ChokeCandidate> = {}): ChokeCandidate {
  return {
    peer,
    interested: true,
    snubbed: false,
    choked: true,
    downloadRate: 0,
    uploadRate: 0,
    isSeed: false,
    ...facts,
  };
}

/** Uniform numbers in [0, 1) from a seed (mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
