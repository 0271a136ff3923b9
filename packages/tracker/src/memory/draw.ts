// Draws numbers without repetition from a range of any size in constant time each: a Fisher–Yates shuffle that
// remembers only the places it has touched. Every ordered sample is equally likely (given a fair `random`).

/** A reusable draw of at most `capacity` numbers. */
export class Draw {
  readonly #random: () => number;
  readonly #keys: Uint32Array;
  readonly #values: Uint32Array;
  /** Which draw a slot was written in; slots of earlier draws count as empty. */
  readonly #stamps: Uint32Array;
  #stamp = 0;
  #drawn = 0;
  #size = 0;

  constructor(random: () => number, capacity: number) {
    this.#random = random;
    // Each number drawn touches one place; a quarter full keeps probes short.
    const slots = 2 ** Math.ceil(Math.log2(Math.max(4, capacity * 4)));
    this.#keys = new Uint32Array(slots);
    this.#values = new Uint32Array(slots);
    this.#stamps = new Uint32Array(slots);
  }

  /** Begins a draw from 0 … `size` - 1. */
  start(size: number): void {
    this.#size = size;
    this.#drawn = 0;
    this.#stamp = (this.#stamp + 1) >>> 0;
    // After 2^32 draws stamps would repeat.
    if (this.#stamp === 0) {
      this.#stamps.fill(0);
      this.#stamp = 1;
    }
  }

  /** The next number; the range must not be used up. */
  next(): number {
    const place = this.#drawn++;
    const chosen = place + Math.floor(this.#random() * (this.#size - place));
    const displaced = this.#slotOf(place);
    const content = this.#stamps[displaced] === this.#stamp ? this.#values[displaced]! : place;
    const slot = this.#slotOf(chosen);
    const number = this.#stamps[slot] === this.#stamp ? this.#values[slot]! : chosen;
    this.#stamps[slot] = this.#stamp;
    this.#keys[slot] = chosen;
    this.#values[slot] = content;
    return number;
  }

  #slotOf(key: number): number {
    const mask = this.#keys.length - 1;
    // Fibonacci hashing (Knuth, TAOCP 6.4) spreads runs of neighbouring places.
    let slot = (Math.imul(key, 0x9e37_79b1) >>> 8) & mask;
    while (this.#stamps[slot] === this.#stamp && this.#keys[slot] !== key) slot = (slot + 1) & mask;
    return slot;
  }
}
