// Blocks of a power of two words, cut from pages and joined again when they are free (a buddy allocator), so lists
// that grow and shrink leave no holes that others could not use. Free blocks hold their own list: two words each.
// D. E. Knuth, The Art of Computer Programming 1, section 2.5.

/** A page is the largest block: 2^16 words, 256 KiB. */
export const pageClass = 16;
export const pageWords: number = 2 ** pageClass;

/** The smallest block has 2 words: what a free block needs for its neighbours in the list. */
const smallestClass = 1;

const none = 0xffff_ffff;

/** Pages of 32-bit words. Blocks are named by the offset of their first word over all pages. */
export class BlockPages {
  #pages: Uint32Array[] = [];
  /** For each page a bit per possible block, numbered as in a binary heap: set while that block is free. */
  #freeBits: Uint32Array[] = [];
  /** The first free block of each class. */
  readonly #first = new Uint32Array(pageClass + 1).fill(none);

  /** How many pages there are. */
  get count(): number {
    return this.#pages.length;
  }

  read(offset: number): number {
    return this.#pages[offset >>> pageClass]![offset & (pageWords - 1)]!;
  }

  /** Replaces the first `count` of `indexes` into the block at `offset` by the words there. */
  lookUp(offset: number, indexes: Uint32Array, count: number): void {
    const page = this.#pages[offset >>> pageClass]!;
    const base = offset & (pageWords - 1);
    for (let at = 0; at < count; at++) indexes[at] = page[base + indexes[at]!]!;
  }

  write(offset: number, word: number): void {
    this.#pages[offset >>> pageClass]![offset & (pageWords - 1)] = word;
  }

  /** A block of 2^`size` words of no defined value. */
  allocate(size: number): number {
    let found = size;
    while (found < pageClass && this.#first[found] === none) found++;
    let offset = this.#first[found]!;
    if (offset === none) offset = this.#addPage();
    else this.#unlink(offset, found);
    // What was found too large is halved; the upper halves stay free.
    while (found > size) {
      found--;
      this.#link(offset + 2 ** found, found);
    }
    return offset;
  }

  /** Frees a block of 2^`size` words, joining it with the other half of its parent as long as that is free too. */
  release(offset: number, size: number): void {
    let [start, joined] = [offset, size];
    for (; joined < pageClass; joined++) {
      const buddy = start ^ (2 ** joined);
      if (!this.#isFree(buddy, joined)) break;
      this.#unlink(buddy, joined);
      start = Math.min(start, buddy);
    }
    this.#link(start, joined);
  }

  /** Gives all memory back; every block is void. */
  clear(): void {
    this.#pages = [];
    this.#freeBits = [];
    this.#first.fill(none);
  }

  #addPage(): number {
    this.#pages.push(new Uint32Array(pageWords));
    this.#freeBits.push(new Uint32Array(pageWords / 2 ** smallestClass / 16));
    return (this.#pages.length - 1) * pageWords;
  }

  #link(offset: number, size: number): void {
    const next = this.#first[size]!;
    this.write(offset, none);
    this.write(offset + 1, next);
    if (next !== none) this.write(next, offset);
    this.#first[size] = offset;
    this.#flipBit(offset, size);
  }

  #unlink(offset: number, size: number): void {
    const [previous, next] = [this.read(offset), this.read(offset + 1)];
    if (previous === none) this.#first[size] = next;
    else this.write(previous + 1, next);
    if (next !== none) this.write(next, previous);
    this.#flipBit(offset, size);
  }

  #isFree(offset: number, size: number): boolean {
    const node = nodeOf(offset, size);
    return ((this.#freeBits[offset >>> pageClass]![node >>> 5]! >>> (node & 31)) & 1) === 1;
  }

  #flipBit(offset: number, size: number): void {
    const node = nodeOf(offset, size);
    this.#freeBits[offset >>> pageClass]![node >>> 5]! ^= 1 << (node & 31);
  }
}

/** A page is node 1, its halves are 2 and 3, and so on down to blocks of 2 words: numbers below 2^16. */
function nodeOf(offset: number, size: number): number {
  return 2 ** (pageClass - size) + ((offset & (pageWords - 1)) >>> size);
}
