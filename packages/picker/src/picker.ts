// The picker: which blocks to ask of which peer. It reserves what it hands out and is told what came of it.
// A piece is in exactly one state: had · unwanted · fresh (in the rarity order) · open (requested, received in part or
// whole, not yet verified). fresh → open by pick; open → had by verified, → fresh by failed or when nothing of it is
// left; had → fresh by lost. Must not know of messages, bytes, rates or time-outs: `now` only orders requests by age.

import { Bitfield, blockCountAt, blockLength, type Block, type Geometry } from '@shoal/pieces';
import type { Rarest } from './availability.ts';
import { Downloads, freeBlock, isKeptFrom, received, type OpenPiece } from './downloads.ts';
import { busyBlocks } from './endgame.ts';
import { checkedOptions, type PickerOptions } from './options.ts';
import { hasPiece, pieceCountOf, Peers, type PeerKey, type PeerState } from './peers.ts';
import { pieceToFinish, pieceToGiveUp, randomPiece, rarestPiece } from './priorities.ts';
import { Requests, type Cancel } from './requests.ts';

/** What became of an arrived block. `completed`: it was the last of its piece, which is now to be checked. */
export type Receipt = 'accepted' | 'completed' | 'duplicate' | 'unrequested';

export interface ReceiveOptions {
  /** Take a block that is not asked of this peer, or no longer, if it is missing from an open piece; default false. */
  readonly acceptUnrequested?: boolean;
}

/** Chooses blocks for one torrent. Peers and pieces it was not told of are the caller's bug: RangeError. */
export class Picker {
  /** Verified pieces, live: read it, change it through `verified` and `lost`. */
  readonly have: Bitfield;
  readonly #geometry: Geometry;
  readonly #random: () => number;
  readonly #randomFirstPieces: number;
  readonly #endgameCopies: number;
  readonly #peers: Peers;
  readonly #downloads: Downloads;
  readonly #requests: Requests;
  readonly #unwanted: Bitfield;
  /** Pieces that failed with several contributors: next time one peer alone is asked for all of it. */
  readonly #parole = new Set<number>();
  #maxOpenPieces: number;
  #missing: number;

  /** @throws RangeError when `have` does not fit the geometry or a limit is out of range. */
  constructor(options: PickerOptions) {
    const { geometry, have, random, maxOpenPieces, randomFirstPieces, endgameCopies } = checkedOptions(options);
    this.have = have.clone();
    this.#geometry = geometry;
    this.#random = random;
    this.#maxOpenPieces = maxOpenPieces;
    this.#randomFirstPieces = randomFirstPieces;
    this.#endgameCopies = endgameCopies;
    this.#unwanted = new Bitfield(geometry.pieceCount);
    this.#missing = geometry.pieceCount - have.count;
    this.#downloads = new Downloads(geometry);
    this.#peers = new Peers(geometry.pieceCount, (piece) => this.#lacks(piece), random);
    this.#requests = new Requests(geometry, this.#peers, this.#downloads);
    this.#peers.order.invalidate();
    for (let piece = 0; piece < geometry.pieceCount; piece++) if (!have.has(piece)) this.#peers.order.insert(piece);
  }

  /** Wanted pieces not verified yet. */
  get missing(): number {
    return this.#missing;
  }

  /** Every wanted piece is verified. */
  get complete(): boolean {
    return this.#missing === 0;
  }

  /** Pieces started and not yet verified, those waiting for their check included. */
  get openPieces(): number {
    return this.#downloads.size;
  }

  /** Limit of `openPieces`, to be changed as memory allows; pieces open already stay open. */
  get maxOpenPieces(): number {
    return this.#maxOpenPieces;
  }

  set maxOpenPieces(limit: number) {
    if (!(limit >= 1)) throw new RangeError(`a limit of ${limit} open pieces`);
    this.#maxOpenPieces = limit;
  }

