import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { ScrapeCounts } from '@shoal/tracker-protocol';
import { MemoryStore, PeerSample, type StoreAnnounce } from '@shoal/tracker';
import { mulberry32 } from './random.ts';

interface ModelPeer {
  readonly participant: string;
  seen: number;
}

/** The store as anyone would write it without caring for memory: maps of maps. */
class ModelStore {
  readonly #torrents = new Map<
    number,
    {
      peers: Map<string, ModelPeer>;
      roles: Map<string, { seeding: boolean; partial: boolean; counted: boolean }>;
      completed: number;
    }
  >();

  announce(torrent: number, name: string, participant: string, peer: StoreAnnounce, second: number): void {
    const entry = this.#torrents.get(torrent) ?? { peers: new Map(), roles: new Map(), completed: 0 };
    const { seeding, partial } = peer;
    if (peer.leaving) entry.peers.delete(name);
    else {
      const role = entry.roles.get(participant);
      const counts = role !== undefined && !role.seeding && seeding && !role.counted;
      if (counts) entry.completed++;
      entry.roles.set(participant, { seeding, partial, counted: counts || (role?.counted ?? false) });
      entry.peers.set(name, { participant, seen: second });
    }
    this.#keep(torrent, entry);
  }

  expire(second: number): void {
    for (const [torrent, entry] of this.#torrents) {
      for (const [peer, { seen }] of entry.peers) if (seen <= second) entry.peers.delete(peer);
      this.#keep(torrent, entry);
    }
  }

  counts(torrent: number): ScrapeCounts | undefined {
    const entry = this.#torrents.get(torrent);
    if (entry === undefined) return undefined;
    const roles = [...entry.roles.values()];
    const complete = roles.filter(({ seeding }) => seeding).length;
    const incomplete = roles.length - complete;
    const downloaders = incomplete - roles.filter(({ partial }) => partial).length;
    return { complete, incomplete, downloaded: entry.completed, downloaders };
  }

  others(torrent: number, participant: string, { seeding, partial }: StoreAnnounce): string[] {
    const entry = this.#torrents.get(torrent);
    return [...(entry?.peers ?? [])]
      .filter(([, other]) => other.participant !== participant)
      .filter(([, other]) => !((seeding || partial) && entry?.roles.get(other.participant)?.seeding))
      .map(([peer]) => peer);
  }

  #keep(torrent: number, entry: { peers: Map<string, ModelPeer>; roles: Map<string, unknown> }): void {
    const alive = new Set([...entry.peers.values()].map(({ participant }) => participant));
    for (const participant of entry.roles.keys()) if (!alive.has(participant)) entry.roles.delete(participant);
    if (entry.peers.size === 0) this.#torrents.delete(torrent);
    else this.#torrents.set(torrent, entry as never);
  }
}

const step = fc.record({
  torrent: fc.nat(2),
  host: fc.oneof(fc.nat(6), fc.nat(60)),
  port: fc.constantFrom(1, 65_535),
  ipv6: fc.boolean(),
  role: fc.constantFrom('seed', 'leecher', 'partial'),
  leaving: fc.integer({ min: 0, max: 5 }).map((dice) => dice === 0),
  pause: fc.nat(3),
  expire: fc.integer({ min: 0, max: 9 }).map((dice) => dice === 0),
});

/** Hosts from this one on have no key. */
const firstWithoutKey = 4;

test.each([true, false])(
  'a memory store holds what maps of maps would hold, whatever happens in it; peer ids kept: %s',
  (keepPeerIds) => {
    fc.assert(
      fc.property(fc.array(step, { minLength: 100, maxLength: 400 }), fc.integer(), (steps, seed) => {
        const store = new MemoryStore({ random: mulberry32(seed), keepPeerIds });
        const model = new ModelStore();
        const sample = new PeerSample(400);
        let second = 0;
        for (const { torrent, host, port, ipv6, role, leaving, pause, expire } of steps) {
          second += pause;
          const peer = announceOf(torrent, host, port, ipv6, role, leaving);
          // Both families of one host and port are one participant.
          const participant = peer.key === 0 ? nameOf(peer) : `${host}:${port}`;
          store.announce(peer, sample, second * 1000);
          model.announce(torrent, nameOf(peer), participant, peer, second);
          if (!leaving) {
            expect(namesIn(sample)).toEqual(model.others(torrent, participant, peer).toSorted());
            expectIds(sample, keepPeerIds);
          }
          if (expire) {
            while (store.expire((second - 5) * 1000, 2) > 0);
            model.expire(second - 5);
          }
          expect(store.counts(hashOf(torrent))).toEqual(model.counts(torrent));
        }
      }),
      { numRuns: 60 },
    );
  },
);

function announceOf(
  torrent: number,
  host: number,
  port: number,
  ipv6: boolean,
  role: 'seed' | 'leecher' | 'partial',
  leaving: boolean,
): StoreAnnounce {
  const address = new Uint8Array(ipv6 ? 16 : 4).fill(7);
  address[address.length - 1] = host;
  return {
    infoHash: hashOf(torrent),
    address,
    port,
    peerId: new Uint8Array(20).fill(host).fill(port, 10),
    key: host < firstWithoutKey ? 77 : 0,
    formerly: undefined,
    seeding: role === 'seed',
    partial: role === 'partial',
    leaving,
    listing: 'public',
    want: 400,
    families: 'both',
    withPeerIds: true,
    since: undefined,
  };
}

function hashOf(torrent: number): Uint8Array {
  return new Uint8Array(20).fill(torrent);
}

function nameOf({ address, port }: StoreAnnounce): string {
  return `${address.join('.')}:${port}`;
}

/** Hosts and ports make the ids. */
function expectIds({ ipv4, ipv6 }: PeerSample, kept: boolean): void {
  for (const { count, stride, records, peerIds } of [ipv4, ipv6]) {
    for (let index = 0; index < count; index++) {
      const [host, port] = [records[(index + 1) * stride - 3]!, records[(index + 1) * stride - 1]!];
      const id = peerIds.subarray(index * 20, (index + 1) * 20);
      expect([id[0], id[19]]).toEqual(kept ? [host, port] : [0, 0]);
    }
  }
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
