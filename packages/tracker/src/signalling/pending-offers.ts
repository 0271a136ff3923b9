// Which offers were passed to whom and may still be answered, in bounded memory. Two generations: when the young one is
// old or full it becomes the old one, and what was in that is forgotten, so nothing is ever searched for.
import type { IdText } from '@shoal/tracker-protocol';
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
  readonly from: Offerer;
  readonly to: Member;
  /** ms; -Infinity once it is answered. */
  passedOn: number;
  /** The next of the same id, passed to another member: some clients make one offer to many. */
  readonly next: PendingOffer | undefined;
}

/** Ids are 160 random bits: only who means to repeats one more often within two minutes. */
const mostOfAnId = 32;

/** As in aquatic: an offer that was not answered within two minutes is forgotten; clients give up after 50 seconds. */
const lifetimeMs = 120_000;

export class PendingOffers {
  readonly #limit: number;
  #young = new Map<IdText, PendingOffer>();
  #old = new Map<IdText, PendingOffer>();
  #youngCount = 0;
  #since = 0;
  /** Counts generations. */
  generation = 0;

  /** Remembers at most `limit` offers. */
  constructor(limit: number) {
    this.#limit = limit;
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
    const next = this.#young.get(offerId);
    if (next !== undefined && (lengthOf(next) >= mostOfAnId || waiting(next, to, now) !== undefined)) return false;
    if (waiting(this.#old.get(offerId), to, now) !== undefined) return false;
    this.#young.set(offerId, { from, to, passedOn: now, next });
    this.#youngCount++;
    return true;
  }

  /** Who made the offer that `to` answers; each is answered once. */
  take(to: Member, offerId: IdText, now: number): Offerer | undefined {
    const offer = waiting(this.#young.get(offerId), to, now) ?? waiting(this.#old.get(offerId), to, now);
    if (offer === undefined) return undefined;
    offer.passedOn = -Infinity;
    return offer.from;
  }
}

function waiting(first: PendingOffer | undefined, to: Member, now: number): PendingOffer | undefined {
  let offer = first;
  while (offer !== undefined && (offer.to !== to || now - offer.passedOn > lifetimeMs)) offer = offer.next;
  return offer;
}

function lengthOf(first: PendingOffer): number {
  let length = 0;
  for (let offer: PendingOffer | undefined = first; offer !== undefined; offer = offer.next) length++;
  return length;
}
