// Which bytes of a long run are there: ranges that neither overlap nor touch, in order. Decides only how they are kept:
// two sorted lists, since there are few. Must not know what the bytes are or where they lie.

/** From `begin` up to, not including, `end`. */
export interface ByteRange {
  readonly begin: number;
  readonly end: number;
}

/** A set of bytes, kept as ranges. Finding costs O(log ranges), a change O(ranges). */
export class ByteRanges {
  readonly #begins: number[] = [];
  readonly #ends: number[] = [];

  get isEmpty(): boolean {
    return this.#begins.length === 0;
  }

  add(begin: number, end: number): void {
    if (begin >= end) return;
    const first = this.#firstEndingAfter(begin - 1);
    let last = first;
    let from = begin;
    let to = end;
    for (; last < this.#begins.length && this.#begins[last]! <= end; last += 1) {
      from = Math.min(from, this.#begins[last]!);
      to = Math.max(to, this.#ends[last]!);
    }
    this.#replace(first, last, [{ begin: from, end: to }]);
  }

  remove(begin: number, end: number): void {
    if (begin >= end) return;
    const first = this.#firstEndingAfter(begin);
    let last = first;
    const kept: ByteRange[] = [];
    for (; last < this.#begins.length && this.#begins[last]! < end; last += 1) {
      if (this.#begins[last]! < begin) kept.push({ begin: this.#begins[last]!, end: begin });
      if (this.#ends[last]! > end) kept.push({ begin: end, end: this.#ends[last]! });
    }
    this.#replace(first, last, kept);
  }

  /** Whether every byte from `begin` up to `end` is there; true for none. */
  covers(begin: number, end: number): boolean {
    if (begin >= end) return true;
    const index = this.#firstEndingAfter(begin);
    return index < this.#begins.length && this.#begins[index]! <= begin && this.#ends[index]! >= end;
  }

  /** What is there of the bytes from `begin` up to `end`, in order. */
  within(begin: number, end: number): ByteRange[] {
    const found: ByteRange[] = [];
    if (begin >= end) return found;
    for (let index = this.#firstEndingAfter(begin); index < this.#begins.length; index += 1) {
      if (this.#begins[index]! >= end) break;
      found.push({ begin: Math.max(begin, this.#begins[index]!), end: Math.min(end, this.#ends[index]!) });
    }
    return found;
  }

  copy(): ByteRanges {
    const copy = new ByteRanges();
    for (const [index, begin] of this.#begins.entries()) copy.add(begin, this.#ends[index]!);
    return copy;
  }

  #replace(first: number, last: number, ranges: readonly ByteRange[]): void {
    this.#begins.splice(first, last - first, ...ranges.map((range) => range.begin));
    this.#ends.splice(first, last - first, ...ranges.map((range) => range.end));
  }

  #firstEndingAfter(position: number): number {
    let low = 0;
    let high = this.#ends.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#ends[middle]! > position) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}
