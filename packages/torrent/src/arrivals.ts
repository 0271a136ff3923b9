// Who is in the middle of sending a block: two that write into one block at once leave bytes that nobody can be blamed
// for, and half a block cannot be completed in a piece's next buffer. Nothing is kept of a block that comes whole.
import type { LivePeer } from './live-peer.ts';

export class Arrivals {
  /** By piece: the peers that are inside a block of it, every byte of which so far lies in the piece's buffer. */
  readonly #inside = new Map<number, LivePeer[]>();

  /** Whether somebody else is in the middle of the block: it is sent twice in the end game, or after a time-out. */
  hasCompany(peer: LivePeer, piece: number, blockBegin: number): boolean {
    if (this.#inside.size === 0) return false;
    const others = this.#inside.get(piece);
    return others !== undefined && others.some((other) => other !== peer && other.arrivingBlock === blockBegin);
  }

  /** The peer's block goes on in a later chunk. */
  enter(peer: LivePeer, piece: number): void {
    if (peer.isInside) return;
    peer.isInside = true;
    const others = this.#inside.get(piece);
    if (others === undefined) this.#inside.set(piece, [peer]);
    else others.push(peer);
  }

  /** The block of the peer is over, or of no use. */
  leave(peer: LivePeer): void {
    if (!peer.isInside) return;
    peer.isInside = false;
    const others = this.#inside.get(peer.arrivingPiece);
    if (others === undefined) return;
    others.splice(others.indexOf(peer), 1);
    if (others.length === 0) this.#inside.delete(peer.arrivingPiece);
  }

  /** The buffer of the piece is gone, and with it the beginnings of blocks. */
  bufferGone(piece: number): void {
    const peers = this.#inside.get(piece);
    if (peers === undefined) return;
    this.#inside.delete(piece);
    for (const peer of peers) {
      peer.isInside = false;
      peer.arrivingIntact = false;
    }
  }
}
