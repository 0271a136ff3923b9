// Swarms in which a client may have an address in each family, written for clearness alone: a list of addresses, each of
// which belongs to somebody. BEP 7, 21.
import type { AnnounceOutcome, StoreAnnounce, StoreEndpoint } from '@shoal/tracker';
import { hex } from '../model.ts';

/** A client: what it said last, over either of its addresses. */
interface Somebody {
  seeding: boolean;
  partial: boolean;
  /** Whether its download was counted. */
  counted: boolean;
}

interface Listed {
  readonly infoHash: string;
  readonly listing: 'public' | 'private';
  /** In hex: 8 digits or 32. */
  readonly address: string;
  readonly port: number;
  id: string;
  who: Somebody;
  seen: number;
}

export interface PairCounts {
  readonly seeders: number;
  readonly leechers: number;
  readonly partialSeeds: number;
  readonly completed: number;
}

/** What must come of an announce. */
export interface Expected {
  readonly outcome: AnnounceOutcome;
  /** Addresses that the announcer may be given, by family: `11223344:6881`. */
  readonly candidates: Readonly<Record<4 | 6, readonly string[]>>;
  /** Whether it has an address in both families. */
  readonly isPaired: boolean;
}

export interface PairModelOptions {
  readonly keepPeerIds: boolean;
  readonly maxPeers: number;
  readonly maxPeersPerAddress: number;
}

/** So many that announced last with a key are remembered, however badly they share the places there are for them. */
const surelyRemembered = 4;

export class PairModel {
  readonly #options: PairModelOptions;
  #listed: Listed[] = [];
  /** Downloads by list. */
  readonly #downloads = new Map<string, number>();
  /** Who announced last over a family with a key and an id, as far as anybody has to remember. */
  readonly #heard = new Map<string, Listed>();
  #peopleThere = 0;

  constructor(options: PairModelOptions) {
    this.#options = options;
  }

