// The clock of the rate limits: two throttles, received and sent bytes, for all sockets of a session, and one timer that
// runs only while somebody waits. Must not know what the bytes are.
import type { RateLimit } from './limiter.ts';
import { Throttle, type Flow } from './throttle.ts';

/** One direction of one socket, below a rate limit. */
export class PacedFlow {
  readonly #pacer: Pacer;
  readonly #throttle: Throttle<PacedFlow>;
  readonly #flow: Flow<PacedFlow>;
  readonly #granted: (bytes: number) => void;

  /** `granted` hears of bytes that were not there when they were asked for. Made by a `Pacer`. */
  constructor(pacer: Pacer, throttle: Throttle<PacedFlow>, limit: RateLimit, granted: (bytes: number) => void) {
    this.#pacer = pacer;
    this.#throttle = throttle;
    this.#flow = throttle.open(limit, this);
    this.#granted = granted;
  }

  get isLimited(): boolean {
    return this.#flow.limit.isLimited;
  }

  /** Asks for `bytes` more; returns how many may move now, `granted` says when the others may. */
  request(bytes: number): number {
    const now = this.#throttle.request(this.#flow, bytes, performance.now());
    if (now < bytes) this.#pacer.arm();
    return now;
  }

  /** Asks for `bytes` more, to be granted from the timer and never in the caller's turn. */
  queue(bytes: number): void {
    this.#throttle.queue(this.#flow, bytes, performance.now());
    this.#pacer.arm();
  }

  /** It wants nothing any more, and nothing is granted. */
  cancel(): void {
    this.#throttle.withdraw(this.#flow);
    this.#pacer.arm();
  }

  /** The timer's word: tells what was granted, unless it was cancelled since. */
  perform(): void {
    const bytes = this.#flow.granted;
    this.#flow.granted = 0;
    if (bytes > 0) this.#granted(bytes);
  }
}

export class Pacer {
  readonly #down: Throttle<PacedFlow> = new Throttle(() => this.arm());
  readonly #up: Throttle<PacedFlow> = new Throttle(() => this.arm());
  #timer: NodeJS.Timeout | undefined;
  #timerFor = Infinity;

  /** The session's limit of received bytes; those of torrents and peers are made below it. */
  get down(): RateLimit {
    return this.#down.root;
  }

  /** The session's limit of sent bytes. */
  get up(): RateLimit {
    return this.#up.root;
  }

  /** @throws TypeError unless `limit` is `down` or below it. */
  receiving(limit: RateLimit, granted: (bytes: number) => void): PacedFlow {
    return new PacedFlow(this, this.#down, limit, granted);
  }

  /** @throws TypeError unless `limit` is `up` or below it. */
  sending(limit: RateLimit, granted: (bytes: number) => void): PacedFlow {
    return new PacedFlow(this, this.#up, limit, granted);
  }

  /** Sets the timer for the earlier deadline of the two. */
  arm(): void {
    const deadline = Math.min(this.#down.deadline, this.#up.deadline);
    if (deadline === this.#timerFor) return;
    clearTimeout(this.#timer);
    this.#timerFor = deadline;
    if (deadline === Infinity) return;
    // Node's timers may fire up to a millisecond early and hold 2^31 ms at most.
    const delay = Math.min(Math.max(0, Math.ceil(deadline - performance.now())) + 1, 0x7fffffff);
    this.#timer = setTimeout(() => this.#advance(), delay);
    this.#timer.unref();
  }

  #advance(): void {
    this.#timerFor = Infinity;
    const now = performance.now();
    for (const throttle of [this.#down, this.#up])
      if (throttle.deadline <= now) for (const flow of throttle.advance(now)) flow.owner.perform();
    this.arm();
  }
}
