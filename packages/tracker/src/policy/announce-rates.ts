// How often one address may announce: an allowance that refills steadily, in a table of fixed size. Who is not in
// the table has all of it, so a full table forgets rather than refuses. IPv6 counts by /64, which is one subscriber.
// The allowance is the time at which it will be full again (the generic cell rate algorithm, ITU-T I.371).
import { KeyedHash } from '../memory/keyed-hash.ts';
import { within } from './range.ts';

/** An allowance. */
export interface AnnounceRate {
  /** Announces a minute in the long run, 0.1 to 1,000,000. */
  readonly perMinute: number;
  /** Announces at once by who was silent, 1 to 1,000,000. */
  readonly burst: number;
}

/** Places that one address may have: of four the one that is fullest again is given away. */
const ways = 4;

/** Family and the words of an address that count. */
const keyWords = 3;

/** The allowances of the addresses heard of last. */
export class AnnounceRates {
  readonly #hash: KeyedHash;
  readonly #sets: number;
  readonly #keys: Uint32Array;
  /** When the allowance is full again, in ms; 0 where nobody is. */
  readonly #fullAt: Float64Array;
  readonly #key = new Uint32Array(keyWords);

  /** `addresses`: how many the table holds, 20 bytes each. @throws RangeError unless it is 4 to 16,777,216 */
  constructor(random: () => number, addresses = 65_536) {
    this.#hash = new KeyedHash(random);
    this.#sets = Math.ceil(within('addresses', addresses, ways, 16_777_216) / ways);
    this.#keys = new Uint32Array(this.#sets * ways * keyWords);
    this.#fullAt = new Float64Array(this.#sets * ways);
  }

  /** Bytes of memory, which never change. */
  get byteLength(): number {
    return this.#keys.byteLength + this.#fullAt.byteLength;
  }

  /**
   * Takes one announce from the allowance of an address (4 or 16 bytes). 0 when there was one, else the milliseconds
   * until there is; then nothing is taken. `reserve` lets an announce through on that many bursts on credit.
   */
  take(address: Uint8Array, { perMinute, burst }: AnnounceRate, reserve: number, now: number): number {
    const place = this.#placeOf(address);
    const each = 60_000 / perMinute;
    const fullAt = Math.max(this.#fullAt[place]!, now) + each;
    const wait = fullAt - now - burst * (1 + reserve) * each;
    // A millionth of an announce: sums of fractions may differ in the last bits.
    if (wait > each * 1e-6) return wait;
    this.#fullAt[place] = fullAt;
    return 0;
  }

  /** Where the address is kept; gives it a place if it has none. */
  #placeOf(address: Uint8Array): number {
    const key = this.#key;
    key[0] = address.length;
    key[1] = wordAt(address, 0);
    key[2] = address.length === 4 ? 0 : wordAt(address, 4);
    const first = (this.#hash.of(key, 0, keyWords) % this.#sets) * ways;
    let oldest = first;
    for (let place = first; place < first + ways; place++) {
      const at = place * keyWords;
      if (this.#keys[at] === key[0] && this.#keys[at + 1] === key[1] && this.#keys[at + 2] === key[2]) return place;
      if (this.#fullAt[place]! < this.#fullAt[oldest]!) oldest = place;
    }
    this.#keys.set(key, oldest * keyWords);
    this.#fullAt[oldest] = 0;
    return oldest;
  }
}

function wordAt(bytes: Uint8Array, at: number): number {
  return ((bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!) >>> 0;
}
