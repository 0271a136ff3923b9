// What becomes of a torrent whose disk fails: it is suspended, what failed is tried again, ever less often, and once
// that worked the torrent goes on. Must not know what the operations are.

export interface DiskTroubleEvents {
  /** Said for the first failure, and again when the reason changes. */
  readonly suspended: (reason: string) => void;
  /** Everything that failed has worked now. */
  readonly resumed: () => void;
}

/** The first wait; doubles up to the longest. A disk that was full a moment ago is worth a look, one that stays full is not worth many. */
const firstWaitMs = 1000;
const longestWaitMs = 30_000;

export class DiskTrouble {
  readonly #events: DiskTroubleEvents;
  /** Wakes those that wait for their next try. */
  readonly #waiting = new Set<() => void>();
  #failing = 0;
  #reason: string | undefined;
  #isOver = false;

  constructor(events: DiskTroubleEvents) {
    this.#events = events;
  }

  get isTroubled(): boolean {
    return this.#failing > 0;
  }

  /**
   * Takes up an operation that failed with `failure`: tries it again until it succeeds.
   * @throws the last failure, only when the torrent ends first.
   */
  async overcome<Result>(failure: unknown, operation: () => Promise<Result>): Promise<Result> {
    this.#failing += 1;
    let last = failure;
    try {
      for (let waitMs = firstWaitMs; ; waitMs = Math.min(2 * waitMs, longestWaitMs)) {
        this.#suspend(last);
        await this.#wait(waitMs);
        if (this.#isOver) throw last;
        try {
          return await operation();
        } catch (error) {
          last = error;
        }
      }
    } finally {
      this.#failing -= 1;
      if (this.#failing === 0) this.#resume();
    }
  }

  /** Somebody believes that the cause is gone: everything is tried now. */
  retry(): void {
    for (const wake of this.#waiting) wake();
  }

  /** Nothing is tried any more; what waits fails. */
  end(): void {
    this.#isOver = true;
    this.retry();
  }

  #suspend(failure: unknown): void {
    const reason = failure instanceof Error ? failure.message : String(failure);
    if (this.#isOver || reason === this.#reason) return;
    this.#reason = reason;
    this.#events.suspended(reason);
  }

  #resume(): void {
    this.#reason = undefined;
    if (!this.#isOver) this.#events.resumed();
  }

  #wait(ms: number): Promise<void> {
    if (this.#isOver) return Promise.resolve();
    return new Promise((resolve) => {
      const wake = (): void => {
        clearTimeout(timer);
        this.#waiting.delete(wake);
        resolve();
      };
      const timer = setTimeout(wake, ms);
      this.#waiting.add(wake);
    });
  }
}
