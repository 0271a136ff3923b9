// Asking for blocks and taking them: keeps every pipeline full, says what to store, judges finished pieces.
// The picker chooses the blocks; the driver holds the bytes.
import { blockLength, type Block } from '@shoal/pieces';
import type { WireEvent } from '@shoal/wire';
import type { LivePeer } from './live-peer.ts';
import type { Swarm } from './swarm.ts';

type BlockData = Extract<WireEvent, { type: 'block-data' }>;
type BlockEnd = Extract<WireEvent, { type: 'block-end' }>;

/** Rejects in a row, without a block in between, that an honest peer may need: a full pipeline (libtorrent's 500). */
const maxRejects = 500;

export class Downloading {
  readonly #swarm: Swarm;
  /** Blocks became free, or a piece made room: peers other than the one at hand may be idle. */
  #refillAll = false;
  /** Pieces with a block that two peers wrote into at once: whose bytes are wrong, if any, nobody can say. */
  readonly #mixed = new Set<number>();
  /** Pieces whose check was asked for and not answered. */
  readonly #checking = new Set<number>();
  paused = true;

  constructor(swarm: Swarm) {
    this.#swarm = swarm;
  }

  /** A fragment of a block: stored while the block is still missing and this peer may give it. */
  data(peer: LivePeer, event: BlockData): void {
    const { piece, begin, start, end } = event;
    // A block that another peer has completed meanwhile must never be overwritten by later bytes.
    const blockBegin = begin - (begin % blockLength);
    const taken = this.#mayTake(peer, event, blockBegin);
    const starts = begin === blockBegin;
    if (starts && taken) this.#noteCompany(piece, blockBegin);
    peer.arrivingIntact = taken && (starts || peer.arrivingIntact);
    peer.arrivingPiece = piece;
    peer.arrivingBlock = blockBegin;
    if (!peer.arrivingIntact) return;
    this.#swarm.emit({ type: 'store', piece, begin, start, end });
  }

  /** A whole block has arrived. */
  end(peer: LivePeer, event: BlockEnd, now: number): void {
    const { picker, progress } = this.#swarm;
    const { piece, begin, length } = event;
    // Only what `data` stored, all of it and in the buffer that the piece has now, may count as received.
    const stored = peer.arrivingIntact && this.#mayTake(peer, event, begin);
    peer.arrivingIntact = false;
    const outcome = stored ? picker.received(peer.key, piece, begin, { acceptUnrequested: true }) : 'unrequested';
    if (outcome === 'unrequested' || outcome === 'duplicate') {
      progress.wastedBytes += length;
      this.released(peer, [event]);
      return;
    }
    peer.rejects = 0;
    peer.downloadedBytes += length;
    progress.downloaded(peer.peerId, length, now);
    this.cancelCopies();
    if (outcome !== 'completed') return;
    this.#checking.add(piece);
    this.#swarm.emit({ type: 'check-piece', piece });
    this.#bufferGone(piece);
  }

  /** They choked us: all that was asked is free for others, and first in line. */
  choked(peer: LivePeer, dropped: readonly Block[]): void {
    if (dropped.length === 0) return;
    this.#swarm.picker.releaseAll(peer.key);
    this.#refillAll = true;
  }

  /** They will not give this block. False when they refuse one after the other and give nothing: of no use as a peer. */
  rejected(peer: LivePeer, block: Block): boolean {
    this.released(peer, [block]);
    // Rejects that follow a choke are no refusal: what was asked before is answered so (BEP 6).
    if (!peer.connection.peerChoking) peer.rejects++;
    return peer.rejects <= maxRejects;
  }

  /** They rejected these or let them wait too long: others may have them. */
  released(peer: LivePeer, blocks: readonly Block[]): void {
    for (const block of blocks) this.#swarm.picker.released(peer.key, block.piece, block.begin);
    if (blocks.length > 0) this.#refillAll = true;
  }

  /** Room or new blocks for peers that had nothing to ask. */
  wake(): void {
    this.#refillAll = true;
  }

