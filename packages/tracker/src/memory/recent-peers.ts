// Who announced lately under which key: a cache in which a peer finds its own other address. A client announces over both
// families within seconds, so the cache need only hold the announces of a minute or two; what was displaced meets
// again at the next announce. Remembering every peer's key would cost all of them ten bytes. BEP 7.
import { readWord } from './torrent-table.ts';
import type { KeyedHash } from './keyed-hash.ts';

/** Words of an entry: hash, key, record and family, the record's mark. Key 0: empty. */
const stride = 4;

/** Entries that share a bucket: one cache line of 64 bytes. */
const ways = 4;

/** One entry for so many peers: at an announce a peer in 30 minutes they last for two. A byte a peer. */
const peersPerEntry = 16;
const fewestBuckets = 256;
/** 2^20 entries, 16 MiB. */
const mostBuckets = 262_144;

/** A record, and the mark that its table knew it by. */
export interface RecentPeer {
  readonly record: number;
  readonly mark: number;
}

/** Announces that were made lately. */
export class RecentPeers {
  readonly #hash: KeyedHash;
  /** First word of the info-hash, key, five words of peer id. */
  readonly #sought = new Uint32Array(7);
  #entries = new Uint32Array(0);
  #mask = 0;
  #soughtHash = 0;

  constructor(hash: KeyedHash) {
    this.#hash = hash;
  }

  /** Says whom `recall` and `note` are about. `peers`: how many there are in all. */
  seek(infoHash: Uint8Array, key: number, peerId: Uint8Array, peers: number): void {
    this.#fit(peers);
    this.#sought[0] = readWord(infoHash, 0);
    this.#sought[1] = key;
    for (let word = 0; word < 5; word++) this.#sought[2 + word] = readWord(peerId, word * 4);
    this.#soughtHash = this.#hash.of(this.#sought, 0, 7);
  }

  /** That participant's record in `family`, which may have become another peer's: its mark tells. */
  recall(family: 4 | 6): RecentPeer | undefined {
    const at = this.#find(family);
    return at < 0 ? undefined : { record: this.#entries[at + 2]! >>> 1, mark: this.#entries[at + 3]! };
  }

  /** Remembers the participant's record in `family`, in place of the one before or of what its bucket had longest. */
  note(family: 4 | 6, record: number, mark: number): void {
    const first = (this.#soughtHash & this.#mask) * ways * stride;
    const known = this.#find(family);
    // Whatever was before it moves back; the last entry goes, unless it is this one that does.
    this.#entries.copyWithin(first + stride, first, known >= 0 ? known : first + (ways - 1) * stride);
    this.#entries[first] = this.#soughtHash;
    this.#entries[first + 1] = this.#sought[1]!;
    this.#entries[first + 2] = record * 2 + (family === 6 ? 1 : 0);
    this.#entries[first + 3] = mark;
  }

  #find(family: 4 | 6): number {
    const first = (this.#soughtHash & this.#mask) * ways * stride;
    const side = family === 6 ? 1 : 0;
    for (let at = first; at < first + ways * stride; at += stride) {
      const isIt = this.#entries[at] === this.#soughtHash && this.#entries[at + 1] === this.#sought[1];
      if (isIt && (this.#entries[at + 2]! & 1) === side) return at;
    }
    return -1;
  }

  /** Keeps the cache in proportion. What was in it is forgotten: it is met again. */
  #fit(peers: number): void {
    const buckets = this.#entries.length / (ways * stride);
    const wanted = Math.min(Math.max(peers / (peersPerEntry * ways), fewestBuckets), mostBuckets);
    if (buckets >= wanted && (buckets <= wanted * 8 || buckets <= fewestBuckets)) return;
    const fitting = 2 ** Math.ceil(Math.log2(wanted));
    this.#entries = new Uint32Array(fitting * ways * stride);
    this.#mask = fitting - 1;
  }
}
