// The peer store in typed arrays: swarms are lists of addresses with leechers before seeds, peers are records found by a
// keyed hash of torrent and address, expiry follows the order in which peers were last heard of.
import type { ScrapeCounts } from '@shoal/tracker-protocol';
import { Draw } from './memory/draw.ts';
import { FamilyMembers, drawCapacity } from './memory/family-members.ts';
import { KeyedHash } from './memory/keyed-hash.ts';
import { maxRecords } from './memory/member-lists.ts';
import { Participants, otherThan } from './memory/participants.ts';
import { peerFlag } from './memory/member-entry.ts';
import { Sampler } from './memory/sampler.ts';
import { TorrentTable } from './memory/torrent-table.ts';
import type { PeerSample } from './peer-sample.ts';
import { type Restored, type RestoreReport, restoreEntries } from './snapshot/restore-peer.ts';
import { SwarmCursor } from './snapshot/swarm-cursor.ts';
import type { AnnounceOutcome, PeerStore, StoreAnnounce, StoreEndpoint, StoreTotals } from './peer-store.ts';

export interface MemoryStoreOptions {
  /** Uniform in [0, 1): keys the hash tables and draws the samples. */
  readonly random: () => number;
  /** Whether to keep the 20 bytes of peer id that dictionary lists carry (BEP 3). Default true. */
  readonly keepPeerIds?: boolean;
  /** Addresses over all torrents, at most 2^26. Default 10,000,000: about 650 MB. Further ones are answered, not listed. */
  readonly maxPeers?: number;
  /** Ports that one address may list in one swarm, at most 1,024. Default 256: a carrier's NAT, not a forger. */
  readonly maxPeersPerAddress?: number;
}

const defaults = {
  keepPeerIds: true,
  maxPeers: 10_000_000,
  maxPeersPerAddress: 256,
} satisfies Partial<MemoryStoreOptions>;

/** Half of the records that lists can name: in the worst case every peer has a second of its own, which takes one too. */
const mostPeers: number = maxRecords / 2;

/** A `PeerStore` in memory: about 64 bytes a peer, torrents included. */
export class MemoryStore implements PeerStore {
  readonly #torrents: TorrentTable;
  readonly #participants: Participants;
  readonly #sampler: Sampler;
  readonly #maxPeers: number;
  readonly #maxPeersPerAddress: number;
  readonly #keepPeerIds: boolean;
  readonly #restored: Restored;
  readonly #named = new Uint8Array(20);
  #cursor: SwarmCursor | undefined;

