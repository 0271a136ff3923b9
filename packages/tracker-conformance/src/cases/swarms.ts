// What happens in a swarm, over whatever transport: counts, events, lists. BEP 3, 15.
import type { CaseContext } from '../case-context.ts';
import {
  type ConformanceCase,
  type Verdict,
  differs,
  fail,
  notApplicable,
  overBoth,
  overHttp,
  pass,
  passIf,
  worst,
} from '../conformance-case.ts';
import { ConformanceError } from '../errors.ts';
import type { SwarmAnnounce, SwarmReading } from '../swarm-reading.ts';
import { parameters } from './http-hashes.ts';

/** What IPv4-mapped addresses begin with (RFC 4291). */
const mappedPrefix = Buffer.from('00000000000000000000ffff', 'hex');

/** 2^63 − 1, what magnet clients say while they do not know. */
const hugeLeft = 0x7fff_ffff_ffff_ffffn;

export const swarmCases: readonly ConformanceCase[] = [
  {
    number: 13,
    title: 'a missing or huge left is that of a leecher',
    transports: overBoth,
    run: async (context) => {
      await taken(context, 0, { left: hugeLeft });
      if (context.target.transport !== 'udp')
        await context.http.announce({ ...parameters(context, 1), left: undefined });
      const { complete } = await taken(context, 2);
      return passIf(complete === 0, `${complete} seeders`);
    },
  },
  {
    number: 14,
    title: 'a negative left is refused or that of a leecher',
    transports: overBoth,
    run: async (context) => {
      const { failure } = await context.announce(0, { left: -1n });
      const { complete } = await taken(context, 1);
      return passIf(complete === 0, failure === undefined ? `${complete} seeders` : `refused: ${failure}`);
    },
  },
  {
    number: 15,
    title: 'negative or shrinking counters are taken',
    transports: overBoth,
    run: async (context) => {
      await taken(context, 0, { uploaded: 5000n, downloaded: 5000n });
      await taken(context, 0, { uploaded: 10n, downloaded: 10n });
      await taken(context, 0, { uploaded: -5n, downloaded: -5n });
      return pass('taken');
    },
  },
  {
    number: 16,
    title: 'numwant: missing and negative mean the default, 0 none, a huge one the limit',
    transports: overBoth,
    run: async (context) => {
      await Promise.all([0, 1, 2].map((peer) => taken(context, peer)));
      const [silent, negative, huge] = await Promise.all([
        taken(context, 3),
        taken(context, 4, { numWant: -1 }),
        taken(context, 5, { numWant: 2_000_000_000 }),
      ]);
      const least = Math.min(silent.peers.length, negative.peers.length, huge.peers.length);
      if (least < 3)
        return fail(
          `peers given: missing ${silent.peers.length}, -1 ${negative.peers.length}, huge ${huge.peers.length}`,
        );
      const none = await taken(context, 0, { numWant: 0 });
      if (none.interval === undefined || none.complete === undefined) return fail('numwant=0 leaves counts out');
      return none.peers.length === 0 ? pass('as it should be') : differs(`numwant=0 gives ${none.peers.length} peers`);
    },
  },
  {
    number: 18,
    title: 'completed with something left is no completion, and a repeated one counts once',
    transports: overBoth,
    run: async (context) => {
      await taken(context, 0, { event: 'started' });
      await taken(context, 0, { event: 'completed', left: 500n });
      const early = await downloaded(context);
      if (typeof early === 'string') return notApplicable(`no scrape: ${early}`);
      await taken(context, 0, { event: 'completed', left: 0n });
      await taken(context, 0, { event: 'completed', left: 0n });
      const late = await downloaded(context);
      return passIf(
        early === 0 && late === 1,
        `downloaded: ${early} with something left, ${late} after two completions`,
      );
    },
  },
  {
    number: 19,
    title: 'completed without a started before is taken',
    transports: overBoth,
    run: async (context) => {
      await taken(context, 0, { event: 'completed', left: 0n });
      const { complete, ports } = await taken(context, 1);
      return passIf(complete === 1 && ports.includes(context.peer(0).port), `${complete} seeders`);
    },
  },
  {
    number: 20,
    title: 'stopped of an unknown peer is taken',
    transports: overBoth,
    run: async (context) => {
      await taken(context, 0, { event: 'stopped' });
      return pass('taken');
    },
  },
  {
    number: 21,
    title: 'the answer to stopped has counts and interval but no peers, and who stopped is gone',
    transports: overBoth,
    run: async (context) => {
      await taken(context, 0);
      await taken(context, 1);
      const { peers, interval, complete, incomplete } = await taken(context, 1, { event: 'stopped' });
      const after = await taken(context, 2);
      if (after.ports.includes(context.peer(1).port)) return fail('it is still listed');
      if (interval === undefined || complete === undefined || incomplete === undefined)
        return differs('counts or interval are missing');
      return peers.length === 0 ? pass('as it should be') : differs(`${peers.length} peers are given to who leaves`);
    },
  },
  {
    number: 22,
    title: 'a peer that announces twice within a second is one peer, and neither is refused',
    transports: overBoth,
    run: async (context) => {
      await Promise.all([taken(context, 0, { event: 'started' }), taken(context, 0, { event: 'started' })]);
      await taken(context, 0, { event: 'completed', left: 0n });
      const { complete, incomplete, peers } = await taken(context, 1);
      return passIf(
        complete === 1 && incomplete === 1 && peers.length <= 2,
        `${complete} seeders, ${incomplete} leechers`,
      );
    },
  },
  {
    number: 24,
    title: 'peers are listed in their own family, IPv4-mapped IPv6 as IPv4',
    transports: overBoth,
    run: async (context) => {
      await taken(context, 0);
      const { peers } = await taken(context, 1);
      const own = peers.find((peer) => peer.endsWith(`:${context.peer(0).port}`));
      if (own === undefined) return fail('the other peer is not listed');
      if (own.split(':').length > 2 !== (context.target.family === 6)) return fail(own);
      if (context.target.transport === 'udp') return pass(own);
      const six = (await context.http.announce(parameters(context, 1))).dictionary.get('peers6');
      const mapped = six instanceof Uint8Array && Buffer.from(six).includes(mappedPrefix);
      return passIf(!mapped, mapped ? 'an IPv4-mapped address in peers6' : own);
    },
  },
  {
    number: 26,
    title: 'announcers with private or loopback addresses are listed as they are, or refused',
    transports: overBoth,
    run: async (context) => {
      const { failure } = await context.announce(0);
      if (failure !== undefined) return pass(`refused: ${failure}`);
      const { ports, peers } = await taken(context, 1);
      if (!ports.includes(context.peer(0).port)) return pass('not listed');
      const [address] = peers;
      if (context.target.ip !== '127.0.0.1') return pass(`listed as ${address}`);
      return address?.startsWith('127.0.0.1:') ? pass(`listed as ${address}`) : differs(`listed as ${address}`);
    },
  },
  {
    number: 28,
    title: 'peers is always there, peers6 only when it holds something',
    transports: overHttp,
    run: async (context) => {
      const { dictionary, failure } = await context.http.announce(parameters(context, 0));
      if (failure !== undefined) return fail(`refused: ${failure}`);
      const six = dictionary.get('peers6');
      if (!dictionary.has('peers')) return fail('an empty list is left out');
      return six instanceof Uint8Array && six.length === 0 ? differs('peers6 is empty') : pass('as it should be');
    },
  },
  {
    number: 41,
    title: 'a hybrid torrent announced under two info-hashes is two swarms',
    transports: overBoth,
    run: async (context) => {
      const [first, second] = context.infoHashes;
      await taken(context, 0, { infoHash: first! });
      await taken(context, 0, { infoHash: second! });
      const seen = await Promise.all([
        taken(context, 1, { infoHash: first! }),
        taken(context, 1, { infoHash: second! }),
      ]);
      return passIf(
        seen.every(({ incomplete, ports }) => incomplete === 2 && ports.includes(context.peer(0).port)),
        seen.map(({ incomplete }) => `${incomplete} leechers`).join(', '),
      );
    },
  },
  {
    number: 80,
    title: 'nobody is given its own address',
    transports: overBoth,
    run: async (context) => {
      await taken(context, 0);
      await taken(context, 1);
      const { ports } = await taken(context, 0);
      return ports.includes(context.peer(0).port) ? differs('the announcer is in its own list') : pass('not listed');
    },
  },
  {
    number: 81,
    title: 'seeds are not given to seeds',
    transports: overBoth,
    run: async (context) => {
      await taken(context, 0, { left: 0n });
      await taken(context, 1);
      const { ports } = await taken(context, 2, { left: 0n });
      if (!ports.includes(context.peer(1).port)) return fail('a seed is not given the leecher');
      return ports.includes(context.peer(0).port) ? differs('a seed is given a seed') : pass('only leechers');
    },
  },
  {
    number: 82,
    title: 'a tracker reads counters of 64 bits',
    transports: overBoth,
    run: async (context) => {
      const big = 0x7fff_ffff_ffff_ffffn;
      const verdicts: Verdict[] = [];
      for (const [index, left] of [0x1_0000_0000n, 0x8000_0000n].entries()) {
        const infoHash = context.infoHashes[index]!;
        await taken(context, 0, { infoHash, left, uploaded: big, downloaded: big });
        const { complete } = await taken(context, 1, { infoHash });
        verdicts.push(passIf(complete === 0, `left ${left}: ${complete} seeders`));
      }
      return worst(verdicts);
    },
  },
];

/** An announce that must be taken. @throws ConformanceError when it is refused */
async function taken(context: CaseContext, peer: number, announce: Partial<SwarmAnnounce> = {}): Promise<SwarmReading> {
  const found = await context.announce(peer, announce);
  if (found.failure === undefined) return found;
  throw new ConformanceError('refused', `refused: ${found.failure}`);
}

async function downloaded(context: CaseContext): Promise<number | string> {
  const counts = await context.scrape([context.infoHash]);
  if (typeof counts === 'string') return counts;
  return counts[0]?.downloaded ?? 0;
}
