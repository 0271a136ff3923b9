// Announces over a store elsewhere: what a client hears when the store answers, fails, hangs, comes back.
import { type RemoteAnswer, type StoreAnnounce, Tracker } from '@shoal/tracker';
import type { AnnounceFailure, AnnounceRequest, ScrapeCounts } from '@shoal/tracker-protocol';
import { isFailure } from '@shoal/tracker-protocol';
import { describe, expect, onTestFinished, test } from 'vitest';
import {
  type RemoteSignalling,
  type RemoteStore,
  SharedService,
  type SharedServiceOptions,
  SharedTotals,
  type SwarmService,
} from '../src/index.ts';
import { mulberry32, someHash, somePeer } from './support.ts';

const request: AnnounceRequest = {
  infoHash: someHash,
  peerId: somePeer,
  port: 6881,
  uploaded: 0,
  downloaded: 0,
  left: 1,
  event: 'none',
};
const address = Uint8Array.of(192, 0, 2, 1);
const someAnswer: RemoteAnswer = {
  outcome: 'joined',
  seeders: 3,
  leechers: 2,
  partialSeeds: 1,
  completed: 9,
  signalled: 2,
  mark: 0,
  ipv4: Uint8Array.of(10, 0, 0, 1, 0x1a, 0xe1, 10, 0, 0, 2, 0x1a, 0xe1),
  ipv6: new Uint8Array(18).fill(7),
  ipv4Ids: new Uint8Array(40).fill(8),
  ipv6Ids: new Uint8Array(0),
};
const noTotals = { torrents: 0, seeders: 0, leechers: 0, ipv4Peers: 0, ipv6Peers: 0, ipv4Seeds: 0, ipv6Seeds: 0 };

/** A store whose every answer is given by the test. */
class StoreByHand implements RemoteStore {
  readonly asked: PromiseWithResolvers<RemoteAnswer>[] = [];
  readonly peers: StoreAnnounce[] = [];
  totalsAsked = 0;
  readonly signalling: RemoteSignalling = {
    announce: () => Promise.reject(new Error('nobody signals here')),
    hand: () => Promise.reject(new Error('nobody signals here')),
    listen: () => ({ [Symbol.dispose]: () => {} }),
  };

  announce(peer: StoreAnnounce): Promise<RemoteAnswer> {
    const answer = Promise.withResolvers<RemoteAnswer>();
    this.asked.push(answer);
    this.peers.push(peer);
    return answer.promise;
  }

  async counts(infoHashes: readonly Uint8Array[]): Promise<(ScrapeCounts | undefined)[]> {
    return infoHashes.map(() => ({ complete: 1, incomplete: 2, downloaded: 3, downloaders: 1 }));
  }

  async totals(): Promise<typeof noTotals> {
    this.totalsAsked++;
    return { ...noTotals, torrents: 5 };
  }
}

interface Bench {
  readonly store: StoreByHand;
  readonly tracker: Tracker;
  readonly service: SharedService;
  /** The clock of the service, in ms. */
  now: number;
}

interface Rules {
  readonly allow?: (infoHash: string) => boolean;
}

function benchOf(options: SharedServiceOptions = {}, rules: Rules = {}): Bench {
  const store = new StoreByHand();
  const tracker = new Tracker({ random: mulberry32(1), store: new SharedTotals(), ...rules });
  const service = new SharedService(tracker, store, { clock: () => bench.now, random: () => 0.5, ...options });
  onTestFinished(() => service[Symbol.dispose]());
  const bench: Bench = { store, tracker, service, now: 0 };
  return bench;
}

type Told =
  | AnnounceFailure
  | { interval: number; counts: readonly number[]; ipv4: number[]; ipv6: number[]; ids: number[] };

/** What `done` is called with, spelled out while it is valid. */
function announced(service: SwarmService, asked: AnnounceRequest = request): Promise<Told> {
  return new Promise((resolve) => {
    service.announce(asked, address, { families: 'both', withPeerIds: false }, 0, (reply) => {
      if (isFailure(reply)) return resolve(reply);
      const { sample, interval } = reply;
      const counts = [sample.seeders, sample.leechers, sample.partialSeeds, sample.completed];
      resolve({
        interval,
        counts,
        ipv4: [...sample.ipv4.packed()],
        ipv6: [...sample.ipv6.packed()],
        ids: [sample.ipv4.peerIds[39]!, sample.ipv6.peerIds[0]!],
      });
    });
  });
}

const goodWords = 'the tracker cannot reach its list of peers, try again in a few minutes';
const away = { failureReason: goodWords, retryIn: 2, interval: 120 };

