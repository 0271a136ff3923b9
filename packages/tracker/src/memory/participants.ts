// Peers as participants: whoever announces over both families with one key and peer id is one participant with two
// addresses. Decides roles and what is counted; a role that is told over one address holds for both.
// Nobody's address is ever taken away by what another address says. BEP 7, 21.
import type { StoreAnnounce } from '../peer-store.ts';
import type { Witness } from '../snapshot/swarm-cursor.ts';
import type { FamilyMembers } from './family-members.ts';
import type { KeyedHash } from './keyed-hash.ts';
import { Pairs } from './pairs.ts';
import { peerFlag } from './member-entry.ts';
import { RecentPeers } from './recent-peers.ts';
import { type Tally, type TorrentTable, ipv4Words, ipv6Words, tally } from './torrent-table.ts';

/** What is counted of a swarm, participants once. */
export interface SwarmCounts {
  seeders: number;
  leechers: number;
  partialSeeds: number;
  completed: number;
}

/** All participants of all swarms. */
export class Participants {
  readonly members: Readonly<Record<4 | 6, FamilyMembers>>;
  readonly #torrents: TorrentTable;
  readonly #pairs: Pairs;
  readonly #recent: RecentPeers;
  #pairedSeeds = 0;
  /** Hears of what the order of the peers does not show. */
  witness: Witness | undefined = undefined;

  constructor(torrents: TorrentTable, hash: KeyedHash, ipv4: FamilyMembers, ipv6: FamilyMembers) {
    this.members = { 4: ipv4, 6: ipv6 };
    this.#torrents = torrents;
    this.#pairs = new Pairs(hash);
    this.#recent = new RecentPeers(hash);
  }

  /** How many there are, and how many addresses they have. */
  get count(): number {
    return this.addresses - this.#pairs.count;
  }

  get addresses(): number {
    return this.members[4].table.count + this.members[6].table.count;
  }

  get seeds(): number {
    return this.members[4].seeds + this.members[6].seeds - this.#pairedSeeds;
  }

  /** Adds a torrent's counts to `counts`. */
  addCounts(torrent: number, counts: SwarmCounts): void {
    const torrents = this.#torrents;
    let leechers = torrents.leechers(torrent, ipv4Words) + torrents.leechers(torrent, ipv6Words);
    let members = torrents.members(torrent, ipv4Words) + torrents.members(torrent, ipv6Words);
    if (torrents.hasTally(torrent)) {
      const pairs = torrents.tally(torrent, tally.pairs);
      members -= pairs;
      leechers -= pairs - torrents.tally(torrent, tally.pairedSeeds);
      counts.partialSeeds += torrents.tally(torrent, tally.partialSeeds);
    }
    counts.leechers += leechers;
    counts.seeders += members - leechers;
    counts.completed += torrents.completed(torrent);
  }

  /** The other address of a participant, or -1. */
  partner(family: 4 | 6, record: number): number {
    return this.members[family].has(record, peerFlag.paired) ? this.#pairs.partner(family, record) : -1;
  }

  /** Gives a participant its role; true when that counts as a completed download. */
  setRole(family: 4 | 6, torrent: number, record: number, seeding: boolean, partial: boolean): boolean {
    const members = this.members[family];
    const partner = this.partner(family, record);
    const changed = members.setSeeding(torrent, record, seeding);
    if (changed && partner >= 0) {
      const other = this.members[otherThan(family)];
      other.setSeeding(other.table.torrent(partner), partner, seeding);
      this.#pairedSeeds += seeding ? 1 : -1;
      this.#add(this.#homeOf(family, record, partner), tally.pairedSeeds, seeding ? 1 : -1);
    }
    if (members.has(record, peerFlag.partial) !== partial) this.#setPartial(family, record, partner, partial);
    // Once per stay: a peer that checks its files again and finishes again has not downloaded again.
    if (!changed || !seeding || members.has(record, peerFlag.counted)) return false;
    members.set(record, peerFlag.counted, true);
    if (partner >= 0) this.members[otherThan(family)].set(partner, peerFlag.counted, true);
    this.#torrents.countCompleted(torrent);
    this.witness?.completes(torrent);
    return true;
  }

