// Runs cases against one tracker: several at once, in the order of their numbers, each with its own time.
import { randomBytes } from 'node:crypto';
import { CaseContext } from './case-context.ts';
import { cases } from './cases.ts';
import {
  type ConformanceCase,
  type Outcome,
  type Transport,
  type Verdict,
  fail,
  notApplicable,
} from './conformance-case.ts';
import { Deadline } from './deadline.ts';
import { ConformanceError } from './errors.ts';
import { type Target, resolveTarget } from './target.ts';

export interface ConformanceOptions {
  /** Numbers of the cases to run. Default: all. */
  readonly only?: ReadonlySet<number>;
  /** How long one case may take, in ms. Default 2000. */
  readonly timeoutMs?: number;
  /** Cases at once, 1 to 64. Default 8. */
  readonly concurrency?: number;
  /** The tracker's address in the other family, for one that its name does not have. Default: as resolved. */
  readonly also?: string;
  /** Decides info-hashes and peer ids: see `infoHashesFor`. Good once for each tracker, as that remembers. Default: random. */
  readonly seed?: string;
}

/** Ten minutes: whoever waits longer for one case waits for nothing. */
export const maxTimeoutMs = 600_000;

/** What one case found. */
export interface CaseResult {
  readonly number: number;
  readonly title: string;
  readonly outcome: Outcome;
  /** What was seen, in one line. */
  readonly seen: string;
  /** ms */
  readonly durationMs: number;
}

/** The options that hold when one is left out. */
export const defaults: Required<Pick<ConformanceOptions, 'timeoutMs' | 'concurrency'>> = {
  timeoutMs: 2000,
  concurrency: 8,
};

/**
 * Runs the cases against the tracker at `url` (`http:`, `https:`, `udp:`, `ws:` or `wss:`), and yields their results in order.
 * Ending the loop early starts no further case. Sends to that tracker's addresses alone.
 * @throws TypeError for a URL of no such tracker, RangeError for an option, ConformanceError bad-host
 */
export async function* runConformance(
  url: string,
  options: ConformanceOptions = {},
): AsyncGenerator<CaseResult, void, void> {
  const { timeoutMs, concurrency, only, seed, also } = {
    ...defaults,
    seed: randomBytes(16).toString('hex'),
    only: undefined,
    also: undefined,
    ...options,
  };
  if (!(timeoutMs >= 1 && timeoutMs <= maxTimeoutMs)) throw new RangeError(`timeoutMs must be 1 to ${maxTimeoutMs}`);
  if (!(concurrency >= 1 && concurrency <= 64)) throw new RangeError('concurrency must be 1 to 64');
  const target = await resolveTarget(url, also);
  const waiting = cases.filter(({ number }) => only === undefined || only.has(number));
  const running: Promise<CaseResult>[] = [];
  try {
    for (;;) {
      while (running.length < concurrency && waiting.length > 0) {
        running.push(runCase(waiting.shift()!, target, timeoutMs, seed));
      }
      const next = running.shift();
      if (next === undefined) return;
      yield await next;
    }
  } finally {
    await Promise.allSettled(running);
  }
}

async function runCase(entry: ConformanceCase, target: Target, timeoutMs: number, seed: string): Promise<CaseResult> {
  const { number, title } = entry;
  const started = performance.now();
  const { outcome, seen } = await judge(entry, target, timeoutMs, seed);
  return {
    number,
    title,
    outcome,
    seen: seen.replace(/[^\x20-\x7e\u00a0-\uffff]/g, '.').slice(0, maxSeen),
    durationMs: performance.now() - started,
  };
}

/** Verdicts quote what a tracker sent; a line of a report is no place for more. */
const maxSeen = 300;

async function judge(entry: ConformanceCase, target: Target, timeoutMs: number, seed: string): Promise<Verdict> {
  const { transports } = entry;
  if (transports.length > 0 && !transports.includes(target.transport)) {
    return notApplicable(`only over ${namesOf(transports)}`);
  }
  const context = new CaseContext(target, new Deadline(timeoutMs), seed, entry);
  try {
    return await entry.run(context);
  } catch (error) {
    if (error instanceof ConformanceError) return fail(error.message);
    throw error;
  } finally {
    context.close();
  }
}

function namesOf(transports: readonly Transport[]): string {
  const names = [
    ['http', 'HTTP'],
    ['udp', 'UDP'],
    ['ws', 'WebSocket'],
  ] as const;
  return names.flatMap(([transport, name]) => (transports.includes(transport) ? [name] : [])).join(' and ');
}
