// WebTorrent peers: members of torrents that cannot be dialled, and whose offers and answers are passed between their
// connections. Decides who gets an offer and whose answers pass; knows connections as numbers, no sockets, no policy.
import type {
  AnnounceFailure,
  HeldSdp,
  IdText,
  PeerSignal,
  ScrapeCounts,
  SignalAnnounce,
  SignalAnswer,
  SignalOffer,
} from '@shoal/tracker-protocol';
import { Draw } from '../memory/draw.ts';
import type { StoreAnnounce } from '../peer-store.ts';
import { within } from '../policy/range.ts';
import { PendingOffers } from './pending-offers.ts';
import type { MemberName, RelayedSignal } from './relayed-signal.ts';
import { SwarmIndex } from './swarm-index.ts';
import type { Member, MemberConnection, SwarmMembers } from './swarm-members.ts';

export interface SignalledSwarmsOptions {
  /** Uniform in [0, 1): keys the table, draws who gets an offer. */
  readonly random: () => number;
  /** Torrents of one connection. Default 500: one connection carries all torrents of a client. */
  readonly maxTorrents?: number;
  /** Members of all torrents together. Default 1,000,000. */
  readonly maxMembers?: number;
  /** Offers passed on for one connection within two minutes. Default 500, five for each of 100 torrents. */
  readonly maxOffers?: number;
  /** Offers remembered until they are answered, over all connections; the oldest are forgotten. Default 262,144, about 64 MB. */
  readonly maxPendingOffers?: number;
}

/** What is used of an admitted announce. */
export type AdmittedMember = Pick<StoreAnnounce, 'infoHash' | 'seeding' | 'leaving' | 'want'>;

/** A message for another connection. */
export interface Delivery {
  readonly connection: number;
  readonly signal: PeerSignal<HeldSdp>;
  /** Whom the connection belongs to, where it is one of another node. */
  readonly away?: MemberName;
}

/** How many members there are. */
export interface SignalledTotals {
  /** Torrents with at least one member. */
  readonly torrents: number;
  readonly seeders: number;
  readonly leechers: number;
  /** Leechers that became seeds, ever. */
  readonly completed: number;
}

const defaults = {
  maxTorrents: 500,
  maxMembers: 1_000_000,
  maxOffers: 500,
  maxPendingOffers: 262_144,
} satisfies Omit<SignalledSwarmsOptions, 'random'>;

/** Most offers of one announce that are passed on; aquatic and wt-tracker take ten. */
const mostWanted = 10;

/** The torrents of all connections. */
export class SignalledSwarms {
  readonly #maxTorrents: number;
  readonly #maxMembers: number;
  readonly #maxOffers: number;
  readonly #index: SwarmIndex;
  readonly #connections = new Map<number, MemberConnection>();
  readonly #pending: PendingOffers;
  readonly #draw: Draw;
  readonly #places = new Uint32Array(mostWanted);
  readonly #drawn: Member[] = [];
  /** Ends of the chain of members in the order they were last heard of. */
  #first: Member | undefined;
  #last: Member | undefined;
  #members = 0;
  #seeders = 0;
  #completed = 0;

  /** @throws RangeError for a limit out of range */
  constructor(options: SignalledSwarmsOptions) {
    const { maxTorrents, maxMembers, maxOffers, maxPendingOffers } = { ...defaults, ...options };
    this.#maxTorrents = within('maxTorrents', maxTorrents, 1, 100_000);
    this.#maxMembers = within('maxMembers', maxMembers, 1, Number.MAX_SAFE_INTEGER);
    this.#maxOffers = within('maxOffers', maxOffers, 0, 1_000_000);
    this.#pending = new PendingOffers(within('maxPendingOffers', maxPendingOffers, 2, 2 ** 24), options.random);
    this.#index = new SwarmIndex(options.random);
    this.#draw = new Draw(options.random, mostWanted);
  }

  /**
   * Takes an announce that policy admitted and says which offers go where; a failure for a second peer id in a torrent
   * of the same connection and for more torrents than one may have.
   */
  announce(
    connection: number,
    message: SignalAnnounce<HeldSdp>,
    admitted: AdmittedMember,
    now: number,
  ): readonly Delivery[] | AnnounceFailure {
    const member = this.enlist(connection, message, admitted, now);
    if (member === undefined) return [];
    return 'failureReason' in member ? member : this.passOn(member, message, admitted.want, now);
  }

