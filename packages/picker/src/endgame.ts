// End game: when every block is requested, an idle peer may be asked for blocks that others owe us, so that one slow
// peer does not hold up the last of the download. Decides which; the caller has made sure that it is end game.

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
): BusyBlock[] {
  const busy: BusyBlock[] = [];
  for (const open of downloads.all()) {
    if (open.outstanding === 0 || open.onParole || !hasPiece(peer, open.piece)) continue;
    for (let block = 0; block < open.blockCount; block++) {
      const copies = open.copies[block] as number;
      if (copies === received || copies >= maxCopies || peer.reserved.has(open.firstBlock + block)) continue;
      busy.push({ open, block, copies, askedAt: open.askedAt[block] as number, draw: random() });
    }
  }
  busy.sort((a, b) => a.copies - b.copies || a.askedAt - b.askedAt || a.draw - b.draw);
  busy.length = Math.min(busy.length, count);
  return busy;
}
