// How often something happened lately, from a counter that only grows: what it was a while ago is remembered in a ring.

/** How many looks are remembered; at one a second the rate is that of the last ten seconds. */
const looks = 10;

/** A rate over the last looks at a counter. */
export class LoadMeter {
  #seen: { readonly count: number; readonly at: number }[] = [];

  /** Notes what the counter was at `now` (ms). */
  look(count: number, now: number): void {
    this.#seen.push({ count, at: now });
    if (this.#seen.length > looks) this.#seen.shift();
  }

  /** Events per second since the oldest look; 0 before there was one. */
  perSecond(count: number, now: number): number {
    const oldest = this.#seen[0];
    return oldest === undefined || now <= oldest.at ? 0 : ((count - oldest.count) * 1000) / (now - oldest.at);
  }
}
