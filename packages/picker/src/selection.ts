// The choice of blocks for one peer, step by step, each reserved as it is chosen: what has a deadline, then what the
// policies say, then copies of what others owe us. Must not know what becomes of the blocks.

import type { Block } from '@shoal/pieces';
import { freeBlock, isKeptFrom, type Downloads, type OpenPiece } from './downloads.ts';
import { busyBlocks, lateBlock, mayCopyBefore, oldestRequest } from './endgame.ts';
import type { PickerOptions } from './options.ts';
import { hasPiece, type Peers, type PeerState } from './peers.ts';
import type { PieceStates } from './piece-states.ts';
import {
  emptyPiece,
  pieceToFinish,
  pieceToGiveUp,
  pieceToStart,
  rarityRank,
  type Asked,
  type Facts,
} from './priorities.ts';
import type { Requests } from './requests.ts';

/** One pick under way. */
interface Order {
  readonly peer: PeerState;
  readonly count: number;
  readonly now: number;
  readonly slow: boolean;
  readonly blocks: Block[];
}

interface Parts {
  readonly peers: Peers;
  readonly downloads: Downloads;
  readonly requests: Requests;
  readonly states: PieceStates;
  readonly priorities: Uint8Array;
}

export class Selection {
  maxOpenPieces: number;
  /** Ascending instead of rarest first. */
  sequential = false;
  readonly #options: Required<PickerOptions>;
  readonly #peers: Peers;
  readonly #downloads: Downloads;
  readonly #requests: Requests;
  readonly #states: PieceStates;
  readonly #facts: Facts;

  constructor(options: Required<PickerOptions>, { peers, downloads, requests, states, priorities }: Parts) {
    this.maxOpenPieces = options.maxOpenPieces;
    this.#options = options;
    this.#peers = peers;
    this.#downloads = downloads;
    this.#requests = requests;
    this.#states = states;
    this.#facts = { downloads, peers, priorities, random: options.random };
  }

  /** Every block we lack has been requested and some are outstanding, and no check can bring more to request. */
  get inEndgame(): boolean {
    const { askable, outstanding } = this.#downloads;
    return outstanding > 0 && this.#peers.order.length === 0 && askable.length === 0 && !this.#states.awaitsChecks;
  }

  pick(peer: PeerState, count: number, now: number, slow: boolean): Block[] {
    const order: Order = { peer, count, now, slow, blocks: [] };
    const { deadlines } = this.#states;
    this.#peers.order.settle();
    if (deadlines.size > 0) this.#fillUrgent(order);
    const skip = slow && deadlines.size > 0 ? deadlines : undefined;
    this.#fill(order, { peer, again: !peer.hasReleased, skip });
    if (peer.hasReleased) this.#fill(order, { peer, again: true, skip });
    // Better slowly than never: there may be nobody else.
    if (skip !== undefined) this.#fill(order, { peer, again: true, skip: undefined });
    if (order.blocks.length === 0 && count > 0) this.#fillIdle(order);
    return order.blocks;
  }

