// Torrents of the memory store: info-hash, completed count and, per address family, the list of members.
// Members are ordered leechers first, then seeds, so both are ranges that can be drawn from. A torrent's peers of the
// private listing are a torrent of their own.
import type { KeyedHash } from './keyed-hash.ts';
import { emptyList } from './member-lists.ts';
import { RecordChunks } from './record-chunks.ts';
import { type IndexedRecords, RecordIndex } from './record-index.ts';

/**
 * Words of a torrent: info-hash 0–4, completed 5, then list, members and leechers for IPv4 (6–8) and IPv6 (9–11), and
 * the tally of what few torrents have.
 */
const stride = 13;
const hashWords = 5;
const completedWord = 5;
const tallyWord = 12;

/** 2^12 torrents of 52 bytes: 208 KiB at a time. */
const chunkShift = 12;

/** Where the three words about one family begin. */
export type FamilyWords = 6 | 9;
export const ipv4Words: FamilyWords = 6;
export const ipv6Words: FamilyWords = 9;

/** What is counted of a torrent only once there is something to count. */
export const tally = {
  /** Participants with two addresses, of which one is IPv4 and in this torrent. */
  pairs: 0,
  /** Of these, seeds. */
  pairedSeeds: 1,
  /** Partial seeds, each participant once. */
  partialSeeds: 2,
  /** The number of the latest joining; 0 while nobody asked for it. */
  sequence: 3,
} as const;
export type Tally = (typeof tally)[keyof typeof tally];
const tallyWords = 4;

/** The last word of a torrent: the number of its tally + 1, or 0, and this bit for a private listing. */
const privateBit = 0x8000_0000;
const tallyMask = 0x7fff_ffff;

/** All torrents with at least one peer. */
export class TorrentTable implements IndexedRecords {
  readonly #records = new RecordChunks(stride, chunkShift);
  readonly #index = new RecordIndex(this);
  readonly #hash: KeyedHash;
  readonly #tallies = new RecordChunks(tallyWords, chunkShift);
  readonly #sought = new Uint32Array(hashWords);
  /** Makes of an info-hash the one of its private listing; secret, or somebody could announce to that. */
  readonly #privateMask: number;
  count = 0;
  /** Of these, private listings. */
  privateCount = 0;

  constructor(hash: KeyedHash, random: () => number) {
    this.#hash = hash;
    this.#privateMask = 1 + Math.floor(random() * 0xffff_ffff);
  }

  /** The torrent, or -1. */
  find(infoHash: Uint8Array, isPrivate: boolean): number {
    this.#seek(infoHash, isPrivate);
    return this.#index.find(this.#hash.of(this.#sought, 0, hashWords));
  }