describe('a service over a shared store', () => {
  test('answers with what the store says', async () => {
    const { service, store, tracker } = benchOf();
    const reply = announced(service);
    store.asked[0]!.resolve(someAnswer);
    expect(await reply).toEqual({
      interval: 1800,
      counts: [3, 2, 1, 9],
      ipv4: [...someAnswer.ipv4],
      ipv6: [...someAnswer.ipv6],
      ids: [8, 0],
    });
    expect(tracker.counts).toMatchObject({ announces: 1, refused: 0 });
  });

  test('refuses by policy without asking the store', async () => {
    const { service, store } = benchOf({}, { allow: () => false });
    expect(await announced(service)).toMatchObject({ failureReason: 'this tracker does not serve this torrent' });
    expect(store.asked).toHaveLength(0);
  });

  test('scrapes what is served, in order', async () => {
    const { service } = benchOf({}, { allow: (infoHash) => infoHash.startsWith('01') });
    const counts = await new Promise((resolve) => {
      service.scrape([Uint8Array.from(somePeer), someHash, someHash], 0, resolve);
    });
    const entry = { complete: 1, incomplete: 2, downloaded: 3, downloaders: 1 };
    expect(counts).toEqual([undefined, entry, entry]);
  });

  test('tells who asks for it how many others can be dialled: WebTorrent peers cannot', async () => {
    const { service, store } = benchOf();
    const told = new Promise((resolve) => {
      const wanted = { families: 'both', withPeerIds: false } as const;
      service.announce({ ...request, last: 0 }, address, wanted, 0, (reply) => resolve(reply));
    });
    store.asked[0]!.resolve(someAnswer);
    expect(await told).toMatchObject({ numPeers: 2 });
  });

  test('tells clients when to come back, in minutes and in seconds, when the store fails', async () => {
    const { service, store, tracker } = benchOf();
    const reply = announced(service);
    store.asked[0]!.reject(new Error('connection lost'));
    expect(await reply).toEqual(away);
    expect(tracker.counts.refusals).toEqual({ 'store-unavailable': 1 });
  });

  test('tells them within its time when the store says nothing, and takes no answer after that', async () => {
    const { service, store } = benchOf({ timeoutMs: 20 });
    let calls = 0;
    const began = performance.now();
    await new Promise<void>((resolve) => {
      service.announce(request, address, { families: 'both', withPeerIds: false }, 0, (reply) => {
        calls++;
        expect(reply).toEqual(away);
        resolve();
      });
    });
    expect(performance.now() - began).toBeLessThan(1000);
    store.asked[0]!.resolve(someAnswer);
    await store.asked[0]!.promise;
    expect(calls).toBe(1);
    expect(service.waiting).toBe(0);
  });

  test('lets no more wait than it may', async () => {
    const { service, store } = benchOf({ maxWaiting: 2 });
    const replies = [announced(service), announced(service)];
    expect(await announced(service)).toEqual(away);
    expect(store.asked).toHaveLength(2);
    for (const { resolve } of store.asked) resolve(someAnswer);
    await Promise.all(replies);
    const next = announced(service);
    store.asked[2]!.resolve(someAnswer);
    expect(await next).toMatchObject({ interval: 1800 });
  });

  test('stops asking a store that is away, looks after it now and then, and goes on when it is back', async () => {
    const heard: boolean[] = [];
    const bench = benchOf({ onAvailability: (available) => heard.push(available) });
    const { service, store } = bench;
    const failing = Array.from({ length: 32 }, () => announced(service));
    for (const { reject } of store.asked) reject(new Error('connection refused'));
    await Promise.all(failing);
    expect([service.available, heard]).toEqual([false, [false]]);

    expect(await announced(service)).toEqual(away);
    expect(store.asked).toHaveLength(32);

    bench.now += 1000;
    const probe = announced(service);
    expect(store.asked).toHaveLength(33);
    expect(await announced(service)).toEqual(away);
    expect(store.asked).toHaveLength(33);
    store.asked[32]!.resolve(someAnswer);
    expect(await probe).toMatchObject({ interval: 1800 });
    expect([service.available, heard]).toEqual([true, [false, true]]);
  });

  test('keeps asking where only a part of the store is away', async () => {
    const { service, store } = benchOf();
    for (let round = 0; round < 100; round++) {
      const replies = [announced(service), announced(service), announced(service)];
      const [one, two, three] = store.asked.splice(0);
      one!.reject(new Error('connection refused'));
      two!.resolve(someAnswer);
      three!.resolve(someAnswer);
      await Promise.all(replies);
    }
    expect(service.available).toBe(true);
  });

  test('copies what it needs of a request whose buffer is used again', async () => {
    const { service, store } = benchOf();
    const infoHash = someHash.slice();
    const reply = announced(service, { ...request, infoHash });
    infoHash.fill(0);
    expect(store.peers[0]!.infoHash).toEqual(someHash);
    store.asked[0]!.resolve(someAnswer);
    await reply;
  });

  test('sends away whoever waits when it ends', async () => {
    const { service } = benchOf();
    const reply = announced(service);
    service[Symbol.dispose]();
    expect(await reply).toEqual(away);
  });

  test('shows the totals of the whole store', async () => {
    const { store } = benchOf();
    const totals = new SharedTotals();
    const tracker = new Tracker({ random: mulberry32(1), store: totals });
    using _following = totals.follow(store);
    await store.totals();
    await expect.poll(() => tracker.counts.torrents).toBe(5);
  });

  test.each([{ timeoutMs: 0 }, { timeoutMs: 100_000 }, { maxWaiting: 0 }, { retryInMinutes: 0 }])(
    'takes no %o',
    (options) => {
      expect(() => benchOf(options)).toThrow(RangeError);
    },
  );
});
