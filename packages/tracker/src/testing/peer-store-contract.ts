// What every peer store must do, as plain named cases that any test framework can run.
// Knows no store: each case makes a fresh one. Failures are thrown as errors that say what was expected.
import { PeerSample, type PeerRecords } from '../peer-sample.ts';
import type { AnnounceOutcome, PeerStore, StoreAnnounce } from '../peer-store.ts';

/** Makes an empty store that draws from `random`. */
export type CreateStore = (random: () => number) => PeerStore;

/** One thing a store must do. */
export interface PeerStoreCase {
  readonly name: string;
  run(create: CreateStore): void;
}

/** The cases, for `test.each` or a loop. */
export const peerStoreContract: readonly PeerStoreCase[] = [
  {
    name: 'an unknown torrent has no counts and takes no memory',
    run(create): void {
      const store = create(seeded(1));
      equal(store.counts(hashOf(1)), undefined, 'counts');
      equal(store.totals, totals({}), 'totals');
      equal(store.oldest, undefined, 'oldest');
    },
  },
  {
    name: 'leechers and seeds are counted apart, over both families',
    run(create): void {
      const store = create(seeded(2));
      tell(store, { host: 1 });
      tell(store, { host: 2, seeding: true });
      const { sample } = tell(store, { host: 3, ipv6: true });
      equal([sample.leechers, sample.seeders, sample.completed], [2, 1, 0], 'counts in the answer');
      equal(store.counts(hashOf(1)), { complete: 1, incomplete: 2, downloaded: 0 }, 'counts');
      equal(store.totals, totals({ torrents: 1, seeders: 1, leechers: 2, ipv4Peers: 2, ipv6Peers: 1 }), 'totals');
    },
  },
  {
    name: 'the announcer is not among its own peers',
    run(create): void {
      const store = create(seeded(3));
      equal(drawn(tell(store, { host: 1 })), [], 'alone');
      equal(drawn(tell(store, { host: 1 })), [], 'alone, a second time');
      tell(store, { host: 2 });
      equal(drawn(tell(store, { host: 1 })), ['4:2:6881'], 'with one other');
    },
  },
  {
    name: 'a peer is its address and port: another peer id replaces, another port adds',
    run(create): void {
      const store = create(seeded(4));
      equal(tell(store, { host: 1, id: 1 }).outcome, 'joined', 'first');
      equal(tell(store, { host: 1, id: 2 }).outcome, 'refreshed', 'new id');
      equal(tell(store, { host: 1, port: 7000 }).outcome, 'joined', 'new port');
      equal(store.totals.leechers, 2, 'leechers');
    },
  },
  {
    name: 'the same address in two torrents is two peers',
    run(create): void {
      const store = create(seeded(5));
      tell(store, { host: 1, torrent: 1 });
      tell(store, { host: 1, torrent: 2 });
      tell(store, { host: 1, torrent: 1, leaving: true });
      equal(store.counts(hashOf(1)), undefined, 'the torrent it left');
      equal(store.counts(hashOf(2)), { complete: 0, incomplete: 1, downloaded: 0 }, 'the other');
    },
  },
  {
    name: 'a goodbye removes the peer, draws nothing and frees an empty torrent',
    run(create): void {
      const store = create(seeded(6));
      tell(store, { host: 1 });
      tell(store, { host: 2, seeding: true });
      const goodbye = tell(store, { host: 1, leaving: true });
      equal([goodbye.outcome, drawn(goodbye)], ['left', []], 'goodbye');
      equal([goodbye.sample.leechers, goodbye.sample.seeders], [0, 1], 'counts after it');
      tell(store, { host: 2, leaving: true });
      equal(store.totals, totals({}), 'totals');
      equal(tell(store, { host: 2, leaving: true }).outcome, 'absent', 'a goodbye from a stranger');
      equal(store.totals, totals({}), 'totals after the stranger');
    },
  },
  {
    name: 'a download is counted when a leecher becomes a seed, once in its stay',
    run(create): void {
      const store = create(seeded(7));
      tell(store, { host: 1 });
      equal(tell(store, { host: 1, seeding: true }).outcome, 'completed', 'first');
      equal(tell(store, { host: 1, seeding: true }).outcome, 'refreshed', 'again');
      tell(store, { host: 1 });
      equal(tell(store, { host: 1, seeding: true }).outcome, 'refreshed', 'after being a leecher again');
      equal(tell(store, { host: 2, seeding: true }).outcome, 'joined', 'a seed that joins');
      equal(store.counts(hashOf(1)), { complete: 2, incomplete: 0, downloaded: 1 }, 'counts');
    },
  },
  {
    name: 'seeds are not drawn for seeds',
    run(create): void {
      const store = create(seeded(8));
      tell(store, { host: 1, seeding: true });
      tell(store, { host: 2, seeding: true });
      tell(store, { host: 3 });
      equal(drawn(tell(store, { host: 1, seeding: true })), ['4:3:6881'], 'for a seed');
      equal(drawn(tell(store, { host: 3 })), ['4:1:6881', '4:2:6881'], 'for a leecher');
    },
  },
  {
    name: 'whoever changes between leecher and seed changes alone',
    run(create): void {
      const store = create(seeded(15));
      for (let host = 1; host <= 5; host++) tell(store, { host, seeding: host > 3 });
      tell(store, { host: 1, seeding: true });
      equal(drawn(tell(store, { host: 1, seeding: true })), ['4:2:6881', '4:3:6881'], 'leechers after 1 finished');
      tell(store, { host: 5 });
      equal(
        drawn(tell(store, { host: 1, seeding: true })),
        ['4:2:6881', '4:3:6881', '4:5:6881'],
        'leechers after 5 began anew',
      );
      tell(store, { host: 2, leaving: true });
      equal(drawn(tell(store, { host: 1, seeding: true })), ['4:3:6881', '4:5:6881'], 'leechers after 2 left');
    },
  },
  {
    name: 'no more peers are drawn than wanted, and none twice',
    run(create): void {
      const store = create(seeded(9));
      for (let host = 1; host <= 100; host++) tell(store, { host, seeding: host % 3 === 0 });
      for (const want of [0, 1, 7, 50, 99, 150]) {
        const peers = drawn(tell(store, { host: 1, want }));
        equal(peers.length, Math.min(want, 99), `peers for ${want}`);
        equal(new Set(peers).size, peers.length, `distinct peers for ${want}`);
      }
    },
  },
  {
    name: 'the own family comes first, the other fills the rest, or is left out',
    run(create): void {
      const store = create(seeded(10));
      for (let host = 1; host <= 5; host++) tell(store, { host });
      for (let host = 1; host <= 5; host++) tell(store, { host, ipv6: true });
      const six = tell(store, { host: 9, ipv6: true, want: 8 }).sample;
      equal([six.ipv6.count, six.ipv4.count], [5, 3], 'for IPv6');
      const four = tell(store, { host: 9, want: 3 }).sample;
      equal([four.ipv4.count, four.ipv6.count], [3, 0], 'for IPv4');
      const own = tell(store, { host: 9, families: 'own' }).sample;
      equal([own.ipv4.count, own.ipv6.count], [5, 0], 'own only');
    },
  },
  {
    name: 'every other peer is equally likely',
    run(create): void {
      const store = create(seeded(11));
      const [hosts, want, rounds] = [40, 8, 6000];
      for (let host = 0; host <= hosts; host++) tell(store, { host, seeding: host % 2 === 1 });
      const tally = new Map<string, number>();
      for (let round = 0; round < rounds; round++) {
        for (const peer of drawn(tell(store, { host: 0, want }))) tally.set(peer, (tally.get(peer) ?? 0) + 1);
      }
      equal(tally.size, hosts, 'peers ever drawn');
      const expected = (rounds * want) / hosts;
      const chiSquare = [...tally.values()].reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
      // 39 degrees of freedom; drawing without repetition scales it by (1 - 8/40). 99.9 % lie below 72.1 × 0.8.
      check(chiSquare < 57.7, `chi-square of the draw is ${chiSquare}`);
    },
  },
  {
    name: 'peers carry their newest peer id, or zeros',
    run(create): void {
      const store = create(seeded(12));
      tell(store, { host: 1, id: 5 });
      tell(store, { host: 1, id: 6 });
      const { ipv4 } = tell(store, { host: 2 }).sample;
      const byte = ipv4.peerIds[0]!;
      check(byte === 6 || byte === 0, `first byte of the peer id is ${byte}`);
      check(
        ipv4.peerIds.subarray(0, 20).every((other) => other === byte),
        'the peer id is whole',
      );
    },
  },
  {
    name: 'silent peers expire, heard ones stay, in slices no larger than asked',
    run(create): void {
      const store = create(seeded(13));
      for (let host = 1; host <= 10; host++) tell(store, { host, ipv6: host % 2 === 0 }, host * 1000);
      tell(store, { host: 1 }, 20_000);
      equal(store.oldest, 2000, 'oldest');
      equal(store.expire(5000, 3), 3, 'first slice');
      equal(store.expire(5000, 3), 1, 'second slice');
      equal(store.expire(5000, 3), 0, 'nothing left');
      equal(store.totals.leechers, 6, 'who stays');
      equal(store.expire(20_000, 100), 6, 'all');
      equal(store.totals, totals({}), 'totals when empty');
      equal(store.oldest, undefined, 'oldest when empty');
    },
  },
  {
    name: 'the buffers it was given may be used again by their owner',
    run(create): void {
      const store = create(seeded(14));
      const infoHash = hashOf(1);
      const address = Uint8Array.of(10, 0, 0, 1);
      const peerId = new Uint8Array(20).fill(1);
      store.announce(announceOf({ infoHash, address, peerId }), new PeerSample(10), 0);
      infoHash.fill(0xff);
      address.fill(0xff);
      peerId.fill(0xff);
      equal(store.counts(hashOf(1))?.incomplete, 1, 'leechers');
      equal(drawn(tell(store, { host: 2 })), ['4:1:6881'], 'drawn');
    },
  },
];

