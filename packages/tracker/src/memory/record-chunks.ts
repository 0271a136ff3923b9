// Fixed-size records of 32-bit words in chunks, so that growing allocates a chunk and never copies one.
// Free records are chained through their first word. Knows nothing of what the words mean.

/** No record. */
export const none = 0xffff_ffff;

/** Numbered records of `stride` words. */
export class RecordChunks {
  readonly stride: number;
  readonly #shift: number;
  /** A field, as a power would be computed again in every access. */
  readonly #mask: number;
  readonly #onChunk: ((records: number) => void) | undefined;
  #chunks: Uint32Array[] = [];
  #free: number = none;
  #used = 0;

  /** A chunk has 2^`shift` records; `onChunk` hears of each new one, for columns kept beside it. */
  constructor(stride: number, shift: number, onChunk?: (records: number) => void) {
    this.stride = stride;
    this.#shift = shift;
    this.#mask = 2 ** shift - 1;
    this.#onChunk = onChunk;
  }

  /** Whether there ever was a record of this number, in use or not. */
  has(record: number): boolean {
    return record < this.#used;
  }

  /** The chunk that holds a record. */
  words(record: number): Uint32Array {
    return this.#chunks[record >>> this.#shift]!;
  }

  /** Where in its chunk a record begins. */
  base(record: number): number {
    return (record & this.#mask) * this.stride;
  }

  /** A record whose words are of no defined value. */
  allocate(): number {
    const recycled = this.#free;
    if (recycled !== none) {
      this.#free = this.words(recycled)[this.base(recycled)]!;
      return recycled;
    }
    const record = this.#used++;
    if (record >>> this.#shift === this.#chunks.length) {
      this.#chunks.push(new Uint32Array((this.#mask + 1) * this.stride));
      this.#onChunk?.(this.#mask + 1);
    }
    return record;
  }

  release(record: number): void {
    this.words(record)[this.base(record)] = this.#free;
    this.#free = record;
  }

  /** How many chunks there are. */
  get chunks(): number {
    return this.#chunks.length;
  }

  /** Gives all memory back; every record is void. */
  clear(): void {
    this.#chunks = [];
    this.#free = none;
    this.#used = 0;
  }
}
