// The peer store in typed arrays: swarms are lists of record numbers with leechers before seeds, peers are records
// found by a keyed hash of torrent and address, expiry follows the order in which peers were last heard of.
// Invariant: for every peer p of torrent t, lists.at(list(t), position(p)) = p; p seeds iff position(p) >= leechers(t).
import type { ScrapeCounts } from '@shoal/tracker-protocol';
import { Draw } from './memory/draw.ts';
import { KeyedHash } from './memory/keyed-hash.ts';
import { MemberLists, maxRecords } from './memory/member-lists.ts';
import { PeerTable } from './memory/peer-table.ts';
import { type FamilyWords, TorrentTable, ipv4Words, ipv6Words } from './memory/torrent-table.ts';
import { type PeerSample, peerIdBytes } from './peer-sample.ts';
import type { AnnounceOutcome, PeerStore, StoreAnnounce, StoreTotals } from './peer-store.ts';

export interface MemoryStoreOptions {
  /** Uniform in [0, 1): keys the hash tables and draws the samples. */
  readonly random: () => number;
  /** Whether to keep the 20 bytes of peer id that dictionary lists carry (BEP 3). Default true. */
  readonly keepPeerIds?: boolean;
  /** Peers over all torrents, at most 2^26. Default 10,000,000: about 650 MB. Further ones are answered, not listed. */
  readonly maxPeers?: number;
  /** Ports that one address may list in one swarm, at most 1,024. Default 256: a carrier's NAT, not a forger. */
  readonly maxPeersPerAddress?: number;
}

const defaults = {
  keepPeerIds: true,
  maxPeers: 10_000_000,
  maxPeersPerAddress: 256,
} satisfies Partial<MemoryStoreOptions>;

/** Most peers drawn per announce; beyond it a sample is cut. Callers cap numwant far lower. */
const drawCapacity = 1000;

/** Half of the records that lists can name: in the worst case every peer has a second of its own, which takes one too. */
const mostPeers: number = maxRecords / 2;

interface Family {
  readonly words: FamilyWords;
  readonly table: PeerTable;
  readonly lists: MemberLists;
}

/** A `PeerStore` in memory: about 64 bytes a peer, torrents included. */
export class MemoryStore implements PeerStore {
  readonly #torrents: TorrentTable;
  readonly #ipv4: Family;
  readonly #ipv6: Family;
  readonly #draw: Draw;
  /** The records of the last draw. */
  readonly #drawn = new Uint32Array(drawCapacity);
  readonly #maxPeers: number;
  readonly #maxPeersPerAddress: number;
  #seeders = 0;

  constructor(options: MemoryStoreOptions) {
    const { random, keepPeerIds, maxPeers, maxPeersPerAddress } = { ...defaults, ...options };
    if (!(maxPeers >= 1 && maxPeers <= mostPeers)) throw new RangeError(`maxPeers must be 1 to ${mostPeers}`);
    if (!(maxPeersPerAddress >= 1 && maxPeersPerAddress <= 1024))
      throw new RangeError('maxPeersPerAddress must be 1 to 1024');
    const hash = new KeyedHash(random);
    this.#torrents = new TorrentTable(hash);
    this.#ipv4 = { words: ipv4Words, table: new PeerTable(4, hash, keepPeerIds), lists: new MemberLists() };
    this.#ipv6 = { words: ipv6Words, table: new PeerTable(6, hash, keepPeerIds), lists: new MemberLists() };
    this.#draw = new Draw(random, drawCapacity);
    this.#maxPeers = maxPeers;
    this.#maxPeersPerAddress = maxPeersPerAddress;
  }

