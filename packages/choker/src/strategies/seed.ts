// Whom to unchoke while seeding: mainline 3.9 to 4.4, the "new seed choke". Nobody reciprocates, so slots go round: each
// peer is served for the same time, instead of the fastest for ever. Must not count rounds or turn the rotation.

import { byTurn, canUseSlot, type ChokeCandidate, type ChokeDecision } from '../ranking.ts';

export interface SeedTurns {
  /** Peers to serve at once. */
  readonly slots: number;
  /** Slots to take away in this decision and give to the next in the rotation; 0 between rounds. */
  readonly newUnchokes: number;
  /** The round in which a peer that is unchoked now was unchoked. */
  readonly unchokedIn: (peer: number) => number;
  /** Unchokes of this round and later are recent: those keep their slot first. */
  readonly recentFrom: number;
}

export interface SeedDecision extends ChokeDecision {
  /** The peer that took the last slot by the rotation: the next walk starts behind it. */
  readonly lastServed: number | undefined;
}

/** `rotation` holds the candidates in the order of the rotation. */
export function unchokeForSeeding(rotation: readonly ChokeCandidate[], turns: SeedTurns): SeedDecision {
  const { slots, newUnchokes, unchokedIn, recentFrom } = turns;
  const served = rotation.filter((candidate) => !candidate.choked && canUseSlot(candidate));
  const kept = byTurn(served, unchokedIn, recentFrom).slice(0, Math.max(0, slots - newUnchokes));
  const unchoke = new Set(kept.map((candidate) => candidate.peer));
  const optimistic: number[] = [];
  let lastServed: number | undefined;
  for (const candidate of rotation) {
    if (unchoke.size >= slots) break;
    if (!canUseSlot(candidate) || unchoke.has(candidate.peer)) continue;
    if (candidate.choked && candidate.isDrained === false) continue;
    unchoke.add(candidate.peer);
    if (candidate.choked) optimistic.push(candidate.peer);
    lastServed = candidate.peer;
  }
  return { unchoke, optimistic, lastServed };
}
