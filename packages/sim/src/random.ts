// Seeded randomness: SplitMix64 spreads the seed, xoshiro128** draws. One stream per (peer, purpose), so that a new
// consumer does not shift the numbers of the others. Decides numbers only; must not know who uses them.
// Algorithms: Steele, Lea, Flood 2014 (SplitMix); Blackman, Vigna 2018 (xoshiro). Both are in the public domain.

/** One independent sequence of numbers. */
export class RandomStream {
  #a: number;
  #b: number;
  #c: number;
  #d: number;

  /** @param state Four 32-bit words, not all zero. @throws RangeError when all are zero: that state never leaves zero. */
  constructor(state: readonly [number, number, number, number]) {
    [this.#a, this.#b, this.#c, this.#d] = state;
    if ((this.#a | this.#b | this.#c | this.#d) === 0) throw new RangeError('a state of zeros yields only zeros');
  }

  /** The next whole number in [0, 2^32). */
  word(): number {
    const result = Math.imul(rotateLeft(Math.imul(this.#b, 5), 7), 9) >>> 0;
    const shifted = this.#b << 9;
    this.#c ^= this.#a;
    this.#d ^= this.#b;
    this.#b ^= this.#c;
    this.#a ^= this.#d;
    this.#c ^= shifted;
    this.#d = rotateLeft(this.#d, 11);
    return result;
  }

  /** Uniform in [0, 1), with 53 bits. */
  fraction(): number {
    return ((this.word() >>> 5) * 2 ** 26 + (this.word() >>> 6)) / 2 ** 53;
  }

  /** Uniform whole number in [0, limit). @throws RangeError when `limit` is not a whole number in [1, 2^32]. */
  below(limit: number): number {
    if (!Number.isInteger(limit) || limit < 1 || limit > 2 ** 32) throw new RangeError(`no number is below ${limit}`);
    // Numbers past the last full multiple of `limit` would make the first ones likelier.
    const fair = 2 ** 32 - (2 ** 32 % limit);
    let word = this.word();
    while (word >= fair) word = this.word();
    return word % limit;
  }

  /** `length` random bytes. */
  bytes(length: number): Uint8Array {
    const bytes = new Uint8Array(length);
    for (let at = 0; at < length; at++) bytes[at] = this.word() >>> 24;
    return bytes;
  }
}

/** The stream of one purpose under one seed: the same two arguments always give the same numbers. */
export function randomStream(seed: number, purpose: string): RandomStream {
  const next = splitMix64(BigInt(seed) ^ hash64(purpose));
  const first = next();
  const second = next();
  // A stream of zeros has odds of 2^-128; the constant keeps even that one alive.
  return new RandomStream([low(first), high(first), low(second), high(second) | 1]);
}

/** SplitMix64: successive 64-bit numbers from a 64-bit seed. */
export function splitMix64(seed: bigint): () => bigint {
  let state = BigInt.asUintN(64, seed);
  return () => {
    state = BigInt.asUintN(64, state + 0x9e3779b97f4a7c15n);
    let mixed = state;
    mixed = BigInt.asUintN(64, (mixed ^ (mixed >> 30n)) * 0xbf58476d1ce4e5b9n);
    mixed = BigInt.asUintN(64, (mixed ^ (mixed >> 27n)) * 0x94d049bb133111ebn);
    return mixed ^ (mixed >> 31n);
  };
}

/** FNV-1a with 64 bits over UTF-16 units: only has to tell purposes apart. */
function hash64(text: string): bigint {
  let hash = 0xcbf29ce484222325n;
  for (let at = 0; at < text.length; at++) {
    hash = BigInt.asUintN(64, (hash ^ BigInt(text.charCodeAt(at))) * 0x100000001b3n);
  }
  return hash;
}

function rotateLeft(word: number, by: number): number {
  return (word << by) | (word >>> (32 - by));
}

function low(word: bigint): number {
  return Number(word & 0xffffffffn);
}

function high(word: bigint): number {
  return Number(word >> 32n);
}
