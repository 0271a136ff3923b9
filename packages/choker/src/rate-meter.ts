// Mainline's rate meter: the average over a window that slides, kept in three numbers. What a choker compares.

/**
 * Until a transfer is this old its rate counts as if it were: the first blocks come in a burst, out of the kernel's
 * buffers, and would look like a rate. Mainline's value, 5 s.
 */
const headStartMs = 5000;

/** Bytes per second, averaged over the last `windowMs`. Mainline uses 20 s while downloading and 100 s as a seed. */
export class RateMeter {
  readonly #windowMs: number;
  #bytesPerMs = 0;
  #since: number | undefined;
  #last = 0;

  /** @throws RangeError unless `windowMs`, in milliseconds, is positive. */
  constructor(windowMs = 20_000) {
    if (!(windowMs > 0)) throw new RangeError(`a window of ${windowMs} ms`);
    this.#windowMs = windowMs;
  }

  /** `bytes` were transferred at `now`, in monotonic milliseconds. */
  add(bytes: number, now: number): void {
    this.#since ??= this.#last = now - Math.min(headStartMs, this.#windowMs);
    const at = Math.max(now, this.#last);
    this.#bytesPerMs = (this.#bytesPerMs * (this.#last - this.#since) + bytes) / (at - this.#since);
    this.#last = at;
    this.#since = Math.max(this.#since, at - this.#windowMs);
  }

  /** Bytes per second at `now`. */
  rate(now: number): number {
    if (this.#since === undefined) return 0;
    this.add(0, now);
    return this.#bytesPerMs * 1000;
  }
}
