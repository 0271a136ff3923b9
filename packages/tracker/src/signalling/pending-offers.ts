// Which offers were passed to whom and may still be answered, in bounded memory. Two generations: when the young one is
// old or full it becomes the old one, and what was in that is forgotten, so nothing is ever searched for.
import type { IdText } from '@shoal/tracker-protocol';
import type { Member } from './swarm-members.ts';

interface PendingOffer {
  readonly from: Member;
  readonly passedOn: number;
}

/** As in aquatic: an offer that was not answered within two minutes is forgotten; clients give up after 50 seconds. */
const lifetimeMs = 120_000;

export class PendingOffers {
  readonly #limit: number;
  #young = new Map<string, PendingOffer>();
  #old = new Map<string, PendingOffer>();
  #since = 0;
  /** Counts generations. */
  generation = 0;

  /** Remembers at most `limit` offers. */
  constructor(limit: number) {
    this.#limit = limit;
  }

  get size(): number {
    return this.#young.size + this.#old.size;
  }

  /** Begins a generation where one is due. */
  advance(now: number): void {
    if (now - this.#since < lifetimeMs && this.#young.size < this.#limit / 2) return;
    // Nothing came for longer than a generation: what is young by count is old by time.
    this.#old = now - this.#since < 2 * lifetimeMs ? this.#young : new Map();
    this.#young = new Map();
    this.#since = now;
    this.generation++;
  }

  /** Remembers an offer; false where an offer of that id waits for `to` already, whosever it is. */
  add(from: Member, to: Member, offerId: IdText, now: number): boolean {
    const key = keyOf(to, offerId);
    if (this.#find(key, now) !== undefined) return false;
    this.#young.set(key, { from, passedOn: now });
    return true;
  }

  /** Who made the offer that `to` answers; each is answered once. */
  take(to: Member, offerId: IdText, now: number): Member | undefined {
    const key = keyOf(to, offerId);
    const offer = this.#find(key, now);
    if (offer === undefined) return undefined;
    this.#young.delete(key);
    this.#old.delete(key);
    return offer.from;
  }

  #find(key: string, now: number): PendingOffer | undefined {
    const offer = this.#young.get(key) ?? this.#old.get(key);
    return offer !== undefined && now - offer.passedOn <= lifetimeMs ? offer : undefined;
  }
}

function keyOf(to: Member, offerId: IdText): string {
  return `${to.number} ${offerId}`;
}
