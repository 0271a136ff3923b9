// Asking for blocks and taking them: keeps every pipeline full, says what to store, judges finished pieces.
// The picker chooses the blocks; the driver holds the bytes.
import { blockLength, type Block } from '@shoal/pieces';
import type { WireEvent } from '@shoal/wire';
import { Arrivals } from './arrivals.ts';
import { Demand } from './demand.ts';
import type { LivePeer } from './live-peer.ts';
import type { Swarm } from './swarm.ts';

type BlockData = Extract<WireEvent, { type: 'block-data' }>;
type BlockEnd = Extract<WireEvent, { type: 'block-end' }>;

/** Rejects in a row, without a block in between, that an honest peer may need: a full pipeline (libtorrent's 500). */
const maxRejects = 500;

export class Downloading {
  readonly #swarm: Swarm;
  readonly #demand: Demand;
  readonly #arrivals = new Arrivals();
  /** Blocks became free, or a piece made room: peers other than the one at hand may be idle. */
  #refillAll = false;
  /** Counts what may give an idle peer something to ask. */
  #changes = 0;
  /** Peers that have room because a request of theirs was taken back. */
  #freed: LivePeer[] = [];
  /** Pieces with a block that two peers wrote into at once: whose bytes are wrong, if any, nobody can say. */
  readonly #mixed = new Set<number>();
  /** Pieces whose check was asked for and not answered. */
  readonly #checking = new Set<number>();
  paused = true;

  constructor(swarm: Swarm) {
    this.#swarm = swarm;
    this.#demand = new Demand(swarm);
    swarm.picker.maxOpenPieces = this.#demand.mostOpenPieces;
  }

