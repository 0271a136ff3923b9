import fc from 'fast-check';
import { expect, test } from 'vitest';
import { MemoryStore, PeerSample, type StoreAnnounce } from '@shoal/tracker';
import { mulberry32 } from './random.ts';

/** The store as anyone would write it without caring for memory: a map of maps. */
class ModelStore {
  readonly #torrents = new Map<
    number,
    { peers: Map<string, { seeding: boolean; counted: boolean; seen: number }>; completed: number }
  >();

  announce(torrent: number, peer: string, seeding: boolean, leaving: boolean, second: number): void {
    const entry = this.#torrents.get(torrent) ?? { peers: new Map(), completed: 0 };
    const known = entry.peers.get(peer);
    if (leaving) entry.peers.delete(peer);
    else {
      const counts = known !== undefined && !known.seeding && seeding && !known.counted;
      if (counts) entry.completed++;
      entry.peers.set(peer, { seeding, counted: counts || (known?.counted ?? false), seen: second });
    }
    this.#keep(torrent, entry);
  }

  expire(second: number): void {
    for (const [torrent, entry] of this.#torrents) {
      for (const [peer, { seen }] of entry.peers) if (seen <= second) entry.peers.delete(peer);
      this.#keep(torrent, entry);
    }
  }

  counts(torrent: number): { complete: number; incomplete: number; downloaded: number } | undefined {
    const entry = this.#torrents.get(torrent);
    if (entry === undefined) return undefined;
    const complete = [...entry.peers.values()].filter(({ seeding }) => seeding).length;
    return { complete, incomplete: entry.peers.size - complete, downloaded: entry.completed };
  }

  others(torrent: number, self: string, seeding: boolean): string[] {
    const peers = [...(this.#torrents.get(torrent)?.peers ?? [])];
    return peers.filter(([peer, other]) => peer !== self && !(seeding && other.seeding)).map(([peer]) => peer);
  }

  #keep(torrent: number, entry: { peers: Map<string, unknown> } & object): void {
    if (entry.peers.size === 0) this.#torrents.delete(torrent);
    else this.#torrents.set(torrent, entry as never);
  }
}

const step = fc.record({
  torrent: fc.nat(2),
  host: fc.nat(6),
  port: fc.constantFrom(1, 65_535),
  ipv6: fc.boolean(),
  seeding: fc.boolean(),
  leaving: fc.integer({ min: 0, max: 5 }).map((dice) => dice === 0),
  pause: fc.nat(3),
  expire: fc.integer({ min: 0, max: 9 }).map((dice) => dice === 0),
});

test('a memory store holds what a map of maps would hold, whatever happens in it', () => {
  fc.assert(
    fc.property(fc.array(step, { minLength: 100, maxLength: 400 }), fc.integer(), (steps, seed) => {
      const store = new MemoryStore({ random: mulberry32(seed) });
      const model = new ModelStore();
      const sample = new PeerSample(200);
      let second = 0;
      for (const { torrent, host, port, ipv6, seeding, leaving, pause, expire } of steps) {
        second += pause;
        const peer = announceOf(torrent, host, port, ipv6, seeding, leaving);
        store.announce(peer, sample, second * 1000);
        model.announce(torrent, nameOf(peer), seeding, leaving, second);
        if (!leaving) expect(namesIn(sample)).toEqual(model.others(torrent, nameOf(peer), seeding).toSorted());
        if (expire) {
          while (store.expire((second - 5) * 1000, 2) > 0);
          model.expire(second - 5);
        }
        expect(store.counts(hashOf(torrent))).toEqual(model.counts(torrent));
      }
    }),
    { numRuns: 60 },
  );
});

function announceOf(
  torrent: number,
  host: number,
  port: number,
  ipv6: boolean,
  seeding: boolean,
  leaving: boolean,
): StoreAnnounce {
  const address = new Uint8Array(ipv6 ? 16 : 4).fill(7);
  address[address.length - 1] = host;
  const peerId = new Uint8Array(20).fill(host);
  return {
    infoHash: hashOf(torrent),
    address,
    port,
    peerId,
    seeding,
    leaving,
    want: 200,
    families: 'both',
    withPeerIds: false,
  };
}

function hashOf(torrent: number): Uint8Array {
  return new Uint8Array(20).fill(torrent);
}

function nameOf({ address, port }: StoreAnnounce): string {
  return `${address.join('.')}:${port}`;
}

function namesIn({ ipv4, ipv6 }: PeerSample): string[] {
  return [ipv4, ipv6]
    .flatMap(({ count, stride, records }) =>
      Array.from({ length: count }, (_, index) => {
        const record = records.subarray(index * stride, (index + 1) * stride);
        return `${record.subarray(0, -2).join('.')}:${record.at(-2)! * 256 + record.at(-1)!}`;
      }),
    )
    .toSorted();
}
