// Bytes to write answers into, used again once the kernel has taken what was in them. The kernel is asked once for
// each turn round the buffers and not for each answer. Bounds what may wait for it.
import { udpLimits } from '@shoal/tracker-protocol';

/** Answers between two questions to the kernel. */
const turn = 16;

/** Answers that may wait for the kernel before further ones are dropped: at most 1.2 MB. */
const waitingLimit = 1024;

export class AnswerBuffers {
  /** Datagrams that were given to the kernel and still wait for it. */
  readonly #waiting: () => number;
  #slots: Slot[] = newSlots();
  #next = 0;
  #full = false;

  constructor(waiting: () => number) {
    this.#waiting = waiting;
  }

  /** Where the next answer is written, as large as an answer may be; valid until `take`. Nothing that waits lies there. */
  get room(): Uint8Array {
    if (this.#next === turn) this.#turnRound();
    return this.#full ? nowhere : this.#slots[this.#next]!.bytes;
  }

  /** The first `length` bytes of `room`, to be sent; undefined where too many wait already. */
  take(length: number): Uint8Array | undefined {
    if (this.#full) return undefined;
    const { bytes, views } = this.#slots[this.#next++]!;
    return (views[length] ??= bytes.subarray(0, length));
  }

  #turnRound(): void {
    const waiting = this.#waiting();
    this.#full = waiting >= waitingLimit;
    if (this.#full) return;
    // What waits keeps its memory.
    if (waiting > 0) this.#slots = newSlots();
    this.#next = 0;
  }
}

/** Takes what will not be sent. */
const nowhere = new Uint8Array(udpLimits.replyBytes);

interface Slot {
  readonly bytes: Uint8Array;
  /** Beginnings of `bytes` by their length: a view made for every datagram costs more than writing it. */
  readonly views: (Uint8Array | undefined)[];
}

function newSlots(): Slot[] {
  const memory = new ArrayBuffer(turn * udpLimits.replyBytes);
  return Array.from({ length: turn }, (_, slot) => ({
    bytes: new Uint8Array(memory, slot * udpLimits.replyBytes, udpLimits.replyBytes),
    views: [],
  }));
}
