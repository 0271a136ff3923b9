// The picker: which blocks to ask of which peer. It reserves what it hands out and is told what came of it. This file is
// the interface: what each piece is to us is kept in piece-states.ts, what each peer has in peers.ts, who is asked for
// what in requests.ts, and the choice is made in selection.ts. Must not know of messages, bytes, rates or time-outs:
// `now` only orders requests by age and tells what is late.

import { blockCountAt, blockLength, type Bitfield, type Block, type Geometry } from '@shoal/pieces';
import type { Rarest } from './availability.ts';
import { Downloads, isKeptFrom, received } from './downloads.ts';
import { checkedOptions, normalPriority, type PickerOptions, type PiecePriority } from './options.ts';
import { hasPiece, pieceCountOf, Peers, type PeerKey } from './peers.ts';
import { PieceStates, requirePriority } from './piece-states.ts';
import { Requests, type Cancel } from './requests.ts';
import { Selection } from './selection.ts';

/** What became of an arrived block. `completed`: it was the last of its piece, which is now to be checked. */
export type Receipt = 'accepted' | 'completed' | 'duplicate' | 'unrequested';

export interface ReceiveOptions {
  /** Take a block that is not asked of this peer, or no longer, if it is missing from an open piece; default false. */
  readonly acceptUnrequested?: boolean;
}

export interface PickOptions {
  /**
   * The peer is among the slowest: pieces with a deadline come last for it instead of first, unless nobody else has
   * them, and in the end game it gets copies only when it owes us nothing; default false.
   */
  readonly slow?: boolean;
}

/** Chooses blocks for one torrent. Peers and pieces it was not told of are the caller's bug: RangeError. */
export class Picker {
  readonly #geometry: Geometry;
  readonly #peers: Peers;
  readonly #downloads: Downloads;
  readonly #requests: Requests;
  readonly #states: PieceStates;
  readonly #selection: Selection;

  /** @throws RangeError when `have` or `held` does not fit the geometry or a limit is out of range. */
  constructor(options: PickerOptions) {
    const checked = checkedOptions(options);
    const { geometry, have, held, random } = checked;
    const priorities = new Uint8Array(geometry.pieceCount).fill(normalPriority);
    const peers = new Peers(priorities, random);
    const downloads = new Downloads(geometry);
    const requests = new Requests(geometry, peers, downloads);
    const states = new PieceStates(geometry, have, held, { peers, downloads, requests, priorities });
    this.#geometry = geometry;
    this.#peers = peers;
    this.#downloads = downloads;
    this.#requests = requests;
    this.#states = states;
    this.#selection = new Selection(checked, { peers, downloads, requests, states, priorities });
  }

  /** Verified pieces, live: read it, change it through `verified`, `lost` and `hold`. */
  get have(): Bitfield {
    return this.#states.have;
  }

  /** Wanted pieces not verified yet, those held included. */
  get missing(): number {
    return this.#peers.needed.count;
  }

  /** Every wanted piece is verified. */
  get complete(): boolean {
    return this.missing === 0;
  }

  /** Pieces that wait for the check of what is in storage, wanted or not. */
  get held(): number {
    return this.#states.held.count;
  }

  /** Pieces started and not yet verified, those waiting for their check included. */
  get openPieces(): number {
    return this.#downloads.size;
  }

  /** Limit of `openPieces`, to be changed as memory allows; pieces open already stay open. */
  get maxOpenPieces(): number {
    return this.#selection.maxOpenPieces;
  }

  set maxOpenPieces(limit: number) {
    if (!(limit >= 1)) throw new RangeError(`a limit of ${limit} open pieces`);
    this.#selection.maxOpenPieces = limit;
  }

  /** Whether pieces are started in ascending order instead of random and rarest first; higher priorities still first. */
  get sequential(): boolean {
    return this.#selection.sequential;
  }

  set sequential(ascending: boolean) {
    this.#selection.sequential = ascending;
  }

  /**
   * Every block we lack has been requested and some are outstanding: from now on an idle peer gets copies. Never while a
   * wanted piece is held: the check may leave something to ask for, and copies would only be sent twice.
   */
  get inEndgame(): boolean {
    return this.#selection.inEndgame;
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
    return state.isSeed ? this.missing > 0 : state.useful > 0;
  }

  /** Blocks reserved for it now. */
  requested(peer: PeerKey): number {
    return this.#peers.of(peer).reserved.size;
  }

  /**
   * At most `count` blocks to request from the peer, in this order; they are reserved for it until received, released
   * or cancelled. `now` in milliseconds orders requests by age and tells which are late. O(blocks), plus one look at each
   * started piece with unrequested blocks and each deadline; starting a piece also costs the walk to the rarest piece
   * that the peer has.
   */
  pick(peer: PeerKey, count: number, now = 0, options?: PickOptions): Block[] {
    return this.#selection.pick(this.#peers.of(peer), count, now, options?.slow === true);
  }

