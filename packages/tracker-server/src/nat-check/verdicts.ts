// What is known of who can be reached, by address and port: for a time, and of so many only. Knows no sockets.
import type { ProbeResult } from './probe.ts';

/** What is known of an announcer; `isDue`: it is time to look again. */
export interface Verdict {
  readonly state: 'unknown' | 'reachable' | 'no-connection' | 'no-handshake';
  readonly isDue: boolean;
}

interface Entry {
  state: 'reachable' | 'no-connection' | 'no-handshake';
  until: number;
  /** Looks in a row that contradicted `reachable`. */
  doubts: number;
}

/** UNIT3D-Announce: half an hour. */
const reachableMs = 1_800_000;

/** Sooner than most clients ask again, for people who are at their router just now. */
const unreachableMs = 300_000;

/** A peer that could be reached has to be missed so many times in a row: lines fail for moments. */
const doubtsLimit = 2;

const unknown: Verdict = { state: 'unknown', isDue: true };

/** The verdicts of up to `capacity` announcers; the one that was judged first is forgotten first. */
export class Verdicts {
  readonly #capacity: number;
  readonly #entries = new Map<string, Entry>();

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** `endpoint`: any name of an address and port. */
  of(endpoint: string, now: number): Verdict {
    const entry = this.#entries.get(endpoint);
    return entry === undefined ? unknown : { state: entry.state, isDue: now >= entry.until };
  }

  /** Takes the result of a look; one that failed says nothing. */
  judge(endpoint: string, result: ProbeResult, now: number): void {
    if (result === 'failed') return;
    const before = this.#entries.get(endpoint);
    // Deleted first, so that it becomes the last to be forgotten.
    this.#entries.delete(endpoint);
    if (result === 'reachable') this.#entries.set(endpoint, { state: result, until: now + reachableMs, doubts: 0 });
    else this.#entries.set(endpoint, doubted(before, result, now));
    if (this.#entries.size > this.#capacity) this.#entries.delete(this.#entries.keys().next().value!);
  }
}

function doubted(before: Entry | undefined, result: 'no-connection' | 'no-handshake', now: number): Entry {
  const doubts = (before?.doubts ?? 0) + 1;
  const keeps = before?.state === 'reachable' && doubts < doubtsLimit;
  return { state: keeps ? 'reachable' : result, until: now + unreachableMs, doubts };
}
