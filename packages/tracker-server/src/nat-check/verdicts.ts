// What is known of who can be reached, by address and port: for a time, and of so many only. Knows no sockets.
// One torrent answered speaks for all at that port; one not answered speaks for itself alone, or somebody behind the
// same NAT could have a neighbour refused by announcing his port with a torrent that he does not have.
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
  /** What was looked for last: the first four bytes of the info-hash. */
  torrent: number;
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
  of(endpoint: string, infoHash: Uint8Array, now: number): Verdict {
    const entry = this.#entries.get(endpoint);
    if (entry === undefined || (entry.state === 'no-handshake' && entry.torrent !== markOf(infoHash))) return unknown;
    return { state: entry.state, isDue: now >= entry.until };
  }

  /** Takes the result of a look; one that failed says nothing. */
  judge(endpoint: string, infoHash: Uint8Array, result: ProbeResult, now: number): void {
    if (result === 'failed') return;
    const before = this.#entries.get(endpoint);
    const torrent = markOf(infoHash);
    if (result === 'no-handshake' && before?.state === 'reachable' && before.torrent !== torrent) return;
    // Deleted first, so that it becomes the last to be forgotten.
    this.#entries.delete(endpoint);
    const isReached = result === 'reachable';
    const entry = isReached ? { state: result, until: now + reachableMs, doubts: 0 } : doubted(before, result, now);
    this.#entries.set(endpoint, { ...entry, torrent });
    if (this.#entries.size > this.#capacity) this.#entries.delete(this.#entries.keys().next().value!);
  }
}

function doubted(
  before: Entry | undefined,
  result: 'no-connection' | 'no-handshake',
  now: number,
): Omit<Entry, 'torrent'> {
  const doubts = (before?.doubts ?? 0) + 1;
  const keeps = before?.state === 'reachable' && doubts < doubtsLimit;
  return { state: keeps ? 'reachable' : result, until: now + unreachableMs, doubts };
}

function markOf(infoHash: Uint8Array): number {
  return (infoHash[0]! << 24) | (infoHash[1]! << 16) | (infoHash[2]! << 8) | infoHash[3]!;
}
