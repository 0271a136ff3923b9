// Received bytes of one socket on their way in: hands on what its rate limit grants and keeps a copy of the rest, never
// more than one read, while the socket is paused. Must not know what the bytes are.
import type { PacedFlow, Pacer } from './pacer.ts';
import type { RateLimit } from './limiter.ts';

export interface InboxEvents {
  /** Valid only until it returns. */
  bytes(chunk: Uint8Array, start: number, end: number): void;
  /** What was held is handed on: more may come. */
  emptied(): void;
}

export class Inbox {
  readonly #events: InboxEvents;
  #flow: PacedFlow | undefined;
  #held: Uint8Array | undefined;
  #at = 0;

  constructor(events: InboxEvents) {
    this.#events = events;
  }

  get isLimited(): boolean {
    return this.#flow !== undefined && this.#flow.isLimited;
  }

  /** Whether bytes wait here; until `emptied`, no more may come. */
  get isHolding(): boolean {
    return this.#held !== undefined;
  }

  /** What comes and what is held obeys `limit` from now on. */
  limit(pacer: Pacer, limit: RateLimit): void {
    this.#flow?.cancel();
    this.#flow = pacer.receiving(limit, (bytes) => this.#handOn(bytes));
    // The caller may be in the middle of `bytes`: what is granted comes from the timer.
    if (this.#held !== undefined) this.#flow.queue(this.#held.length - this.#at);
  }

  /** Hands on what may pass; false when it holds the rest, and no more may come. */
  receive(chunk: Uint8Array, start: number, end: number): boolean {
    const granted = this.#flow === undefined ? end - start : this.#flow.request(end - start);
    // Before anyone hears of it: who listens may well set another limit or let go of the socket.
    if (granted < end - start) {
      this.#held = new Uint8Array(chunk.subarray(start + granted, end));
      this.#at = 0;
    }
    if (granted > 0) this.#events.bytes(chunk, start, start + granted);
    return this.#held === undefined;
  }

  /** Drops what it holds; what comes from now on has no limit. */
  clear(): void {
    this.#flow?.cancel();
    this.#flow = undefined;
    this.#held = undefined;
  }

  #handOn(bytes: number): void {
    const held = this.#held;
    if (held === undefined) return;
    const start = this.#at;
    this.#at = start + bytes;
    if (this.#at === held.length) this.#held = undefined;
    this.#events.bytes(held, start, start + bytes);
    if (start + bytes === held.length) this.#events.emptied();
  }
}
