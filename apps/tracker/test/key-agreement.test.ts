import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { KeyAgreement } from '../src/key-agreement.ts';

/** A store as far as one key matters. */
class Shared {
  kept: Uint8Array | undefined;
  available = true;
  readonly #listeners: (() => void)[] = [];

  onReady(listener: () => void): void {
    this.#listeners.push(listener);
  }

  connect(): void {
    for (const listener of this.#listeners) listener();
  }

  async sharedSecret(offered: Uint8Array): Promise<Uint8Array> {
    if (!this.available) throw new Error('the store is unavailable');
    return (this.kept ??= offered);
  }
}

function agreementOn(store: Shared, key: number): { agreement: KeyAgreement; taken: number[]; failures: unknown[] } {
  const [taken, failures]: [number[], unknown[]] = [[], []];
  const agreement = new KeyAgreement(store, Uint8Array.of(key), {
    take: ([first = 0]) => void taken.push(first),
    failed: (error) => void failures.push(error),
  });
  onTestFinished(() => agreement[Symbol.dispose]());
  return { agreement, taken, failures };
}

describe('trackers of one store', () => {
  test('have the key of whoever was first, however late the store comes', async () => {
    const store = new Shared();
    const [one, other] = [agreementOn(store, 1), agreementOn(store, 2)];
    expect(await one.agreement.reached(5)).toBe(false);
    store.connect();
    expect(await Promise.all([one, other].map(({ agreement }) => agreement.reached(1000)))).toEqual([true, true]);
    expect([one.taken, other.taken]).toEqual([[], [1]]);
    expect([one, other].map(({ agreement }) => [...agreement.key])).toEqual([[1], [1]]);
  });

  test('give a store that comes back empty the key that they have', async () => {
    const store = new Shared();
    const [one, other] = [agreementOn(store, 1), agreementOn(store, 2)];
    store.connect();
    await Promise.all([one, other].map(({ agreement }) => agreement.reached(1000)));
    store.kept = undefined;
    store.connect();
    await vi.waitFor(() => expect(store.kept).toEqual(Uint8Array.of(1)));
    expect(other.taken).toEqual([1]);
  });

  test('ask again while the store is connected but does not say, and complain once', async () => {
    vi.useFakeTimers();
    onTestFinished(() => void vi.useRealTimers());
    const store = new Shared();
    store.available = false;
    const { agreement, failures } = agreementOn(store, 1);
    store.connect();
    for (let second = 0; second < 3; second++) await vi.advanceTimersByTimeAsync(1000);
    expect(failures).toHaveLength(1);
    store.available = true;
    await vi.advanceTimersByTimeAsync(1000);
    expect(await agreement.reached(1000)).toBe(true);
  });
});
