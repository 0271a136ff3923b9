// Which piece a peer is asked for next, in the order of mainline 3.4 to 4.4: finish what is started, then random pieces
// while we have few, then rarest first. Being partial is only a tie-break towards a seed, unless a seed has worked on
// the piece before: so seeds put rare pieces out instead of finishing what a slow peer began.

import type { Availability } from './availability.ts';
import { freeBlock, isKeptFrom, type Downloads, type OpenPiece } from './downloads.ts';
import { eachPiece, hasPiece, type PeerState } from './peers.ts';
import type { RarityOrder } from './rarity-order.ts';

/** Which of the started pieces are looked at. */
export type Started = 'all' | 'from a seed' | 'from others';

/** Weights above any count of peers, which is at most 65 535: the order is lexicographic. */
const notFromSeed = 0x1_0000;
const nothingReturned = 0x2_0000;

/**
 * The started piece this peer should help to finish: one with blocks that were requested in vain comes first, then one
 * a seed has worked on, then the rarest, with random ties. `again` allows blocks this very peer let go unanswered.
 */
export function pieceToFinish(
  downloads: Downloads,
  counts: Uint16Array,
  random: () => number,
  peer: PeerState,
  started: Started,
  again: boolean,
): OpenPiece | undefined {
  let best: OpenPiece | undefined;
  let bestRank = Number.POSITIVE_INFINITY;
  let ties = 0;
  for (const open of downloads.askable) {
    if (started !== 'all' && open.fromSeed !== (started === 'from a seed')) continue;
    const rank = started === 'from others' ? (counts[open.piece] as number) : finishRank(open, counts);
    if (rank > bestRank || !mayAsk(open, peer, again)) continue;
    ties = rank < bestRank ? 1 : ties + 1;
    if (ties > 1 && random() * ties >= 1) continue;
    best = open;
    bestRank = rank;
  }
  return best;
}

/** The rarest piece not started that the peer has, -1 for none. The order is random among equals already. */
export function rarestPiece(order: RarityOrder, peer: PeerState): number {
  if (peer.isSeed) return order.length > 0 ? order.at(order.first) : -1;
  if (peer.fresh === 0) return -1;
  const first = order.startOf(1);
  return firstHeld(order, peer, first, first);
}

/** Some piece not started that the peer has, -1 for none: a random place, and from there the next one it has. */
export function randomPiece(order: RarityOrder, peer: PeerState, random: () => number): number {
  if (peer.isSeed) return order.length > 0 ? order.at(order.first + Math.floor(random() * order.length)) : -1;
  if (peer.fresh === 0) return -1;
  const first = order.startOf(1);
  return firstHeld(order, peer, first, first + Math.floor(random() * (order.end - first)));
}

/** Mainline's time to call a peer snubbed. A piece of which nothing was asked for so long has nobody to finish it. */
const stuckAfterMs = 30_000;

/**
 * At the limit of open pieces, those that nobody finishes would stop the download. The one to give up for a peer that
 * stands idle: one that no connected peer has, else one whose holders have not sent anything for long and choke us, it
 * seems; of several the one with the least received.
 */
export function pieceToGiveUp(downloads: Downloads, availability: Availability, now: number): OpenPiece | undefined {
  let victim: OpenPiece | undefined;
  let lowest = Number.POSITIVE_INFINITY;
  for (const open of downloads.all()) {
    if (open.outstanding > 0 || open.receivedCount === open.blockCount) continue;
    const held = availability.of(open.piece) > 0;
    if (held && now - open.lastAskedAt < stuckAfterMs) continue;
    const rank = open.receivedCount + (held ? open.blockCount : 0);
    if (rank >= lowest) continue;
    victim = open;
    lowest = rank;
  }
  return victim;
}

function finishRank(open: OpenPiece, counts: Uint16Array): number {
  return (counts[open.piece] as number) + (open.fromSeed ? 0 : notFromSeed) + (open.returned > 0 ? 0 : nothingReturned);
}

function mayAsk(open: OpenPiece, peer: PeerState, again: boolean): boolean {
  if (isKeptFrom(open, peer.key) || !hasPiece(peer, open.piece)) return false;
  return again || open.returned === 0 || freeBlock(open, peer.key, 0, false) >= 0;
}

/** One step of the walk costs about as much as eight empty bytes of a bitfield (measured: 6 ns and 0.7 ns). */
const bytesPerStep = 8;

/**
 * The first piece the peer has, going up from place `from` and round to `first`. A peer with few pieces, or only common
 * ones, would make this walk long: after as many steps as its own pieces take to go through, those are gone through
 * instead, with the same answer. So it costs at most twice what the peer's own bitfield does, once per piece started.
 */
function firstHeld(order: RarityOrder, peer: PeerState, first: number, from: number): number {
  const bits = peer.bits;
  if (bits === undefined) return -1;
  const span = order.end - first;
  const steps = Math.min(span, bits.bytes.length / bytesPerStep + bits.count);
  for (let step = 0, place = from; step < steps; step++, place++) {
    if (place === order.end) place = first;
    const piece = order.at(place);
    if (bits.has(piece)) return piece;
  }
  let nearest = -1;
  let shortest = Number.POSITIVE_INFINITY;
  eachPiece(bits, (piece) => {
    if (!order.has(piece)) return;
    const distance = (order.placeOf(piece) - from + span) % span;
    if (distance < shortest) {
      shortest = distance;
      nearest = piece;
    }
  });
  return nearest;
}
