// What a load has seen: answers, latencies, losses. Counts only while it measures, so that warming up costs nothing.

/** Latencies are counted in buckets of 10 µs up to 2 s. */
const bucketMs = 0.01;
const buckets = 200_000;

/** What one run found; printed as one line of JSON. */
export interface LoadResult {
  readonly event: 'result';
  readonly seconds: number;
  readonly answers: number;
  readonly lost: number;
  readonly refused: number;
  /** The text of a refusal, where there was one. */
  readonly refusal: string;
  /** Mean over answers to announces. */
  readonly peersPerList: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

export class Tally {
  readonly #latencies = new Uint32Array(buckets);
  /** Answers since the load began, measured or not. */
  seen = 0;
  #since = Number.NaN;
  #answers = 0;
  #lost = 0;
  #refused = 0;
  #refusal = '';
  #lists = 0;
  #peers = 0;

  start(now: number): void {
    this.#since = now;
  }

  /** An answer of any kind; `peers` where it lists some. */
  answer(latencyMs: number, peers = Number.NaN): void {
    this.seen++;
    if (Number.isNaN(this.#since)) return;
    this.#answers++;
    if (!Number.isNaN(peers)) {
      this.#lists++;
      this.#peers += peers;
    }
    const bucket = Math.min(Math.floor(latencyMs / bucketMs), buckets - 1);
    this.#latencies[bucket]!++;
  }

  loss(): void {
    if (!Number.isNaN(this.#since)) this.#lost++;
  }

  refusal(text: string): void {
    if (Number.isNaN(this.#since)) return;
    this.#refused++;
    this.#refusal = text;
  }

  result(now: number): LoadResult {
    return {
      event: 'result',
      seconds: (now - this.#since) / 1000,
      answers: this.#answers,
      lost: this.#lost,
      refused: this.#refused,
      refusal: this.#refusal,
      peersPerList: this.#peers / this.#lists,
      p50Ms: this.#quantile(0.5),
      p99Ms: this.#quantile(0.99),
    };
  }

  #quantile(share: number): number {
    let left = this.#answers * share;
    const bucket = this.#latencies.findIndex((count) => (left -= count) <= 0);
    return this.#answers === 0 ? Number.NaN : (bucket + 1) * bucketMs;
  }
}
