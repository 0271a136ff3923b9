// One bucket of a tree of byte rates: session over torrent over peer, a tree for each direction. Decides how many bytes
// may move now and when more may. Must not know who waits, sockets or the clock: `now` is monotonic milliseconds.

/** Bytes moved in one turn, and by every bucket saved at least: one Ethernet segment, so that 10 KB/s moves in whole ones. */
export const segmentBytes = 1460;
/** What an idle or late bucket saves beside a segment: 100 ms of its rate, 1 % of ten seconds, more than an event loop's pause. */
const burstMs = 100;

export class RateLimit {
  readonly parent: RateLimit | undefined;
  /** Flows that wait because of this very bucket; the throttle's own note, so that nobody overtakes them. */
  held = 0;
  /** The last round of the throttle in which somebody was passed over here. */
  passedIn = 0;
  #rate: number;
  /** The lower of the rates since the last filling: a change grants nothing in retrospect. */
  #fillRate: number;
  #tokens = 0;
  #filledAt: number | undefined;
  #changed: (() => void) | undefined;

  /**
   * `bytesPerSecond` counts every byte of a socket's stream in this direction, payload and protocol; TCP and IP headers
   * are not seen here. Infinity, the default, is no limit.
   * @throws RangeError unless `bytesPerSecond` is above 0.
   */
  constructor(parent?: RateLimit, bytesPerSecond: number = Infinity) {
    this.parent = parent;
    this.#rate = requireRate(bytesPerSecond);
    this.#fillRate = this.#rate;
  }

  get bytesPerSecond(): number {
    return this.#rate;
  }

  /** Takes effect at once, for those who wait as well. @throws RangeError unless above 0. */
  set bytesPerSecond(rate: number) {
    const before = this.#rate;
    this.#rate = requireRate(rate);
    if (rate === before) return;
    if (before === Infinity) {
      // A new limit begins without savings.
      this.#tokens = 0;
      this.#filledAt = undefined;
      this.#fillRate = rate;
    } else this.#fillRate = Math.min(this.#fillRate, rate);
    this.root.#changed?.();
  }

  /** Whether this bucket or one above it has a limit. */
  get isLimited(): boolean {
    return this.#rate !== Infinity || (this.parent !== undefined && this.parent.isLimited);
  }

  /** Whether this bucket alone has a limit. */
  get isFinite(): boolean {
    return this.#rate !== Infinity;
  }

  get root(): RateLimit {
    return this.parent === undefined ? this : this.parent.root;
  }

  /** Whole bytes that may move now. */
  available(now: number): number {
    if (this.#rate === Infinity) return Infinity;
    this.#fill(now);
    // A millionth of a byte: `readyAt` is rounded like every number here.
    return Math.floor(this.#tokens + 1e-6);
  }

  /** When `bytes`, at most a segment, may move, if nobody takes any before. */
  readyAt(bytes: number, now: number): number {
    if (this.#rate === Infinity) return now;
    this.#fill(now);
    return now + (Math.max(0, bytes - this.#tokens) / this.#rate) * 1000;
  }

  /** `bytes` moved, no more than were available. */
  take(bytes: number): void {
    if (this.#rate !== Infinity) this.#tokens -= bytes;
  }

  /** Of a root: calls back whenever a rate at or below it changes. */
  watch(changed: () => void): void {
    this.#changed = changed;
  }

  #fill(now: number): void {
    const elapsedMs = Math.max(0, now - (this.#filledAt ?? now));
    this.#filledAt = Math.max(now, this.#filledAt ?? now);
    const capacity = segmentBytes + (this.#rate * burstMs) / 1000;
    this.#tokens = Math.min(capacity, this.#tokens + (this.#fillRate * elapsedMs) / 1000);
    this.#fillRate = this.#rate;
  }
}

function requireRate(bytesPerSecond: number): number {
  if (!(bytesPerSecond > 0)) throw new RangeError(`bytesPerSecond ${bytesPerSecond} is not above 0`);
  return bytesPerSecond;
}
