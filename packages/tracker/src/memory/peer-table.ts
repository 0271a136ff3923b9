// Peers of one address family: a record each, and the order in which they were last heard of (a doubly linked list), so
// that whoever is due to expire is always at its front. The list is divided by markers, one for each second in which
// anybody was last heard of: cheaper than a time in every record. Addresses are in the lists of members, not here.
import { peerIdBytes } from '../peer-sample.ts';
import { RecordChunks, none } from './record-chunks.ts';
import { readWord, writeWord } from './torrent-table.ts';

/**
 * Words of a peer: 5, and 5 of peer id. The hash is of torrent and address. A marker has its second where a peer has its
 * position.
 */
const word = { previous: 0, next: 1, torrent: 2, hash: 3, position: 4, peerId: 5 } as const;
const idWords: number = peerIdBytes / 4;

/** The torrent of a marker, and of a record that is not in use. */
const nobody = 0xffff_ffff;

/** 2^14 peers: 640 KiB, or 320 without peer ids. */
const chunkShift = 14;

/** Peers of one family, over all torrents. */
export class PeerTable {
  readonly #records: RecordChunks;
  readonly #keepPeerIds: boolean;
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

  constructor(keepPeerIds: boolean) {
    this.#keepPeerIds = keepPeerIds;
    this.#records = new RecordChunks(keepPeerIds ? word.peerId + idWords : word.peerId, chunkShift);
  }

  add(torrent: number, hash: number, position: number, peerId: Uint8Array, seen: number): number {
    const peer = this.#records.allocate();
    const words = this.#records.words(peer);
    const base = this.#records.base(peer);
    words[base + word.torrent] = torrent;
    words[base + word.hash] = hash;
    words[base + word.position] = position;
    if (this.#keepPeerIds) storeId(words, base, peerId);
    this.#append(words, base, peer, seen);
    this.count++;
    return peer;
  }

  /** Notes that a peer was heard of. */
  touch(peer: number, peerId: Uint8Array, seen: number): void {
    const words = this.#records.words(peer);
    const base = this.#records.base(peer);
    if (this.#keepPeerIds) storeId(words, base, peerId);
    // Without its marker the last second is that of somebody who has left.
    if (peer === this.#last && seen <= this.#lastSecond && this.#lastMarker !== none) {
      // What is known of it may have changed.
      if (peer === this.#visited) this.#visited = words[base + word.previous]!;
      return;
    }
    this.#unlink(peer, words, base);
    this.#append(words, base, peer, seen);
  }

  remove(peer: number): void {
    const words = this.#records.words(peer);
    const base = this.#records.base(peer);
    this.#unlink(peer, words, base);
    words[base + word.torrent] = nobody;
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

  /** Of torrent and address. */
  hash(peer: number): number {
    return this.#records.words(peer)[this.#records.base(peer) + word.hash]!;
  }

  /** Its place in the member list of its torrent. */
  position(peer: number): number {
    return this.#records.words(peer)[this.#records.base(peer) + word.position]!;
  }

  setPosition(peer: number, position: number): void {
    this.#records.words(peer)[this.#records.base(peer) + word.position] = position;
  }

  /** Whether a record number, which may be old, is that of a peer. */
  isInUse(record: number): boolean {
    return this.#records.has(record) && this.torrent(record) !== nobody;
  }

  /** Whether the peer has this id; undefined where ids are not kept. */
  hasId(peer: number, peerId: Uint8Array): boolean | undefined {
    if (!this.#keepPeerIds) return undefined;
    const words = this.#records.words(peer);
    const base = this.#records.base(peer) + word.peerId;
    for (let at = 0; at < idWords; at++) if (words[base + at] !== readWord(peerId, at * 4)) return false;
    return true;
  }

  /** Writes the peer id, or zeros where ids are not kept. */
  writeId(peer: number, peerIds: Uint8Array, at: number): void {
    const words = this.#records.words(peer);
    const base = this.#records.base(peer) + word.peerId;
    for (let next = 0; next < idWords; next++)
      writeWord(peerIds, at + next * 4, this.#keepPeerIds ? words[base + next]! : 0);
  }

  /** Gives memory back once there are no peers; the first chunk stays, or a lone peer's coming and going would allocate it anew. */
  shrink(): boolean {
    if (this.count > 0 || this.#records.chunks <= 1) return false;
    this.#records.clear();
    return true;
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
    words[base + word.torrent] = nobody;
    words[base + word.position] = second;
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
    return record !== none && this.torrent(record) === nobody;
  }
}

function storeId(words: Uint32Array, base: number, peerId: Uint8Array): void {
  for (let at = 0; at < idWords; at++) words[base + word.peerId + at] = readWord(peerId, at * 4);
}
