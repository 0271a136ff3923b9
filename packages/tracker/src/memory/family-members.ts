// The members of all swarms that announced over one address family: found by torrent, address and port; who is a leecher,
// who a seed, who is drawn. Invariant: for every peer p of torrent t, entry position(p) of list(t) has the address of p;
// p seeds iff position(p) >= leechers(t).
import { type PeerRecords, peerIdBytes } from '../peer-sample.ts';
import type { Draw } from './draw.ts';
import type { KeyedHash } from './keyed-hash.ts';
import { type PeerFlag, joinedWithin, portShift, stampRange, stampShift } from './member-entry.ts';
import { MemberLists } from './member-lists.ts';
import { PeerTable } from './peer-table.ts';
import { type IndexedRecords, RecordIndex } from './record-index.ts';
import { type FamilyWords, type TorrentTable, ipv4Words, ipv6Words, readWord, writeWord } from './torrent-table.ts';

/** Most peers drawn per announce; beyond it a sample is cut. Callers cap numwant far lower. */
export const drawCapacity = 1000;

/** The places of the last draw. */
const drawn = new Uint32Array(drawCapacity);

/** Fibonacci hashing (Knuth, TAOCP 6.4). */
const portMultiplier = 0x9e37_79b1;

/** Peers of one family and their places in the lists of their torrents. */
export class FamilyMembers implements IndexedRecords {
  readonly table: PeerTable;
  /** 4 or 16. */
  readonly addressBytes: number;
  readonly #addressWords: number;
  readonly #family: FamilyWords;
  readonly #torrents: TorrentTable;
  readonly #hash: KeyedHash;
  readonly #draw: Draw;
  readonly #index = new RecordIndex(this);
  readonly #lists: MemberLists;
  /** Torrent and address of the peer that was looked for last, their hash, and its port. */
  readonly #sought: Uint32Array;
  #soughtHash = 0;
  #soughtPort = 0;
  /** As `#sought`, of the member that is looked for by its position. */
  readonly #placed: Uint32Array;
  /** -1 while a peer is looked for by its port. */
  #placedAt = -1;
  /** How many of the peers seed. */
  seeds = 0;
  /** After `find`: how many peers of that torrent and address it met under other ports. */
  neighbours = 0;

  constructor(
    family: 4 | 6,
    torrents: TorrentTable,
    hash: KeyedHash,
    draw: Draw,
    { keepPeerIds, maxPeers }: { readonly keepPeerIds: boolean; readonly maxPeers: number },
  ) {
    this.table = new PeerTable(keepPeerIds);
    this.addressBytes = family === 4 ? 4 : 16;
    this.#addressWords = this.addressBytes / 4;
    this.#family = family === 4 ? ipv4Words : ipv6Words;
    this.#torrents = torrents;
    this.#hash = hash;
    this.#draw = draw;
    this.#lists = new MemberLists(this.#addressWords + 1, maxPeers);
    this.#sought = new Uint32Array(1 + this.#addressWords);
    this.#placed = new Uint32Array(1 + this.#addressWords);
  }

