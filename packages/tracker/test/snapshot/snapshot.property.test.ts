import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { MemoryStore, PeerSample, type StoreAnnounce } from '@shoal/tracker';
import { mulberry32 } from '../random.ts';

const step = fc.record({
  torrent: fc.nat(2),
  host: fc.nat(6),
  port: fc.constantFrom(1, 65_535),
  ipv6: fc.boolean(),
  role: fc.constantFrom('seed', 'leecher', 'partial'),
  listing: fc.constantFrom('public', 'public', 'private'),
  leaving: fc.integer({ min: 0, max: 4 }).map((dice) => dice === 0),
  pause: fc.nat(3),
  expire: fc.integer({ min: 0, max: 9 }).map((dice) => dice === 0),
  /** Bytes of the next slice; 0 for none. */
  slice: fc.constantFrom(0, 0, 128, 200, 1000),
});
type Step = typeof step extends fc.Arbitrary<infer Value> ? Value : never;

const lifetime = 1_000_000;

/** What a step says of its peer; strangers may have any port. */
type Announcer = Pick<Step, 'torrent' | 'host' | 'ipv6' | 'role' | 'listing' | 'leaving'> & { readonly port: number };

function announceOf({ torrent, host, port, ipv6, role, listing, leaving }: Announcer): StoreAnnounce {
  const address = new Uint8Array(ipv6 ? 16 : 4).fill(7);
  address[address.length - 1] = host;
  return {
    infoHash: new Uint8Array(20).fill(torrent),
    address,
    port,
    peerId: new Uint8Array(20).fill(host).fill(port, 10),
    // Half of them are one participant over both families.
    key: host < 4 ? 77 : 0,
    formerly: undefined,
    seeding: role === 'seed',
    partial: role === 'partial',
    leaving,
    listing,
    want: 200,
    families: 'both',
    withPeerIds: true,
    since: undefined,
  };
}

/** Everybody in a torrent with what is known of each, as an outsider with a private address is given them. */
function membersOf(store: MemoryStore, torrent: number): string[] {
  const sample = new PeerSample(200);
  const stranger: Announcer = {
    torrent,
    host: 99,
    port: 9,
    ipv6: false,
    role: 'leecher',
    listing: 'private',
    leaving: false,
  };
  store.announce(announceOf(stranger), sample, 1e9);
  const names = [sample.ipv4, sample.ipv6].flatMap(({ count, stride, records, peerIds }) =>
    Array.from({ length: count }, (_, index) =>
      [
        records.subarray(index * stride, (index + 1) * stride).join('.'),
        peerIds.subarray(index * 20, (index + 1) * 20).join('.'),
      ].join(' '),
    ),
  );
  store.announce(announceOf({ ...stranger, leaving: true }), sample, 1e9);
  return names.toSorted();
}

/** Peers in the order in which they expire. */
function expiriesOf(store: MemoryStore, until: number): [second: number, ...counts: unknown[]][] {
  const seen: [number, ...unknown[]][] = [];
  for (let second = 0; second <= until; second++) {
    while (store.expire(second * 1000, 100) > 0);
    seen.push([second, ...[0, 1, 2].map((torrent) => store.counts(new Uint8Array(20).fill(torrent)))]);
  }
  return seen;
}

