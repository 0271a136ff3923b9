// Bytes per second over the last moments, from a running total. The apps tell smoothed rates, as peers are ranked by
// them; a swarm that ends within seconds needs quicker ones. Pure: told what time it is.

/** Long enough for six reports of an app at its 250 ms. */
const windowMs = 1500;
/** Of the shortest interval that says anything. */
const leastMs = 100;

export class RateWindow {
  readonly #samples: { readonly bytes: number; readonly at: number }[] = [];

  /** `bytes` in all, at `now` in ms. */
  add(bytes: number, now: number): void {
    this.#samples.push({ bytes, at: now });
    // One sample older than the window stays: it is where the window begins.
    while ((this.#samples[1]?.at ?? Infinity) <= now - windowMs) this.#samples.shift();
  }

  /** Bytes per second; falls to 0 when nothing is added any more. */
  rate(now: number): number {
    const first = this.#samples[0];
    const last = this.#samples.at(-1);
    if (first === undefined || last === undefined || now - last.at > windowMs) return 0;
    const elapsed = last.at - first.at;
    return elapsed < leastMs ? 0 : ((last.bytes - first.bytes) / elapsed) * 1000;
  }
}
