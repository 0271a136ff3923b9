// HalfSipHash-1-3 over 32-bit words, so that nobody outside can choose keys that collide in our tables.
// J.-P. Aumasson, D. J. Bernstein: "SipHash: a fast short-input PRF" (2012), half variant of the reference code.

/** A hash with a secret key. */
export class KeyedHash {
  readonly #key0: number;
  readonly #key1: number;

  constructor(random: () => number) {
    this.#key0 = Math.floor(random() * 0x1_0000_0000) | 0;
    this.#key1 = Math.floor(random() * 0x1_0000_0000) | 0;
  }

  /** Hash of `count` words from `start`, an unsigned 32-bit number. */
  of(words: Uint32Array, start: number, count: number): number {
    let v0 = this.#key0;
    let v1 = this.#key1;
    let v2 = 0x6c79_6765 ^ v0;
    let v3 = 0x7465_6462 ^ v1;
    // One round per word, one more for the length, three to finish.
    for (let step = 0; step < count + 4; step++) {
      const word = step < count ? words[start + step]! | 0 : step === count ? (count * 4) << 24 : 0;
      v3 ^= word;
      v0 = (v0 + v1) | 0;
      v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0;
      v0 = (v0 << 16) | (v0 >>> 16);
      v2 = (v2 + v3) | 0;
      v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2;
      v0 = (v0 + v3) | 0;
      v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0;
      v2 = (v2 + v1) | 0;
      v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2;
      v2 = (v2 << 16) | (v2 >>> 16);
      v0 ^= word;
      if (step === count) v2 ^= 0xff;
    }
    return (v1 ^ v3) >>> 0;
  }
}
