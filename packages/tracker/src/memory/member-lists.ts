// Many growing lists of entries in few large arrays: what is given to an announcer lies side by side, so that drawing
// fifty of a swarm's peers does not wait for memory fifty times. A list is named by a 32-bit reference to a block, which
// grows by a half or less; longer lists are made of blocks of the largest size, so growing never copies more than one.
import { BlockSlabs } from './block-slabs.ts';

/** The reference of a list without members. */
export const emptyList = 0xffff_ffff;

/** A reference is 5 bits of size and 27 that name a block, or number the list. */
const valueBits = 27;
const valueMask: number = 2 ** valueBits - 1;
/** Size of lists of several blocks. */
const longSize = 31;

/** Most records that lists can name. */
export const maxRecords: number = 2 ** valueBits;

/** Entries of a block: all numbers up to 8, then four sizes for each doubling, from 64 on two. */
const sizes: readonly number[] = [1, 2, 3, 4, 5, 6, 7, 8].concat(
  [8, 16, 32].flatMap((size) => [1.25, 1.5, 1.75, 2].map((factor) => size * factor)),
  [64, 128, 256, 512].flatMap((size) => [size * 1.5, size * 2]),
);
const largest: number = sizes.length - 1;
/** The largest block as a power of two: 1,024 entries. */
const blockShift = 10;
const blockEntries: number = 2 ** blockShift;

/**
 * Entries for which there may be memory, for each that may be there: lists that became shorter are half empty, and slabs
 * have gaps. Who leaves one list of a size in each slab, size after size, makes more of them; it gets no further than this.
 */
const mostPerEntry = 3;

/** Lists of entries of so many words. */
export class MemberLists {
  readonly entryWords: number;
  readonly #blocks: BlockSlabs;
  /** The blocks of each long list. */
  readonly #long = new Map<number, number[]>();
  #nextLong = 0;

  /** `most` entries are expected at most. */
  constructor(entryWords: number, most: number) {
    this.entryWords = entryWords;
    this.#blocks = new BlockSlabs(entryWords, sizes, mostPerEntry * most, valueBits);
  }

  /** Where an entry is, for `words` and `base`. */
  offsetOf(list: number, index: number): number {
    if (list >>> valueBits !== longSize) return this.#blocks.offsetOf(list & valueMask, index);
    return this.#blocks.offsetOf(this.#long.get(list)![index >>> blockShift]!, index % blockEntries);
  }

  /** Replaces the first `count` of `indexes` by where those entries are. */
  locate(list: number, indexes: Uint32Array, count: number): void {
    if (list >>> valueBits === longSize) {
      const blocks = this.#long.get(list)!;
      for (let at = 0; at < count; at++) {
        const index = indexes[at]!;
        indexes[at] = this.#blocks.offsetOf(blocks[index >>> blockShift]!, index % blockEntries);
      }
      return;
    }
    const first = this.#blocks.offsetOf(list & valueMask, 0);
    for (let at = 0; at < count; at++) indexes[at] = first + indexes[at]! * this.entryWords;
  }

  /** The array that holds the entry at an offset, and where in it that begins. */
  words(offset: number): Uint32Array {
    return this.#blocks.words(offset);
  }

  base(offset: number): number {
    return this.#blocks.base(offset);
  }

  /** Whether there is memory for one more entry behind the `length` there are. */
  hasRoom(list: number, length: number): boolean {
    if (list === emptyList) return this.#blocks.hasRoom(0);
    const size = list >>> valueBits;
    if (size === longSize) return length < this.#long.get(list)!.length * blockEntries || this.#blocks.hasRoom(largest);
    return length < sizes[size]! || this.#blocks.hasRoom(Math.min(size + 1, largest));
  }

  /** Goes on with one more entry behind the `length` there are, where `hasRoom`, under the reference that is returned. */
  push(list: number, length: number): number {
    if (list === emptyList) return this.#newBlock(0);
    const size = list >>> valueBits;
    if (size === longSize) {
      this.#lengthen(list, length);
      return list;
    }
    if (length < sizes[size]!) return list;
    if (size < largest) return this.#move(list, length, size + 1);
    const long = this.#nextLongList();
    this.#long.set(long, [list & valueMask]);
    this.#lengthen(long, length);
    return long;
  }

  /** Drops the last of `length` entries; the list goes on under the reference that is returned. */
  pop(list: number, length: number): number {
    const size = list >>> valueBits;
    const left = length - 1;
    if (size === longSize) return this.#shorten(list, left);
    if (left === 0) {
      this.#blocks.release(list & valueMask);
      return emptyList;
    }
    // One size smaller when it would fit in one smaller still: a list that swings around a size does not copy each time.
    const isLoose = size >= 2 && left <= sizes[size - 2]! && this.#blocks.hasRoom(size - 1);
    return isLoose ? this.#move(list, left, size - 1) : list;
  }

  /** Gives memory back; every reference is void. The caller says this when no list is left. */
  shrink(): void {
    if (this.#blocks.chunks > 1) this.#blocks.clear();
  }

  #lengthen(list: number, length: number): void {
    const blocks = this.#long.get(list)!;
    if (length === blocks.length * blockEntries) blocks.push(this.#blocks.allocate(largest));
  }

  #shorten(list: number, length: number): number {
    const blocks = this.#long.get(list)!;
    // The last block stays until the one before it is half empty, for the same reason as above.
    if (length <= (blocks.length - 1.5) * blockEntries) this.#blocks.release(blocks.pop()!);
    if (blocks.length > 1) return list;
    this.#long.delete(list);
    return reference(largest, blocks[0]!);
  }

  #move(list: number, length: number, size: number): number {
    const target = this.#newBlock(size);
    const [from, to] = [this.offsetOf(list, 0), this.offsetOf(target, 0)];
    const [source, copy] = [this.words(from), this.words(to)];
    const [first, start] = [this.base(from), this.base(to)];
    const words = length * this.entryWords;
    for (let word = 0; word < words; word++) copy[start + word] = source[first + word]!;
    this.#blocks.release(list & valueMask);
    return target;
  }

  #newBlock(size: number): number {
    return reference(size, this.#blocks.allocate(size));
  }

  #nextLongList(): number {
    // Numbers come round after 2^27 lists; the last one would look like the empty list.
    do this.#nextLong = (this.#nextLong + 1) % valueMask;
    while (this.#long.has(reference(longSize, this.#nextLong)));
    return reference(longSize, this.#nextLong);
  }
}

function reference(size: number, value: number): number {
  return ((size << valueBits) | value) >>> 0;
}
