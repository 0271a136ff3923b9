// Draws numbers without repetition from a range of any size in constant time each: a Fisher–Yates shuffle of which
// only the beginning is made. Every ordered sample is equally likely (given a fair `random`).

/** Ranges up to this are shuffled in an array, 16 KiB that stay in the processor's cache; larger ones in a hash table. */
const denseSize = 4096;

/** A reusable draw of at most `capacity` numbers. */
export class Draw {
  readonly #random: () => number;
  /** Every place holds its own number between draws. */
  readonly #places: Uint32Array = Uint32Array.from({ length: denseSize }, (_, place) => place);
  readonly #chosen: Uint32Array;
  readonly #sparse: SparseShuffle;

  constructor(random: () => number, capacity: number) {
    this.#random = random;
    this.#chosen = new Uint32Array(capacity);
    this.#sparse = new SparseShuffle(capacity);
  }

  /** Writes `count` numbers from 0 … `size` - 1 to the front of `into`; `count` is at most `size` and the capacity. */
  draw(size: number, count: number, into: Uint32Array): void {
    if (size > denseSize) return this.#drawSparse(size, count, into);
    const [places, chosen, random] = [this.#places, this.#chosen, this.#random];
    for (let place = 0; place < count; place++) {
      const other = place + Math.floor(random() * (size - place));
      chosen[place] = other;
      into[place] = places[other]!;
      places[other] = places[place]!;
    }
    // Nothing else was written.
    for (let place = 0; place < count; place++) places[chosen[place]!] = chosen[place]!;
  }

  /** One number from 0 … `size` - 1. */
  below(size: number): number {
    return Math.floor(this.#random() * size);
  }

  #drawSparse(size: number, count: number, into: Uint32Array): void {
    this.#sparse.start();
    for (let place = 0; place < count; place++) {
      into[place] = this.#sparse.exchange(place, place + Math.floor(this.#random() * (size - place)));
    }
  }
}

/** An array in which every place holds its own number, of which only the places that were written exist. */
class SparseShuffle {
  readonly #keys: Uint32Array;
  readonly #values: Uint32Array;
  /** Which draw a slot was written in; slots of earlier draws count as empty. */
  readonly #stamps: Uint32Array;
  #stamp = 0;

  constructor(capacity: number) {
    // Each number drawn touches one place; a quarter full keeps probes short.
    const slots = 2 ** Math.ceil(Math.log2(Math.max(4, capacity * 4)));
    this.#keys = new Uint32Array(slots);
    this.#values = new Uint32Array(slots);
    this.#stamps = new Uint32Array(slots);
  }

  /** Every place holds its own number again. */
  start(): void {
    this.#stamp = (this.#stamp + 1) >>> 0;
    // After 2^32 draws stamps would repeat.
    if (this.#stamp === 0) {
      this.#stamps.fill(0);
      this.#stamp = 1;
    }
  }

  /** Moves what `place` holds to `chosen` and says what was there. */
  exchange(place: number, chosen: number): number {
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