/** What a case tells a store; the rest has defaults. */
interface Told {
  readonly torrent?: number;
  readonly host?: number;
  readonly ipv6?: boolean;
  readonly port?: number;
  readonly id?: number;
  readonly seeding?: boolean;
  readonly leaving?: boolean;
  readonly want?: number;
  readonly families?: 'own' | 'both';
}

interface Answer {
  readonly outcome: AnnounceOutcome;
  readonly sample: PeerSample;
}

function tell(store: PeerStore, told: Told, now = 0): Answer {
  const { torrent = 1, host = 0, ipv6 = false, id = 1, ...rest } = told;
  const address = ipv6 ? new Uint8Array(16) : Uint8Array.of(10, 0, 0, 0);
  if (ipv6) address.set([0x20, 0x01, 0x0d, 0xb8]);
  address[address.length - 1] = host;
  const sample = new PeerSample(200);
  const peer = announceOf({ infoHash: hashOf(torrent), address, peerId: new Uint8Array(20).fill(id), ...rest });
  return { outcome: store.announce(peer, sample, now), sample };
}

function announceOf(
  told: Partial<StoreAnnounce> & Pick<StoreAnnounce, 'infoHash' | 'address' | 'peerId'>,
): StoreAnnounce {
  return { port: 6881, seeding: false, leaving: false, want: 50, families: 'both', withPeerIds: true, ...told };
}

