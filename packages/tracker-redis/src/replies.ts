// What the functions of the store answer, as values. A reply of another shape is a store that is not ours.
import type { AnnounceOutcome } from '@shoal/tracker';
import type { ScrapeCounts } from '@shoal/tracker-protocol';

/** What the store says to an announce. */
export interface RedisAnswer {
  readonly outcome: AnnounceOutcome;
  readonly seeders: number;
  readonly leechers: number;
  readonly completed: number;
  /** Records of 6 bytes (BEP 23), in random order. */
  readonly ipv4: Uint8Array;
  /** Records of 18 bytes (BEP 7), in random order. */
  readonly ipv6: Uint8Array;
}

const outcomes: ReadonlyMap<string, AnnounceOutcome> = new Map(
  (['joined', 'refreshed', 'completed', 'left', 'absent', 'store-full', 'address-full'] as const).map((outcome) => [
    outcome,
    outcome,
  ]),
);

/** The answer in a reply. @throws Error for a reply of another shape */
export function answerIn(reply: unknown): RedisAnswer {
  if (!Array.isArray(reply)) throw new Error('the reply is no list');
  const [name, leechers, seeders, completed, ipv4, ipv6]: unknown[] = reply;
  const outcome = name instanceof Uint8Array ? outcomes.get(String(name)) : undefined;
  if (outcome === undefined || !(ipv4 instanceof Uint8Array) || !(ipv6 instanceof Uint8Array)) {
    throw new Error('the reply is not that of an announce');
  }
  return {
    outcome,
    leechers: numberIn(leechers),
    seeders: numberIn(seeders),
    completed: numberIn(completed),
    ipv4,
    ipv6,
  };
}

/** Peers of a swarm by family and role. */
export interface SwarmCounts {
  readonly ipv4Leechers: number;
  readonly ipv4Seeds: number;
  readonly ipv6Leechers: number;
  readonly ipv6Seeds: number;
  readonly completed: number;
}

/** The counts in a reply. @throws Error for a reply of another shape */
export function swarmIn(reply: unknown): SwarmCounts {
  if (!Array.isArray(reply)) throw new Error('the reply is no list');
  const [ipv4Leechers, ipv4Seeds, ipv6Leechers, ipv6Seeds, completed]: unknown[] = reply;
  return {
    ipv4Leechers: numberIn(ipv4Leechers),
    ipv4Seeds: numberIn(ipv4Seeds),
    ipv6Leechers: numberIn(ipv6Leechers),
    ipv6Seeds: numberIn(ipv6Seeds),
    completed: numberIn(completed),
  };
}

/** The same as a scrape has it; undefined where nobody is. */
export function countsIn(reply: unknown): ScrapeCounts | undefined {
  const swarm = swarmIn(reply);
  const complete = swarm.ipv4Seeds + swarm.ipv6Seeds;
  const incomplete = swarm.ipv4Leechers + swarm.ipv6Leechers;
  return complete + incomplete === 0 ? undefined : { complete, incomplete, downloaded: swarm.completed };
}

function numberIn(value: unknown): number {
  if (typeof value !== 'number') throw new Error('the reply has no number where one belongs');
  return value;
}