  announce(peer: StoreAnnounce, answer: PeerSample, now: number): AnnounceOutcome {
    answer.clear();
    const family = peer.address.length === 4 ? this.#ipv4 : this.#ipv6;
    if (peer.leaving) return this.#leave(family, peer, answer);
    const torrent = this.#torrents.obtain(peer.infoHash);
    let record = family.table.find(torrent, peer.address, peer.port);
    const known = record >= 0;
    const refusal = known ? undefined : this.#refusal(family);
    let completed = false;
    if (known) {
      family.table.touch(record, peer.peerId, Math.ceil(now / 1000));
      completed = this.#changeRole(family, torrent, record, peer.seeding);
    } else if (refusal === undefined) record = this.#join(family, torrent, peer, Math.ceil(now / 1000));
    this.#count(torrent, answer);
    this.#sample(torrent, family, peer, record, answer);
    if (refusal !== undefined && this.#torrents.isEmpty(torrent)) this.#torrents.remove(torrent);
    return refusal ?? (completed ? 'completed' : known ? 'refreshed' : 'joined');
  }

  counts(infoHash: Uint8Array): ScrapeCounts | undefined {
    const torrent = this.#torrents.find(infoHash);
    if (torrent < 0) return undefined;
    const incomplete = this.#torrents.leechers(torrent, ipv4Words) + this.#torrents.leechers(torrent, ipv6Words);
    const members = this.#torrents.members(torrent, ipv4Words) + this.#torrents.members(torrent, ipv6Words);
    return { complete: members - incomplete, incomplete, downloaded: this.#torrents.completed(torrent) };
  }

  expire(before: number, limit: number): number {
    const lastSecond = Math.floor(before / 1000);
    let removed = 0;
    for (const family of [this.#ipv4, this.#ipv6]) {
      for (; removed < limit; removed++) {
        const peer = family.table.oldest;
        if (peer < 0 || family.table.oldestSecond > lastSecond) break;
        this.#remove(family, family.table.torrent(peer), peer);
      }
    }
    return removed;
  }

  get oldest(): number | undefined {
    const times = [this.#ipv4, this.#ipv6]
      .filter(({ table }) => table.oldest >= 0)
      .map(({ table }) => table.oldestSecond * 1000);
    return times.length === 0 ? undefined : Math.min(...times);
  }

  get totals(): StoreTotals {
    const ipv4Peers = this.#ipv4.table.count;
    const ipv6Peers = this.#ipv6.table.count;
    const leechers = ipv4Peers + ipv6Peers - this.#seeders;
    return { torrents: this.#torrents.count, seeders: this.#seeders, leechers, ipv4Peers, ipv6Peers };
  }

  #refusal(family: Family): 'store-full' | 'address-full' | undefined {
    if (family.table.neighbours >= this.#maxPeersPerAddress) return 'address-full';
    return this.#ipv4.table.count + this.#ipv6.table.count >= this.#maxPeers ? 'store-full' : undefined;
  }

  #leave(family: Family, peer: StoreAnnounce, answer: PeerSample): AnnounceOutcome {
    const torrent = this.#torrents.find(peer.infoHash);
    if (torrent < 0) return 'absent';
    const record = family.table.find(torrent, peer.address, peer.port);
    // Counted while the torrent is certain to exist; one less where this peer goes.
    this.#count(torrent, answer);
    if (record < 0) return 'absent';
    if (family.table.position(record) >= this.#torrents.leechers(torrent, family.words)) answer.seeders--;
    else answer.leechers--;
    this.#remove(family, torrent, record);
    return 'left';
  }

  #join(family: Family, torrent: number, peer: StoreAnnounce, second: number): number {
    const { words, table, lists } = family;
    const members = this.#torrents.members(torrent, words);
    const leechers = this.#torrents.leechers(torrent, words);
    const record = table.add(members, peer.peerId, second);
    const list = lists.push(this.#torrents.list(torrent, words), members, record);
    // It stands behind the last seed; a leecher then changes places with the first seed.
    this.#torrents.setList(torrent, words, list, members + 1, leechers);
    this.#seeders++;
    if (!peer.seeding) this.#toLeecher(family, torrent, record);
    return record;
  }

  /** Moves a peer between leechers and seeds; true when that counts as a completed download. */
  #changeRole(family: Family, torrent: number, record: number, seeding: boolean): boolean {
    const seeds = family.table.position(record) >= this.#torrents.leechers(torrent, family.words);
    if (seeds === seeding) return false;
    if (!seeding) {
      this.#toLeecher(family, torrent, record);
      return false;
    }
    this.#toSeed(family, torrent, record);
    // Once per stay: a peer that checks its files again and finishes again has not downloaded again.
    const counts = family.table.markCounted(record);
    if (counts) this.#torrents.countCompleted(torrent);
    return counts;
  }

  #toLeecher(family: Family, torrent: number, record: number): void {
    const leechers = this.#torrents.leechers(torrent, family.words);
    this.#exchange(family, torrent, family.table.position(record), leechers);
    this.#setLeechers(family, torrent, leechers + 1);
    this.#seeders--;
  }

  #toSeed(family: Family, torrent: number, record: number): void {
    const leechers = this.#torrents.leechers(torrent, family.words);
    this.#exchange(family, torrent, family.table.position(record), leechers - 1);
    this.#setLeechers(family, torrent, leechers - 1);
    this.#seeders++;
  }

  #setLeechers(family: Family, torrent: number, leechers: number): void {
    const list = this.#torrents.list(torrent, family.words);
    this.#torrents.setList(torrent, family.words, list, this.#torrents.members(torrent, family.words), leechers);
  }

  /** Swaps two members. Only lists of one change their reference in `set`, and those have nothing to swap. */
  #exchange({ words, table, lists }: Family, torrent: number, one: number, other: number): void {
    if (one === other) return;
    const list = this.#torrents.list(torrent, words);
    const first = lists.at(list, one);
    const second = lists.at(list, other);
    lists.set(list, one, second);
    lists.set(list, other, first);
    table.setPosition(second, one);
    table.setPosition(first, other);
  }

