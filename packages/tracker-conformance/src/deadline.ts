// How long a case may still take: one moment for everything it waits for.
import { ConformanceError } from './errors.ts';

/** The end of a case. */
export class Deadline {
  readonly #end: number;

  constructor(lifetimeMs: number) {
    this.#end = performance.now() + lifetimeMs;
  }

  get remainingMs(): number {
    return Math.max(0, this.#end - performance.now());
  }

  /** What `promise` becomes, or undefined once `waitMs` or the deadline has passed. */
  async within<Value>(promise: Promise<Value>, waitMs: number = Infinity): Promise<Value | undefined> {
    const { promise: late, resolve } = Promise.withResolvers<undefined>();
    const timer = setTimeout(() => resolve(undefined), Math.min(waitMs, this.remainingMs));
    try {
      return await Promise.race([promise, late]);
    } finally {
      clearTimeout(timer);
    }
  }

  /** What `promise` becomes. @throws ConformanceError no-answer at the deadline */
  async answer<Value>(promise: Promise<Value>, what: string): Promise<Value> {
    const wrapped = (async (): Promise<{ readonly value: Value }> => ({ value: await promise }))();
    const answer = await this.within(wrapped);
    if (answer === undefined) throw new ConformanceError('no-answer', `no answer to ${what}`);
    return answer.value;
  }
}
