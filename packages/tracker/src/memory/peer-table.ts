// Peers of one address family: a record each, an index by torrent, address and port, and the order in which they
// were last heard of (a doubly linked list), so that whoever is due to expire is always at its front. The list is
// divided by markers, one for each second in which anybody was last heard of: cheaper than a time in every record.
import { peerIdBytes } from '../peer-sample.ts';
import type { KeyedHash } from './keyed-hash.ts';
import { RecordChunks, none } from './record-chunks.ts';
import { type IndexedRecords, RecordIndex } from './record-index.ts';
import { readWord, writeWord } from './torrent-table.ts';

/**
 * Words of a peer: 6 for IPv4, 9 for IPv6. Torrent and address lie side by side because both are hashed. A marker has
 * its second where a peer has its position.
 */
const word = { previous: 0, next: 1, position: 2, portAndFlags: 3, torrent: 4, address: 5 } as const;

/** What is known of a peer, in the same word as its port. */
export const peerFlag = {
  /** It has been counted as a completed download. */
  counted: 0x1_0000,
  /** It is one of the two addresses of a participant. */
  paired: 0x4_0000,
  /** It is a partial seed. */
  partial: 0x8_0000,
} as const;
export type PeerFlag = (typeof peerFlag)[keyof typeof peerFlag];

/** Fibonacci hashing (Knuth, TAOCP 6.4). */
const portMultiplier = 0x9e37_79b1;

/** What a marker has there, where a peer has a port. */
const markerFlag = 0x2_0000;

/** Above the flags: when the peer joined, as the low bits of its torrent's sequence. */
const stampShift = 20;
/** Stamps come round after so many. */
export const stampRange = 4096;

/** 2^14 peers: 384 KiB for IPv4, and 320 KiB of peer ids. */
const chunkShift = 14;
const chunkMask: number = 2 ** chunkShift - 1;

/** Peers of one family, over all torrents. */
export class PeerTable implements IndexedRecords {
  readonly addressBytes: 4 | 16;
  readonly #records: RecordChunks;
  readonly #index = new RecordIndex(this);
  readonly #hash: KeyedHash;
  readonly #hashedWords: number;
  #peerIds: Uint8Array[] = [];
  /** Torrent and address of the peer being looked for, and its port. */
  readonly #sought: Uint32Array;
  #soughtPort = 0;
  #soughtHash = 0;
  #first: number = none;
  #last: number = none;
  /** The marker that the last peers stand behind, while there is one; its second is `#lastSecond`. */
  #lastMarker: number = none;
  #lastSecond = 0;
  /** The last record that `advance` came by, if it came by any: what stands behind it is still to come. */
  #visited: number = none;
  /** Second of the peer that `advance` gave. */
  visitedSecond = 0;
  count = 0;
  /** After `find`: how many peers of that torrent and address it met under other ports. */
  neighbours = 0;

