// The members of all swarms that announced over one address family: who is a leecher, who a seed, who is drawn.
// Invariant: for every peer p of torrent t, lists.at(list(t), position(p)) = p; p seeds iff position(p) >= leechers(t).
import { type PeerRecords, peerIdBytes } from '../peer-sample.ts';
import type { Draw } from './draw.ts';
import type { KeyedHash } from './keyed-hash.ts';
import { MemberLists } from './member-lists.ts';
import { PeerTable } from './peer-table.ts';
import { type FamilyWords, type TorrentTable, ipv4Words, ipv6Words } from './torrent-table.ts';

/** Most peers drawn per announce; beyond it a sample is cut. Callers cap numwant far lower. */
export const drawCapacity = 1000;

/** The records of the last draw. */
const drawn = new Uint32Array(drawCapacity);

/** Peers of one family and their places in the lists of their torrents. */
export class FamilyMembers {
  readonly table: PeerTable;
  readonly #words: FamilyWords;
  readonly #torrents: TorrentTable;
  readonly #draw: Draw;
  readonly #lists = new MemberLists();
  /** How many of the peers seed. */
  seeds = 0;

  constructor(family: 4 | 6, torrents: TorrentTable, hash: KeyedHash, draw: Draw, keepPeerIds: boolean) {
    this.table = new PeerTable(family, hash, keepPeerIds);
    this.#words = family === 4 ? ipv4Words : ipv6Words;
    this.#torrents = torrents;
    this.#draw = draw;
  }

  isSeed(torrent: number, record: number): boolean {
    return this.table.position(record) >= this.#torrents.leechers(torrent, this.#words);
  }

  /** How many of a torrent's members one could be given who is `self` (-1: none of them). */
  candidates(torrent: number, leechersOnly: boolean, self: number): number {
    const range = this.#range(torrent, leechersOnly);
    return self >= 0 && this.table.position(self) < range ? range - 1 : range;
  }

  /** Adds the peer that `table.find` has just not found. */
  join(torrent: number, seeding: boolean, peerId: Uint8Array, second: number): number {
    const members = this.#torrents.members(torrent, this.#words);
    const leechers = this.#torrents.leechers(torrent, this.#words);
    const record = this.table.add(members, peerId, second);
    const list = this.#lists.push(this.#torrents.list(torrent, this.#words), members, record);
    // It stands behind the last seed; a leecher then changes places with the first seed.
    this.#torrents.setList(torrent, this.#words, list, members + 1, leechers);
    this.seeds++;
    if (!seeding) this.#toLeecher(torrent, record);
    return record;
  }

  /** Moves a peer between leechers and seeds; false when it was what it shall be. */
  setSeeding(torrent: number, record: number, seeding: boolean): boolean {
    if (this.isSeed(torrent, record) === seeding) return false;
    if (seeding) this.#toSeed(torrent, record);
    else this.#toLeecher(torrent, record);
    return true;
  }

  /** Takes a peer out by way of the last place: first as a seed, so that leechers stay in front. */
  remove(torrent: number, record: number): void {
    if (!this.isSeed(torrent, record)) this.#toSeed(torrent, record);
    const members = this.#torrents.members(torrent, this.#words);
    this.#exchange(torrent, this.table.position(record), members - 1);
    const list = this.#lists.pop(this.#torrents.list(torrent, this.#words), members);
    this.#torrents.setList(torrent, this.#words, list, members - 1, this.#torrents.leechers(torrent, this.#words));
    this.table.remove(record);
    this.seeds--;
    // A burst does not hold its memory for ever.
    this.table.shrink();
    if (this.table.count === 0) this.#lists.shrink();
  }

  /** Appends up to `want` members of a torrent other than `self` (-1: none) to `into`; says how many. */
  drawInto(
    into: PeerRecords,
    torrent: number,
    leechersOnly: boolean,
    self: number,
    want: number,
    withPeerIds: boolean,
  ): number {
    const range = this.#range(torrent, leechersOnly);
    const skipped = self < 0 ? range : this.table.position(self);
    const candidates = skipped < range ? range - 1 : range;
    const count = Math.min(want, candidates);
    this.#draw.draw(candidates, count, drawn);
    for (let at = 0; at < count; at++) if (drawn[at]! >= skipped) drawn[at]!++;
    this.#lists.lookUp(this.#torrents.list(torrent, this.#words), drawn, count);
    this.#write(into, count, withPeerIds);
    return count;
  }

  /**
   * As `drawInto`, of those whose stamp is less than `distance` behind `sequence`. Looks at every member, of which there
   * must not be more than `drawCapacity`.
   */
  drawNewInto(
    into: PeerRecords,
    torrent: number,
    leechersOnly: boolean,
    self: number,
    want: number,
    withPeerIds: boolean,
    { sequence, distance }: { readonly sequence: number; readonly distance: number },
  ): { readonly found: number; readonly given: number } {
    const range = this.#range(torrent, leechersOnly);
    const list = this.#torrents.list(torrent, this.#words);
    let found = 0;
    for (let place = 0; place < range; place++) {
      const record = this.#lists.at(list, place);
      if (record !== self && this.table.joinedWithin(record, sequence, distance)) drawn[found++] = record;
    }
    const given = Math.min(found, want);
    // Where not all of them are wanted the first ones are as good as any: an exchange with a drawn place makes them so.
    for (let place = 0; place < given && given < found; place++) {
      const other = place + this.#draw.below(found - place);
      [drawn[place], drawn[other]] = [drawn[other]!, drawn[place]!];
    }
    this.#write(into, given, withPeerIds);
    return { found, given };
  }

  /** A seed has no use for other seeds: its range ends where they begin. */
  #range(torrent: number, leechersOnly: boolean): number {
    return leechersOnly ? this.#torrents.leechers(torrent, this.#words) : this.#torrents.members(torrent, this.#words);
  }

  #write(into: PeerRecords, count: number, withPeerIds: boolean): void {
    const first = into.count;
    this.table.writeRecords(drawn, count, into.records, first * into.stride);
    if (withPeerIds)
      for (let at = 0; at < count; at++) this.table.writeId(drawn[at]!, into.peerIds, (first + at) * peerIdBytes);
    into.count = first + count;
  }

  #toLeecher(torrent: number, record: number): void {
    const leechers = this.#torrents.leechers(torrent, this.#words);
    this.#exchange(torrent, this.table.position(record), leechers);
    this.#setLeechers(torrent, leechers + 1);
    this.seeds--;
  }

  #toSeed(torrent: number, record: number): void {
    const leechers = this.#torrents.leechers(torrent, this.#words);
    this.#exchange(torrent, this.table.position(record), leechers - 1);
    this.#setLeechers(torrent, leechers - 1);
    this.seeds++;
  }

  #setLeechers(torrent: number, leechers: number): void {
    const list = this.#torrents.list(torrent, this.#words);
    this.#torrents.setList(torrent, this.#words, list, this.#torrents.members(torrent, this.#words), leechers);
  }

  /** Swaps two members. Only lists of one change their reference in `set`, and those have nothing to swap. */
  #exchange(torrent: number, one: number, other: number): void {
    if (one === other) return;
    const list = this.#torrents.list(torrent, this.#words);
    const first = this.#lists.at(list, one);
    const second = this.#lists.at(list, other);
    this.#lists.set(list, one, second);
    this.#lists.set(list, other, first);
    this.table.setPosition(second, one);
    this.table.setPosition(first, other);
  }
}
