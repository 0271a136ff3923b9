// Who waits for an answer that may not come: all wait equally long, so one timer for the first in line is enough.

/** One that waits. */
export interface Answered {
  readonly giveUp: () => void;
  readonly deadline: number;
}

/** Those who wait, in the order in which they began to. */
export class PendingAnswers implements Disposable {
  readonly #timeoutMs: number;
  /** A set keeps the order of insertion. */
  readonly #entries = new Set<Answered>();
  #timer: NodeJS.Timeout | undefined;

  constructor(timeoutMs: number) {
    this.#timeoutMs = timeoutMs;
  }

  /** `giveUp` is called when the time is over, unless the entry is taken before. */
  add(giveUp: () => void): Answered {
    const entry = { giveUp, deadline: performance.now() + this.#timeoutMs };
    this.#entries.add(entry);
    this.#timer ??= this.#wakeIn(this.#timeoutMs);
    return entry;
  }

  /** Whether the entry still waited; it does not any more. */
  take(entry: Answered): boolean {
    return this.#entries.delete(entry);
  }

  /** Everybody gives up. */
  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    for (const entry of this.#entries) this.#end(entry);
  }

  #tick(): void {
    this.#timer = undefined;
    const now = performance.now();
    for (const entry of this.#entries) {
      if (entry.deadline > now) {
        // A timer may fire a little early.
        this.#timer = this.#wakeIn(Math.max(1, entry.deadline - now));
        return;
      }
      this.#end(entry);
    }
  }

  /** Nobody is left to be told once nothing else keeps the process. */
  #wakeIn(ms: number): NodeJS.Timeout {
    return setTimeout(() => this.#tick(), ms).unref();
  }

  #end(entry: Answered): void {
    this.#entries.delete(entry);
    entry.giveUp();
  }
}
