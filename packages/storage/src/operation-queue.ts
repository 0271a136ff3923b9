// How many disk operations run at once, and whose turn is next. Decides by rotation between owners, so that one busy
// torrent cannot keep the others from the disk. Must not know what an operation does.
import { defaults } from './defaults.ts';

export interface OperationQueueOptions {
  /** Operations under way at once; default 8, twice Node's file threads. */
  readonly concurrency?: number;
}

/** The process's budget of disk operations; one queue can serve any number of storages. */
export class OperationQueue {
  readonly concurrency: number;
  #active = 0;
  #waiting = 0;
  /** Who waits, in the order of turns; never an empty line. */
  readonly #lines: Map<object, Line> = new Map();

  /** @throws RangeError when `concurrency` is no positive whole number. */
  constructor(options: OperationQueueOptions = {}) {
    this.concurrency = options.concurrency ?? defaults.concurrency;
    requirePositive('concurrency', this.concurrency);
  }

  /** Operations under way. */
  get active(): number {
    return this.#active;
  }

  /** Operations that wait for their turn; what a driver watches to hold back. */
  get waiting(): number {
    return this.#waiting;
  }

  /** Runs `operation` when a place is free and it is the owner's turn; each owner's operations start in order. */
  async run<Result>(owner: object, operation: () => Promise<Result>): Promise<Result> {
    if (this.#active < this.concurrency) this.#active += 1;
    else await this.#turn(owner);
    try {
      return await operation();
    } finally {
      this.#handOver();
    }
  }

  #turn(owner: object): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting += 1;
      const line = this.#lines.get(owner);
      if (line === undefined) this.#lines.set(owner, { starts: [resolve], next: 0 });
      else line.starts.push(resolve);
    });
  }

  /** Gives the place of an operation that ended to the first in the owner's line whose turn it is. */
  #handOver(): void {
    for (const [owner, line] of this.#lines) {
      const start = line.starts[line.next++];
      this.#lines.delete(owner);
      if (line.next < line.starts.length) this.#lines.set(owner, line);
      this.#waiting -= 1;
      start?.();
      return;
    }
    this.#active -= 1;
  }
}

/** Those before `next` have started: taking them off the front would move all others, 20,000 files for instance. */
interface Line {
  readonly starts: (() => void)[];
  next: number;
}

/** @throws RangeError when the option is no positive whole number. */
export function requirePositive(option: string, value: number): void {
  if (!Number.isSafeInteger(value) || value < 1)
    throw new RangeError(`${option} ${value} is not a positive whole number`);
}
