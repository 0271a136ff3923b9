// The store in Redis against the one in memory, which has a test of its own: whatever is announced and however much time
// passes, both say the same.
import { MemoryStore, PeerSample, type StoreAnnounce } from '@shoal/tracker';
import { seededRandom } from '@shoal/tracker/testing';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { RedisStore } from '../src/index.ts';
import { type RedisServer, serverProgram, startRedis } from '../src/testing/redis-servers.ts';
import { announceTo, emptied, peerOf } from './support.ts';

const lifetimeMs = 60_000;

/** One announce of one of a few participants, after a while. */
const turn = fc.record({
  participant: fc.nat({ max: 5 }),
  ipv6: fc.boolean(),
  /** Who is at that address now: the participant, another one with a key of its own, or somebody without one. */
  who: fc.constantFrom('self', 'self', 'other', 'keyless'),
  role: fc.constantFrom('leecher', 'partial', 'seed'),
  leaving: fc.boolean(),
  seconds: fc.constantFrom(0, 0, 1, 10, 35),
  families: fc.constantFrom('own', 'both'),
});
type Turn = typeof turn extends fc.Arbitrary<infer Value> ? Value : never;

/** Every participant has one address in each family; one has no key, two are on the private list. */
function announceOf({ participant, ipv6, who, role, leaving, families }: Turn): StoreAnnounce {
  const address = ipv6 ? new Uint8Array(16).fill(participant + 0x20) : Uint8Array.of(10, 0, 0, participant);
  return peerOf({
    address,
    peerId: new Uint8Array(20).fill(idOf(who, participant)),
    key: who === 'keyless' ? 0 : idOf(who, participant),
    withPeerIds: true,
    seeding: role === 'seed',
    partial: role === 'partial',
    leaving: leaving && participant % 2 === 0,
    listing: participant >= 4 ? 'private' : 'public',
    want: 100,
    families,
  });
}

/** The one without a key is the same everywhere. */
function idOf(who: Turn['who'], participant: number): number {
  return { self: participant, other: 100 + participant, keyless: 200 }[who];
}

/**
 * What an answer says, the order of its peers left out. So are the downloads, which memory keeps by list and forgets
 * with the last peer of a list; whether one is counted is the outcome.
 */
function said(outcome: string, sample: PeerSample): object {
  const { seeders, leechers, partialSeeds, ipv4, ipv6 } = sample;
  const peers = [ipv4, ipv6].flatMap(({ stride, count, records, peerIds }) =>
    Array.from({ length: count }, (_, at) => {
      const record = records.subarray(at * stride, (at + 1) * stride).join('.');
      return `${record} ${peerIds.subarray(at * 20, (at + 1) * 20).join('.')}`;
    }),
  );
  return { outcome, seeders, leechers, partialSeeds, peers: peers.toSorted() };
}

describe.skipIf(serverProgram() === undefined)('needs redis-server or valkey-server: the store in Redis', () => {
  let server: RedisServer;
  beforeAll(async () => void (server = await startRedis()));
  afterAll(() => server[Symbol.asyncDispose]());

  test('says what the store in memory says', async () => {
    let now = 1_800_000_000_000;
    const options = { random: seededRandom(1), peerLifetimeMs: () => lifetimeMs, clock: () => now };
    await using shared = new RedisStore(server.url, options);
    await shared.ready();
    await fc.assert(
      fc.asyncProperty(fc.array(turn, { maxLength: 30 }), async (turns) => {
        await emptied([server]);
        const memory = new MemoryStore({ random: seededRandom(2) });
        for (const one of turns) {
          now += one.seconds * 1000;
          memory.expire(now - lifetimeMs, 1000);
          const [here, there] = [new PeerSample(200), new PeerSample(200)];
          const inMemory = said(memory.announce(announceOf(one), here, now), here);
          expect(said(await announceTo(shared, announceOf(one), there), there)).toEqual(inMemory);
          const { infoHash } = announceOf(one);
          const [counts] = await shared.counts([infoHash]);
          const known = memory.counts(infoHash);
          expect(counts && { ...counts, downloaded: 0 }).toEqual(known && { ...known, downloaded: 0 });
        }
      }),
      { numRuns: 300 },
    );
  });
});