  #fill(order: Order, asked: Asked): void {
    while (order.blocks.length < order.count) {
      const open = this.#nextPiece(asked);
      if (open === undefined) return;
      this.#take(order, open, asked.again);
    }
  }

  /** Free blocks of the piece. */
  #take({ peer, count, now, blocks }: Order, open: OpenPiece, again: boolean): void {
    let block = blocks.length < count ? freeBlock(open, peer.key, 0, again) : -1;
    while (block >= 0) {
      blocks.push(this.#requests.reserve(peer, open, block, now));
      block = blocks.length < count ? freeBlock(open, peer.key, block + 1, again) : -1;
    }
  }

  /**
   * Of each piece with a deadline, earliest first, what nobody is asked for, then what is late. A slow peer would be late
   * too: it gets only what nobody else has.
   */
  #fillUrgent(order: Order): void {
    const { peer, count, blocks, slow } = order;
    let isFull = false;
    for (const { piece } of this.#states.deadlines.earliestFirst) {
      if (blocks.length >= count) return;
      if (!hasPiece(peer, piece) || (slow && this.#peers.availability.of(piece) > 1)) continue;
      let open = this.#downloads.of(piece);
      if (open === undefined) {
        if (isFull || !this.#peers.order.has(piece)) continue;
        isFull = !this.#roomForUrgent();
        if (isFull) continue;
        open = this.#start(piece);
      }
      if (open.free > 0 && !isKeptFrom(open, peer.key)) this.#take(order, open, false);
      if (open.outstanding > 0 && !open.onParole && order.now > open.notLateBefore) this.#takeLate(order, open);
    }
  }

  #takeLate({ peer, count, now, blocks }: Order, open: OpenPiece): void {
    const { endgameCopies, urgentAfterMs } = this.#options;
    const lateBefore = now - urgentAfterMs;
    let block = lateBlock(open, peer, 0, endgameCopies, lateBefore);
    while (block >= 0 && blocks.length < count) {
      blocks.push(this.#requests.reserve(peer, open, block, now));
      block = lateBlock(open, peer, block + 1, endgameCopies, lateBefore);
    }
    open.notLateBefore = oldestRequest(open) + urgentAfterMs;
  }

  /** The peer would get nothing. */
  #fillIdle(order: Order): void {
    const { peer, now, slow } = order;
    if (this.inEndgame) return this.#copy(order, mayCopyBefore(peer, slow));
    if (peer.reserved.size > 0) return;
    if (this.#makeRoom(peer, now)) return this.#fill(order, { peer, again: true, skip: undefined });
    // At the limit of open pieces those that a silent peer holds would keep everybody else from starting another.
    if (this.#downloads.size >= this.maxOpenPieces && !slow) this.#copy(order, now - this.#options.urgentAfterMs);
  }

  /** Blocks that others were asked for before that time. */
  #copy({ peer, count, now, blocks }: Order, before: number): void {
    if (before === Number.NEGATIVE_INFINITY) return;
    const { endgameCopies, random } = this.#options;
    for (const { open, block } of busyBlocks(this.#downloads, peer, count, endgameCopies, random, before))
      blocks.push(this.#requests.reserve(peer, open, block, now));
  }

  #nextPiece(asked: Asked): OpenPiece | undefined {
    const facts = this.#facts;
    const { peer, skip } = asked;
    if (this.sequential) {
      const partial = pieceToFinish(facts, asked, 'all', true);
      if (partial !== undefined) return partial;
      const lowest = this.#mayStart(peer) ? this.#peers.sequence.lowest(peer, skip) : -1;
      return lowest < 0 ? undefined : this.#start(lowest);
    }
    const partial = pieceToFinish(facts, asked, peer.isSeed ? 'from a seed' : 'all', false);
    if (partial !== undefined) return partial;
    const few = this.#states.have.count < this.#options.randomFirstPieces;
    const fresh = this.#mayStart(peer) ? pieceToStart(facts, asked, !few) : -1;
    const other = peer.isSeed ? pieceToFinish(facts, asked, 'from others', false) : undefined;
    if (other !== undefined && (fresh < 0 || this.#comesFirst(other.piece, fresh, few))) return other;
    return fresh < 0 ? undefined : this.#start(fresh);
  }

  /** Whether a seed finishes the started piece rather than start the fresh one. */
  #comesFirst(started: number, fresh: number, few: boolean): boolean {
    if (few) return this.#states.priorityOf(started) > this.#states.priorityOf(fresh);
    return rarityRank(this.#facts, started) <= rarityRank(this.#facts, fresh);
  }

  #start(piece: number): OpenPiece {
    return this.#requests.start(piece, this.#states.parole.has(piece));
  }

  #mayStart(peer: PeerState): boolean {
    return this.#downloads.size < this.maxOpenPieces && this.#hasFresh(peer);
  }

  #hasFresh(peer: PeerState): boolean {
    return (peer.isSeed ? this.#peers.order.length : peer.fresh) > 0;
  }

  /** Whether a piece with a deadline may be started: below the limit, in place of an empty piece, or on the reserve. */
  #roomForUrgent(): boolean {
    if (this.#downloads.size < this.maxOpenPieces) return true;
    const empty = emptyPiece(this.#downloads, this.#states.deadlines);
    if (empty !== undefined) this.#giveUp(empty);
    return this.#downloads.size < this.maxOpenPieces + this.#options.deadlineReserve;
  }

  /** Gives up a piece at the limit, if the peer has others to start and there is one to give up. */
  #makeRoom(peer: PeerState, now: number): boolean {
    if (this.#downloads.size < this.maxOpenPieces || !this.#hasFresh(peer)) return false;
    const victim = pieceToGiveUp(this.#downloads, this.#peers.availability, now);
    if (victim === undefined) return false;
    this.#giveUp(victim);
    return true;
  }

  #giveUp(open: OpenPiece): void {
    this.#requests.abandon(open);
    this.#peers.addFresh(open.piece);
  }
}