  constructor(options: MemoryStoreOptions) {
    const { random, keepPeerIds, maxPeers, maxPeersPerAddress } = { ...defaults, ...options };
    if (!(maxPeers >= 1 && maxPeers <= mostPeers)) throw new RangeError(`maxPeers must be 1 to ${mostPeers}`);
    if (!(maxPeersPerAddress >= 1 && maxPeersPerAddress <= 1024))
      throw new RangeError('maxPeersPerAddress must be 1 to 1024');
    const hash = new KeyedHash(random);
    const draw = new Draw(random, drawCapacity);
    this.#torrents = new TorrentTable(hash, random);
    const members = (family: 4 | 6): FamilyMembers =>
      new FamilyMembers(family, this.#torrents, hash, draw, { keepPeerIds, maxPeers });
    this.#participants = new Participants(this.#torrents, hash, members(4), members(6));
    this.#sampler = new Sampler(this.#torrents, this.#participants, draw);
    this.#maxPeers = maxPeers;
    this.#maxPeersPerAddress = maxPeersPerAddress;
    this.#keepPeerIds = keepPeerIds;
    const hasRoom: Restored['hasRoom'] = (members, torrent) => this.#refusal(members, torrent) === undefined;
    this.#restored = { torrents: this.#torrents, participants: this.#participants, hasRoom };
  }

  announce(peer: StoreAnnounce, answer: PeerSample, now: number): AnnounceOutcome {
    answer.clear();
    const family = peer.address.length === 4 ? 4 : 6;
    if (peer.leaving) return this.#leave(family, peer, answer);
    const second = Math.ceil(now / 1000);
    if (peer.formerly !== undefined) this.#move(family, peer, peer.formerly, second);
    const torrent = this.#torrents.obtain(peer.infoHash, peer.listing === 'private');
    const beside = this.#beside(peer);
    const members = this.#participants.members[family];
    let record = members.find(torrent, peer.address, peer.port);
    const refusal = record >= 0 ? undefined : this.#refusal(members, torrent);
    let outcome: AnnounceOutcome = refusal ?? 'joined';
    if (record >= 0) {
      outcome = this.#refresh(family, torrent, beside, record, peer, second);
    } else if (refusal === undefined) {
      record = this.#join(family, torrent, peer, second);
      if (this.#meet(family, torrent, beside, record, peer, true)) outcome = 'completed';
    }
    this.#participants.addCounts(torrent, answer);
    if (beside >= 0) this.#participants.addCounts(beside, answer);
    this.#sampler.fill(answer, peer, family, torrent, beside, record);
    if (refusal !== undefined && this.#torrents.isEmpty(torrent)) this.#torrents.remove(torrent);
    return outcome;
  }

  counts(infoHash: Uint8Array): ScrapeCounts | undefined {
    const torrent = this.#torrents.find(infoHash, false);
    const beside = this.#torrents.privateCount === 0 ? -1 : this.#torrents.find(infoHash, true);
    if (torrent < 0 && beside < 0) return undefined;
    const counts = { seeders: 0, leechers: 0, partialSeeds: 0, completed: 0 };
    if (torrent >= 0) this.#participants.addCounts(torrent, counts);
    if (beside >= 0) this.#participants.addCounts(beside, counts);
    const { seeders, leechers, partialSeeds, completed } = counts;
    return { complete: seeders, incomplete: leechers, downloaded: completed, downloaders: leechers - partialSeeds };
  }

  expire(before: number, limit: number): number {
    const lastSecond = Math.floor(before / 1000);
    let removed = 0;
    for (const family of [4, 6] as const) {
      const { table } = this.#participants.members[family];
      for (; removed < limit; removed++) {
        const record = table.oldest;
        if (record < 0 || table.oldestSecond > lastSecond) break;
        this.#participants.remove(family, record);
      }
    }
    return removed;
  }

  get oldest(): number | undefined {
    const { members } = this.#participants;
    const times = [members[4].table, members[6].table]
      .filter(({ oldest }) => oldest >= 0)
      .map(({ oldestSecond }) => oldestSecond * 1000);
    return times.length === 0 ? undefined : Math.min(...times);
  }

  get totals(): StoreTotals {
    const { count, seeds, members } = this.#participants;
    return {
      torrents: this.#torrents.count,
      seeders: seeds,
      leechers: count - seeds,
      ipv4Peers: members[4].table.count,
      ipv6Peers: members[6].table.count,
      ipv4Seeds: members[4].seeds,
      ipv6Seeds: members[6].seeds,
    };
  }

  visitTorrents(from: number, limit: number, visit: (infoHash: Uint8Array) => void): number {
    return this.#torrents.visit(from, limit, (torrent) => {
      this.#torrents.writeInfoHash(torrent, this.#named, 0);
      visit(this.#named);
    });
  }

  /** Begins a walk over all peers, silent ones first, in place of the one before. */
  walk(): SwarmCursor {
    this.#cursor?.end();
    this.#cursor = new SwarmCursor(this.#torrents, this.#participants, this.#keepPeerIds);
    return this.#cursor;
  }

  /**
   * Takes in what a walk over another store wrote, the entries in their order, `silence` ms after that; peers that were
   * silent for more than `lifetime` ms are left out. `now` should be larger than that: nobody was heard of before 0.
   */
  restore(entries: Uint8Array, silence: number, lifetime: number, now: number): RestoreReport {
    return restoreEntries(this.#restored, entries, silence, lifetime, now);
  }

  /** Of who has just not been found among the members of a torrent. */
  #refusal(members: FamilyMembers, torrent: number): 'store-full' | 'address-full' | undefined {
    if (members.neighbours >= this.#maxPeersPerAddress) return 'address-full';
    const hasRoom = this.#participants.addresses < this.#maxPeers && members.hasRoom(torrent);
    return hasRoom ? undefined : 'store-full';
  }

  /** The other listing of the torrent, or -1. */
  #beside({ infoHash, listing }: StoreAnnounce): number {
    // A tracker that keeps nobody apart does not pay for looking.
    if (listing === 'public' && this.#torrents.privateCount === 0) return -1;
    return this.#torrents.find(infoHash, listing === 'public');
  }

  /**
   * Joins the two addresses of one participant, told apart from two participants by its key or by proof; true when that
   * completes its download.
   */
  #meet(family: 4 | 6, torrent: number, beside: number, record: number, peer: StoreAnnounce, isNew: boolean): boolean {
    const members = this.#participants.members[family];
    if (members.has(record, peerFlag.paired)) return false;
    const { formerly, key } = peer;
    let partner = -1;
    if (formerly !== undefined && formerly.address.length !== peer.address.length)
      partner = this.#listedAt(formerly, peer, torrent, beside);
    // Where nobody is of the other family there is nobody to meet; a newcomer is remembered nevertheless.
    const others = isNew || this.#torrents.holds(torrent, otherThan(family)) || beside >= 0;
    if (partner < 0 && key !== 0 && others)
      partner = this.#participants.meet(peer, family, record, members.soughtMark, torrent, beside);
    return partner >= 0 && this.#participants.pair(family, torrent, record, partner);
  }

  /** The peer with that id at an address, without a partner, or -1. */
  #listedAt({ address, port }: StoreEndpoint, { peerId }: StoreAnnounce, torrent: number, beside: number): number {
    const members = this.#participants.members[address.length === 4 ? 4 : 6];
    for (const place of [torrent, beside]) {
      const record = place < 0 ? -1 : members.find(place, address, port);
      if (record >= 0 && !members.has(record, peerFlag.paired) && members.table.hasId(record, peerId) !== false)
        return record;
    }
    return -1;
  }

  /** A peer that proves its former address of the same family goes on from its new one as what it was. */
  #move(family: 4 | 6, peer: StoreAnnounce, { address, port }: StoreEndpoint, second: number): void {
    if (address.length !== peer.address.length) return;
    const members = this.#participants.members[family];
    const torrent = this.#torrents.find(peer.infoHash, peer.listing === 'private');
    if (torrent < 0 || members.find(torrent, peer.address, peer.port) >= 0) return;
    if (members.neighbours >= this.#maxPeersPerAddress || !members.hasRoom(torrent)) return;
    const former = members.find(torrent, address, port);
    if (former < 0 || members.table.hasId(former, peer.peerId) === false) return;
    const seeding = members.isSeed(torrent, former);
    const counted = members.has(former, peerFlag.counted);
    const partner = this.#participants.partner(family, former);
    // Before the old address goes, or an empty torrent would be forgotten and its count of downloads with it.
    members.find(torrent, peer.address, peer.port);
    const record = this.#join(family, torrent, { ...peer, seeding, partial: false }, second);
    members.set(record, peerFlag.counted, counted);
    this.#participants.remove(family, former);
    if (partner >= 0) this.#participants.pair(family, torrent, record, partner);
  }

  #leave(family: 4 | 6, peer: StoreAnnounce, answer: PeerSample): AnnounceOutcome {
    const torrent = this.#torrents.find(peer.infoHash, peer.listing === 'private');
    const beside = this.#beside(peer);
    const record = torrent < 0 ? -1 : this.#participants.members[family].find(torrent, peer.address, peer.port);
    const completed = torrent < 0 ? 0 : this.#torrents.completed(torrent);
    const survives = torrent >= 0 && (record < 0 || this.#participants.remove(family, record));
    if (survives) this.#participants.addCounts(torrent, answer);
    else answer.completed += completed;
    if (beside >= 0) this.#participants.addCounts(beside, answer);
    return record < 0 ? 'absent' : 'left';
  }

  #join(family: 4 | 6, torrent: number, { seeding, partial, peerId }: StoreAnnounce, second: number): number {
    const members = this.#participants.members[family];
    const record = members.join(torrent, seeding, peerId, second);
    if (partial) this.#participants.setRole(family, torrent, record, seeding, partial);
    this.#sampler.stamp(family, torrent, record);
    return record;
  }

  #refresh(
    family: 4 | 6,
    torrent: number,
    beside: number,
    record: number,
    peer: StoreAnnounce,
    second: number,
  ): 'completed' | 'refreshed' {
    const { peerId, seeding, partial } = peer;
    const members = this.#participants.members[family];
    // Somebody else at that address: what the other one's partner says is not about this one.
    const isNew = members.table.hasId(record, peerId) === false;
    if (isNew && members.has(record, peerFlag.paired)) this.#participants.part(family, record);
    // A participant completes once: as a seed it becomes one of two addresses first, and only then a seed.
    const completedBoth = seeding && this.#meet(family, torrent, beside, record, peer, isNew);
    members.table.touch(record, peerId, second);
    const completed = this.#participants.setRole(family, torrent, record, seeding, partial);
    if (!seeding) this.#meet(family, torrent, beside, record, peer, isNew);
    return completed || completedBoth ? 'completed' : 'refreshed';
  }
}
