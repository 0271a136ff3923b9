// What a case is and what it may conclude. Knows no sockets and no bytes.
import type { CaseContext } from './case-context.ts';

/** How a tracker is spoken to, as its URL says. */
export type Transport = 'http' | 'https' | 'udp' | 'ws' | 'wss';

/**
 * `fail`: harms clients or the swarm. `differs`: permitted by the BEPs or a feature left out, but not what is
 * recommended. `not-applicable`: cannot be judged with this URL, or from outside at all.
 */
export type Outcome = 'pass' | 'fail' | 'differs' | 'not-applicable';

/** A conclusion, and one line about what was seen. */
export interface Verdict {
  readonly outcome: Outcome;
  readonly seen: string;
}

/** One corner case. */
export interface ConformanceCase {
  /** Stable: never used again for anything else. */
  readonly number: number;
  /** What a good tracker does, as a sentence. */
  readonly title: string;
  /** Where it can be judged; empty when it cannot be from outside. */
  readonly transports: readonly Transport[];
  /** Gives the info-hashes of the case a shape that it needs: changes the 20 random bytes of number `index`. */
  readonly shape?: (infoHash: Uint8Array, index: number, first: Uint8Array) => void;
  run(context: CaseContext): Promise<Verdict>;
}

export const overHttp: readonly Transport[] = ['http', 'https'];
export const overUdp: readonly Transport[] = ['udp'];
export const overWebSocket: readonly Transport[] = ['ws', 'wss'];
export const overBoth: readonly Transport[] = ['http', 'https', 'udp'];

export function pass(seen: string): Verdict {
  return { outcome: 'pass', seen };
}

export function fail(seen: string): Verdict {
  return { outcome: 'fail', seen };
}

export function differs(seen: string): Verdict {
  return { outcome: 'differs', seen };
}

export function notApplicable(seen: string): Verdict {
  return { outcome: 'not-applicable', seen };
}

/** `pass` when `good`, else `fail`. */
export function passIf(good: boolean, seen: string): Verdict {
  return good ? pass(seen) : fail(seen);
}

/** The worst of several: the first failure, else the first difference, else the first of what is left. */
export function worst(verdicts: readonly Verdict[]): Verdict {
  for (const outcome of ['fail', 'differs', 'pass'] as const) {
    const found = verdicts.find((verdict) => verdict.outcome === outcome);
    if (found !== undefined) return found;
  }
  return verdicts[0] ?? notApplicable('nothing was judged');
}

/** A case that is listed so that nobody thinks it was forgotten. */
export function unjudged(number: number, title: string, reason: string): ConformanceCase {
  return { number, title, transports: [], run: () => Promise.resolve(notApplicable(reason)) };
}