  /** A fragment of a block: stored while the block is still missing and this peer may give it. */
  data(peer: LivePeer, event: BlockData): void {
    const { piece, begin, start, end } = event;
    // A block that another peer has completed meanwhile must never be overwritten by later bytes.
    const blockBegin = begin - (begin % blockLength);
    const taken = this.#mayTake(peer, event, blockBegin);
    const starts = begin === blockBegin;
    if (starts) this.#arrivals.leave(peer);
    if (starts && taken && this.#arrivals.hasCompany(peer, piece, blockBegin)) this.#mixed.add(piece);
    peer.arrivingIntact = taken && (starts || peer.arrivingIntact);
    peer.arrivingPiece = piece;
    peer.arrivingBlock = blockBegin;
    if (!peer.arrivingIntact) return this.#arrivals.leave(peer);
    if (end - start < blockLength) this.#arrivals.enter(peer, piece);
    this.#swarm.emit({ type: 'store', piece, begin, start, end });
  }

  /** A whole block has arrived. */
  end(peer: LivePeer, event: BlockEnd, now: number): void {
    const { picker, progress } = this.#swarm;
    const { piece, begin, length } = event;
    // Only what `data` stored, all of it and in the buffer that the piece has now, may count as received.
    const stored = peer.arrivingIntact && this.#mayTake(peer, event, begin);
    peer.arrivingIntact = false;
    this.#arrivals.leave(peer);
    const outcome = stored ? picker.received(peer.key, piece, begin, { acceptUnrequested: true }) : 'unrequested';
    if (outcome === 'unrequested' || outcome === 'duplicate') {
      progress.wastedBytes += length;
      this.released(peer, [event]);
      return;
    }
    peer.rejects = 0;
    peer.downloadedBytes += length;
    peer.usefulAt = now;
    if (peer.askedIdleAt !== undefined) noteAnswer(peer, now);
    progress.downloaded(peer.peerId, length, now);
    this.cancelCopies();
    if (outcome !== 'completed') return;
    this.#checking.add(piece);
    this.#swarm.emit({ type: 'check-piece', piece });
    this.#arrivals.bufferGone(piece);
  }

  /** They choked us: all that was asked is free for others, and first in line. */
  choked(peer: LivePeer, dropped: readonly Block[]): void {
    if (dropped.length === 0) return;
    this.#swarm.picker.releaseAll(peer.key);
    this.wake();
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
    if (blocks.length > 0) this.wake();
  }

  /** Room or new blocks for peers that had nothing to ask. */
  wake(): void {
    this.#refillAll = true;
    this.#changes++;
  }

  /** The line that picks the next block: fills this peer's pipeline, unless all are about to be refilled anyway. */
  refill(peer: LivePeer, now: number): void {
    if (!this.#refillAll) this.#refill(peer, now);
  }

  #refill(peer: LivePeer, now: number): void {
    const { connection } = peer;
    if (this.paused || !peer.joined || connection.peerChoking || !connection.amInterested) return;
    const room = this.#demand.of(peer, now);
    // In the end game the answer is dear, and the same until something changes.
    if (room <= 0 || (peer.idleSince === this.#changes && this.#swarm.picker.inEndgame)) return;
    const blocks = this.#pick(peer, room, now);
    this.discardAbandoned();
    if (blocks.length === 0) {
      if (connection.pipeline.outstanding === 0) peer.idleSince = this.#changes;
      return;
    }
    if (connection.pipeline.outstanding === 0) peer.askedIdleAt = now;
    for (const block of blocks) {
      // It may have choked us within this very turn: what cannot be asked is free again.
      if (!connection.request(block, now)) this.#swarm.picker.released(peer.key, block.piece, block.begin);
    }
    this.#demand.count(peer);
    this.#swarm.touch(peer);
  }

  /** Few open pieces are enough, and stay in the caches; a peer that can work on none of them may start another. */
  #pick(peer: LivePeer, room: number, now: number): readonly Block[] {
    const { picker } = this.#swarm;
    picker.maxOpenPieces = this.#demand.openPieces(room, this.#checking.size);
    const slow = this.#demand.isSlow(peer, now) ? slowPeer : fastPeer;
    const blocks = picker.pick(peer.key, room, now, slow);
    if (blocks.length > 0 || peer.connection.pipeline.outstanding > 0) return blocks;
    if (picker.maxOpenPieces >= this.#demand.mostOpenPieces) return blocks;
    picker.maxOpenPieces = this.#demand.mostOpenPieces;
    return picker.pick(peer.key, room, now, slow);
  }

  /** The peer's connection is over. */
  left(peer: LivePeer): void {
    this.#demand.left(peer);
    this.#arrivals.leave(peer);
    this.wake();
  }

  refillWoken(now: number): void {
    if (!this.#refillAll) return this.#refillFreed(now);
    this.#refillAll = false;
    this.#freed = [];
    // What a stalling peer lost must not go back to it while anybody else would take it.
    for (const snubbed of [false, true])
      for (const peer of this.#swarm.live.values())
        if (peer.connection.pipeline.snubbed === snubbed) this.#refill(peer, now);
  }

  /** In the end game this is often, and the others have nothing to gain: they are not asked. */
  #refillFreed(now: number): void {
    if (this.#freed.length === 0) return;
    const freed = this.#freed;
    this.#freed = [];
    for (const peer of freed) if (this.#swarm.live.has(peer.key)) this.#refill(peer, now);
  }

  /** Pieces that were given up half-way need no buffer any more. */
  discardAbandoned(): void {
    for (const piece of this.#swarm.picker.takeAbandoned()) this.discard(piece);
  }

  /** The piece's buffer is of no use any more. */
  discard(piece: number): void {
    this.#swarm.emit({ type: 'discard', piece });
    this.#arrivals.bufferGone(piece);
    this.#mixed.delete(piece);
  }

  /** Takes every request back, and says so; what is on its way all the same is still taken. */
  pause(): void {
    this.paused = true;
    for (const peer of this.#swarm.live.values()) {
      if (!peer.joined) continue;
      for (const block of peer.connection.pipeline.blocks()) peer.connection.cancel(block);
      this.#demand.count(peer);
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

  /** Buffers or a limit changed: at most so many pieces are opened from now on. */
  allowanceChanged(): void {
    this.#swarm.picker.maxOpenPieces = this.#demand.mostOpenPieces;
    this.wake();
  }

  /** Somebody waits for the piece. Long queues are cut, or it would wait behind all that was asked for before. */
  setDeadline(piece: number, at: number | undefined, now: number): void {
    const { picker, live } = this.#swarm;
    if (at === undefined) picker.clearDeadline(piece);
    else picker.setDeadline(piece, at);
    this.#demand.setDeadline(piece, at !== undefined && !picker.have.has(piece));
    this.wake();
    if (at === undefined) return;
    // Half of what may stay: the other half is for the piece.
    for (const peer of live.values()) if (peer.joined) this.#cut(peer, this.#demand.urgentDepth(peer, now) >> 1);
  }

  /** Once a second. */
  comparePeers(now: number): void {
    this.#demand.compare(now);
  }

  /** The piece is had: nobody waits for it any more. */
  gained(piece: number): void {
    this.#demand.setDeadline(piece, false);
    this.cancelCopies();
    // Room for another piece, unless there is none.
    if (!this.#swarm.picker.inEndgame) this.wake();
  }

  /**
   * Takes the newest requests back, so that about `depth` remain: pieces of which nothing has come yet, whole, since what
   * is only put off must not count as left unanswered by this peer.
   */
  #cut(peer: LivePeer, depth: number): void {
    const { picker } = this.#swarm;
    const { pipeline } = peer.connection;
    if (pipeline.outstanding <= depth) return;
    const pieces = new Set(
      pipeline
        .blocks()
        .slice(depth)
        .map((block) => block.piece),
    );
    for (const piece of pieces) {
      const priority = picker.priorityOf(piece);
      const isWaitedFor = picker.deadlineOf(piece) !== undefined;
      if (isWaitedFor || priority === 0 || picker.contributors(piece).length > 0) continue;
      picker.setPriority(piece, 0);
      picker.setPriority(piece, priority);
    }
    this.cancelCopies();
  }

  /** Requests that nobody answered in time go back to the picker. */
  expire(peer: LivePeer, now: number): void {
    peer.idleSince = -1;
    this.released(peer, peer.connection.pipeline.takeExpired(now));
  }

  /** Tells a peer whether it has anything we lack (BEP 3: kept up to date at all times). */
  updateInterest(peer: LivePeer): void {
    peer.idleSince = -1;
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
      this.#demand.count(peer);
      this.#swarm.touch(peer);
      this.#freed.push(peer);
    }
  }

  /** Pieces whose check is under way. */
  get checking(): Iterable<number> {
    return this.#checking;
  }

  isChecking(piece: number): boolean {
    return this.#checking.has(piece);
  }

  /** The check of a piece was answered. Returns whether two peers wrote into one of its blocks at once. */
  checked(piece: number): boolean {
    this.#checking.delete(piece);
    return this.#mixed.delete(piece);
  }

  /** Late data is of use only to a piece that is open: only such a piece has a buffer. */
  #mayTake(peer: LivePeer, event: BlockData | BlockEnd, blockBegin: number): boolean {
    const { picker } = this.#swarm;
    if (event.outcome === 'unrequested' || !picker.isOpen(event.piece)) return false;
    return picker.accepts(peer.key, event.piece, blockBegin);
  }
}

/** Options of a pick, made once. */
const slowPeer = { slow: true } as const;
const fastPeer = { slow: false } as const;

function noteAnswer(peer: LivePeer, now: number): void {
  peer.answersInMs = Math.min(peer.answersInMs, now - (peer.askedIdleAt ?? now));
  peer.askedIdleAt = undefined;
}
