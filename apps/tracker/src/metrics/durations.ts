// How long requests took, in plain buckets: counting one costs a loop of a few steps and no memory.
// Written in Prometheus' text format, whose histograms are cumulative.

/** Upper bounds in seconds. An answer from memory takes tens of microseconds, one from a store elsewhere milliseconds. */
const boundsSeconds = [
  0.000_01, 0.000_025, 0.000_05, 0.000_1, 0.000_25, 0.000_5, 0.001, 0.0025, 0.005, 0.01, 0.05, 0.25, 1,
];

/** A histogram of durations. */
export class Durations {
  /** One more than bounds: the last is for whatever took longer. */
  readonly #counts = new Float64Array(boundsSeconds.length + 1);
  #sumSeconds = 0;

  /** Counts one duration, in ms. */
  record(ms: number): void {
    const seconds = ms / 1000;
    let at = 0;
    while (at < boundsSeconds.length && seconds > boundsSeconds[at]!) at++;
    this.#counts[at]!++;
    this.#sumSeconds += seconds;
  }

  /** Its lines in Prometheus' text format; `labels` as they stand between braces. */
  exposition(name: string, labels: string): string {
    let total = 0;
    const buckets = [...boundsSeconds, '+Inf'].map((bound, index) => {
      total += this.#counts[index]!;
      return `${name}_bucket{${labels},le="${bound}"} ${total}\n`;
    });
    return `${buckets.join('')}${name}_sum{${labels}} ${this.#sumSeconds}\n${name}_count{${labels}} ${total}\n`;
  }
}
