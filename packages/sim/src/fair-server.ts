// One end of an access link: serves segments of the flows that have any, one at a time, each flow in turn.
// Round robin of equal segments is fair sharing of the link (each of n busy flows gets 1/n), with one event per
// segment and none per change of rate. Must not know connections, addresses or what a segment holds.
import type { Alarm, Scheduler } from './scheduler.ts';

/** Something that wants segments served in its own order. */
export interface Flow {
  /** Takes the next segment out, and says its length in bytes; `undefined` when there is none to serve now. */
  takeSegment(): number | undefined;
  /** The segment taken is through. */
  served(): void;
}

export class FairServer {
  readonly #scheduler: Scheduler;
  readonly #bytesPerSecond: number;
  readonly #waiting: Flow[] = [];
  readonly #through: Alarm;
  #busy: Flow | undefined;
  #busyUs = 0;

  /** @param bytesPerSecond Whole or not, greater than 0; `Infinity` takes no time. @throws RangeError otherwise. */
  constructor(scheduler: Scheduler, bytesPerSecond: number) {
    if (!(bytesPerSecond > 0)) throw new RangeError(`a link of ${bytesPerSecond} bytes/s never ends`);
    this.#scheduler = scheduler;
    this.#bytesPerSecond = bytesPerSecond;
    this.#through = scheduler.alarm(() => this.#finish());
  }

  /** Time spent sending, in microseconds. */
  get busyUs(): number {
    return this.#busyUs;
  }

  /** The flow has a segment, or may again have one; it may be taken at once, but is through only later. */
  wake(flow: Flow): void {
    if (flow !== this.#busy && !this.#waiting.includes(flow)) this.#waiting.push(flow);
    if (this.#busy === undefined) this.#serve();
  }

  #serve(): void {
    for (let flow = this.#waiting.shift(); flow !== undefined; flow = this.#waiting.shift()) {
      const bytes = flow.takeSegment();
      if (bytes === undefined) continue;
      const durationUs = Math.ceil((bytes * 1_000_000) / this.#bytesPerSecond);
      this.#busy = flow;
      this.#busyUs += durationUs;
      this.#through.arm(this.#scheduler.nowUs + durationUs);
      return;
    }
  }

  #finish(): void {
    const flow = this.#busy!;
    flow.served();
    this.#busy = undefined;
    // To the back of the queue; it drops out when it has nothing left.
    if (!this.#waiting.includes(flow)) this.#waiting.push(flow);
    this.#serve();
  }
}
