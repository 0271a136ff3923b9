// Many growing lists of record numbers in few large arrays. A list is named by a 32-bit reference: a list of one
// is the reference itself, larger ones are blocks of a power of two words, and lists longer than a page are made of
// whole pages, so growing never copies more than one page.
import { BlockPages, pageClass, pageWords } from './block-pages.ts';

/** The reference of a list without members. */
export const emptyList = 0xffff_ffff;

/** Class of lists that span pages; the low bits of such a reference number the list. */
const longClass = 31;
/** A reference is 5 bits of class and 27 of record number, block offset in pairs of words, or list number. */
const valueBits = 27;
const valueMask: number = 2 ** valueBits - 1;

/** Most records that lists can name. */
export const maxRecords: number = 2 ** valueBits;

/** Lists of record numbers. */
export class MemberLists {
  readonly #blocks = new BlockPages();
  /** The pages of each long list, by their offsets. */
  readonly #long = new Map<number, number[]>();
  #nextLong = 0;

  /** The member at `index`. */
  at(list: number, index: number): number {
    return list >>> valueBits === 0 ? list : this.#blocks.read(this.#offsetOf(list, index));
  }

  /** Replaces the first `count` of `indexes` by the members there. */
  lookUp(list: number, indexes: Uint32Array, count: number): void {
    const isBlock = list >>> valueBits !== 0 && list >>> valueBits < longClass;
    // A block lies within one page.
    if (isBlock) this.#blocks.lookUp(this.#offsetOf(list, 0), indexes, count);
    else for (let at = 0; at < count; at++) indexes[at] = this.at(list, indexes[at]!);
  }

  /** Replaces a member; the list goes on under the reference that is returned. */
  set(list: number, index: number, member: number): number {
    if (list >>> valueBits === 0) return member;
    this.#blocks.write(this.#offsetOf(list, index), member);
    return list;
  }

  /** Appends to a list of `length` members; the list goes on under the reference that is returned. */
  push(list: number, length: number, member: number): number {
    if (list === emptyList) return member;
    const size = list >>> valueBits;
    if (size === longClass) this.#lengthen(list, length);
    const grown = size !== longClass && length === 1 << size ? this.#grow(list, size) : list;
    return this.set(grown, length, member);
  }

  /** Drops the last of `length` members; the list goes on under the reference that is returned. */
  pop(list: number, length: number): number {
    const size = list >>> valueBits;
    if (length === 1) {
      if (size !== 0) this.#blocks.release(this.#offsetOf(list, 0), size);
      return emptyList;
    }
    if (size === longClass) return this.#shorten(list, length - 1);
    // Shrinks at a quarter, not at half, so a list that swings around a power of two does not copy each time.
    if (size < 2 || length - 1 > 2 ** (size - 2)) return list;
    return this.#move(list, length - 1, size - 1);
  }

  /** Gives memory back; every reference is void. The caller says this when no list is left. */
  shrink(): void {
    if (this.#blocks.count > 1) this.#blocks.clear();
  }

  #offsetOf(list: number, index: number): number {
    if (list >>> valueBits < longClass) return (list & valueMask) * 2 + index;
    return this.#long.get(list)![index >>> pageClass]! + (index & (pageWords - 1));
  }

  #grow(list: number, size: number): number {
    if (size < pageClass) return this.#move(list, 2 ** size, size + 1);
    // The block is a whole page: it becomes the first page of a long list.
    const long = this.#nextLongList();
    this.#long.set(long, [this.#offsetOf(list, 0)]);
    this.#lengthen(long, pageWords);
    return long;
  }

  #lengthen(list: number, length: number): void {
    const pages = this.#long.get(list)!;
    if (length === pages.length * pageWords) pages.push(this.#blocks.allocate(pageClass));
  }

  #shorten(list: number, length: number): number {
    const pages = this.#long.get(list)!;
    // The last page stays until the one before it is half empty, for the same reason as above.
    if (length <= (pages.length - 1.5) * pageWords) this.#blocks.release(pages.pop()!, pageClass);
    if (pages.length > 1) return list;
    this.#long.delete(list);
    return reference(pageClass, pages[0]!);
  }

  #move(list: number, length: number, size: number): number {
    const target = reference(size, this.#blocks.allocate(size));
    for (let index = 0; index < length; index++) this.set(target, index, this.at(list, index));
    if (list >>> valueBits !== 0) this.#blocks.release(this.#offsetOf(list, 0), list >>> valueBits);
    return target;
  }

  #nextLongList(): number {
    // Numbers come round after 2^27 lists; the last one would look like the empty list.
    do this.#nextLong = (this.#nextLong + 1) % valueMask;
    while (this.#long.has(reference(longClass, this.#nextLong * 2)));
    return reference(longClass, this.#nextLong * 2);
  }
}

/** Offsets are even, so they are kept by half. */
function reference(size: number, offset: number): number {
  return ((size << valueBits) | (offset / 2)) >>> 0;
}