  /**
   * `people`: how many the store counts in that torrent now. It is looked at where a store may have forgotten who announced
   * with which key, or remember it from an earlier stay at the same address.
   */
  announce(peer: StoreAnnounce, second: number, people: number): Expected {
    if (peer.leaving) return this.#leave(peer);
    this.#peopleThere = people;
    this.#move(peer, second);
    let own = this.#at(peer, peer.listing);
    const refusal = own === undefined ? this.#refusal(peer) : undefined;
    let outcome: AnnounceOutcome = refusal ?? 'joined';
    if (own !== undefined) outcome = this.#refresh(own, peer, second) ? 'completed' : 'refreshed';
    else if (refusal === undefined) {
      own = this.#join(peer, second);
      if (this.#meet(own, peer, true)) outcome = 'completed';
    }
    return {
      outcome,
      candidates: this.#candidates(peer, own),
      isPaired: own !== undefined && this.#other(own) !== undefined,
    };
  }

  expire(second: number): void {
    for (const peer of this.#listed.filter(({ seen }) => seen <= second)) this.#remove(peer);
  }

  counts(infoHash: Uint8Array): PairCounts {
    const listed = this.#listed.filter((peer) => peer.infoHash === hex(infoHash));
    const people = [...new Set(listed.map(({ who }) => who))];
    const seeders = people.filter(({ seeding }) => seeding).length;
    const partialSeeds = people.filter(({ partial }) => partial).length;
    const downloads = (listing: string): number => this.#downloads.get(hex(infoHash) + listing) ?? 0;
    const completed = downloads('public') + downloads('private');
    return { seeders, leechers: people.length - seeders, partialSeeds, completed };
  }

  has(infoHash: Uint8Array): boolean {
    return this.#listed.some((peer) => peer.infoHash === hex(infoHash));
  }

  get totals(): Readonly<Record<string, number>> {
    const people = new Set(this.#listed.map(({ who }) => who));
    const seeders = [...people].filter(({ seeding }) => seeding).length;
    const ofFamily = (digits: number): Listed[] => this.#listed.filter(({ address }) => address.length === digits);
    return {
      torrents: new Set(this.#listed.map(({ infoHash, listing }) => infoHash + listing)).size,
      seeders,
      leechers: people.size - seeders,
      ipv4Peers: ofFamily(8).length,
      ipv6Peers: ofFamily(32).length,
      ipv4Seeds: ofFamily(8).filter(({ who }) => who.seeding).length,
      ipv6Seeds: ofFamily(32).filter(({ who }) => who.seeding).length,
    };
  }

  #leave(peer: StoreAnnounce): Expected {
    const own = this.#at(peer, peer.listing);
    if (own !== undefined) this.#remove(own);
    return { outcome: own === undefined ? 'absent' : 'left', candidates: { 4: [], 6: [] }, isPaired: false };
  }

  /** Who proves a former address of the same family goes on from the new one, where nobody is yet. */
  #move(peer: StoreAnnounce, second: number): void {
    const { formerly } = peer;
    if (formerly === undefined || formerly.address.length !== peer.address.length) return;
    if (this.#at(peer, peer.listing) !== undefined || this.#isCrowded(peer)) return;
    const former = this.#at({ ...peer, ...formerly }, peer.listing);
    if (former === undefined || !this.#mayBe(former, peer)) return;
    const { who } = former;
    this.#join(peer, second).who = who;
    this.#listed = this.#listed.filter((listed) => listed !== former);
  }

  #refusal(peer: StoreAnnounce): AnnounceOutcome | undefined {
    if (this.#isCrowded(peer)) return 'address-full';
    return this.#listed.length >= this.#options.maxPeers ? 'store-full' : undefined;
  }

  #isCrowded({ infoHash, address, listing }: StoreAnnounce): boolean {
    const there = this.#listOf(infoHash, listing).filter((peer) => peer.address === hex(address));
    return there.length >= this.#options.maxPeersPerAddress;
  }

  #join({ infoHash, listing, address, port, peerId, seeding, partial }: StoreAnnounce, second: number): Listed {
    const who = { seeding, partial, counted: false };
    const at = { infoHash: hex(infoHash), listing, address: hex(address), port };
    const own: Listed = { ...at, id: hex(peerId), who, seen: second };
    this.#listed.push(own);
    return own;
  }

  /** True when that completes a download. */
  #refresh(own: Listed, peer: StoreAnnounce, second: number): boolean {
    const { peerId, seeding, partial } = peer;
    // Somebody else at that address.
    const isNew = this.#options.keepPeerIds && own.id !== hex(peerId);
    if (isNew) own.who = { ...own.who };
    own.id = hex(peerId);
    own.seen = second;
    // Two that become one as they finish complete one download.
    if (seeding) {
      const completes = this.#meet(own, peer, isNew);
      return this.#says(own, seeding, partial) || completes;
    }
    this.#says(own, seeding, partial);
    this.#meet(own, peer, isNew);
    return false;
  }

  #says({ who, infoHash, listing }: Listed, seeding: boolean, partial: boolean): boolean {
    const completes = seeding && !who.seeding && !who.counted;
    Object.assign(who, { seeding, partial, counted: who.counted || completes });
    if (completes) this.#downloads.set(infoHash + listing, (this.#downloads.get(infoHash + listing) ?? 0) + 1);
    return completes;
  }

