// The key behind tracker ids that all trackers of a store have: agreed on whenever the store is there, since it may come
// late, and come back empty. Knows no tracker. docs/decisions/0010.
import type { RedisStore } from '@shoal/tracker-redis';

/** What becomes of a key. */
export interface KeyAgreementEvents {
  /** The key that all have is another one than before. */
  take(key: Uint8Array): void;
  /** The store did not say, for the first time since it last did; it is asked again. */
  failed(error: unknown): void;
}

/** Until a store is asked again that is there but did not say, in ms. */
const againMs = 1000;

/** Agreement on one key with the other trackers of a store. */
export class KeyAgreement implements Disposable {
  readonly #store: Pick<RedisStore, 'onReady' | 'sharedSecret'>;
  readonly #events: KeyAgreementEvents;
  readonly #first = Promise.withResolvers<true>();
  #key: Uint8Array;
  #timer: NodeJS.Timeout | undefined;
  #asking = false;
  #failing = false;
  #over = false;

  /** Offers `key`, and later whichever is in use, so that a store that lost it gets it back. */
  constructor(store: Pick<RedisStore, 'onReady' | 'sharedSecret'>, key: Uint8Array, events: KeyAgreementEvents) {
    this.#store = store;
    this.#events = events;
    this.#key = key;
    store.onReady(() => void this.#agree());
  }

  /** What all have, as far as the store has said it. */
  get key(): Uint8Array {
    return this.#key;
  }

  /** Whether there was an agreement within a time. */
  async reached(timeoutMs: number): Promise<boolean> {
    const { promise: late, resolve } = Promise.withResolvers<false>();
    const timer = setTimeout(() => resolve(false), timeoutMs);
    try {
      return await Promise.race([this.#first.promise, late]);
    } finally {
      clearTimeout(timer);
    }
  }

  [Symbol.dispose](): void {
    this.#over = true;
    clearTimeout(this.#timer);
  }

  async #agree(): Promise<void> {
    if (this.#asking || this.#over) return;
    clearTimeout(this.#timer);
    this.#asking = true;
    try {
      const agreed = await this.#store.sharedSecret(this.#key);
      if (!agreed.every((byte, at) => byte === this.#key[at])) this.#events.take(agreed);
      this.#key = agreed;
      this.#failing = false;
      this.#first.resolve(true);
    } catch (error) {
      if (this.#over) return;
      if (!this.#failing) this.#events.failed(error);
      this.#failing = true;
      this.#timer = setTimeout(() => void this.#agree(), againMs).unref();
    } finally {
      this.#asking = false;
    }
  }
}
