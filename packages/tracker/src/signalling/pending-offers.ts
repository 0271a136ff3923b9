// Which offers were passed to whom and may still be answered, in bounded memory. Two generations: when the young one is
// old or full it becomes the old one, and what was in that is forgotten, so nothing is ever searched for.
import type { IdText } from '@shoal/tracker-protocol';
import { KeyedHash } from '../memory/keyed-hash.ts';
import { hashKey } from './swarm-index.ts';
import type { NodeId } from './relayed-signal.ts';
import type { Member } from './swarm-members.ts';

/** Who made an offer: a member here, or one of another node. */
export interface Offerer {
  /** -1 once it has left. */
  readonly place: number;
  readonly peerId: IdText;
  readonly connection: { readonly number: number; readonly node?: NodeId };
}

interface PendingOffer {
  readonly offerId: IdText;
  readonly from: Offerer;
  readonly to: Member;
  /** ms; -Infinity once it is answered. */
  passedOn: number;
  /** The next of the same hash, mostly one of the same id passed to another member: some clients make one offer to many. */
  readonly next: PendingOffer | undefined;
}

/** By the hash of the id: maps keep every text that is a key in a table of all texts, which costs as much as the rest of an offer. */
type Generation = Map<number, PendingOffer>;

/** Ids are 160 random bits: only who means to repeats one more often within two minutes. */
const mostOfAnId = 32;

/** As in aquatic: an offer that was not answered within two minutes is forgotten; clients give up after 50 seconds. */
const lifetimeMs = 120_000;

export class PendingOffers {
  readonly #limit: number;
  readonly #hash: KeyedHash;
  readonly #words = new Uint32Array(5);
  #young: Generation = new Map();
  #old: Generation = new Map();
  #youngCount = 0;
  #since = 0;
  /** Counts generations. */
  generation = 0;

  /** Remembers at most `limit` offers; `random` keys the hash. */
  constructor(limit: number, random: () => number) {
    this.#limit = limit;
    this.#hash = new KeyedHash(random);
  }

  /** Begins a generation where one is due. */
  advance(now: number): void {
    if (now - this.#since < lifetimeMs && this.#youngCount < this.#limit / 2) return;
    // Nothing came for longer than a generation: what is young by count is old by time.
    this.#old = now - this.#since < 2 * lifetimeMs ? this.#young : new Map();
    this.#young = new Map();
    this.#youngCount = 0;
    this.#since = now;
    this.generation++;
  }

  /** Remembers an offer; false where an offer of that id waits for `to` already, whosever it is. */
  add(from: Offerer, to: Member, offerId: IdText, now: number): boolean {
    const key = this.#keyOf(offerId);
    const next = this.#young.get(key);
    if (next !== undefined && (timesOf(next, offerId) >= mostOfAnId || waiting(next, to, offerId, now) !== undefined)) {
      return false;
    }
    if (waiting(this.#old.get(key), to, offerId, now) !== undefined) return false;
    this.#young.set(key, { offerId, from, to, passedOn: now, next });
    this.#youngCount++;
    return true;
  }

  /** Who made the offer that `to` answers; each is answered once. */
  take(to: Member, offerId: IdText, now: number): Offerer | undefined {
    const key = this.#keyOf(offerId);
    const offer = waiting(this.#young.get(key), to, offerId, now) ?? waiting(this.#old.get(key), to, offerId, now);
    if (offer === undefined) return undefined;
    offer.passedOn = -Infinity;
    return offer.from;
  }

  #keyOf(offerId: IdText): number {
    for (let word = 0; word < 5; word++) {
      const at = word * 4;
      const low = offerId.charCodeAt(at) | (offerId.charCodeAt(at + 1) << 8);
      this.#words[word] = low | (offerId.charCodeAt(at + 2) << 16) | (offerId.charCodeAt(at + 3) << 24);
    }
    return hashKey(this.#hash.of(this.#words, 0, 5));
  }
}

function waiting(first: PendingOffer | undefined, to: Member, offerId: IdText, now: number): PendingOffer | undefined {
  let offer = first;
  while (offer !== undefined && (offer.to !== to || offer.offerId !== offerId || now - offer.passedOn > lifetimeMs)) {
    offer = offer.next;
  }
  return offer;
}

function timesOf(first: PendingOffer, offerId: IdText): number {
  let times = 0;
  for (let offer: PendingOffer | undefined = first; offer !== undefined; offer = offer.next) {
    if (offer.offerId === offerId) times++;
  }
  return times;
}