  /** A block has arrived. Anything a peer may send is answered, nothing throws; `begin` is in bytes. */
  received(peer: PeerKey, piece: number, begin: number, options?: ReceiveOptions): Receipt {
    const state = this.#peers.of(peer);
    if (this.#states.have.has(piece)) return 'duplicate';
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

  /** Whether the block at `begin` is to be downloaded still: its bytes, however late, are of use. Not of a held piece. */
  wants(piece: number, begin: number): boolean {
    const block = this.#blockOf(piece, begin);
    if (block < 0 || !this.#states.lacks(piece) || this.#states.held.has(piece)) return false;
    const open = this.#downloads.of(piece);
    return open === undefined || open.copies[block] !== received;
  }

  /**
   * Requests to take back since the last call, each no longer reserved. Ask after `received` (end game, deadlines),
   * `verified`, `failed`, `hold` and a priority of 0.
   */
  takeCancels(): readonly Cancel[] {
    return this.#requests.takeCancels();
  }

  /**
   * Pieces given up since the last call and not started again: unwanted, held, in the way of others at the limit, or with
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

  /** The piece passed its check, is found good in storage, or known to be good from elsewhere: we have it. */
  verified(piece: number): void {
    this.#requirePiece(piece);
    this.#states.verified(piece);
  }

  /**
   * The piece failed its check: all its blocks are missing again. Returns who sent them. With several contributors the
   * piece is next asked of one peer alone, so that the next failure has one author.
   */
  failed(piece: number): readonly PeerKey[] {
    this.#requirePiece(piece);
    const open = this.#downloads.of(piece);
    if (open === undefined) return nothing;
    if (open.contributors.length > 1) this.#states.parole.add(piece);
    this.#requests.close(open);
    if (this.#states.lacks(piece)) this.#peers.addFresh(piece);
    return open.contributors;
  }

  /** Peers that sent blocks of an open piece, by first block; of any other piece, none. */
  contributors(piece: number): readonly PeerKey[] {
    return this.#downloads.of(piece)?.contributors ?? nothing;
  }

  /** Storage lost a piece we had, or one that is held: it is missing and may be asked for. */
  lost(piece: number): void {
    this.#requirePiece(piece);
    this.#states.lost(piece);
  }

  /**
   * The pieces are in doubt and wait for a check of what is in storage: not had, missing if they are wanted, not asked
   * for. Open ones are given up (`takeCancels`, `takeAbandoned`). O(pieces), with the sorting put off to the next pick.
   * @throws RangeError when the bitfield does not fit the geometry.
   */
  hold(pieces: Bitfield): void {
    if (pieces.length !== this.#geometry.pieceCount) {
      throw new RangeError(`a bitfield of ${pieces.length} for ${this.#geometry.pieceCount} pieces`);
    }
    this.#states.hold(pieces);
  }

  /** The check found the piece missing or bad: it may be asked for. Nothing happens to one that is not held. O(peers). */
  unhold(piece: number): void {
    this.#requirePiece(piece);
    this.#states.unhold(piece);
  }

  /** The piece's priority, 0 to 7; 4 unless it was changed. */
  priorityOf(piece: number): PiecePriority {
    this.#requirePiece(piece);
    return this.#states.priorityOf(piece);
  }

  /**
   * Pieces of a higher priority are started first; those of 0 are not wanted: not picked, not missing. A started piece
   * that becomes unwanted is given up (`takeCancels`, `takeAbandoned`), unless it is only waiting for its check.
   * @throws RangeError when the priority is no whole number from 0 to 7.
   */
  setPriority(piece: number, priority: PiecePriority): void {
    this.#requirePiece(piece);
    requirePriority(priority);
    this.#states.setPriority(piece, priority);
  }

  /**
   * The priorities of all pieces, a byte each; copied. O(pieces), with the sorting put off to the next pick.
   * @throws RangeError when there are not as many as pieces or one is above 7; then nothing is changed.
   */
  setPriorities(priorities: Uint8Array): void {
    this.#states.setPriorities(priorities);
  }

  /** Whether to download the piece: as `setPriority` with 4 or 0. */
  setWanted(piece: number, wanted: boolean): void {
    this.setPriority(piece, wanted ? normalPriority : 0);
  }

  /**
   * Somebody waits for the piece: it is picked before everything else, the earliest time first, then the lowest number.
   * `atMs` is in milliseconds on the caller's clock and replaces an older deadline. Nothing happens to a piece we have;
   * a piece that is held or unwanted keeps its deadline for when that changes. Each pick looks at each deadline, so set
   * them for what is read next, not for a whole file.
   * @throws RangeError when the time is not a number.
   */
  setDeadline(piece: number, atMs: number): void {
    this.#requirePiece(piece);
    if (Number.isNaN(atMs)) throw new RangeError('a deadline that is not a number');
    if (!this.#states.have.has(piece)) this.#states.deadlines.set(piece, atMs);
  }

  clearDeadline(piece: number): void {
    this.#states.deadlines.clear(piece);
  }

  clearDeadlines(): void {
    this.#states.deadlines.clearAll();
  }

  /** The piece's deadline on the caller's clock in milliseconds; undefined when it has none, and once we have it. */
  deadlineOf(piece: number): number | undefined {
    return this.#states.deadlines.of(piece);
  }

  /** Connected peers that have the piece, seeds included. */
  availability(piece: number): number {
    return this.#peers.availability.of(piece);
  }

  /** The lowest availability, over all pieces whether we have them or not. */
  rarest(): Rarest {
    return this.#peers.availability.rarest();
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
