// How much a whole store holds: a walk over every swarm of every master, a page at a time, so that announces come between.
import type { StoreTotals } from '@shoal/tracker';
import type { Redis } from 'ioredis';
import { type SwarmCounts, swarmIn } from './replies.ts';

/** Keys looked at per round trip: about a millisecond of the store's time. */
const pageKeys = 100;

/** Adds up the swarms below `prefix`; `countsOf` asks for the counts of one. */
export async function swarmTotals(
  masters: readonly Redis[],
  prefix: string,
  countsOf: (key: string) => Promise<unknown>,
): Promise<StoreTotals> {
  const totals = { torrents: 0, seeders: 0, leechers: 0, ipv4Peers: 0, ipv6Peers: 0, ipv4Seeds: 0, ipv6Seeds: 0 };
  const signalled = { torrents: 0, seeders: 0, leechers: 0 };
  const pattern = `${prefix.replaceAll(/[*?[\]\\]/g, String.raw`\$&`)}${'?'.repeat(40)}`;
  for (const master of masters) {
    let cursor = '0';
    do {
      const [next, keys] = await master.scan(cursor, 'MATCH', pattern, 'COUNT', pageKeys);
      for (const reply of await Promise.all(keys.map(countsOf))) add(totals, signalled, swarmIn(reply));
      cursor = next;
    } while (cursor !== '0');
  }
  return { ...totals, signalled };
}

type Sums<Key extends string> = Record<Key, number>;

function add(
  totals: Sums<Exclude<keyof StoreTotals, 'signalled'>>,
  signalled: Sums<'torrents' | 'seeders' | 'leechers'>,
  swarm: SwarmCounts,
): void {
  const { leechers, seeders, ipv4Peers, ipv6Peers, ipv4Seeds, ipv6Seeds } = swarm;
  if (leechers + seeders > 0) totals.torrents++;
  totals.seeders += seeders;
  totals.leechers += leechers;
  totals.ipv4Peers += ipv4Peers;
  totals.ipv6Peers += ipv6Peers;
  totals.ipv4Seeds += ipv4Seeds;
  totals.ipv6Seeds += ipv6Seeds;
  if (swarm.signalledLeechers + swarm.signalledSeeders > 0) signalled.torrents++;
  signalled.seeders += swarm.signalledSeeders;
  signalled.leechers += swarm.signalledLeechers;
}