  /** Finds the other address of who has one so far; true when that completes a download. */
  #meet(own: Listed, peer: StoreAnnounce, isNew: boolean): boolean {
    if (this.#other(own) !== undefined) return false;
    const { formerly } = peer;
    const proven = formerly === undefined ? undefined : this.#provenBy(formerly, peer);
    if (proven !== undefined) return this.#unite(own, proven);
    if (peer.key === 0 || !(isNew || this.#hasOthers(own, peer))) return false;
    const [mine, theirs] = [own.address.length, own.address.length === 8 ? 32 : 8];
    // The beginning of an info-hash is enough to look for somebody.
    const name = `${own.infoHash.slice(0, 8)} ${peer.key} ${hex(peer.peerId)}`;
    const heard = this.#heard.get(`${name} ${theirs}`);
    const since = [...this.#heard.keys()].toReversed().indexOf(`${name} ${theirs}`);
    // The last is the one heard last.
    this.#heard.delete(`${name} ${mine}`);
    this.#heard.set(`${name} ${mine}`, own);
    if (heard === undefined) return false;
    // Whoever is there now, if it is another one, may be taken for that one by a store that keeps few bits of it.
    const place = { infoHash: peer.infoHash, address: Buffer.from(heard.address, 'hex'), port: heard.port };
    const there = this.#at(place, heard.listing);
    if (there === undefined) return false;
    if (this.#other(there) !== undefined || !this.#mayBe(there, peer)) return false;
    const { seeders, leechers } = this.counts(peer.infoHash);
    const isKnown = there === heard && since < surelyRemembered;
    const isMet = isKnown || this.#peopleThere < seeders + leechers;
    return isMet && this.#unite(own, there);
  }

  /** Whether anybody is there whom one could meet. */
  #hasOthers({ address }: Listed, { infoHash, listing }: StoreAnnounce): boolean {
    const isOther = (peer: Listed): boolean => peer.address.length !== address.length;
    const beside = this.#listOf(infoHash, listing === 'public' ? 'private' : 'public');
    return beside.length > 0 || this.#listOf(infoHash, listing).some(isOther);
  }

  #provenBy({ address, port }: StoreEndpoint, peer: StoreAnnounce): Listed | undefined {
    if (address.length === peer.address.length) return undefined;
    const lists = [peer.listing, peer.listing === 'public' ? 'private' : 'public'] as const;
    const there = lists.map((listing) => this.#at({ ...peer, address, port }, listing));
    return there.find(
      (listed) => listed !== undefined && this.#other(listed) === undefined && this.#mayBe(listed, peer),
    );
  }

  /** Two addresses become one client's, which is what it said last. */
  #unite(own: Listed, other: Listed): boolean {
    const { seeding, partial } = own.who;
    other.who.counted ||= own.who.counted;
    const completes = this.#says(other, seeding, partial);
    own.who = other.who;
    return completes;
  }

  #mayBe({ id }: Listed, { peerId }: StoreAnnounce): boolean {
    return !this.#options.keepPeerIds || id === hex(peerId);
  }

  #other(own: Listed): Listed | undefined {
    return this.#listed.find((peer) => peer !== own && peer.who === own.who);
  }

  #candidates(peer: StoreAnnounce, own: Listed | undefined): Expected['candidates'] {
    const all = [
      ...this.#listOf(peer.infoHash, peer.listing),
      ...(peer.listing === 'private' ? this.#listOf(peer.infoHash, 'public') : []),
    ].filter(({ who }) => who !== own?.who && !(who.seeding && (peer.seeding || peer.partial)));
    const named = (digits: number): string[] =>
      all.filter(({ address }) => address.length === digits).map(({ address, port }) => `${address}:${port}`);
    return { 4: named(8), 6: named(32) };
  }

  #at(
    { infoHash, address, port }: Pick<StoreAnnounce, 'infoHash' | 'address' | 'port'>,
    listing: string,
  ): Listed | undefined {
    return this.#listOf(infoHash, listing).find((peer) => peer.address === hex(address) && peer.port === port);
  }

  #listOf(infoHash: Uint8Array, listing: string): Listed[] {
    return this.#listed.filter((peer) => peer.infoHash === hex(infoHash) && peer.listing === listing);
  }

  #remove(peer: Listed): void {
    this.#listed = this.#listed.filter((listed) => listed !== peer);
    const { infoHash, listing } = peer;
    // Downloads are forgotten with the last of a list.
    if (!this.#listed.some((other) => other.infoHash === infoHash && other.listing === listing))
      this.#downloads.delete(infoHash + listing);
  }
}