  /** The torrent, which is created without members where it is new. */
  obtain(infoHash: Uint8Array, isPrivate: boolean): number {
    this.#seek(infoHash, isPrivate);
    const hash = this.#hash.of(this.#sought, 0, hashWords);
    const known = this.#index.find(hash);
    if (known >= 0) return known;
    const torrent = this.#records.allocate();
    const words = this.#records.words(torrent);
    const base = this.#records.base(torrent);
    words.fill(0, base, base + stride);
    words.set(this.#sought, base);
    words[base + ipv4Words] = emptyList;
    words[base + ipv6Words] = emptyList;
    words[base + tallyWord] = isPrivate ? privateBit : 0;
    this.#index.add(hash, torrent);
    this.count++;
    if (isPrivate) this.privateCount++;
    return torrent;
  }

  /** Forgets a torrent; its lists must be empty. */
  remove(torrent: number): void {
    this.#index.remove(this.hashOf(torrent), torrent);
    const kept = this.#tallyWordOf(torrent);
    if ((kept & tallyMask) !== 0) this.#tallies.release((kept & tallyMask) - 1);
    if (kept >= privateBit) this.privateCount--;
    this.#records.release(torrent);
    this.count--;
  }

  list(torrent: number, family: FamilyWords): number {
    return this.#records.words(torrent)[this.#records.base(torrent) + family]!;
  }

  members(torrent: number, family: FamilyWords): number {
    return this.#records.words(torrent)[this.#records.base(torrent) + family + 1]!;
  }

  leechers(torrent: number, family: FamilyWords): number {
    return this.#records.words(torrent)[this.#records.base(torrent) + family + 2]!;
  }

  setList(torrent: number, family: FamilyWords, list: number, members: number, leechers: number): void {
    const words = this.#records.words(torrent);
    const base = this.#records.base(torrent) + family;
    words[base] = list;
    words[base + 1] = members;
    words[base + 2] = leechers;
  }

  completed(torrent: number): number {
    return this.#records.words(torrent)[this.#records.base(torrent) + completedWord]!;
  }

  countCompleted(torrent: number): void {
    const words = this.#records.words(torrent);
    const at = this.#records.base(torrent) + completedWord;
    // Stays at its highest value rather than wrap to none.
    if (words[at]! < 0xffff_ffff) words[at]!++;
  }

  setCompleted(torrent: number, completed: number): void {
    this.#records.words(torrent)[this.#records.base(torrent) + completedWord] = completed;
  }

  isPrivate(torrent: number): boolean {
    return this.#tallyWordOf(torrent) >= privateBit;
  }

  /** Writes the 20 bytes that the torrent is announced by. */
  writeInfoHash(torrent: number, into: Uint8Array, at: number): void {
    const words = this.#records.words(torrent);
    const base = this.#records.base(torrent);
    const first = words[base]!;
    writeWord(into, at, this.isPrivate(torrent) ? first ^ this.#privateMask : first);
    for (let word = 1; word < hashWords; word++) writeWord(into, at + word * 4, words[base + word]!);
  }

  /** Whether anything is tallied, so that `tally` need not be asked. */
  hasTally(torrent: number): boolean {
    return (this.#tallyWordOf(torrent) & tallyMask) !== 0;
  }

  tally(torrent: number, what: Tally): number {
    const number = this.#tallyWordOf(torrent) & tallyMask;
    return number === 0 ? 0 : this.#tallies.words(number - 1)[this.#tallies.base(number - 1) + what]!;
  }

  setTally(torrent: number, what: Tally, count: number): void {
    let number = this.#tallyWordOf(torrent) & tallyMask;
    if (number === 0) {
      number = this.#tallies.allocate() + 1;
      const base = this.#tallies.base(number - 1);
      this.#tallies.words(number - 1).fill(0, base, base + tallyWords);
      this.#records.words(torrent)[this.#records.base(torrent) + tallyWord]! |= number;
    }
    this.#tallies.words(number - 1)[this.#tallies.base(number - 1) + what] = count;
  }

  isEmpty(torrent: number): boolean {
    return this.members(torrent, ipv4Words) === 0 && this.members(torrent, ipv6Words) === 0;
  }

  /** Whether anybody is there with an address of that family. */
  holds(torrent: number, family: 4 | 6): boolean {
    return this.members(torrent, family === 4 ? ipv4Words : ipv6Words) > 0;
  }

  /**
   * Calls `visit` for the torrents among the `limit` numbers from `from` on; says where to go on, or -1 when there are
   * no more. They come in no order.
   */
  visit(from: number, limit: number, visit: (torrent: number) => void): number {
    const end = from + limit;
    // Whoever is not in use has no members.
    for (let torrent = from; torrent < end && this.#records.has(torrent); torrent++)
      if (!this.isEmpty(torrent)) visit(torrent);
    return this.#records.has(end) ? end : -1;
  }

  /** Gives memory back once there are no torrents; the first chunk stays, or a lone peer's coming and going would allocate it anew. */
  shrink(): void {
    if (this.count > 0 || this.#records.chunks <= 1) return;
    this.#records.clear();
    this.#tallies.clear();
    this.#index.clear();
  }

  hashOf(torrent: number): number {
    return this.#hash.of(this.#records.words(torrent), this.#records.base(torrent), hashWords);
  }

  isSought(torrent: number): boolean {
    const words = this.#records.words(torrent);
    const base = this.#records.base(torrent);
    const sought = this.#sought;
    return (
      words[base] === sought[0] &&
      words[base + 1] === sought[1] &&
      words[base + 2] === sought[2] &&
      words[base + 3] === sought[3] &&
      words[base + 4] === sought[4]
    );
  }

  #tallyWordOf(torrent: number): number {
    return this.#records.words(torrent)[this.#records.base(torrent) + tallyWord]!;
  }

  #seek(infoHash: Uint8Array, isPrivate: boolean): void {
    for (let word = 0; word < hashWords; word++) this.#sought[word] = readWord(infoHash, word * 4);
    if (isPrivate) this.#sought[0]! ^= this.#privateMask;
  }
}

/** Four bytes as a big-endian word. */
export function readWord(bytes: Uint8Array, at: number): number {
  return ((bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!) >>> 0;
}

/** A word as four big-endian bytes. */
export function writeWord(bytes: Uint8Array, at: number, word: number): void {
  bytes[at] = word >>> 24;
  bytes[at + 1] = word >>> 16;
  bytes[at + 2] = word >>> 8;
  bytes[at + 3] = word;
}
