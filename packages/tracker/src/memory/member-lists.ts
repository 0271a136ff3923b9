// Many growing lists of record numbers in few large arrays. A list is named by a 32-bit reference: a list of one
// is the reference itself, larger ones are blocks of a power of two cut from pages as a buddy allocator does, and
// lists longer than a page are made of whole pages, so growing never copies more than one page.

/** The reference of a list without members. */
export const emptyList: number = 0xffff_ffff;

/** Words of a page, 256 KiB: the largest block. */
const pageWords = 65_536;
const pageClass = 16;
/** Class of lists that span pages; the low bits of such a reference number the list. */
const longClass = 31;
/** A reference is 5 bits of class and 27 of record number, block offset in pairs of words, or list number. */
const valueBits = 27;
const valueMask = 2 ** valueBits - 1;

/** Most records that lists can name. */
export const maxRecords: number = 2 ** valueBits;

/** Lists of record numbers. */
export class MemberLists {
  #pages: Uint32Array[] = [];
  /** For each class the offsets of its free blocks. */
  #free: number[][] = Array.from({ length: pageClass + 1 }, () => []);
  #long = new Map<number, number[]>();
  #nextLong = 0;

  /** The member at `index`. */
  at(list: number, index: number): number {
    const size = list >>> valueBits;
    if (size === 0) return list;
    if (size === longClass) return this.#pages[this.#long.get(list)![index >>> pageClass]!]![index & (pageWords - 1)]!;
    const offset = (list & valueMask) * 2 + index;
    return this.#pages[offset >>> pageClass]![offset & (pageWords - 1)]!;
  }

  /** Replaces a member; the reference changes when it is the only one. */
  set(list: number, index: number, member: number): number {
    const size = list >>> valueBits;
    if (size === 0) return member;
    if (size === longClass) {
      this.#pages[this.#long.get(list)![index >>> pageClass]!]![index & (pageWords - 1)] = member;
      return list;
    }
    const offset = (list & valueMask) * 2 + index;
    this.#pages[offset >>> pageClass]![offset & (pageWords - 1)] = member;
    return list;
  }

  /** Appends to a list of `length` members; the list goes on under the reference that is returned. */
  push(list: number, length: number, member: number): number {
    if (list === emptyList) return member;
    const size = list >>> valueBits;
    const grown =
      size === longClass ? this.#lengthen(list, length) : length === 2 ** size ? this.#grow(list, size) : list;
    return this.set(grown, length, member);
  }

  /** Drops the last of `length` members; the list goes on under the reference that is returned. */
  pop(list: number, length: number): number {
    const size = list >>> valueBits;
    if (length === 1) {
      if (size !== 0) this.#release(list, size);
      return emptyList;
    }
    if (size === longClass) return this.#shorten(list, length - 1);
    // Shrinks at a quarter, not at half, so a list that swings around a power of two does not copy each time.
    if (size < 2 || length - 1 > 2 ** (size - 2)) return list;
    return this.#move(list, length - 1, size - 1);
  }

  /** Gives memory back; every reference is void. The caller says this when no list is left. */
  shrink(): void {
    if (this.#pages.length <= 1) return;
    this.#pages = [];
    this.#free = Array.from({ length: pageClass + 1 }, () => []);
    this.#long.clear();
  }

  #grow(list: number, size: number): number {
    if (size < pageClass) return this.#move(list, 2 ** size, size + 1);
    // The block is a whole page: it becomes the first page of a long list.
    const long = this.#newLong();
    this.#long.set(long, [((list & valueMask) * 2) >>> pageClass]);
    return this.#lengthen(long, pageWords);
  }

  #lengthen(list: number, length: number): number {
    const pages = this.#long.get(list)!;
    if (length === pages.length * pageWords) pages.push(this.#allocate(pageClass) >>> pageClass);
    return list;
  }

  #shorten(list: number, length: number): number {
    const pages = this.#long.get(list)!;
    // Keeps one page in reserve, for the same reason as above.
    if (pages.length > 1 && length <= (pages.length - 2) * pageWords + pageWords / 2) {
      this.#free[pageClass]!.push(pages.pop()! * pageWords);
    }
    if (pages.length > 1) return list;
    this.#long.delete(list);
    return reference(pageClass, pages[0]! * pageWords);
  }

  #move(list: number, length: number, size: number): number {
    const target = reference(size, this.#allocate(size));
    for (let index = 0; index < length; index++) this.set(target, index, this.at(list, index));
    if (list >>> valueBits !== 0) this.#release(list, list >>> valueBits);
    return target;
  }

  #newLong(): number {
    // Numbers are not used again until the counter wraps: 2^27 long lists cannot live at once.
    do this.#nextLong = (this.#nextLong + 1) & valueMask;
    while (this.#nextLong === valueMask || this.#long.has(reference(longClass, this.#nextLong * 2)));
    return reference(longClass, this.#nextLong * 2);
  }

  /** Offset in words of a free block of 2^size words, cut from a larger one where needed. */
  #allocate(size: number): number {
    let larger = size;
    while (larger < pageClass && this.#free[larger]!.length === 0) larger++;
    let offset = this.#free[larger]!.pop();
    if (offset === undefined) {
      offset = this.#pages.length * pageWords;
      this.#pages.push(new Uint32Array(pageWords));
    }
    for (; larger > size; larger--) this.#free[larger - 1]!.push(offset + 2 ** (larger - 1));
    return offset;
  }

  #release(list: number, size: number): void {
    if (size === longClass) {
      for (const page of this.#long.get(list)!) this.#free[pageClass]!.push(page * pageWords);
      this.#long.delete(list);
    } else this.#free[size]!.push((list & valueMask) * 2);
  }
}

function reference(size: number, offset: number): number {
  return ((size << valueBits) | (offset / 2)) >>> 0;
}
