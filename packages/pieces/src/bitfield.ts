// Bitfield: a set of piece indices in the form of the wire, high bit first, spare bits zero (BEP 3, "bitfield").
// Invariants: the spare bits of `bytes` are zero; `count` is the number of set bits. Must not know whose pieces these are.

/** A set of indices from 0 to `length` - 1, held as the payload of a `bitfield` message. */
export class Bitfield {
  /** Number of indices that can be in the set: the number of pieces. */
  readonly length: number;
  /** The live wire form, first index in the highest bit. Read it; change it only through the methods. */
  readonly bytes: Uint8Array;
  #count: number;

  /**
   * An empty set, or a copy of `bytes` in wire form. Spare bits at the end are cleared, as most clients do.
   * @throws RangeError when `length` is no whole number below 2^32, or `bytes` is not ⌈length / 8⌉ long.
   */
  constructor(length: number, bytes?: Uint8Array) {
    if (length >>> 0 !== length) throw new RangeError(`bitfield length ${length} is not a whole number below 2^32`);
    const byteLength = Math.ceil(length / 8);
    if (bytes !== undefined && bytes.length !== byteLength) {
      throw new RangeError(`bitfield of ${length} bits takes ${byteLength} bytes, not ${bytes.length}`);
    }
    this.length = length;
    this.bytes = new Uint8Array(byteLength);
    this.#count = 0;
    if (bytes !== undefined) {
      this.bytes.set(bytes);
      this.#clearSpareBits();
      this.#count = countBits(this.bytes);
    }
  }

  /** A set of all indices from 0 to `length` - 1. */
  static full(length: number): Bitfield {
    const bitfield = new Bitfield(length);
    bitfield.addAll();
    return bitfield;
  }

  /** How many indices are in the set. Costs nothing: it is kept, not counted. */
  get count(): number {
    return this.#count;
  }

  get isFull(): boolean {
    return this.#count === this.length;
  }

  get isEmpty(): boolean {
    return this.#count === 0;
  }

  /** Whether `index` is in the set; false for what cannot be in it. */
  has(index: number): boolean {
    if (index >>> 0 !== index || index >= this.length) return false;
    return (this.#byteOf(index) & maskOf(index)) !== 0;
  }

  /**
   * Puts `index` in the set; true when it was not there yet.
   * @throws RangeError when `index` is not below `length`.
   */
  add(index: number): boolean {
    this.#requireIndex(index);
    const before = this.#byteOf(index);
    const after = before | maskOf(index);
    if (after === before) return false;
    this.bytes[index >>> 3] = after;
    this.#count += 1;
    return true;
  }

  /**
   * Takes `index` out of the set; true when it was there.
   * @throws RangeError when `index` is not below `length`.
   */
  remove(index: number): boolean {
    this.#requireIndex(index);
    const before = this.#byteOf(index);
    const after = before & ~maskOf(index);
    if (after === before) return false;
    this.bytes[index >>> 3] = after;
    this.#count -= 1;
    return true;
  }

  /** Puts every index in the set. */
  addAll(): void {
    this.bytes.fill(0xff);
    this.#clearSpareBits();
    this.#count = this.length;
  }

  /** An independent copy. */
  clone(): Bitfield {
    const copy = new Bitfield(this.length);
    copy.bytes.set(this.bytes);
    copy.#count = this.#count;
    return copy;
  }

  /** A copy of the wire form, the payload of a `bitfield` message, spare bits zero. */
  toBytes(): Uint8Array {
    return this.bytes.slice();
  }

  /** The indices in the set, lowest first. What is added or removed meanwhile may or may not be seen. */
  *indices(): IterableIterator<number> {
    for (let position = 0; position < this.bytes.length; position += 1) {
      let rest = this.bytes[position]!;
      while (rest !== 0) {
        // clz32 counts from bit 31; the wire counts from bit 7.
        const bit = Math.clz32(rest) - 24;
        yield position * 8 + bit;
        rest &= ~(0x80 >> bit);
      }
    }
  }

  #byteOf(index: number): number {
    return this.bytes[index >>> 3]!;
  }

  #requireIndex(index: number): void {
    if (index >>> 0 !== index || index >= this.length) {
      throw new RangeError(`index ${index} is not below ${this.length}`);
    }
  }

  #clearSpareBits(): void {
    const used = this.length & 7;
    const last = this.bytes.length - 1;
    if (used !== 0) this.bytes[last] = this.bytes[last]! & (0xff00 >> used);
  }
}

function maskOf(index: number): number {
  return 0x80 >> (index & 7);
}

function countBits(bytes: Uint8Array): number {
  let count = 0;
  for (let position = 0; position < bytes.length; position += 1) count += bitsIn[bytes[position]!]!;
  return count;
}

/** Number of set bits in each byte value. */
const bitsIn: Uint8Array = Uint8Array.from({ length: 256 }, (_, value) => {
  let bits = 0;
  for (let rest = value; rest !== 0; rest &= rest - 1) bits += 1;
  return bits;
});