  /** The line that picks the next block: fills this peer's pipeline, unless all are about to be refilled anyway. */
  refill(peer: LivePeer, now: number): void {
    if (!this.#refillAll) this.#refill(peer, now);
  }

  #refill(peer: LivePeer, now: number): void {
    const { connection } = peer;
    if (this.paused || !peer.joined || connection.peerChoking || !connection.amInterested) return;
    const room = connection.pipeline.target(now) - connection.pipeline.outstanding;
    if (room <= 0) return;
    const blocks = this.#swarm.picker.pick(peer.key, room, now);
    this.discardAbandoned();
    if (blocks.length === 0) return;
    for (const block of blocks) {
      // It may have choked us within this very turn: what cannot be asked is free again.
      if (!connection.request(block, now)) this.#swarm.picker.released(peer.key, block.piece, block.begin);
    }
    this.#swarm.touch(peer);
  }

  refillWoken(now: number): void {
    if (!this.#refillAll) return;
    this.#refillAll = false;
    // What a stalling peer lost must not go back to it while anybody else would take it.
    for (const snubbed of [false, true])
      for (const peer of this.#swarm.live.values())
        if (peer.connection.pipeline.snubbed === snubbed) this.#refill(peer, now);
  }

  /** Pieces that were given up half-way need no buffer any more. */
  discardAbandoned(): void {
    for (const piece of this.#swarm.picker.takeAbandoned()) this.discard(piece);
  }

  /** The piece's buffer is of no use any more. */
  discard(piece: number): void {
    this.#swarm.emit({ type: 'discard', piece });
    this.#bufferGone(piece);
    this.#mixed.delete(piece);
  }

  /** Takes every request back, and says so; what is on its way all the same is still taken. */
  pause(): void {
    this.paused = true;
    for (const peer of this.#swarm.live.values()) {
      if (!peer.joined) continue;
      for (const block of peer.connection.pipeline.blocks()) peer.connection.cancel(block);
      this.#swarm.picker.releaseAll(peer.key);
      this.updateInterest(peer);
      this.#swarm.touch(peer);
    }
  }

  resume(): void {
    this.paused = false;
    this.updateInterests();
    this.wake();
  }

  /** Requests that nobody answered in time go back to the picker. */
  expire(peer: LivePeer, now: number): void {
    this.released(peer, peer.connection.pipeline.takeExpired(now));
  }

  /** Tells a peer whether it has anything we lack (BEP 3: kept up to date at all times). */
  updateInterest(peer: LivePeer): void {
    const interesting = !this.paused && this.#swarm.picker.interesting(peer.key);
    if (interesting === peer.connection.amInterested) return;
    peer.connection.setInterested(interesting);
    this.#swarm.touch(peer);
  }

  updateInterests(): void {
    for (const peer of this.#swarm.live.values()) if (peer.joined) this.updateInterest(peer);
  }

  /** Takes back what is asked of several peers and has now come, or is no longer wanted. */
  cancelCopies(): void {
    for (const { peer: key, block } of this.#swarm.picker.takeCancels()) {
      const peer = this.#swarm.live.get(key);
      if (peer === undefined) continue;
      peer.connection.cancel(block);
      this.#swarm.touch(peer);
      this.#refillAll = true;
    }
  }

  /** Its check is under way. */
  isChecking(piece: number): boolean {
    return this.#checking.has(piece);
  }

  /** The check of a piece was answered. Returns whether two peers wrote into one of its blocks at once. */
  checked(piece: number): boolean {
    this.#checking.delete(piece);
    return this.#mixed.delete(piece);
  }

  /** Somebody else is in the middle of this block: it is sent twice in the end game, or after a request timed out. */
  #noteCompany(piece: number, blockBegin: number): void {
    for (const other of this.#swarm.live.values())
      if (other.arrivingIntact && other.arrivingPiece === piece && other.arrivingBlock === blockBegin)
        this.#mixed.add(piece);
  }

  /** Half a block that is on its way into this buffer cannot be completed in the piece's next one. */
  #bufferGone(piece: number): void {
    for (const peer of this.#swarm.live.values()) if (peer.arrivingPiece === piece) peer.arrivingIntact = false;
  }

  /** Late data is of use only to a piece that is open: only such a piece has a buffer. */
  #mayTake(peer: LivePeer, event: BlockData | BlockEnd, blockBegin: number): boolean {
    const { picker } = this.#swarm;
    if (event.outcome === 'unrequested' || !picker.isOpen(event.piece)) return false;
    return picker.accepts(peer.key, event.piece, blockBegin);
  }
}
