// Which piece a peer is asked for next, in the order of mainline 3.4 to 4.4: finish what is started, then random pieces
// while we have few, then rarest first. Being partial is only a tie-break towards a seed, unless a seed has worked on
// the piece before: so seeds put rare pieces out instead of finishing what a slow peer began. Within each step a piece
// of higher priority comes first.

import type { Bitfield } from '@shoal/pieces';
import type { Availability } from './availability.ts';
import type { Deadlines } from './deadlines.ts';
import { freeBlock, isKeptFrom, type Downloads, type OpenPiece } from './downloads.ts';
import { highestPriority } from './options.ts';
import { eachPiece, hasPiece, type Peers, type PeerState } from './peers.ts';
import { ranks } from './rarity-order.ts';

/** Which of the started pieces are looked at. */
export type Started = 'all' | 'from a seed' | 'from others';

/** Who is to be asked, and for what not. */
export interface Asked {
  readonly peer: PeerState;
  /** Blocks this very peer let go unanswered may be asked of it again. */
  readonly again: boolean;
  /** Pieces with these deadlines are left to others. */
  readonly skip: Deadlines | undefined;
}

/** What the choice rests on, the same for every pick. */
export interface Facts {
  readonly downloads: Downloads;
  readonly peers: Peers;
  readonly priorities: Uint8Array;
  readonly random: () => number;
}

/** Weights above any count of peers, which is at most 65 535: the order is lexicographic. */
const notFromSeed = 0x1_0000;
const nothingReturned = 0x2_0000;
const lowerPriority = 0x4_0000;

/**
 * The started piece this peer should help to finish: of the highest priority, then one with blocks that were requested
 * in vain, then one a seed has worked on, then the rarest, with random ties. In sequence: the lowest of the highest
 * priority.
 */
export function pieceToFinish(
  facts: Facts,
  asked: Asked,
  started: Started,
  sequential: boolean,
): OpenPiece | undefined {
  let best: OpenPiece | undefined;
  let bestRank = Number.POSITIVE_INFINITY;
  let ties = 0;
  for (const open of facts.downloads.askable) {
    if (started !== 'all' && open.fromSeed !== (started === 'from a seed')) continue;
    const rank = sequential ? sequenceRank(facts, open.piece) : finishRank(facts, open, started);
    if (rank > bestRank || !mayAsk(open, asked)) continue;
    ties = rank < bestRank ? 1 : ties + 1;
    if (ties > 1 && facts.random() * ties >= 1) continue;
    best = open;
    bestRank = rank;
  }
  return best;
}

/** Lower is first: by priority, then by how many peers other than seeds have the piece. */
export function rarityRank({ peers, priorities }: Facts, piece: number): number {
  return (
    (highestPriority - (priorities[piece] as number)) * lowerPriority + (peers.availability.counts[piece] as number)
  );
}

/**
 * The piece to start, -1 for none: the rarest of the highest priority that the peer has, or any of that priority, from a
 * random place among equals on. A peer with few pieces, or only common ones, would make this walk long: after as many
 * steps as its own pieces take to go through, those are gone through instead. So it costs at most twice what the peer's
 * own bitfield does, once per piece started.
 */
export function pieceToStart(facts: Facts, { peer, skip }: Asked, rarest: boolean): number {
  const { order } = facts.peers;
  let steps = peer.bits === undefined ? order.length : peer.bits.bytes.length / bytesPerStep + peer.bits.count;
  const lowest = peer.isSeed ? 0 : 1;
  for (let rank = 0; rank < ranks; rank++) {
    const groups = rarest ? order.groupsOf(rank) : lowest + 1;
    for (let group = lowest; group < groups; group++) {
      const first = order.startOf(rank, group);
      const end = rarest ? order.startOf(rank, group + 1) : order.endOf(rank);
      if (first === end) continue;
      const from = first + Math.floor(facts.random() * (end - first));
      for (let place = from, left = end - first; left > 0; left--, place++) {
        if (steps-- <= 0) return ownPiece(facts, peer, skip, rarest);
        if (place === end) place = first;
        const piece = order.at(place);
        if (hasPiece(peer, piece) && skip?.has(piece) !== true) return piece;
      }
    }
  }
  return -1;
}

/** One step of the walk costs about as much as eight empty bytes of a bitfield (measured: 6 ns and 0.7 ns). */
const bytesPerStep = 8;

/** The same choice by going through the peer's own pieces. */
function ownPiece(facts: Facts, peer: PeerState, skip: Deadlines | undefined, rarest: boolean): number {
  let best = -1;
  let bestRank = Number.POSITIVE_INFINITY;
  let ties = 0;
  eachPiece(peer.bits as Bitfield, (piece) => {
    if (!facts.peers.order.has(piece)) return;
    const rank = rarest ? rarityRank(facts, piece) : -(facts.priorities[piece] as number);
    if (rank > bestRank || skip?.has(piece) === true) return;
    ties = rank < bestRank ? 1 : ties + 1;
    if (ties > 1 && facts.random() * ties >= 1) return;
    best = piece;
    bestRank = rank;
  });
  return best;
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

/** A started piece without a deadline of which nothing is here or on its way: what giving it up costs is nothing. */
export function emptyPiece(downloads: Downloads, deadlines: Deadlines): OpenPiece | undefined {
  return downloads.askable.find(
    (open) => open.outstanding === 0 && open.receivedCount === 0 && !deadlines.has(open.piece),
  );
}

function finishRank(facts: Facts, open: OpenPiece, started: Started): number {
  const rank = rarityRank(facts, open.piece);
  if (started === 'from others') return rank;
  return rank + (open.fromSeed ? 0 : notFromSeed) + (open.returned > 0 ? 0 : nothingReturned);
}

/** Exact: a piece number is below 2^32. */
function sequenceRank({ priorities }: Facts, piece: number): number {
  return (highestPriority - (priorities[piece] as number)) * 2 ** 32 + piece;
}

function mayAsk(open: OpenPiece, { peer, again, skip }: Asked): boolean {
  if (isKeptFrom(open, peer.key) || !hasPiece(peer, open.piece) || skip?.has(open.piece) === true) return false;
  return again || open.returned === 0 || freeBlock(open, peer.key, 0, false) >= 0;
}