  constructor(family: 4 | 6, hash: KeyedHash, keepPeerIds: boolean) {
    this.addressBytes = family === 4 ? 4 : 16;
    this.#hash = hash;
    this.#hashedWords = 1 + this.addressBytes / 4;
    this.#sought = new Uint32Array(this.#hashedWords);
    this.#records = new RecordChunks(word.torrent + this.#hashedWords, chunkShift, (records) => {
      if (keepPeerIds) this.#peerIds.push(new Uint8Array(records * peerIdBytes));
    });
  }

  /** The peer, or -1; and the number of its neighbours when it is unknown. */
  find(torrent: number, address: Uint8Array, port: number): number {
    this.#sought[0] = torrent;
    for (let at = 0; at < this.addressBytes; at += 4) this.#sought[1 + at / 4] = readWord(address, at);
    this.#soughtPort = port;
    this.neighbours = 0;
    // The port is not hashed: all peers of one address in one swarm are met on the way, and so can be counted.
    this.#soughtHash = this.#hash.of(this.#sought, 0, this.#hashedWords);
    return this.#index.find(this.#soughtHash);
  }

  /** Adds the peer that `find` has just not found. */
  add(position: number, peerId: Uint8Array, seen: number): number {
    const peer = this.#records.allocate();
    const words = this.#records.words(peer);
    const base = this.#records.base(peer);
    words[base + word.position] = position;
    words[base + word.portAndFlags] = this.#soughtPort;
    words.set(this.#sought, base + word.torrent);
    this.#storeId(peer, peerId);
    this.#append(words, base, peer, seen);
    this.#index.add(this.#soughtHash, peer);
    this.count++;
    return peer;
  }

  /** Notes that a peer was heard of. */
  touch(peer: number, peerId: Uint8Array, seen: number): void {
    const words = this.#records.words(peer);
    const base = this.#records.base(peer);
    this.#storeId(peer, peerId);
    if (peer === this.#last && seen <= this.#lastSecond) {
      // What is known of it may have changed.
      if (peer === this.#visited) this.#visited = words[base + word.previous]!;
      return;
    }
    this.#unlink(peer, words, base);
    this.#append(words, base, peer, seen);
  }

  remove(peer: number): void {
    this.#index.remove(this.hashOf(peer), peer);
    const words = this.#records.words(peer);
    const base = this.#records.base(peer);
    this.#unlink(peer, words, base);
    // Without a port it is nobody any more.
    words[base + word.portAndFlags] = 0;
    this.#records.release(peer);
    this.count--;
  }

  /** Whoever was heard of longest ago, or -1. */
  get oldest(): number {
    return this.#first === none ? -1 : this.#records.words(this.#first)[this.#records.base(this.#first) + word.next]!;
  }

  /** Second at which `oldest` was last heard of; of no meaning when there is nobody. */
  get oldestSecond(): number {
    // The list begins with a marker.
    return this.#first === none ? 0 : this.position(this.#first);
  }

  /** Lets `advance` begin with the oldest again. */
  rewind(): void {
    this.#visited = none;
  }

  /** Second of the peer that `advance` gives next; Infinity at the end, behind which come those heard of from now on. */
  get upcoming(): number {
    for (;;) {
      const next = this.#behind(this.#visited);
      if (next === none) return Infinity;
      if (!this.#isMarker(next)) return this.visitedSecond;
      this.visitedSecond = this.position(next);
      this.#visited = next;
    }
  }

  /** The peer after the one given last, of those that are `upcoming`. Touching or removing any of them does no harm. */
  advance(): number {
    this.#visited = this.#behind(this.#visited);
    return this.#visited;
  }

  torrent(peer: number): number {
    return this.#records.words(peer)[this.#records.base(peer) + word.torrent]!;
  }

  /** Its place in the member list of its torrent. */
  position(peer: number): number {
    return this.#records.words(peer)[this.#records.base(peer) + word.position]!;
  }

  setPosition(peer: number, position: number): void {
    this.#records.words(peer)[this.#records.base(peer) + word.position] = position;
  }

  /** Tells torrent, address and port of the peer that `find` looked for from all others, but for one in 2^32. */
  get soughtMark(): number {
    return (this.#soughtHash ^ Math.imul(this.#soughtPort, portMultiplier)) >>> 0;
  }

  /** Whether a record number, which may be old, is that of the peer with this mark. */
  isPeer(record: number, mark: number): boolean {
    if (!this.#records.has(record)) return false;
    const port = this.#records.words(record)[this.#records.base(record) + word.portAndFlags]! & 0xffff;
    return port !== 0 && (this.hashOf(record) ^ Math.imul(port, portMultiplier)) >>> 0 === mark;
  }

  has(peer: number, flag: PeerFlag): boolean {
    return (this.#records.words(peer)[this.#records.base(peer) + word.portAndFlags]! & flag) !== 0;
  }

  set(peer: number, flag: PeerFlag, on: boolean): void {
    const words = this.#records.words(peer);
    const at = this.#records.base(peer) + word.portAndFlags;
    if (on) words[at]! |= flag;
    else words[at]! &= ~flag;
  }

  /** Stamps a peer with the place of its joining in the sequence of its torrent. */
  stamp(peer: number, sequence: number): void {
    this.#records.words(peer)[this.#records.base(peer) + word.portAndFlags]! |= (sequence % stampRange) << stampShift;
  }

  /** Whether a peer joined less than `distance` places before `sequence`, as far as its stamp can tell. */
  joinedWithin(peer: number, sequence: number, distance: number): boolean {
    const stamp = this.#records.words(peer)[this.#records.base(peer) + word.portAndFlags]! >>> stampShift;
    return (sequence - stamp) % stampRange < distance;
  }

  /** Whether the peer has this id; undefined where ids are not kept. */
  hasId(peer: number, peerId: Uint8Array): boolean | undefined {
    const ids = this.#peerIds[peer >>> chunkShift];
    if (ids === undefined) return undefined;
    const at = (peer & chunkMask) * peerIdBytes;
    for (let byte = 0; byte < peerIdBytes; byte++) if (ids[at + byte] !== peerId[byte]) return false;
    return true;
  }

  /**
   * Writes addresses and ports of the first `count` of `peers` as compact records, one after the other from `start`. They lie all
   * over memory; in a loop that does nothing else the processor waits for several of them at once.
   */
  writeRecords(peers: Uint32Array, count: number, records: Uint8Array, start: number): void {
    const addressWords = this.#hashedWords - 1;
    let at = start;
    for (let index = 0; index < count; index++) {
      const peer = peers[index]!;
      const words = this.#records.words(peer);
      const base = this.#records.base(peer);
      const port = words[base + word.portAndFlags]!;
      const address = base + word.address;
      for (let next = 0; next < addressWords; next++, at += 4) writeWord(records, at, words[address + next]!);
      records[at++] = port >>> 8;
      records[at++] = port;
    }
  }

  /** Writes the peer id, or zeros where ids are not kept. */
  writeId(peer: number, peerIds: Uint8Array, at: number): void {
    const ids = this.#peerIds[peer >>> chunkShift];
    const from = (peer & chunkMask) * peerIdBytes;
    // A loop: for 20 bytes it is faster than a view and a copy.
    for (let byte = 0; byte < peerIdBytes; byte++) peerIds[at + byte] = ids === undefined ? 0 : ids[from + byte]!;
  }

  /** Gives memory back once there are no peers; the first chunk stays, or a lone peer's coming and going would allocate it anew. */
  shrink(): void {
    if (this.count > 0 || this.#records.chunks <= 1) return;
    this.#records.clear();
    this.#index.clear();
    this.#peerIds = [];
  }

  hashOf(peer: number): number {
    return this.#hash.of(this.#records.words(peer), this.#records.base(peer) + word.torrent, this.#hashedWords);
  }

  isSought(peer: number): boolean {
    const words = this.#records.words(peer);
    const base = this.#records.base(peer);
    for (let at = 0; at < this.#hashedWords; at++)
      if (words[base + word.torrent + at] !== this.#sought[at]) return false;
    if ((words[base + word.portAndFlags]! & 0xffff) === this.#soughtPort) return true;
    this.neighbours++;
    return false;
  }

  #storeId(peer: number, peerId: Uint8Array): void {
    const ids = this.#peerIds[peer >>> chunkShift];
    if (ids === undefined) return;
    const at = (peer & chunkMask) * peerIdBytes;
    for (let byte = 0; byte < peerIdBytes; byte++) ids[at + byte] = peerId[byte]!;
  }

  #append(words: Uint32Array, base: number, peer: number, seen: number): void {
    // Never older than the one before it, so that the order holds even if the clock is handed in out of order.
    const second = this.#first === none ? seen : Math.max(seen, this.#lastSecond);
    if (this.#lastMarker === none || second !== this.#lastSecond) this.#mark(second);
    this.#link(words, base, peer);
  }

  #mark(second: number): void {
    const marker = this.#records.allocate();
    const words = this.#records.words(marker);
    const base = this.#records.base(marker);
    words[base + word.position] = second;
    words[base + word.portAndFlags] = markerFlag;
    this.#link(words, base, marker);
    this.#lastMarker = marker;
    this.#lastSecond = second;
  }

  #link(words: Uint32Array, base: number, record: number): void {
    words[base + word.previous] = this.#last;
    words[base + word.next] = none;
    if (this.#last === none) this.#first = record;
    else this.#records.words(this.#last)[this.#records.base(this.#last) + word.next] = record;
    this.#last = record;
  }

  /** Takes a record out of the order, and the marker before it if nobody stands behind that any more. */
  #unlink(record: number, words: Uint32Array, base: number): void {
    const previous = words[base + word.previous]!;
    if (record === this.#visited) this.#visited = previous;
    const next = words[base + word.next]!;
    if (previous === none) this.#first = next;
    else this.#records.words(previous)[this.#records.base(previous) + word.next] = next;
    if (next === none) this.#last = previous;
    else this.#records.words(next)[this.#records.base(next) + word.previous] = previous;
    if (!this.#isMarker(previous) || !(next === none || this.#isMarker(next))) return;
    this.#unlink(previous, this.#records.words(previous), this.#records.base(previous));
    this.#records.release(previous);
    if (previous === this.#lastMarker) this.#lastMarker = none;
  }

  #behind(record: number): number {
    if (record === none) return this.#first;
    return this.#records.words(record)[this.#records.base(record) + word.next]!;
  }

  #isMarker(record: number): boolean {
    if (record === none) return false;
    return this.#records.words(record)[this.#records.base(record) + word.portAndFlags] === markerFlag;
  }
}
