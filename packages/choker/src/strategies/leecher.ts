// Whom to unchoke while downloading: mainline 4.0, tit-for-tat. The best givers get all slots but one; the rotation
// fills the rest. Must not turn the rotation itself: that is the round's business.

import { byDownloadRate, canUseSlot, type ChokeCandidate, type ChokeDecision } from '../ranking.ts';

export interface LeecherLimits {
  /** Interested peers to serve at once. */
  readonly slots: number;
  /** Optimistic unchokes at all times. */
  readonly minOptimistic: number;
  /** Regular and optimistic unchokes together, at least. */
  readonly minUploads: number;
}

/**
 * `rotation` holds the candidates in the order of the rotation. When too few peers reciprocate the optimistic unchokes
 * make up for them: this is anti-snubbing, since snubbed peers do not count. Peers without interest that the walk passes
 * before it has found its optimistic ones are unchoked for nothing: the moment one becomes interested it is served, and
 * the next decision drops the worst. That is immediate reciprocation.
 */
export function unchokeForLeeching(rotation: readonly ChokeCandidate[], limits: LeecherLimits): ChokeDecision {
  const { slots, minOptimistic, minUploads } = limits;
  const reciprocating = rotation.filter((candidate) => canUseSlot(candidate) && !candidate.snubbed);
  const best = byDownloadRate(reciprocating).slice(0, Math.max(0, slots - minOptimistic));
  const unchoke = new Set(best.map((candidate) => candidate.peer));
  const optimistic: number[] = [];
  const wanted = Math.max(minOptimistic, Math.min(minUploads, slots) - best.length);
  for (const { peer, interested, isSeed } of rotation) {
    if (optimistic.length >= wanted) break;
    if (isSeed || unchoke.has(peer)) continue;
    unchoke.add(peer);
    if (interested) optimistic.push(peer);
  }
  return { unchoke, optimistic };
}
