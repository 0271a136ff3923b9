// How much a whole store holds: a walk over every swarm of every master, a page at a time, so that announces come between.
import type { StoreTotals } from '@shoal/tracker';
import type { Redis } from 'ioredis';
import { swarmIn } from './replies.ts';

/** Keys looked at per round trip: about a millisecond of the store's time. */
const pageKeys = 100;

/** Adds up the swarms below `prefix`; `countsOf` asks for the counts of one. */
export async function swarmTotals(
  masters: readonly Redis[],
  prefix: string,
  countsOf: (key: string) => Promise<unknown>,
): Promise<StoreTotals> {
  const totals = { torrents: 0, seeders: 0, leechers: 0, ipv4Peers: 0, ipv6Peers: 0, ipv4Seeds: 0, ipv6Seeds: 0 };
  const pattern = `${prefix.replaceAll(/[*?[\]\\]/g, String.raw`\$&`)}${'?'.repeat(40)}`;
  for (const master of masters) {
    let cursor = '0';
    do {
      const [next, keys] = await master.scan(cursor, 'MATCH', pattern, 'COUNT', pageKeys);
      for (const reply of await Promise.all(keys.map(countsOf))) add(totals, reply);
      cursor = next;
    } while (cursor !== '0');
  }
  return totals;
}

function add(totals: { -readonly [Key in keyof StoreTotals]: number }, reply: unknown): void {
  const { leechers, seeders, ipv4Peers, ipv6Peers, ipv4Seeds, ipv6Seeds } = swarmIn(reply);
  if (leechers + seeders > 0) totals.torrents++;
  totals.seeders += seeders;
  totals.leechers += leechers;
  totals.ipv4Peers += ipv4Peers;
  totals.ipv6Peers += ipv6Peers;
  totals.ipv4Seeds += ipv4Seeds;
  totals.ipv6Seeds += ipv6Seeds;
}
