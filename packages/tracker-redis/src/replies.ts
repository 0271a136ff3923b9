// What the functions of the store answer, as values. A reply of another shape is a store that is not ours.
import type { AnnounceOutcome, RemoteAnswer, RemoteMemberAnswer, SignalHandover } from '@shoal/tracker';
import type { ScrapeCounts } from '@shoal/tracker-protocol';

const outcomes: ReadonlyMap<string, AnnounceOutcome> = new Map(
  (['joined', 'refreshed', 'completed', 'left', 'absent', 'store-full', 'address-full'] as const).map((outcome) => [
    outcome,
    outcome,
  ]),
);

/** The answer in a reply. @throws Error for a reply of another shape */
export function answerIn(reply: unknown): RemoteAnswer {
  if (!Array.isArray(reply)) throw new Error('the reply is no list');
  const [name, leechers, partialSeeds, seeders, completed, ipv4, ipv6, ipv4Ids, ipv6Ids, signalled, mark]: unknown[] =
    reply;
  const outcome = name instanceof Uint8Array ? outcomes.get(String(name)) : undefined;
  if (outcome === undefined) throw new Error('the reply is not that of an announce');
  return {
    outcome,
    leechers: numberIn(leechers),
    partialSeeds: numberIn(partialSeeds),
    seeders: numberIn(seeders),
    completed: numberIn(completed),
    signalled: numberIn(signalled),
    mark: numberIn(mark),
    ipv4: bytesIn(ipv4),
    ipv6: bytesIn(ipv6),
    ipv4Ids: bytesIn(ipv4Ids),
    ipv6Ids: bytesIn(ipv6Ids),
  };
}

/** How many there are in a swarm. */
export interface SwarmCounts {
  readonly leechers: number;
  /** Of these, partial seeds. */
  readonly partialSeeds: number;
  readonly seeders: number;
  readonly completed: number;
  /** Addresses. */
  readonly ipv4Peers: number;
  readonly ipv6Peers: number;
  /** Of the addresses, those of seeds. */
  readonly ipv4Seeds: number;
  readonly ipv6Seeds: number;
  /** Of the participants, WebTorrent peers. */
  readonly signalledLeechers: number;
  readonly signalledSeeders: number;
}

/** The counts in a reply. @throws Error for a reply of another shape */
export function swarmIn(reply: unknown): SwarmCounts {
  if (!Array.isArray(reply)) throw new Error('the reply is no list');
  const [leechers, partialSeeds, seeders, completed, ...parts]: unknown[] = reply;
  const [ipv4Peers, ipv6Peers, ipv4Seeds, ipv6Seeds, signalledLeechers, signalledSeeders] = parts;
  return {
    leechers: numberIn(leechers),
    partialSeeds: numberIn(partialSeeds),
    seeders: numberIn(seeders),
    completed: numberIn(completed),
    ipv4Peers: numberIn(ipv4Peers),
    ipv6Peers: numberIn(ipv6Peers),
    ipv4Seeds: numberIn(ipv4Seeds),
    ipv6Seeds: numberIn(ipv6Seeds),
    signalledLeechers: numberIn(signalledLeechers),
    signalledSeeders: numberIn(signalledSeeders),
  };
}

/** What a WebTorrent peer is told, in a reply. @throws Error for a reply of another shape */
export function memberAnswerIn(reply: unknown): RemoteMemberAnswer {
  if (!Array.isArray(reply)) throw new Error('the reply is no list');
  const [leechers, seeders, completed, drawn]: unknown[] = reply;
  return {
    leechers: numberIn(leechers),
    seeders: numberIn(seeders),
    completed: numberIn(completed),
    drawn: bytesIn(drawn),
  };
}

/** What became of a batch, in a reply. @throws Error for a reply of another shape */
export function handoverIn(reply: unknown): SignalHandover {
  const outcome = String(reply);
  if (outcome === 'taken' || outcome === 'full' || outcome === 'gone') return outcome;
  throw new Error('the reply is not that of a handover');
}

/** The same as a scrape has it; undefined where nobody is. */
export function countsIn(reply: unknown): ScrapeCounts | undefined {
  const { leechers, partialSeeds, seeders, completed } = swarmIn(reply);
  if (leechers + seeders === 0) return undefined;
  return { complete: seeders, incomplete: leechers, downloaded: completed, downloaders: leechers - partialSeeds };
}

function bytesIn(value: unknown): Uint8Array {
  if (!(value instanceof Uint8Array)) throw new Error('the reply has no bytes where they belong');
  return value;
}

function numberIn(value: unknown): number {
  if (typeof value !== 'number') throw new Error('the reply has no number where one belongs');
  return value;
}
