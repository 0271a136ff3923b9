// The connected peers: what each has, and two counters that answer "is it of any use" without a scan. A seed keeps no
// bitfield and no counters: it has whatever is asked. Must not know which blocks are requested, only where they are noted.

import { Bitfield } from '@shoal/pieces';
import { Availability } from './availability.ts';
import { RarityOrder } from './rarity-order.ts';

/** Names a connected peer: any number the caller likes, used again only after `peerLeft`. */
export type PeerKey = number;

export interface PeerState {
  readonly key: PeerKey;
  isSeed: boolean;
  /** Undefined while it has nothing, and for a seed. */
  bits: Bitfield | undefined;
  /** Pieces it has that we want and lack. Not kept for a seed. */
  useful: number;
  /** Of those, the ones not started. Not kept for a seed. */
  fresh: number;
  /** Block numbers reserved for it, oldest first. */
  readonly reserved: Set<number>;
  /** It let a block go unanswered, so some block may be one it should not be asked for again at once. */
  hasReleased: boolean;
}

/** The availability counts are 16 bits wide. */
const maxPeers = 0xffff;

/** Below this share of all pieces, moving each piece is cheaper than sorting anew (8 moves cost about one pass of 64). */
const movesPerSort = 8;

export class Peers {
  readonly availability: Availability;
  readonly order: RarityOrder;
  readonly #pieceCount: number;
  readonly #lacked: (piece: number) => boolean;
  readonly #byKey = new Map<PeerKey, PeerState>();

  /** `lacked` says whether we want the piece and do not have it. */
  constructor(pieceCount: number, lacked: (piece: number) => boolean, random: () => number) {
    this.availability = new Availability(pieceCount);
    this.order = new RarityOrder(this.availability.counts, random);
    this.#pieceCount = pieceCount;
    this.#lacked = lacked;
  }

  all(): Iterable<PeerState> {
    return this.#byKey.values();
  }

  of(key: PeerKey): PeerState {
    const peer = this.#byKey.get(key);
    if (peer === undefined) throw new RangeError(`peer ${key} is not known here`);
    return peer;
  }

  find(key: PeerKey): PeerState | undefined {
    return this.#byKey.get(key);
  }

  join(key: PeerKey): void {
    if (this.#byKey.has(key)) throw new RangeError(`peer ${key} has already joined`);
    if (this.#byKey.size === maxPeers) throw new RangeError(`more than ${maxPeers} peers`);
    const reserved = new Set<number>();
    this.#byKey.set(key, { key, isSeed: false, bits: undefined, useful: 0, fresh: 0, reserved, hasReleased: false });
  }

  leave(peer: PeerState): void {
    this.#forget(peer);
    this.#byKey.delete(peer.key);
  }

  has(peer: PeerState, piece: number): void {
    if (piece >>> 0 !== piece || piece >= this.#pieceCount) throw new RangeError(`no piece ${piece}`);
    if (peer.isSeed) return;
    peer.bits ??= new Bitfield(this.#pieceCount);
    if (!peer.bits.add(piece)) return;
    this.availability.add(piece);
    this.order.raised(piece);
    if (this.order.has(piece)) peer.fresh++;
    if (this.#lacked(piece)) peer.useful++;
    if (peer.bits.isFull) this.#becomeSeed(peer);
  }

  /** Replaces all that is known of the peer's pieces. */
  replace(peer: PeerState, bits: Bitfield): void {
    if (bits.length !== this.#pieceCount) throw new RangeError(`${bits.length} bits for ${this.#pieceCount} pieces`);
    this.#forget(peer);
    if (bits.isEmpty) return;
    if (bits.isFull) {
      peer.isSeed = true;
      this.availability.seeds++;
      return;
    }
    peer.bits = bits.clone();
    const sortLater = this.#sortLater(bits.count);
    eachPiece(bits, (piece) => {
      this.availability.add(piece);
      if (!sortLater) this.order.raised(piece);
      if (this.order.has(piece)) peer.fresh++;
      if (this.#lacked(piece)) peer.useful++;
    });
  }

  /** The piece is one to start. */
  addFresh(piece: number): void {
    this.order.insert(piece);
    for (const peer of this.#byKey.values()) if (peer.bits?.has(piece)) peer.fresh++;
  }

  /** The piece is started, had or unwanted. */
  removeFresh(piece: number): void {
    this.order.remove(piece);
    for (const peer of this.#byKey.values()) if (peer.bits?.has(piece)) peer.fresh--;
  }

  /** The piece has become, or is no longer, one that we want and lack: `change` is 1 or -1. */
  countUseful(piece: number, change: 1 | -1): void {
    for (const peer of this.#byKey.values()) if (peer.bits?.has(piece)) peer.useful += change;
  }

  #forget(peer: PeerState): void {
    if (peer.isSeed) this.availability.seeds--;
    const bits = peer.bits;
    peer.isSeed = false;
    peer.bits = undefined;
    peer.useful = 0;
    peer.fresh = 0;
    if (bits === undefined) return;
    const sortLater = this.#sortLater(bits.count);
    eachPiece(bits, (piece) => {
      this.availability.drop(piece);
      if (!sortLater) this.order.lowered(piece);
    });
  }

  /** The peer announced its last piece. Counts fall by one everywhere, so the order stays as it is. */
  #becomeSeed(peer: PeerState): void {
    peer.isSeed = true;
    peer.bits = undefined;
    this.availability.dropAll();
    this.availability.seeds++;
    this.order.allLowered();
  }

  #sortLater(changes: number): boolean {
    const later = changes * movesPerSort > this.#pieceCount;
    if (later) this.order.invalidate();
    return later;
  }
}

export function hasPiece(peer: PeerState, piece: number): boolean {
  return peer.isSeed || (peer.bits?.has(piece) ?? false);
}

export function pieceCountOf(peer: PeerState, pieceCount: number): number {
  return peer.isSeed ? pieceCount : (peer.bits?.count ?? 0);
}

/** Visits the pieces of a bitfield in order, a byte at a time where it is empty. */
export function eachPiece(bits: Bitfield, visit: (piece: number) => void): void {
  const bytes = bits.bytes;
  for (let index = 0; index < bytes.length; index++) {
    for (let rest = bytes[index] as number; rest !== 0;) {
      const bit = Math.clz32(rest) - 24;
      visit(index * 8 + bit);
      rest &= ~(0x80 >> bit);
    }
  }
}
