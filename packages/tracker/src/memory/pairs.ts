// Which two peers are one participant: pairs of an IPv4 and an IPv6 record, found by either. Only pairs take memory here:
// 19 bytes each with their places in both indexes. BEP 7.
import type { KeyedHash } from './keyed-hash.ts';
import { RecordChunks } from './record-chunks.ts';
import { RecordIndex } from './record-index.ts';

/** Words of a pair: the IPv4 record, then the IPv6 record. */
const stride = 2;

/** 2^12 pairs of 8 bytes: 32 KiB at a time. */
const chunkShift = 12;

/** Pairs of records. */
export class Pairs {
  readonly #records = new RecordChunks(stride, chunkShift);
  readonly #hash: KeyedHash;
  readonly #sides: Readonly<Record<4 | 6, RecordIndex>>;
  readonly #sought = new Uint32Array(1);
  count = 0;

  constructor(hash: KeyedHash) {
    this.#hash = hash;
    this.#sides = { 4: this.#indexBy(0), 6: this.#indexBy(1) };
  }

  add(ipv4: number, ipv6: number): void {
    const pair = this.#records.allocate();
    const words = this.#records.words(pair);
    const base = this.#records.base(pair);
    words[base] = ipv4;
    words[base + 1] = ipv6;
    this.#sides[4].add(this.#hashOf(pair, 0), pair);
    this.#sides[6].add(this.#hashOf(pair, 1), pair);
    this.count++;
  }

  /** The record of the other family that `record` of `family` is paired with. */
  partner(family: 4 | 6, record: number): number {
    const pair = this.#find(family, record);
    return this.#records.words(pair)[this.#records.base(pair) + (family === 4 ? 1 : 0)]!;
  }

  /** Ends a pair. */
  remove(family: 4 | 6, record: number): void {
    const pair = this.#find(family, record);
    this.#sides[4].remove(this.#hashOf(pair, 0), pair);
    this.#sides[6].remove(this.#hashOf(pair, 1), pair);
    this.#records.release(pair);
    this.count--;
    if (this.count > 0 || this.#records.chunks <= 1) return;
    this.#records.clear();
    this.#sides[4].clear();
    this.#sides[6].clear();
  }

  #find(family: 4 | 6, record: number): number {
    this.#sought[0] = record;
    return this.#sides[family].find(this.#hash.of(this.#sought, 0, 1));
  }

  #indexBy(side: 0 | 1): RecordIndex {
    return new RecordIndex({
      hashOf: (pair) => this.#hashOf(pair, side),
      isSought: (pair) => this.#records.words(pair)[this.#records.base(pair) + side] === this.#sought[0],
    });
  }

  #hashOf(pair: number, side: 0 | 1): number {
    return this.#hash.of(this.#records.words(pair), this.#records.base(pair) + side, 1);
  }
}
