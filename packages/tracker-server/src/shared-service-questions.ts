// Questions to a store that several trackers share: each is answered or given up within a time, and a store that has
// failed often in a row is left alone but for a look now and then. Knows nothing of what is asked.
import { type Answered, PendingAnswers } from './shared-service-pending.ts';

export interface StoreQuestionsOptions {
  /** Monotonic milliseconds. */
  readonly clock: () => number;
  /** How long an answer is waited for, in ms. */
  readonly timeoutMs: number;
  /** Questions that may wait at once. */
  readonly maxWaiting: number;
  /** Hears when the store goes away, with the reason, and when it is back. */
  readonly onAvailability: ((available: boolean, reason: unknown) => void) | undefined;
}

/** Failures in a row after which a store counts as away; a cluster without one of three masters fails a third of the time. */
const failuresToOpen = 32;

/** While a store is away one question in this time is let through to see whether it is back, in ms. */
const probeMs = 250;

/** What is asked of one store. */
export class StoreQuestions implements Disposable {
  readonly #options: StoreQuestionsOptions;
  readonly #pending: PendingAnswers;
  /** Questions that the store has not answered, whether or not somebody still waits for them. */
  #asked = 0;
  #failures = 0;
  #nextProbe = 0;

  constructor(options: StoreQuestionsOptions) {
    this.#options = options;
    this.#pending = new PendingAnswers(options.timeoutMs);
  }

  /** Whether the store has answered lately, as far as anybody asked. */
  get available(): boolean {
    return this.#failures < failuresToOpen;
  }

  /** Questions that wait for the store. */
  get waiting(): number {
    return this.#asked;
  }

  /**
   * Whether a question may be asked now. Of a store that is away that is so for one. `share`: of those that may wait, for
   * questions that nobody waits for.
   */
  mayAsk(share = 1): boolean {
    if (this.#asked >= this.#options.maxWaiting * share) return false;
    if (this.available) return true;
    const now = this.#options.clock();
    if (now < this.#nextProbe) return false;
    this.#nextProbe = now + probeMs;
    return true;
  }

  /** Asks the store; exactly one of `answered` and `refused` is called, the latter at the latest when the time is over. */
  ask<Value>(question: () => Promise<Value>, answered: (value: Value) => void, refused: () => void): void {
    this.#asked++;
    const entry: Answered = this.#pending.add(() => {
      this.#failed(new Error(`no answer within ${this.#options.timeoutMs} ms`));
      refused();
    });
    question().then(
      (value) => {
        this.#asked--;
        // Whoever was sent away meanwhile has no use for it, and a store that is always too late is no store.
        if (!this.#pending.take(entry)) return;
        this.#succeeded();
        answered(value);
      },
      (error: unknown) => {
        this.#asked--;
        if (!this.#pending.take(entry)) return;
        this.#failed(error);
        refused();
      },
    );
  }

  /** Gives up every question. */
  [Symbol.dispose](): void {
    this.#pending[Symbol.dispose]();
  }

  #failed(reason: unknown): void {
    if (++this.#failures === failuresToOpen) {
      this.#nextProbe = this.#options.clock() + probeMs;
      this.#options.onAvailability?.(false, reason);
    }
  }

  #succeeded(): void {
    const away = !this.available;
    this.#failures = 0;
    if (away) this.#options.onAvailability?.(true, undefined);
  }
}