  /** The peer, or -1; and the number of its neighbours when it is unknown. */
  find(torrent: number, address: Uint8Array, port: number): number {
    this.#sought[0] = torrent;
    for (let at = 0; at < this.#addressWords; at++) this.#sought[1 + at] = readWord(address, at * 4);
    this.#soughtPort = port;
    this.neighbours = 0;
    // The port is not hashed: all peers of one address in one swarm are met on the way, and so can be counted.
    this.#soughtHash = this.#hash.of(this.#sought, 0, 1 + this.#addressWords);
    return this.#index.find(this.#soughtHash);
  }

  /** Tells torrent, address and port of the peer that `find` looked for from all others, but for one in 2^32. */
  get soughtMark(): number {
    return markOf(this.#soughtHash, this.#soughtPort);
  }

  /** Whether a record number, which may be old, is that of the peer with this mark. */
  isPeer(record: number, mark: number): boolean {
    if (!this.table.isInUse(record)) return false;
    return markOf(this.table.hash(record), this.#lastWord(record) >>> portShift) === mark;
  }

  has(record: number, flag: PeerFlag): boolean {
    return (this.#lastWord(record) & flag) !== 0;
  }

  set(record: number, flag: PeerFlag, on: boolean): void {
    const word = this.#lastWord(record);
    this.#setLastWord(record, on ? word | flag : word & ~flag);
  }

  /** Stamps a peer that has just joined with its place in the sequence of its torrent. */
  stamp(record: number, sequence: number): void {
    this.#setLastWord(record, this.#lastWord(record) | ((sequence % stampRange) << stampShift));
  }

  /** Writes address and port as a compact record; where it ends. */
  writeEndpoint(record: number, into: Uint8Array, at: number): number {
    return this.#writeEntry(this.#offsetOf(record), into, at);
  }

  isSeed(torrent: number, record: number): boolean {
    return this.table.position(record) >= this.#torrents.leechers(torrent, this.#family);
  }

  /** How many of a torrent's members one could be given who is `self` (-1: none of them). */
  candidates(torrent: number, leechersOnly: boolean, self: number): number {
    const range = this.#range(torrent, leechersOnly);
    return self >= 0 && this.table.position(self) < range ? range - 1 : range;
  }

  /** Whether there is memory for one more member of a torrent. */
  hasRoom(torrent: number): boolean {
    return this.#lists.hasRoom(
      this.#torrents.list(torrent, this.#family),
      this.#torrents.members(torrent, this.#family),
    );
  }

  /** Adds the peer that `find` has just not found, where the torrent `hasRoom`. */
  join(torrent: number, seeding: boolean, peerId: Uint8Array, second: number): number {
    const members = this.#torrents.members(torrent, this.#family);
    const leechers = this.#torrents.leechers(torrent, this.#family);
    const record = this.table.add(torrent, this.#soughtHash, members, peerId, second);
    this.#index.add(this.#soughtHash, record);
    const list = this.#lists.push(this.#torrents.list(torrent, this.#family), members);
    const offset = this.#lists.offsetOf(list, members);
    const words = this.#lists.words(offset);
    const base = this.#lists.base(offset);
    for (let at = 0; at < this.#addressWords; at++) words[base + at] = this.#sought[1 + at]!;
    words[base + this.#addressWords] = this.#soughtPort << portShift;
    // It stands behind the last seed; a leecher then changes places with the first seed.
    this.#torrents.setList(torrent, this.#family, list, members + 1, leechers);
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
    const members = this.#torrents.members(torrent, this.#family);
    this.#exchange(torrent, record, members - 1);
    const list = this.#lists.pop(this.#torrents.list(torrent, this.#family), members);
    this.#torrents.setList(torrent, this.#family, list, members - 1, this.#torrents.leechers(torrent, this.#family));
    this.#index.remove(this.table.hash(record), record);
    this.table.remove(record);
    this.seeds--;
    // A burst does not hold its memory for ever.
    if (this.table.shrink()) this.#index.clear();
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
    this.#write(into, torrent, count, withPeerIds);
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
    const list = this.#torrents.list(torrent, this.#family);
    const own = self < 0 ? -1 : this.table.position(self);
    let found = 0;
    for (let place = 0; place < range; place++) {
      if (place === own) continue;
      const lastWord = this.#lastWordAt(this.#lists.offsetOf(list, place));
      if (joinedWithin(lastWord, sequence, distance)) drawn[found++] = place;
    }
    const given = Math.min(found, want);
    // Where not all of them are wanted the first ones are as good as any: an exchange with a drawn place makes them so.
    for (let place = 0; place < given && given < found; place++) {
      const other = place + this.#draw.below(found - place);
      [drawn[place], drawn[other]] = [drawn[other]!, drawn[place]!];
    }
    this.#write(into, torrent, given, withPeerIds);
    return { found, given };
  }

  hashOf(record: number): number {
    return this.table.hash(record);
  }

  isSought(record: number): boolean {
    if (this.#placedAt >= 0) {
      return this.table.position(record) === this.#placedAt && this.table.torrent(record) === this.#placed[0];
    }
    if (this.table.hash(record) !== this.#soughtHash || this.table.torrent(record) !== this.#sought[0]) return false;
    const offset = this.#offsetOf(record);
    const words = this.#lists.words(offset);
    const base = this.#lists.base(offset);
    for (let at = 0; at < this.#addressWords; at++) if (words[base + at] !== this.#sought[1 + at]) return false;
    if (words[base + this.#addressWords]! >>> portShift === this.#soughtPort) return true;
    this.neighbours++;
    return false;
  }

  /** A seed has no use for other seeds: its range ends where they begin. */
  #range(torrent: number, leechersOnly: boolean): number {
    return leechersOnly
      ? this.#torrents.leechers(torrent, this.#family)
      : this.#torrents.members(torrent, this.#family);
  }

  /** Appends the members at the first `count` of the places drawn. */
  #write(into: PeerRecords, torrent: number, count: number, withPeerIds: boolean): void {
    const list = this.#torrents.list(torrent, this.#family);
    const first = into.count;
    if (withPeerIds) {
      for (let at = 0; at < count; at++)
        this.table.writeId(this.#recordAt(torrent, drawn[at]!), into.peerIds, (first + at) * peerIdBytes);
    }
    this.#lists.locate(list, drawn, count);
    let end = first * into.stride;
    for (let at = 0; at < count; at++) end = this.#writeEntry(drawn[at]!, into.records, end);
    into.count = first + count;
  }

  #writeEntry(offset: number, into: Uint8Array, start: number): number {
    const words = this.#lists.words(offset);
    const base = this.#lists.base(offset);
    let at = start;
    for (let word = 0; word < this.#addressWords; word++, at += 4) writeWord(into, at, words[base + word]!);
    const port = words[base + this.#addressWords]! >>> portShift;
    into[at++] = port >>> 8;
    into[at++] = port;
    return at;
  }

  #toLeecher(torrent: number, record: number): void {
    const leechers = this.#torrents.leechers(torrent, this.#family);
    this.#exchange(torrent, record, leechers);
    this.#setLeechers(torrent, leechers + 1);
    this.seeds--;
  }

  #toSeed(torrent: number, record: number): void {
    const leechers = this.#torrents.leechers(torrent, this.#family);
    this.#exchange(torrent, record, leechers - 1);
    this.#setLeechers(torrent, leechers - 1);
    this.seeds++;
  }

  #setLeechers(torrent: number, leechers: number): void {
    const list = this.#torrents.list(torrent, this.#family);
    this.#torrents.setList(torrent, this.#family, list, this.#torrents.members(torrent, this.#family), leechers);
  }

  /** Lets a member change places with the one at `place`. */
  #exchange(torrent: number, record: number, place: number): void {
    const from = this.table.position(record);
    if (from === place) return;
    const other = this.#recordAt(torrent, place);
    const list = this.#torrents.list(torrent, this.#family);
    const [one, two] = [this.#lists.offsetOf(list, from), this.#lists.offsetOf(list, place)];
    const [words, otherWords] = [this.#lists.words(one), this.#lists.words(two)];
    const [base, otherBase] = [this.#lists.base(one), this.#lists.base(two)];
    for (let at = 0; at <= this.#addressWords; at++) {
      const kept = words[base + at]!;
      words[base + at] = otherWords[otherBase + at]!;
      otherWords[otherBase + at] = kept;
    }
    this.table.setPosition(record, place);
    this.table.setPosition(other, from);
  }

  /** Whose entry it is: the lists do not say, but it is found as a peer that announces is. */
  #recordAt(torrent: number, place: number): number {
    const offset = this.#lists.offsetOf(this.#torrents.list(torrent, this.#family), place);
    const words = this.#lists.words(offset);
    const base = this.#lists.base(offset);
    this.#placed[0] = torrent;
    for (let at = 0; at < this.#addressWords; at++) this.#placed[1 + at] = words[base + at]!;
    const hash = this.#hash.of(this.#placed, 0, 1 + this.#addressWords);
    this.#placedAt = place;
    const record = this.#index.find(hash);
    this.#placedAt = -1;
    return record;
  }

  #offsetOf(record: number): number {
    return this.#lists.offsetOf(
      this.#torrents.list(this.table.torrent(record), this.#family),
      this.table.position(record),
    );
  }

  #lastWord(record: number): number {
    return this.#lastWordAt(this.#offsetOf(record));
  }

  #lastWordAt(offset: number): number {
    return this.#lists.words(offset)[this.#lists.base(offset) + this.#addressWords]!;
  }

  #setLastWord(record: number, word: number): void {
    const offset = this.#offsetOf(record);
    this.#lists.words(offset)[this.#lists.base(offset) + this.#addressWords] = word;
  }
}

function markOf(hash: number, port: number): number {
  return (hash ^ Math.imul(port, portMultiplier)) >>> 0;
}
