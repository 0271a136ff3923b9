// Blocks of a few sizes, cut from slabs of one size each, so that a list takes little more than its entries need. A slab
// whose blocks are all free serves any size again. J. Bonwick, "The Slab Allocator", USENIX Summer 1994.

/** Words of a slab: 64 KiB. Small, as there may be one that is hardly used for every size. */
const slabShift = 14;
const slabWords: number = 2 ** slabShift;

/** Slabs are made by the chunk, 512 KiB: an array of its own costs each of them 300 bytes. */
const chunkShift = 17;
const chunkSlabs: number = 2 ** (chunkShift - slabShift);
const chunkWords: number = 2 ** chunkShift;

/** No slab, no block. */
const none = -1;

/** What is known of a slab: the size of its blocks and which of them are free. */
interface Slab {
  size: number;
  used: number;
  /** Blocks from here on were never used. */
  fresh: number;
  /** The first entry of the first free block, whose first word says the next one + 1; or `none`. */
  free: number;
  /** Neighbours among the slabs of this size that have room. */
  previous: number;
  next: number;
}

/** Blocks of entries. A block is named by its slab and, in the low bits, the number of its first entry there. */
export class BlockSlabs {
  readonly #entryWords: number;
  /** Entries of a block, by size. */
  readonly #sizes: readonly number[];
  readonly #entryBits: number;
  readonly #entryMask: number;
  readonly #entriesPerSlab: number;
  readonly #mostSlabs: number;
  #chunks: Uint32Array[] = [];
  #slabs: Slab[] = [];
  #empty: number[] = [];
  /** The first slab with room, by size. */
  readonly #roomy: number[];

  /**
   * Slabs for `mostEntries` entries and one more for every size, as far as names of `nameBits` go. @throws RangeError where
   * a slab has no room for the largest block
   */
  constructor(entryWords: number, sizes: readonly number[], mostEntries: number, nameBits: number) {
    this.#entryWords = entryWords;
    this.#sizes = sizes;
    this.#entriesPerSlab = Math.floor(slabWords / entryWords);
    if (Math.max(...sizes) > this.#entriesPerSlab) throw new RangeError('a slab must have room for a block');
    this.#entryBits = Math.ceil(Math.log2(this.#entriesPerSlab));
    this.#entryMask = 2 ** this.#entryBits - 1;
    this.#roomy = sizes.map(() => none);
    const mostSlabs = Math.ceil(mostEntries / this.#entriesPerSlab) + sizes.length;
    this.#mostSlabs = Math.min(mostSlabs, 2 ** (nameBits - this.#entryBits) - chunkSlabs);
  }

  /** How many chunks of slabs there are. */
  get chunks(): number {
    return this.#chunks.length;
  }

  /** Where the entry at `index` of a block is, for `words` and `base`. */
  offsetOf(block: number, index: number): number {
    return (block >>> this.#entryBits) * slabWords + ((block & this.#entryMask) + index) * this.#entryWords;
  }

  /** The array that holds the entry at an offset, and where in it that begins. */
  words(offset: number): Uint32Array {
    return this.#chunks[offset >>> chunkShift]!;
  }

  base(offset: number): number {
    return offset & (chunkWords - 1);
  }

  /** Whether there is a block of `size` to allocate. */
  hasRoom(size: number): boolean {
    return this.#roomy[size] !== none || this.#empty.length > 0 || this.#slabs.length < this.#mostSlabs;
  }

  /** A block of `size` whose words are of no defined value; to be asked for where `hasRoom`. */
  allocate(size: number): number {
    const number = this.#roomy[size] === none ? this.#begin(size) : this.#roomy[size]!;
    const slab = this.#slabs[number]!;
    const entries = this.#sizes[size]!;
    let entry = slab.free;
    if (entry === none) {
      entry = slab.fresh;
      slab.fresh += entries;
    } else {
      const offset = this.offsetOf(this.#blockAt(number, entry), 0);
      slab.free = this.words(offset)[this.base(offset)]! - 1;
    }
    slab.used++;
    if (slab.free === none && slab.fresh + entries > this.#entriesPerSlab) this.#unlink(slab);
    return this.#blockAt(number, entry);
  }

  release(block: number): void {
    const number = block >>> this.#entryBits;
    const slab = this.#slabs[number]!;
    const isFull = slab.free === none && slab.fresh + this.#sizes[slab.size]! > this.#entriesPerSlab;
    if (isFull) this.#link(number, slab);
    const offset = this.offsetOf(block, 0);
    this.words(offset)[this.base(offset)] = slab.free + 1;
    slab.free = block & this.#entryMask;
    slab.used--;
    if (slab.used > 0) return;
    this.#unlink(slab);
    this.#empty.push(number);
  }

  /** Gives all memory back; every block is void. */
  clear(): void {
    this.#chunks = [];
    this.#slabs = [];
    this.#empty = [];
    this.#roomy.fill(none);
  }

  #blockAt(slab: number, entry: number): number {
    return slab * (this.#entryMask + 1) + entry;
  }

  /** Makes a slab one of that size. */
  #begin(size: number): number {
    if (this.#empty.length === 0) this.#addChunk();
    const number = this.#empty.pop()!;
    const slab = this.#slabs[number]!;
    slab.size = size;
    slab.fresh = 0;
    slab.free = none;
    this.#link(number, slab);
    return number;
  }

  #addChunk(): void {
    this.#chunks.push(new Uint32Array(chunkWords));
    const first = this.#slabs.length;
    for (let slab = 0; slab < chunkSlabs; slab++)
      this.#slabs.push({ size: 0, used: 0, fresh: 0, free: none, previous: none, next: none });
    // Taken from the end: the first one first.
    for (let slab = chunkSlabs - 1; slab >= 0; slab--) this.#empty.push(first + slab);
  }

  #link(number: number, slab: Slab): void {
    const next = this.#roomy[slab.size]!;
    slab.previous = none;
    slab.next = next;
    if (next !== none) this.#slabs[next]!.previous = number;
    this.#roomy[slab.size] = number;
  }

  #unlink({ size, previous, next }: Slab): void {
    if (previous === none) this.#roomy[size] = next;
    else this.#slabs[previous]!.next = next;
    if (next !== none) this.#slabs[next]!.previous = previous;
  }
}
