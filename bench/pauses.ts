// How long the event loop was away: Node's own histogram and a ticker beside it, so that one can be held against the other;
// and how much work its thread did in one go, which another process that takes the core cannot lengthen.
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as delay } from 'node:timers/promises';

/** Both look this often; what they tell includes it. */
const resolutionMs = 1;

export interface Pause {
  /** Longest interval of `monitorEventLoopDelay`. */
  readonly histogramMaxMs: number;
  /** Longest interval of our own timer. */
  readonly tickerMaxMs: number;
  /** Most CPU time of this thread between two ticks. */
  readonly workMaxMs: number;
}

export class Pauses {
  readonly #histogram = monitorEventLoopDelay({ resolution: resolutionMs });
  readonly #timer: NodeJS.Timeout;
  #lastAt = performance.now();
  #longestMs = 0;
  #cpuMs = threadCpuMs();
  #mostMs = 0;

  constructor() {
    this.#histogram.enable();
    this.#timer = setInterval(() => this.#tick(), resolutionMs);
  }

  /** The longest since it was last asked. Comes back after the loop went round, so that work just done is in it. */
  async take(): Promise<Pause> {
    await delay(2 * resolutionMs);
    const pause = { histogramMaxMs: this.#histogram.max / 1e6, tickerMaxMs: this.#longestMs, workMaxMs: this.#mostMs };
    this.#histogram.reset();
    // The histogram needs one interval to know when the next one began.
    await delay(2 * resolutionMs);
    this.#longestMs = 0;
    this.#mostMs = 0;
    return pause;
  }

  stop(): void {
    this.#histogram.disable();
    clearInterval(this.#timer);
  }

  #tick(): void {
    const now = performance.now();
    this.#longestMs = Math.max(this.#longestMs, now - this.#lastAt);
    this.#lastAt = now;
    const cpuMs = threadCpuMs();
    this.#mostMs = Math.max(this.#mostMs, cpuMs - this.#cpuMs);
    this.#cpuMs = cpuMs;
  }
}

function threadCpuMs(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
}
