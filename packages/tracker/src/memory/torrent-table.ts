// Torrents of the memory store: info-hash, completed count and, per address family, the list of members.
// Members are ordered leechers first, then seeds, so both are ranges that can be drawn from.
import type { KeyedHash } from './keyed-hash.ts';
import { emptyList } from './member-lists.ts';
import { RecordChunks } from './record-chunks.ts';
import { type IndexedRecords, RecordIndex } from './record-index.ts';

/** Words of a torrent: info-hash 0–4, completed 5, then list, members and leechers for IPv4 (6–8) and IPv6 (9–11). */
const stride = 12;
const hashWords = 5;
const completedWord = 5;

/** 2^12 torrents of 48 bytes: 192 KiB at a time. */
const chunkShift = 12;

/** Where the three words about one family begin. */
export type FamilyWords = 6 | 9;
export const ipv4Words: FamilyWords = 6;
export const ipv6Words: FamilyWords = 9;

/** All torrents with at least one peer. */
export class TorrentTable implements IndexedRecords {
  readonly #records = new RecordChunks(stride, chunkShift);
  readonly #index = new RecordIndex(this);
  readonly #hash: KeyedHash;
  readonly #sought = new Uint32Array(hashWords);
  count = 0;

  constructor(hash: KeyedHash) {
    this.#hash = hash;
  }

  /** The torrent, or -1. */
  find(infoHash: Uint8Array): number {
    this.#seek(infoHash);
    return this.#index.find(this.#hash.of(this.#sought, 0, hashWords));
  }

  /** The torrent, which is created without members where it is new. */
  obtain(infoHash: Uint8Array): number {
    this.#seek(infoHash);
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
    this.#index.add(hash, torrent);
    this.count++;
    return torrent;
  }

  /** Forgets a torrent; its lists must be empty. */
  remove(torrent: number): void {
    this.#index.remove(this.hashOf(torrent), torrent);
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

  isEmpty(torrent: number): boolean {
    return this.members(torrent, ipv4Words) === 0 && this.members(torrent, ipv6Words) === 0;
  }

  /** Gives memory back once there are no torrents; the first chunk stays, or a lone peer's coming and going would allocate it anew. */
  shrink(): void {
    if (this.count > 0 || this.#records.chunks <= 1) return;
    this.#records.clear();
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

  #seek(infoHash: Uint8Array): void {
    for (let word = 0; word < hashWords; word++) this.#sought[word] = readWord(infoHash, word * 4);
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