  /**
   * Finds a peer's other address by its key and remembers this one, whose `mark` its table gave. The
   * record, which stands in `torrent` or `beside` and has no partner yet; or -1.
   */
  meet(peer: StoreAnnounce, family: 4 | 6, record: number, mark: number, torrent: number, beside: number): number {
    const others = this.members[otherThan(family)];
    this.#recent.seek(peer.infoHash, peer.key, peer.peerId, this.addresses);
    const other = this.#recent.recall(otherThan(family));
    this.#recent.note(family, record, mark);
    if (other === undefined || !others.isPeer(other.record, other.mark)) return -1;
    const place = others.table.torrent(other.record);
    const isFree = (place === torrent || place === beside) && !others.has(other.record, peerFlag.paired);
    return isFree && others.table.hasId(other.record, peer.peerId) !== false ? other.record : -1;
  }

  /** Makes one participant of a peer and another of the other family, neither of which has a partner; as `setRole`. */
  pair(family: 4 | 6, torrent: number, record: number, partner: number): boolean {
    const [own, other] = [this.members[family], this.members[otherThan(family)]];
    const seeding = own.isSeed(torrent, record);
    const partial = own.has(record, peerFlag.partial);
    // What the one has completed the other does not complete again.
    if (own.has(record, peerFlag.counted)) other.set(partner, peerFlag.counted, true);
    const completed = this.setRole(otherThan(family), other.table.torrent(partner), partner, seeding, partial);
    own.set(record, peerFlag.counted, other.has(partner, peerFlag.counted));
    this.#setPartial(family, record, -1, false);
    this.#setPartial(otherThan(family), partner, -1, false);
    this.#pairs.add(...inOrder(family, record, partner));
    this.#mark(family, record, partner, true);
    this.#setPartial(family, record, partner, partial);
    return completed;
  }

  /** Makes two participants of one. */
  part(family: 4 | 6, record: number): void {
    const partner = this.partner(family, record);
    if (partner < 0) return;
    this.witness?.leaves(family, record);
    const partial = this.members[family].has(record, peerFlag.partial);
    this.#setPartial(family, record, partner, false);
    this.#mark(family, record, partner, false);
    this.#pairs.remove(family, record);
    this.#setPartial(family, record, -1, partial);
    this.#setPartial(otherThan(family), partner, -1, partial);
  }

  /** Takes an address away, and its torrent where that was the last one: then false. */
  remove(family: 4 | 6, record: number): boolean {
    const torrent = this.members[family].table.torrent(record);
    this.part(family, record);
    this.witness?.leaves(family, record);
    this.#setPartial(family, record, -1, false);
    this.members[family].remove(torrent, record);
    if (!this.#torrents.isEmpty(torrent)) return true;
    this.#torrents.remove(torrent);
    this.#torrents.shrink();
    return false;
  }

  /** Notes in flags and tallies that two records are, or are no longer, one participant. */
  #mark(family: 4 | 6, record: number, partner: number, paired: boolean): void {
    const [own, other] = [this.members[family], this.members[otherThan(family)]];
    own.set(record, peerFlag.paired, paired);
    other.set(partner, peerFlag.paired, paired);
    const home = this.#homeOf(family, record, partner);
    const change = paired ? 1 : -1;
    this.#add(home, tally.pairs, change);
    if (!own.isSeed(own.table.torrent(record), record)) return;
    this.#pairedSeeds += change;
    this.#add(home, tally.pairedSeeds, change);
  }

  /** `partner`: -1 for a participant with one address. */
  #setPartial(family: 4 | 6, record: number, partner: number, partial: boolean): void {
    const members = this.members[family];
    if (members.has(record, peerFlag.partial) === partial) return;
    members.set(record, peerFlag.partial, partial);
    if (partner >= 0) this.members[otherThan(family)].set(partner, peerFlag.partial, partial);
    const home = partner >= 0 ? this.#homeOf(family, record, partner) : members.table.torrent(record);
    this.#add(home, tally.partialSeeds, partial ? 1 : -1);
  }

  /** The torrent in which a pair is tallied: the two may be listed apart. */
  #homeOf(family: 4 | 6, record: number, partner: number): number {
    return this.members[4].table.torrent(family === 4 ? record : partner);
  }

  #add(torrent: number, what: Tally, change: 1 | -1): void {
    this.#torrents.setTally(torrent, what, this.#torrents.tally(torrent, what) + change);
  }
}

export function otherThan(family: 4 | 6): 4 | 6 {
  return family === 4 ? 6 : 4;
}

function inOrder(family: 4 | 6, record: number, partner: number): [ipv4: number, ipv6: number] {
  return family === 4 ? [record, partner] : [partner, record];
}
