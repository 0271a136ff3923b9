// Bytes per second over the last 20 seconds, the rolling average that choking is made for (BEP 3, "choking").
// Buckets of one second in a ring: constant memory, a few additions per call. Must not know what the bytes were.

/** Seconds averaged over: BEP 3 speaks of a rolling 20-second average. */
const windowSeconds = 20;

/** Counts bytes as they come; times are monotonic milliseconds. */
export class RateWindow {
  readonly #buckets: Float64Array = new Float64Array(windowSeconds);
  #newest = 0;
  #newestEnd = 1000;
  #sum = 0;
  #startedAt: number | undefined;

  /** Adds bytes; true when they are the first ones of a new second. */
  add(bytes: number, now: number): boolean {
    this.#startedAt ??= now;
    const isNew = this.#advance(now);
    this.#buckets[this.#newest % windowSeconds]! += bytes;
    this.#sum += bytes;
    return isNew;
  }

  /** Bytes per second; over what time there is while there are not yet 20 seconds, but at least one. */
  rate(now: number): number {
    if (this.#startedAt === undefined) return 0;
    this.#advance(now);
    const oldest = Math.max(this.#startedAt, (this.#newest - windowSeconds + 1) * 1000);
    const seconds = Math.max(1, (now - oldest) / 1000);
    return this.#sum / seconds;
  }

  /** Bytes in the whole second that lies `back` seconds before the one of `now`; 0 ≤ back < 20. */
  second(back: number, now: number): number {
    this.#advance(now);
    const second = this.#newest - back;
    return second < 0 ? 0 : this.#buckets[second % windowSeconds]!;
  }

  #advance(now: number): boolean {
    if (now < this.#newestEnd) return false;
    const second = Math.floor(now / 1000);
    const from = Math.max(this.#newest + 1, second - windowSeconds + 1);
    for (let each = from; each <= second; each += 1) {
      this.#sum -= this.#buckets[each % windowSeconds]!;
      this.#buckets[each % windowSeconds] = 0;
    }
    this.#newest = second;
    this.#newestEnd = (second + 1) * 1000;
    return true;
  }
}
