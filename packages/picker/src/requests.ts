// Who is asked for which block: the ledger between peers and open pieces. Every change to a reservation goes through
// here, so that a block's count of copies and the sets of the peers always agree. Must not choose pieces.

import { blockAt, type Block, type Geometry } from '@shoal/pieces';
import { received, type Downloads, type OpenPiece } from './downloads.ts';
import type { PeerKey, Peers, PeerState } from './peers.ts';

/** A request to take back: the block has arrived from another peer, or is no longer wanted. */
export interface Cancel {
  readonly peer: PeerKey;
  readonly block: Block;
}

export class Requests {
  readonly #geometry: Geometry;
  readonly #peers: Peers;
  readonly #downloads: Downloads;
  #cancels: Cancel[] = [];
  readonly #abandoned = new Set<number>();

  constructor(geometry: Geometry, peers: Peers, downloads: Downloads) {
    this.#geometry = geometry;
    this.#peers = peers;
    this.#downloads = downloads;
  }

  /** A fresh piece becomes an open one. */
  start(piece: number, onParole: boolean): OpenPiece {
    this.#peers.removeFresh(piece);
    this.#abandoned.delete(piece);
    return this.#downloads.open(piece, onParole);
  }

  reserve(peer: PeerState, open: OpenPiece, block: number, now: number): Block {
    this.#downloads.request(open, block, now);
    peer.reserved.set(open.firstBlock + block, now);
    if (peer.isSeed) open.fromSeed = true;
    open.lastAsked = peer.key;
    return blockAt(this.#geometry, open.piece, block);
  }

  /** The block has come from the peer; the other copies are cancelled. */
  settle(peer: PeerState, open: OpenPiece, block: number): void {
    const asked = peer.reserved.delete(open.firstBlock + block);
    const copies = this.#downloads.receive(open, block, peer.key);
    if (copies > (asked ? 1 : 0)) this.#cancel(open, block);
  }

  /** The peer let the block go unanswered: others come first when it is asked for again. */
  release(peer: PeerState, open: OpenPiece, block: number): void {
    if (!peer.reserved.delete(open.firstBlock + block)) return;
    peer.hasReleased = true;
    open.releasedBy[block] = peer.key;
    this.#downloads.release(open, block);
  }

  /** The peer will answer nothing more. A piece of which nothing is here or on its way is fresh again. */
  releaseAll(peer: PeerState): void {
    for (const number of peer.reserved.keys()) {
      const open = this.#downloads.ofBlock(number) as OpenPiece;
      this.#downloads.release(open, number - open.firstBlock);
      if (open.outstanding > 0 || open.receivedCount > 0) continue;
      this.abandon(open);
      this.#peers.addFresh(open.piece);
    }
    peer.reserved.clear();
  }

  /** The piece is no longer open; what is still requested of it is cancelled. */
  close(open: OpenPiece): void {
    for (let block = 0; block < open.blockCount && open.outstanding > 0; block++) {
      const copies = open.copies[block] as number;
      if (copies > 0 && copies !== received) this.#cancel(open, block);
    }
    this.#downloads.close(open);
  }

  /** The piece is no longer open and what has come of it is given up. */
  abandon(open: OpenPiece): void {
    this.#abandoned.add(open.piece);
    this.close(open);
  }

  takeCancels(): readonly Cancel[] {
    if (this.#cancels.length === 0) return nothing;
    const cancels = this.#cancels;
    this.#cancels = [];
    return cancels;
  }

  takeAbandoned(): readonly number[] {
    if (this.#abandoned.size === 0) return nothing;
    const abandoned = [...this.#abandoned];
    this.#abandoned.clear();
    return abandoned;
  }

  /** The peer is gone: nothing need be cancelled with it. */
  forget(peer: PeerState): void {
    this.releaseAll(peer);
    if (this.#cancels.length > 0) this.#cancels = this.#cancels.filter((cancel) => cancel.peer !== peer.key);
  }

  #cancel(open: OpenPiece, block: number): void {
    const number = open.firstBlock + block;
    for (const peer of this.#peers.all()) {
      if (!peer.reserved.delete(number)) continue;
      if ((open.copies[block] as number) !== received) this.#downloads.release(open, block);
      this.#cancels.push({ peer: peer.key, block: blockAt(this.#geometry, open.piece, block) });
    }
  }
}

const nothing: readonly never[] = Object.freeze([]);
