// Asking several peers for one block. In the end game, when every block is requested, a peer with nothing left to do may
// be asked for blocks that others owe us, so that one slow peer does not hold up the last of the download; of a piece
// with a deadline, as soon as they are late. Decides which; the caller has made sure that it is time.

import { received, type Downloads, type OpenPiece } from './downloads.ts';
import { hasPiece, type PeerState } from './peers.ts';

export interface BusyBlock {
  readonly open: OpenPiece;
  readonly block: number;
  /** Peers it is requested from. */
  readonly copies: number;
  readonly askedAt: number;
  /** Settles ties. */
  readonly draw: number;
}

/** One block under way and one to follow, libtorrent's shortest queue: with no more a peer is about to stand idle. */
const shortPipeline = 2;

/**
 * Blocks requested before this time may be asked of the peer too, in the end game: all, when it owes us nothing; with a
 * short pipeline, those that their peers have owed us for longer than it owes us any, for it answers faster than they
 * do; else, and for a slow peer, none.
 */
export function mayCopyBefore(peer: PeerState, slow: boolean): number {
  const { reserved } = peer;
  for (const askedAt of reserved.values()) {
    return slow || reserved.size > shortPipeline ? Number.NEGATIVE_INFINITY : askedAt;
  }
  return Number.POSITIVE_INFINITY;
}

/**
 * At most `count` requested blocks to ask this peer for too: fewest copies first, then longest outstanding, then random.
 * Only pieces it has, never a block it is asked for already, never more than `maxCopies` of a block. Pieces on parole
 * are left to their one peer, or the next failure would have several authors again.
 */
export function busyBlocks(
  downloads: Downloads,
  peer: PeerState,
  count: number,
  maxCopies: number,
  random: () => number,
  before: number,
): BusyBlock[] {
  // Seldom more than a few are asked for, of thousands that are busy: those are kept in order, and no others.
  const busy: BusyBlock[] = [];
  for (const open of downloads.all()) {
    if (open.outstanding === 0 || open.onParole || !hasPiece(peer, open.piece)) continue;
    for (let block = 0; block < open.blockCount; block++) {
      const copies = open.copies[block] as number;
      const askedAt = open.askedAt[block] as number;
      if (copies === received || copies >= maxCopies || askedAt >= before) continue;
      const last = busy.length < count ? undefined : busy.at(-1);
      if (last !== undefined && (copies - last.copies || askedAt - last.askedAt) > 0) continue;
      if (peer.reserved.has(open.firstBlock + block)) continue;
      insert(busy, { open, block, copies, askedAt, draw: random() });
      if (busy.length > count) busy.pop();
    }
  }
  return busy;
}

/** Keeps the order: fewest copies, then oldest, then the draw. */
function insert(busy: BusyBlock[], one: BusyBlock): void {
  let at = busy.length;
  for (; at > 0; at--) {
    const other = busy[at - 1] as BusyBlock;
    if ((other.copies - one.copies || other.askedAt - one.askedAt || other.draw - one.draw) <= 0) break;
  }
  busy.splice(at, 0, one);
}

/**
 * The first block from `from` on that was last requested before `lateBefore` and that this peer may be asked for too, -1
 * for none. The same limits as above; the caller leaves out pieces on parole.
 */
export function lateBlock(
  open: OpenPiece,
  peer: PeerState,
  from: number,
  maxCopies: number,
  lateBefore: number,
): number {
  for (let block = from; block < open.blockCount; block++) {
    const copies = open.copies[block] as number;
    if (copies === 0 || copies === received || copies >= maxCopies) continue;
    if ((open.askedAt[block] as number) < lateBefore && !peer.reserved.has(open.firstBlock + block)) return block;
  }
  return -1;
}

/** When the block of the piece that is outstanding for longest was last requested; Infinity when none is. */
export function oldestRequest(open: OpenPiece): number {
  let oldest = Number.POSITIVE_INFINITY;
  for (let block = 0; block < open.blockCount; block++) {
    const copies = open.copies[block] as number;
    if (copies === 0 || copies === received) continue;
    oldest = Math.min(oldest, open.askedAt[block] as number);
  }
  return oldest;
}
