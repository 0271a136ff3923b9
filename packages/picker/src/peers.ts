// The connected peers: what each has, and two counters that answer "is it of any use" without a scan. A seed keeps no
// bitfield and no counters: it has whatever is asked. Must not know which blocks are requested, only where they are noted.

import { Bitfield } from '@shoal/pieces';
import { Availability } from './availability.ts';
import { RarityOrder } from './rarity-order.ts';
import { Sequence } from './sequence.ts';

/** Names a connected peer: any number the caller likes, used again only after `peerLeft`. */
export type PeerKey = number;

export interface PeerState {
  readonly key: PeerKey;
  isSeed: boolean;
  /** Undefined while it has nothing, and for a seed. */
  bits: Bitfield | undefined;
  /** Pieces it has that we want and lack. Not kept for a seed. */
  useful: number;
  /** Of those, the ones to start. Not kept for a seed. */
  fresh: number;
  /** Block numbers reserved for it and when each was requested, oldest first. */
  readonly reserved: Map<number, number>;
  /** It let a block go unanswered, so some block may be one it should not be asked for again at once. */
  hasReleased: boolean;
}

/** The availability counts are 16 bits wide. */
const maxPeers = 0xffff;

/** Below this share of all pieces, moving each piece is cheaper than sorting anew (8 moves cost about one pass of 64). */
const movesPerSort = 8;

export class Peers {
  readonly availability: Availability;
  /** The fresh pieces by rarity, and in sequence. */
  readonly order: RarityOrder;
  readonly sequence: Sequence;
  readonly #pieceCount: number;
  readonly #priorities: Uint8Array;
  /** Pieces that we want and lack. */
  #needed: Bitfield;
  readonly #byKey = new Map<PeerKey, PeerState>();

  constructor(priorities: Uint8Array, random: () => number) {
    this.availability = new Availability(priorities.length);
    this.order = new RarityOrder(this.availability.counts, priorities, random);
    this.sequence = new Sequence(this.order, priorities);
    this.#pieceCount = priorities.length;
    this.#priorities = priorities;
    this.#needed = new Bitfield(priorities.length);
  }

  /** Pieces that we want and lack, live. */
  get needed(): Bitfield {
    return this.#needed;
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
    const reserved = new Map<number, number>();
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
    if (this.#needed.has(piece)) {
      peer.useful++;
      if (this.order.raised(piece)) peer.fresh++;
    }
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
    this.#count(peer);
    if (this.#sortLater(bits.count)) return this.availability.changeAll(bits, 1);
    eachPiece(bits, (piece) => {
      this.availability.add(piece);
      this.order.raised(piece);
    });
  }

  /** The piece is one to start. */
  addFresh(piece: number): void {
    this.order.insert(piece);
    this.sequence.added(piece);
    if (this.#onlySeedsHave(piece)) return;
    for (const peer of this.#byKey.values()) if (peer.bits?.has(piece)) peer.fresh++;
  }

  /** The piece is started, had, held or unwanted. */
  removeFresh(piece: number): void {
    this.order.remove(piece);
    if (this.#onlySeedsHave(piece)) return;
    for (const peer of this.#byKey.values()) if (peer.bits?.has(piece)) peer.fresh--;
  }

  /** The piece stays what it is and gets another priority, which is not 0 and was not. */
  reprioritize(piece: number, priority: number): void {
    const isFresh = this.order.has(piece);
    if (isFresh) this.order.remove(piece);
    this.#priorities[piece] = priority;
    if (!isFresh) return;
    this.order.insert(piece);
    this.sequence.added(piece);
  }

  /** The piece has become one that we want and lack. */
  addNeeded(piece: number): void {
    if (!this.#needed.add(piece)) return;
    if (this.#onlySeedsHave(piece)) return;
    for (const peer of this.#byKey.values()) if (peer.bits?.has(piece)) peer.useful++;
  }

  removeNeeded(piece: number): void {
    if (!this.#needed.remove(piece)) return;
    if (this.#onlySeedsHave(piece)) return;
    for (const peer of this.#byKey.values()) if (peer.bits?.has(piece)) peer.useful--;
  }

  /** Any pieces may have changed: these are needed, those fresh. Both are kept. O(pieces), and again for each peer. */
  recount(needed: Bitfield, fresh: Bitfield): void {
    this.#needed = needed;
    this.order.refill(fresh);
    this.sequence.reset();
    for (const peer of this.#byKey.values()) this.#count(peer);
  }

  /** No peer's counters change with the piece. */
  #onlySeedsHave(piece: number): boolean {
    return this.availability.counts[piece] === 0;
  }

  #count(peer: PeerState): void {
    if (peer.bits === undefined) return;
    peer.useful = commonCount(peer.bits, this.#needed);
    peer.fresh = commonCount(peer.bits, this.order.members);
  }

  #forget(peer: PeerState): void {
    if (peer.isSeed) this.availability.seeds--;
    const bits = peer.bits;
    peer.isSeed = false;
    peer.bits = undefined;
    peer.useful = 0;
    peer.fresh = 0;
    if (bits === undefined) return;
    if (this.#sortLater(bits.count)) return this.availability.changeAll(bits, -1);
    eachPiece(bits, (piece) => {
      this.availability.drop(piece);
      this.order.lowered(piece);
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

/** How many pieces are in both. */
export function commonCount(one: Bitfield, other: Bitfield): number {
  const [a, b] = [wordsOf(one), wordsOf(other)];
  let count = 0;
  for (let index = 0; index < a.length; index++) count += onesIn((a[index] as number) & (b[index] as number));
  for (let index = a.length * 4; index < one.bytes.length; index++) {
    count += onesIn((one.bytes[index] as number) & (other.bytes[index] as number));
  }
  return count;
}

/** The bytes of a bitfield, which begin a buffer, in fours as far as they go. */
function wordsOf({ bytes }: Bitfield): Uint32Array {
  return new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.length >>> 2);
}

/** Bits set in 32, by adding neighbours in pairs, fours and bytes, whose sum a product leaves in the highest byte. */
function onesIn(word: number): number {
  const pairs = word - ((word >>> 1) & 0x5555_5555);
  const fours = (pairs & 0x3333_3333) + ((pairs >>> 2) & 0x3333_3333);
  return Math.imul((fours + (fours >>> 4)) & 0x0f0f_0f0f, 0x0101_0101) >>> 24;
}
