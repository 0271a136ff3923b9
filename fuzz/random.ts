// Everything a generator throws dice for. One seed gives one sequence, on any machine.

/** Dice that can be thrown again: the same seed, the same throws. */
export class Dice {
  #state: number;

  constructor(seed: number) {
    this.#state = seed | 0;
  }

  /** Uniform in [0, 1): Mulberry32 (T. Ettinger). */
  readonly uniform = (): number => {
    this.#state = (this.#state + 0x6d2b_79f5) | 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 0x1_0000_0000;
  };

  /** A whole number from 0 to `limit` - 1. */
  below(limit: number): number {
    return Math.floor(this.uniform() * limit);
  }

  /** True in `share` of all throws. */
  chance(share: number): boolean {
    return this.uniform() < share;
  }

  pick<Value>(values: readonly Value[]): Value {
    if (values.length === 0) throw new RangeError('nothing to pick from');
    return values[this.below(values.length)]!;
  }

  bytes(length: number): Uint8Array {
    const bytes = new Uint8Array(length);
    for (let at = 0; at < length; at++) bytes[at] = this.below(256);
    return bytes;
  }

  /** Any 32 bits, with a preference for those on which code breaks. */
  word(): number {
    return this.chance(0.7) ? this.pick(boundaries) : this.below(0x1_0000_0000);
  }
}

/** Around every width that somebody may have used for a number, and around what this protocol says. */
const boundaries: readonly number[] = [
  0, 1, 2, 3, 4, 19, 20, 50, 73, 74, 75, 127, 128, 196, 200, 201, 255, 256, 999, 1000, 1001, 32_767, 32_768, 65_535,
  65_536, 0x7fff_fffe, 0x7fff_ffff, 0x8000_0000, 0x8000_0001, 0xffff_fffe, 0xffff_ffff,
];
