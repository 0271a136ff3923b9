// Disk operations that failed, done again: the driver's law for a disk in trouble. Decides when to try (a second, then
// twice as long each time, up to half a minute) and when the trouble is over; must not know what the operations do.
import type { Alarm, Scheduler } from './scheduler.ts';

/** Starts the operation; it answers once, later, with what failed or with `undefined`. */
export type DiskOperation = (answer: (failure: string | undefined) => void) => void;

export interface TroubleListener {
  /** Something failed that worked before. */
  suspended(reason: string): void;
  /** The first of what failed worked; the others are done again now. */
  resumed(): void;
}

export class DiskTrouble {
  readonly #listener: TroubleListener;
  readonly #scheduler: Scheduler;
  readonly #alarm: Alarm;
  readonly #waiting: DiskOperation[] = [];
  #attempts = 0;
  #inTrouble = false;

  constructor(scheduler: Scheduler, listener: TroubleListener) {
    this.#scheduler = scheduler;
    this.#listener = listener;
    this.#alarm = scheduler.alarm(() => this.#tryAgain());
  }

  /** Does it now, and again whenever the disk may work, until it works. */
  run(operation: DiskOperation): void {
    operation((failure) => {
      if (failure !== undefined) this.#failed(failure, operation);
    });
  }

  /** Nothing is tried any more. */
  end(): void {
    this.#alarm.disarm();
    this.#waiting.length = 0;
  }

  #failed(failure: string, operation: DiskOperation): void {
    this.#waiting.push(operation);
    if (this.#inTrouble) return;
    this.#inTrouble = true;
    this.#attempts = 0;
    this.#listener.suspended(failure);
    this.#wait();
  }

  #wait(): void {
    const waitMs = Math.min(firstWaitMs * 2 ** this.#attempts++, longestWaitMs);
    this.#alarm.arm(this.#scheduler.nowUs + waitMs * 1000);
  }

  /** One operation is the probe for all. */
  #tryAgain(): void {
    const probe = this.#waiting.shift();
    probe?.((failure) => {
      if (failure === undefined) return this.#over();
      this.#waiting.unshift(probe);
      this.#wait();
    });
  }

  #over(): void {
    this.#inTrouble = false;
    this.#listener.resumed();
    for (const operation of this.#waiting.splice(0)) this.run(operation);
  }
}

const firstWaitMs = 1000;
const longestWaitMs = 30_000;