  /** The first half of `announce`, for who draws from several nodes: who announces is written down. Undefined for who leaves. */
  enlist(
    connection: number,
    message: SignalAnnounce<HeldSdp>,
    { infoHash, seeding, leaving }: AdmittedMember,
    now: number,
  ): Member | AnnounceFailure | undefined {
    const known = this.#memberOf(connection, this.#index.find(infoHash));
    if (known !== undefined && known.peerId !== message.peerId) return otherPeerId;
    if (leaving) {
      if (known !== undefined) this.#leave(known);
      return undefined;
    }
    const member = known ?? this.#join(connection, infoHash, message.peerId, seeding, now);
    if ('failureReason' in member) return member;
    this.#cast(member, seeding);
    this.#touch(member, now);
    return member;
  }

  /** The second half: up to `want` of its offers to members of this node. */
  passOn(member: Member, { infoHash, offers }: SignalAnnounce<HeldSdp>, want: number, now: number): Delivery[] {
    const allowed = this.allowance(member, Math.min(offers.length, want), now);
    const count = member.swarm.draw(member, allowed, this.#draw, this.#places, this.#drawn);
    const deliveries: Delivery[] = [];
    for (let at = 0; at < count; at++) {
      const delivery = this.#passTo(member, this.#drawn[at]!, infoHash, offers[at]!, now);
      if (delivery !== undefined) deliveries.push(delivery);
    }
    return deliveries;
  }

  /** How many of so many offers of a member may be passed on now. */
  allowance({ connection }: Member, offers: number, now: number): number {
    this.#pending.advance(now);
    if (connection.generation !== this.#pending.generation) connection.offers = 0;
    connection.generation = this.#pending.generation;
    return Math.max(0, Math.min(offers, mostWanted, this.#maxOffers - connection.offers));
  }

  /** Passes an offer that is allowed to whom another draw found here; undefined where that member is gone. */
  passHere(
    member: Member,
    name: MemberName,
    infoHash: IdText,
    offer: SignalOffer<HeldSdp>,
    now: number,
  ): Delivery | undefined {
    const to = this.#memberOf(name.connection, member.swarm);
    return to?.peerId === name.peerId ? this.#passTo(member, to, infoHash, offer, now) : undefined;
  }

  /** The same for a member of another node, which remembers the offer. */
  passAway(member: Member, name: MemberName, infoHash: IdText, offer: SignalOffer<HeldSdp>): Delivery | undefined {
    if (name.peerId === member.peerId) return undefined;
    member.connection.offers++;
    return { connection: name.connection, signal: offerOf(member, infoHash, offer), away: name };
  }

  /** The connection that a signal of another node goes to; undefined where nobody here may get it. */
  receive({ action, infoHash, from, to, offerId }: RelayedSignal, now: number): number | undefined {
    const member = this.#memberOf(to.connection, this.#index.find(infoHash));
    if (member === undefined || member.peerId !== to.peerId) return undefined;
    // The other node has asked whether the offer that is answered was passed on.
    if (action === 'answer') return to.connection;
    this.#pending.advance(now);
    const { node, connection: number, peerId } = from;
    const offerer = { place: 0, peerId, connection: { node, number } };
    return this.#pending.add(offerer, member, offerId, now) ? to.connection : undefined;
  }

  /** Whether a member that other nodes know as one of this node is still here. */
  has(infoHash: Uint8Array, { connection, peerId }: MemberName): boolean {
    return this.#memberOf(connection, this.#index.find(infoHash))?.peerId === peerId;
  }

  /** The torrents that a connection is in, until anything changes. */
  membersOf(connection: number): readonly Member[] {
    return this.#connections.get(connection)?.members ?? [];
  }

  /** Where an answer goes: to who made the offer, if that was passed to who answers within the last two minutes. */
  answer(connection: number, answer: SignalAnswer<HeldSdp>, infoHash: Uint8Array, now: number): Delivery | undefined {
    const member = this.#memberOf(connection, this.#index.find(infoHash));
    if (member === undefined || member.peerId !== answer.peerId) return undefined;
    const { offerId, sdp, peerId } = answer;
    const to = this.#pending.take(member, offerId, now);
    if (to === undefined || to.place < 0 || to.peerId !== answer.toPeerId) return undefined;
    const signal: PeerSignal<HeldSdp> = { action: 'answer', infoHash: answer.infoHash, peerId, offerId, sdp };
    const { number, node } = to.connection;
    if (node === undefined) return { connection: number, signal };
    return { connection: number, signal, away: { node, connection: number, peerId: to.peerId } };
  }

  /** A connection is closed: it leaves all its torrents. */
  close(connection: number): void {
    const members = this.#connections.get(connection)?.members ?? [];
    while (members.length > 0) this.#leave(members.at(-1)!);
    this.#connections.delete(connection);
  }

  /** Counts of a torrent's members, undefined where nobody is. */
  counts(infoHash: Uint8Array): ScrapeCounts | undefined {
    const swarm = this.#index.find(infoHash);
    return swarm && { complete: swarm.seeders, incomplete: swarm.leechers, downloaded: swarm.completed };
  }

  /** Removes members last heard of at or before `before` (ms), at most `limit`; says how many. Their connections may live. */
  expire(before: number, limit: number): number {
    let removed = 0;
    for (; removed < limit && this.#first !== undefined && this.#first.seen <= before; removed++) {
      this.#leave(this.#first);
    }
    return removed;
  }

  /** When the member that has been silent longest was last heard of (ms), undefined when there is none. */
  get oldest(): number | undefined {
    return this.#first?.seen;
  }

  get totals(): SignalledTotals {
    return {
      torrents: this.#index.size,
      seeders: this.#seeders,
      leechers: this.#members - this.#seeders,
      completed: this.#completed,
    };
  }

  #memberOf(connection: number, swarm: SwarmMembers | undefined): Member | undefined {
    if (swarm === undefined) return undefined;
    return this.#connections.get(connection)?.members.find((member) => member.swarm === swarm);
  }

  #join(number: number, infoHash: Uint8Array, peerId: IdText, seeding: boolean, now: number): Member | AnnounceFailure {
    if (this.#members >= this.#maxMembers) return trackerFull;
    const known = this.#connections.get(number);
    if (known !== undefined && known.members.length >= this.#maxTorrents) return tooManyTorrents;
    const connection = known ?? { number, members: [], generation: -1, offers: 0 };
    if (known === undefined) this.#connections.set(number, connection);
    const swarm = this.#index.findOrAdd(infoHash);
    const member: Member = {
      connection,
      swarm,
      peerId,
      place: -1,
      seeding,
      // A seed that joined is none that completed here.
      completed: seeding,
      seen: now,
      earlier: undefined,
      later: undefined,
    };
    swarm.add(member);
    // An empty array that is pushed to gets room for sixteen; most connections are in one torrent.
    if (connection.members.length === 0) connection.members = [member];
    else connection.members.push(member);
    this.#append(member);
    this.#members++;
    if (seeding) this.#seeders++;
    return member;
  }

  #leave(member: Member): void {
    const { connection, swarm } = member;
    swarm.remove(member);
    if (swarm.members.length === 0) this.#index.remove(swarm);
    const { members } = connection;
    members[members.lastIndexOf(member)] = members.at(-1)!;
    members.pop();
    this.#unlink(member);
    this.#members--;
    if (member.seeding) this.#seeders--;
  }

  #cast(member: Member, seeding: boolean): void {
    if (member.seeding === seeding) return;
    member.swarm.cast(member, seeding);
    this.#seeders += seeding ? 1 : -1;
    // Once in its stay, as with other peers.
    if (!seeding || member.completed) return;
    member.completed = true;
    member.swarm.completed++;
    this.#completed++;
  }

  #passTo(
    member: Member,
    to: Member,
    infoHash: IdText,
    offer: SignalOffer<HeldSdp>,
    now: number,
  ): Delivery | undefined {
    // Its own ghost, where it connected again before its old connection was found dead.
    if (to.peerId === member.peerId || !this.#pending.add(member, to, offer.offerId, now)) return undefined;
    member.connection.offers++;
    return { connection: to.connection.number, signal: offerOf(member, infoHash, offer) };
  }

  #touch(member: Member, now: number): void {
    member.seen = now;
    if (this.#last === member) return;
    this.#unlink(member);
    this.#append(member);
  }

  #append(member: Member): void {
    member.earlier = this.#last;
    if (this.#last === undefined) this.#first = member;
    else this.#last.later = member;
    this.#last = member;
  }

  #unlink(member: Member): void {
    if (member.earlier === undefined) this.#first = member.later;
    else member.earlier.later = member.later;
    if (member.later === undefined) this.#last = member.earlier;
    else member.later.earlier = member.earlier;
    member.earlier = undefined;
    member.later = undefined;
  }
}

function offerOf({ peerId }: Member, infoHash: IdText, { offerId, sdp }: SignalOffer<HeldSdp>): PeerSignal<HeldSdp> {
  return { action: 'offer', infoHash, peerId, offerId, sdp };
}

const otherPeerId: AnnounceFailure = {
  failureReason: 'this connection has another peer id in this torrent; connect again to change it',
};
const tooManyTorrents: AnnounceFailure = {
  failureReason: 'too many torrents over one connection; stop some or connect again',
};
const trackerFull: AnnounceFailure = { failureReason: 'the tracker is full; you are not listed' };