  /** Takes a peer out by way of the last place: first as a seed, so that leechers stay in front. */
  #remove(family: Family, torrent: number, record: number): void {
    const { words, table, lists } = family;
    if (table.position(record) < this.#torrents.leechers(torrent, words)) this.#toSeed(family, torrent, record);
    const members = this.#torrents.members(torrent, words);
    this.#exchange(family, torrent, table.position(record), members - 1);
    const list = lists.pop(this.#torrents.list(torrent, words), members);
    this.#torrents.setList(torrent, words, list, members - 1, this.#torrents.leechers(torrent, words));
    table.remove(record);
    this.#seeders--;
    if (this.#torrents.isEmpty(torrent)) this.#torrents.remove(torrent);
    // A burst does not hold its memory for ever.
    table.shrink();
    if (table.count === 0) lists.shrink();
    this.#torrents.shrink();
  }

  #count(torrent: number, answer: PeerSample): void {
    const leechers = this.#torrents.leechers(torrent, ipv4Words) + this.#torrents.leechers(torrent, ipv6Words);
    answer.leechers = leechers;
    answer.seeders = this.#torrents.members(torrent, ipv4Words) + this.#torrents.members(torrent, ipv6Words) - leechers;
    answer.completed = this.#torrents.completed(torrent);
  }

  #sample(torrent: number, own: Family, peer: StoreAnnounce, record: number, answer: PeerSample): void {
    const want = Math.min(peer.want, answer.capacity, drawCapacity);
    const drawn = this.#drawFrom(own, torrent, peer, record, want, answer);
    if (peer.families === 'own') return;
    const other = own === this.#ipv4 ? this.#ipv6 : this.#ipv4;
    this.#drawFrom(other, torrent, peer, -1, want - drawn, answer);
  }

  /** Draws up to `want` members other than `self` (-1: none); says how many. */
  #drawFrom(
    family: Family,
    torrent: number,
    peer: StoreAnnounce,
    self: number,
    want: number,
    answer: PeerSample,
  ): number {
    const { words, table, lists } = family;
    const into = family === this.#ipv4 ? answer.ipv4 : answer.ipv6;
    const list = this.#torrents.list(torrent, words);
    // A seed has no use for other seeds: its range ends where they begin.
    const range = peer.seeding ? this.#torrents.leechers(torrent, words) : this.#torrents.members(torrent, words);
    const skipped = self < 0 ? range : table.position(self);
    const candidates = skipped < range ? range - 1 : range;
    const count = Math.min(want, candidates);
    const drawn = this.#drawn;
    this.#draw.draw(candidates, count, drawn);
    for (let at = 0; at < count; at++) if (drawn[at]! >= skipped) drawn[at]!++;
    lists.lookUp(list, drawn, count);
    table.writeRecords(drawn, count, into.records);
    if (peer.withPeerIds) for (let at = 0; at < count; at++) table.writeId(drawn[at]!, into.peerIds, at * peerIdBytes);
    into.count = count;
    return count;
  }
}