describe('what a walk over a store wrote', () => {
  test.each([true, false])(
    'gives the same swarms, whatever happened between its slices; ids kept: %s',
    (keepPeerIds) => {
      fc.assert(
        fc.property(
          fc.array(step, { minLength: 50, maxLength: 200 }),
          fc.integer(),
          fc.nat(49),
          (steps, seed, begin) => {
            const store = new MemoryStore({ random: mulberry32(seed), keepPeerIds });
            const copy = new MemoryStore({ random: mulberry32(seed + 1), keepPeerIds });
            const sample = new PeerSample(200);
            let cursor: ReturnType<MemoryStore['walk']> | undefined;
            let now = 0;
            const copySlice = (bytes: number): number => {
              const slice = new Uint8Array(bytes);
              const length = cursor?.write(slice, now) ?? 0;
              expect(copy.restore(slice.subarray(0, length), 0, lifetime, now)).toMatchObject({
                whole: true,
                unlisted: 0,
              });
              return length;
            };
            for (const [index, taken] of steps.entries()) {
              if (index === begin) cursor = store.walk();
              now += taken.pause * 1000;
              store.announce(announceOf(taken), sample, now);
              if (taken.expire) while (store.expire(now - 5000, 2) > 0);
              if (taken.slice > 0) copySlice(taken.slice);
            }
            while (copySlice(128) > 0);
            cursor?.end();
            for (const torrent of [0, 1, 2]) {
              const infoHash = new Uint8Array(20).fill(torrent);
              expect(copy.counts(infoHash)).toEqual(store.counts(infoHash));
              expect(membersOf(copy, torrent)).toEqual(membersOf(store, torrent));
            }
            expect(copy.totals).toEqual(store.totals);
            // Who was counted is not counted again, and partners stay partners.
            for (const taken of steps.slice(-20)) {
              const peer = { ...announceOf(taken), leaving: false, key: 0 };
              for (const role of [false, true]) {
                const outcomes = [store, copy].map((one) =>
                  one.announce({ ...peer, seeding: role, partial: false }, sample, now),
                );
                expect(outcomes[1]).toBe(outcomes[0]);
              }
            }
            expect(expiriesOf(copy, now / 1000)).toEqual(expiriesOf(store, now / 1000));
          },
        ),
        { numRuns: 60 },
      );
    },
  );

  test('is read up to where it is damaged, and nothing in it is an error', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => {
        const store = new MemoryStore({ random: mulberry32(1) });
        const { restored, unlisted } = store.restore(bytes, 0, 1e12, 1e9);
        expect(restored + unlisted).toBeLessThanOrEqual(bytes.length / 30);
        const { ipv4Peers, ipv6Peers } = store.totals;
        expect(ipv4Peers + ipv6Peers).toBeLessThanOrEqual(restored);
        while (store.expire(2e9, 100) > 0);
        expect(store.totals).toMatchObject({ torrents: 0, ipv4Peers: 0, ipv6Peers: 0, seeders: 0, leechers: 0 });
      }),
    );
  });
});

describe('a restored store', () => {
  const one = announceOf({ torrent: 1, host: 1, port: 1, ipv6: false, role: 'seed', listing: 'public' } as Step);
  const saved = (at: number): Uint8Array => {
    const store = new MemoryStore({ random: mulberry32(1) });
    store.announce({ ...one, leaving: false }, new PeerSample(1), at);
    const slice = new Uint8Array(1000);
    return slice.subarray(0, store.walk().write(slice, 60_000));
  };

  test('leaves out who was silent for too long, the time between both stores included', () => {
    const store = new MemoryStore({ random: mulberry32(2) });
    expect(store.restore(saved(20_000), 59_000, 100_000, 1e9)).toMatchObject({ restored: 1, expired: 0 });
    const late = new MemoryStore({ random: mulberry32(2) });
    expect(late.restore(saved(20_000), 61_000, 100_000, 1e9)).toMatchObject({ restored: 0, expired: 1 });
    expect(late.totals.torrents).toBe(0);
  });

  test('lets who stays silent expire when the first store would have', () => {
    const store = new MemoryStore({ random: mulberry32(2) });
    store.restore(saved(20_000), 10_000, 100_000, 1e9);
    expect(store.oldest).toBe(1e9 - 50_000);
  });

  test('takes no more than it has room for', () => {
    const store = new MemoryStore({ random: mulberry32(2), maxPeers: 1 });
    store.announce({ ...one, port: 2, infoHash: new Uint8Array(20), leaving: false }, new PeerSample(1), 1e9);
    expect(store.restore(saved(60_000), 0, 100_000, 1e9)).toMatchObject({ restored: 0, unlisted: 1 });
    expect(store.totals).toMatchObject({ torrents: 1, ipv4Peers: 1 });
  });

  test('hears again of a peer that changes within the second in which it was met last', () => {
    const [store, copy] = [1, 2].map((seed) => new MemoryStore({ random: mulberry32(seed) })) as [
      MemoryStore,
      MemoryStore,
    ];
    const sample = new PeerSample(1);
    const walk = store.walk();
    const slice = new Uint8Array(128);
    for (const seeding of [false, true]) {
      store.announce({ ...one, seeding, leaving: false }, sample, 5000);
      copy.restore(slice.subarray(0, walk.write(slice, 5000)), 0, 1e6, 5000);
    }
    expect(copy.counts(one.infoHash)).toEqual({ complete: 1, incomplete: 0, downloaded: 1, downloaders: 0 });
  });

  test('is walked over by one at a time', () => {
    const store = new MemoryStore({ random: mulberry32(2) });
    store.announce({ ...one, leaving: false }, new PeerSample(1), 0);
    const [first, second] = [store.walk(), store.walk()];
    first.end();
    const slice = new Uint8Array(128);
    expect(first.write(slice, 0)).toBe(0);
    expect(second.write(slice, 0)).toBeGreaterThan(0);
  });
});