  /** Every block we lack has been requested and some are outstanding: from now on an idle peer gets copies. */
  get inEndgame(): boolean {
    const { askable, outstanding } = this.#downloads;
    return outstanding > 0 && this.#peers.order.length === 0 && askable.length === 0;
  }

  /** A peer with no pieces so far. */
  peerJoined(peer: PeerKey): void {
    this.#peers.join(peer);
  }

  /** Its reserved blocks are free again. A peer not known is ignored. */
  peerLeft(peer: PeerKey): void {
    const state = this.#peers.find(peer);
    if (state === undefined) return;
    this.#requests.forget(state);
    this.#peers.leave(state);
  }

  /** One more piece: O(1), apart from the piece that makes it a seed, O(pieces). */
  peerHas(peer: PeerKey, piece: number): void {
    this.#peers.has(this.#peers.of(peer), piece);
  }

  /** Replaces what is known of its pieces. O(pieces), with the sorting put off to the next pick. */
  peerPieces(peer: PeerKey, bits: Bitfield): void {
    this.#peers.replace(this.#peers.of(peer), bits);
  }

  peerPiece(peer: PeerKey, piece: number): boolean {
    return piece >= 0 && piece < this.#geometry.pieceCount && hasPiece(this.#peers.of(peer), piece);
  }

  isSeed(peer: PeerKey): boolean {
    return this.#peers.of(peer).isSeed;
  }

