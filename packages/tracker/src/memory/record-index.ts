// A hash index over numbered records that grows page by page (extendible hashing): an insertion never rehashes
// more than one page, so there is no pause however many records there are. It stores 4 bytes per slot; what a record
// number leaves of them is a tag made of the hash, so that a search seldom looks at another record than the one it is
// for. The owner of the records computes hashes and compares. R. Fagin et al., ACM TODS 4(3), 1979.

/** The owner of the records. */
export interface IndexedRecords {
  /** Hash of a stored record, unsigned 32 bits. */
  hashOf(record: number): number;
  /** Whether this record is the one being looked for. */
  isSought(record: number): boolean;
}

/**
 * Slots of a page, when it is new and before it is split: 4 and 6 KiB. Two sizes, because all pages fill alike, so that
 * with one all would be half empty at once. Larger pages make a longer split (60 µs for 8 KiB), smaller ones a larger
 * directory.
 */
const pageSlots = 1024;
const fullPageSlots = 1536;

/** Past 2^16 pages (some 60 million records) pages double instead of splitting, which keeps the directory small. */
const maxDepth = 16;

/** Low bits of a slot, in pages of few records: record number + 1. */
const fewestRecordBits = 10;

/** Fibonacci hashing (Knuth, TAOCP 6.4): the page and the home of a hash take bits of it, the tag depends on all. */
const tagMultiplier = 0x9e37_79b1;

interface Page {
  /** Tag and record number + 1; 0 is an empty slot. */
  slots: Uint32Array;
  /** The bits of the record number, as many as the largest one in this page takes. */
  recordMask: number;
  used: number;
  /** How many leading bits of the hash all records of this page share. */
  depth: number;
}

/** Finds records by hash. */
export class RecordIndex {
  readonly #records: IndexedRecords;
  #directory: Page[];
  #depth: number;

  constructor(records: IndexedRecords) {
    this.#records = records;
    this.#directory = [emptyPage(0, 2 ** fewestRecordBits - 1)];
    this.#depth = 0;
  }

  /** The record that its owner recognises among those with this hash, or -1. */
  find(hash: number): number {
    const { slots, recordMask } = this.#pageOf(hash);
    const last = slots.length - 1;
    const tag = Math.imul(hash, tagMultiplier);
    for (let slot = homeOf(hash, slots); ; slot = slot === last ? 0 : slot + 1) {
      const entry = slots[slot]!;
      if (entry === 0) return -1;
      // Equal but for the bits of the record number.
      if ((entry ^ tag) >>> 0 > recordMask) continue;
      const record = (entry & recordMask) - 1;
      if (this.#records.isSought(record)) return record;
    }
  }

  /** Adds a record that is not in the index. */
  add(hash: number, record: number): void {
    let page = this.#pageOf(hash);
    // At most seven eighths full: a search that fails then passes 32 slots (Knuth, TAOCP 6.4), two lines of memory.
    // Splits and removals are bounded by the page.
    while (isFull(page)) {
      if (page.slots.length < fullPageSlots) this.#enlarge(page, fullPageSlots);
      else if (page.depth < maxDepth) this.#split(page, hash);
      else this.#enlarge(page, page.slots.length * 2);
      page = this.#pageOf(hash);
    }
    insert(page, hash, record);
  }

  /** Takes out a record that is in the index. Records behind it move up, so there are no tombstones. */
  remove(hash: number, record: number): void {
    const page = this.#pageOf(hash);
    const { slots, recordMask } = page;
    const size = slots.length;
    let gap = homeOf(hash, slots);
    while ((slots[gap]! & recordMask) !== record + 1) gap = (gap + 1) % size;
    for (let slot = (gap + 1) % size; slots[slot] !== 0; slot = (slot + 1) % size) {
      const home = homeOf(this.#records.hashOf((slots[slot]! & recordMask) - 1), slots);
      // It may move into the gap unless its home lies behind the gap.
      if ((slot - home + size) % size < (slot - gap + size) % size) continue;
      slots[gap] = slots[slot]!;
      gap = slot;
    }
    slots[gap] = 0;
    page.used--;
  }

  /** Gives all memory back. */
  clear(): void {
    this.#directory = [emptyPage(0, 2 ** fewestRecordBits - 1)];
    this.#depth = 0;
  }

  #pageOf(hash: number): Page {
    return this.#directory[this.#depth === 0 ? 0 : hash >>> (32 - this.#depth)]!;
  }

  #split(page: Page, hash: number): void {
    if (page.depth === this.#depth) {
      this.#directory = doubled(this.#directory);
      this.#depth++;
    }
    const depth = page.depth + 1;
    const { recordMask } = page;
    const halves = [emptyPage(depth, recordMask), emptyPage(depth, recordMask)] as const;
    for (const entry of page.slots) {
      if (entry === 0) continue;
      const entryHash = this.#records.hashOf((entry & recordMask) - 1);
      const half = halves[(entryHash >>> (32 - depth)) & 1]!;
      // Hashes that are alike may all be in one half, which has then to hold as many as the page did.
      if (isFull(half)) this.#enlarge(half, fullPageSlots);
      insert(half, entryHash, (entry & recordMask) - 1);
    }
    // The page's entries in the directory lie side by side: the first half of them now means the first new page.
    const span = 2 ** (this.#depth - page.depth);
    const first = Math.floor((hash >>> (32 - this.#depth)) / span) * span;
    for (let at = 0; at < span; at++) this.#directory[first + at] = halves[at < span / 2 ? 0 : 1];
  }

  #enlarge(page: Page, slots: number): void {
    const entries = page.slots;
    page.slots = new Uint32Array(slots);
    page.used = 0;
    for (const entry of entries) {
      if (entry === 0) continue;
      const record = (entry & page.recordMask) - 1;
      insert(page, this.#records.hashOf(record), record);
    }
  }
}

/** Every entry twice. A loop: at 2^16 entries it takes a tenth of a millisecond, `flatMap` several. */
function doubled(directory: readonly Page[]): Page[] {
  const twice: Page[] = [];
  for (const page of directory) twice.push(page, page);
  return twice;
}

/** Where the search for a hash begins: its lower 16 bits, as a share of the page. */
function homeOf(hash: number, slots: Uint32Array): number {
  return ((hash & 0xffff) * slots.length) >>> 16;
}

function isFull({ used, slots }: Page): boolean {
  return used >= (slots.length * 7) / 8;
}

function emptyPage(depth: number, recordMask: number): Page {
  return { slots: new Uint32Array(pageSlots), recordMask, used: 0, depth };
}

function insert(page: Page, hash: number, record: number): void {
  while (record >= page.recordMask) shortenTags(page);
  const last = page.slots.length - 1;
  let slot = homeOf(hash, page.slots);
  while (page.slots[slot] !== 0) slot = slot === last ? 0 : slot + 1;
  page.slots[slot] = ((Math.imul(hash, tagMultiplier) & ~page.recordMask) | (record + 1)) >>> 0;
  page.used++;
}

/** Gives a bit of every tag to the record number. */
function shortenTags(page: Page): void {
  const bit = page.recordMask + 1;
  for (let slot = 0; slot < page.slots.length; slot++) page.slots[slot]! &= ~bit;
  page.recordMask += bit;
}