function hashOf(torrent: number): Uint8Array {
  return new Uint8Array(20).fill(torrent);
}

/** Peers of an answer as `family:last address byte:port`, sorted. */
function drawn({ sample }: Answer): string[] {
  return [...listed(4, sample.ipv4), ...listed(6, sample.ipv6)].toSorted();
}

function listed(family: 4 | 6, { count, stride, records }: PeerRecords): string[] {
  return Array.from({ length: count }, (_, index) => {
    const port = (index + 1) * stride - 2;
    return `${family}:${records[port - 1]}:${records[port]! * 256 + records[port + 1]!}`;
  });
}

function totals(some: Partial<PeerStore['totals']>): PeerStore['totals'] {
  return { torrents: 0, seeders: 0, leechers: 0, ipv4Peers: 0, ipv6Peers: 0, ...some };
}

/** Deterministic numbers in [0, 1): mulberry32. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b_79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 0x1_0000_0000;
  };
}

function equal(actual: unknown, expected: unknown, what: string): void {
  const [one, other] = [textOf(actual), textOf(expected)];
  check(one === other, `${what}: expected ${other}, got ${one}`);
}

/** JSON with sorted keys. */
function textOf(value: unknown): string {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return JSON.stringify(value) ?? 'undefined';
  return JSON.stringify(Object.fromEntries(Object.entries(value).toSorted(([one], [other]) => (one < other ? -1 : 1))));
}

function check(condition: boolean, what: string): void {
  if (!condition) throw new Error(what);
}
