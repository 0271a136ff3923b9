// Records from one thread to one other through memory that both see. The writer rings only when the reader sleeps, so
// that under load a bell is rung for many records and not for each.

/** What both ends need; can be posted to another thread. */
export interface RingMemory {
  /** Where the reader and the writer are, in bytes, and whether the reader sleeps. */
  readonly state: SharedArrayBuffer;
  readonly bytes: SharedArrayBuffer;
}

const readAt = 0;
const writtenAt = 1;
const sleepsAt = 2;

/** Records begin at multiples of this, with their length. */
const step = 8;

/** In place of a length: the next record is at the beginning of the memory. */
const goBack = 0xffff_ffff;

/** Memory for records of at most a quarter of `size` bytes, which is a multiple of eight. */
export function ringMemory(size: number): RingMemory {
  const state = new SharedArrayBuffer(3 * Int32Array.BYTES_PER_ELEMENT);
  new Int32Array(state)[sleepsAt] = 1;
  return { state, bytes: new SharedArrayBuffer(size) };
}

/** The writing end; `ring` wakes the reader's thread. */
export class RingWriter {
  readonly #state: Int32Array;
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #ring: () => void;

  constructor({ state, bytes }: RingMemory, ring: () => void) {
    this.#state = new Int32Array(state);
    this.#bytes = new Uint8Array(bytes);
    this.#view = new DataView(bytes);
    this.#ring = ring;
  }

  /**
   * Has `write` put a record of at most `most` bytes into the memory from the offset it is given; it says how many there
   * are. False, and nothing is written, where there is no room.
   */
  write(most: number, write: (bytes: Uint8Array, view: DataView, at: number) => number): boolean {
    const size = this.#bytes.length;
    const needed = padded(step + most);
    const read = Atomics.load(this.#state, readAt);
    let at = this.#state[writtenAt]!;
    // Never up to where the reader is: both at the same place means empty.
    if (at >= read && size - at <= needed) {
      if (read <= needed) return false;
      this.#view.setUint32(at, goBack, true);
      at = 0;
    } else if (at < read && read - at <= needed) return false;
    const length = write(this.#bytes, this.#view, at + step);
    this.#view.setUint32(at, length, true);
    Atomics.store(this.#state, writtenAt, (at + padded(step + length)) % size);
    if (Atomics.exchange(this.#state, sleepsAt, 0) === 1) this.#ring();
    return true;
  }
}

/** The reading end. */
export class RingReader {
  readonly #state: Int32Array;
  readonly #bytes: Uint8Array;
  readonly #view: DataView;

  constructor({ state, bytes }: RingMemory) {
    this.#state = new Int32Array(state);
    this.#bytes = new Uint8Array(bytes);
    this.#view = new DataView(bytes);
  }

  /**
   * Gives up to `limit` records to `read`, valid until it returns. True when there may be more: then nobody rings, and
   * the caller comes back by itself.
   */
  drain(limit: number, read: (bytes: Uint8Array, view: DataView, at: number, length: number) => void): boolean {
    for (let count = 0; count < limit; count++) {
      let at = this.#state[readAt]!;
      if (at === Atomics.load(this.#state, writtenAt)) {
        Atomics.store(this.#state, sleepsAt, 1);
        // What was written between the two looks was written to one who seemed awake.
        return at !== Atomics.load(this.#state, writtenAt) && Atomics.exchange(this.#state, sleepsAt, 0) === 1;
      }
      if (this.#view.getUint32(at, true) === goBack) at = 0;
      const length = this.#view.getUint32(at, true);
      read(this.#bytes, this.#view, at + step, length);
      Atomics.store(this.#state, readAt, (at + padded(step + length)) % this.#bytes.length);
    }
    return true;
  }
}

function padded(length: number): number {
  return (length + step - 1) & -step;
}