  pieceCountOf(peer: PeerKey): number {
    return pieceCountOf(this.#peers.of(peer), this.#geometry.pieceCount);
  }

  /** Whether it has a piece that we want and have not verified. O(1). */
  interesting(peer: PeerKey): boolean {
    const state = this.#peers.of(peer);
    return state.isSeed ? this.#missing > 0 : state.useful > 0;
  }

  /** Blocks reserved for it now. */
  requested(peer: PeerKey): number {
    return this.#peers.of(peer).reserved.size;
  }

  /**
   * At most `count` blocks to request from the peer, in this order; they are reserved for it until received, released
   * or cancelled. `now` in milliseconds orders end-game requests by age. O(blocks), plus one look at each started piece
   * with unrequested blocks; starting a piece also costs the walk to the rarest piece that the peer has.
   */
  pick(peer: PeerKey, count: number, now = 0): Block[] {
    const state = this.#peers.of(peer);
    const blocks: Block[] = [];
    this.#peers.order.settle();
    this.#fill(state, count, now, blocks, !state.hasReleased);
    if (blocks.length < count && state.hasReleased) this.#fill(state, count, now, blocks, true);
    if (blocks.length === 0 && state.reserved.size === 0 && count > 0) {
      if (this.inEndgame) this.#fillInEndgame(state, count, now, blocks);
      else if (this.#makeRoom(state, now)) this.#fill(state, count, now, blocks, true);
    }
    return blocks;
  }

  /** A block has arrived. Anything a peer may send is answered, nothing throws; `begin` is in bytes. */
  received(peer: PeerKey, piece: number, begin: number, options?: ReceiveOptions): Receipt {
    const state = this.#peers.of(peer);
    if (this.have.has(piece)) return 'duplicate';
    const open = this.#downloads.of(piece);
    const block = this.#blockOf(piece, begin);
    if (open === undefined || block < 0) return 'unrequested';
    if (open.copies[block] === received) return 'duplicate';
    const asked = state.reserved.has(open.firstBlock + block);
    if (!asked && (options?.acceptUnrequested !== true || isKeptFrom(open, peer))) return 'unrequested';
    this.#requests.settle(state, open, block);
    return open.receivedCount === open.blockCount ? 'completed' : 'accepted';
  }

  /**
   * Whether `received` with `acceptUnrequested` would take the block from the peer now: until then its bytes may be
   * stored as they come in. False once the block is here, while its piece is not open, and for a piece on parole with
   * another peer.
   */
  accepts(peer: PeerKey, piece: number, begin: number): boolean {
    const open = this.#downloads.of(piece);
    const block = this.#blockOf(piece, begin);
    if (open === undefined || block < 0 || open.copies[block] === received) return false;
    return !isKeptFrom(open, peer) || this.#peers.of(peer).reserved.has(open.firstBlock + block);
  }

  /** Whether the piece is started and not yet verified: what arrives of it has somewhere to go. */
  isOpen(piece: number): boolean {
    return this.#downloads.of(piece) !== undefined;
  }

  /** Whether the block at `begin` is still missing: its bytes, however late, are of use. */
  wants(piece: number, begin: number): boolean {
    const block = this.#blockOf(piece, begin);
    if (block < 0 || !this.#lacks(piece)) return false;
    const open = this.#downloads.of(piece);
    return open === undefined || open.copies[block] !== received;
  }

  /**
   * Requests to take back since the last call, each no longer reserved. Ask after `received` (end game), `verified`,
   * `failed` and `setWanted`.
   */
  takeCancels(): readonly Cancel[] {
    return this.#requests.takeCancels();
  }

  /**
   * Pieces given up since the last call and not started again: unwanted, in the way of others at the limit, or with
   * nothing received when the last peer asked choked or left. Bytes stored of them, if any, are of no use.
   */
  takeAbandoned(): readonly number[] {
    return this.#requests.takeAbandoned();
  }

  /**
   * The peer will not send the block: timed out or rejected. It is asked of others first; of this peer again only when
   * there is nothing else for it.
   */
  released(peer: PeerKey, piece: number, begin: number): void {
    const state = this.#peers.of(peer);
    const open = this.#downloads.of(piece);
    const block = this.#blockOf(piece, begin);
    if (open !== undefined && block >= 0) this.#requests.release(state, open, block);
  }

  /** The peer choked us: all it was asked for may be asked of anyone, and comes first among the blocks to ask for. */
  releaseAll(peer: PeerKey): void {
    this.#requests.releaseAll(this.#peers.of(peer));
  }

  /** The piece passed its check, or is known to be good from elsewhere: we have it. */
  verified(piece: number): void {
    this.#requirePiece(piece);
    if (this.have.has(piece)) return;
    const open = this.#downloads.of(piece);
    if (open !== undefined) this.#requests.close(open);
    else if (this.#peers.order.has(piece)) this.#peers.removeFresh(piece);
    if (this.#lacks(piece)) this.#nowNeeded(piece, -1);
    this.have.add(piece);
    this.#parole.delete(piece);
  }

  /**
   * The piece failed its check: all its blocks are missing again. Returns who sent them. With several contributors the
   * piece is next asked of one peer alone, so that the next failure has one author.
   */
  failed(piece: number): readonly PeerKey[] {
    this.#requirePiece(piece);
    const open = this.#downloads.of(piece);
    if (open === undefined) return nothing;
    if (open.contributors.length > 1) this.#parole.add(piece);
    this.#requests.close(open);
    if (this.#lacks(piece)) this.#peers.addFresh(piece);
    return open.contributors;
  }

  /** Peers that sent blocks of an open piece, by first block; of any other piece, none. */
  contributors(piece: number): readonly PeerKey[] {
    return this.#downloads.of(piece)?.contributors ?? nothing;
  }

  /** Storage lost a piece we had: it is missing again. */
  lost(piece: number): void {
    this.#requirePiece(piece);
    if (!this.have.remove(piece) || !this.#lacks(piece)) return;
    this.#nowNeeded(piece, 1);
    this.#peers.addFresh(piece);
  }

  /**
   * Whether to download the piece. Unwanting a started piece gives up its blocks (`takeCancels`, `takeAbandoned`),
   * unless it is only waiting for its check.
   */
  setWanted(piece: number, wanted: boolean): void {
    this.#requirePiece(piece);
    if (wanted === !this.#unwanted.has(piece)) return;
    const open = this.#downloads.of(piece);
    if (wanted) {
      this.#unwanted.remove(piece);
      if (!this.#lacks(piece)) return;
      this.#nowNeeded(piece, 1);
      if (open === undefined) this.#peers.addFresh(piece);
      return;
    }
    if (this.#lacks(piece)) this.#nowNeeded(piece, -1);
    this.#unwanted.add(piece);
    if (this.#peers.order.has(piece)) this.#peers.removeFresh(piece);
    else if (open !== undefined && open.receivedCount < open.blockCount) this.#requests.abandon(open);
  }

  /** Connected peers that have the piece, seeds included. */
  availability(piece: number): number {
    return this.#peers.availability.of(piece);
  }

  /** The lowest availability, over all pieces whether we have them or not. */
  rarest(): Rarest {
    return this.#peers.availability.rarest();
  }

  #fill(peer: PeerState, count: number, now: number, blocks: Block[], again: boolean): void {
    while (blocks.length < count) {
      const open = this.#nextPiece(peer, again);
      if (open === undefined) return;
      let block = freeBlock(open, peer.key, 0, again);
      while (block >= 0 && blocks.length < count) {
        blocks.push(this.#requests.reserve(peer, open, block, now));
        block = freeBlock(open, peer.key, block + 1, again);
      }
    }
  }

  #fillInEndgame(peer: PeerState, count: number, now: number, blocks: Block[]): void {
    for (const { open, block } of busyBlocks(this.#downloads, peer, count, this.#endgameCopies, this.#random)) {
      blocks.push(this.#requests.reserve(peer, open, block, now));
    }
  }

  #nextPiece(peer: PeerState, again: boolean): OpenPiece | undefined {
    const { availability, order } = this.#peers;
    const counts = availability.counts;
    const started = peer.isSeed ? 'from a seed' : 'all';
    const partial = pieceToFinish(this.#downloads, counts, this.#random, peer, started, again);
    if (partial !== undefined) return partial;
    const few = this.have.count < this.#randomFirstPieces;
    let fresh = -1;
    if (this.#mayStart) fresh = few ? randomPiece(order, peer, this.#random) : rarestPiece(order, peer);
    if (peer.isSeed && (fresh < 0 || !few)) {
      const other = pieceToFinish(this.#downloads, counts, this.#random, peer, 'from others', again);
      if (other !== undefined && (fresh < 0 || (counts[other.piece] as number) <= (counts[fresh] as number)))
        return other;
    }
    return fresh < 0 ? undefined : this.#requests.start(fresh, this.#parole.has(fresh));
  }

  get #mayStart(): boolean {
    return this.#downloads.size < this.#maxOpenPieces;
  }

  /** Gives up a piece at the limit, if the peer has others to start and there is one to give up. */
  #makeRoom(peer: PeerState, now: number): boolean {
    const fresh = peer.isSeed ? this.#peers.order.length : peer.fresh;
    if (this.#mayStart || fresh === 0) return false;
    const victim = pieceToGiveUp(this.#downloads, this.#peers.availability, now);
    if (victim === undefined) return false;
    this.#requests.abandon(victim);
    this.#peers.addFresh(victim.piece);
    return true;
  }

  #nowNeeded(piece: number, change: 1 | -1): void {
    this.#missing += change;
    this.#peers.countUseful(piece, change);
  }

  #lacks(piece: number): boolean {
    return piece < this.#geometry.pieceCount && !this.have.has(piece) && !this.#unwanted.has(piece);
  }

  /** The block at `begin` of the piece, -1 when there is none or it is off the grid of 16 KiB. */
  #blockOf(piece: number, begin: number): number {
    if (piece >>> 0 !== piece || piece >= this.#geometry.pieceCount || !(begin >= 0)) return -1;
    const block = begin / blockLength;
    return Number.isInteger(block) && block < blockCountAt(this.#geometry, piece) ? block : -1;
  }

  #requirePiece(piece: number): void {
    if (piece >>> 0 !== piece || piece >= this.#geometry.pieceCount) throw new RangeError(`no piece ${piece}`);
  }
}

const nothing: readonly never[] = Object.freeze([]);
