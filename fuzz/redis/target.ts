// The store in Redis against the one in memory, which has a target of its own: whatever is announced, both say the same.
// Needs a server program on this machine.
import { MemoryStore, PeerSample, type RemoteAnswer, type StoreAnnounce } from '@shoal/tracker';
import { RedisStore } from '@shoal/tracker-redis';
import { type RedisServer, serverProgram, startRedis } from '@shoal/tracker-redis/testing';
import { hex } from '../model.ts';
import { type PairInput, type PairSettings, announceOf, pairInputs, pairSettings, torrents } from '../pairs/inputs.ts';
import { Dice } from '../random.ts';
import { type Scene, type Target, expectEqual } from '../target.ts';

export const redisTarget: Target<PairSettings, PairInput> = {
  name: 'redis',
  episode: 500,
  missing: () => (serverProgram() === undefined ? 'redis-server or valkey-server' : undefined),
  settings: (dice) => ({ ...pairSettings(dice), ...same }),
  inputs: (settings, dice) => {
    const source = pairInputs(settings, dice);
    return () => comparable(source());
  },
  open: (settings) => RedisScene.open(settings),
};

/**
 * What both stores have: one in Redis keeps all ids, is as large as its server lets it be, and counts who is silent but not
 * swept out among the ports of an address.
 */
const same = { keepPeerIds: true, maxPeers: 1000, maxPeersPerAddress: 256, lifetimeMs: 60_000 } as const;

/** Unix time in ms, as a server tells it, when a campaign begins. */
const epochMs = 1_800_000_000_000;

class RedisScene implements Scene<PairInput> {
  readonly seen: Record<string, number> = {};
  readonly #settings: PairSettings;
  readonly #server: RedisServer;
  readonly #shared: RedisStore;
  readonly #memory: MemoryStore;
  readonly #sample = new PeerSample(200);
  #now = epochMs;

  private constructor(settings: PairSettings, server: RedisServer) {
    this.#settings = settings;
    this.#server = server;
    const { seed, maxPeersPerAddress, lifetimeMs } = settings;
    this.#shared = new RedisStore(server.url, {
      random: new Dice(seed).uniform,
      clock: () => this.#now,
      peerLifetimeMs: () => lifetimeMs,
      maxPeersPerAddress,
    });
    this.#memory = new MemoryStore({ random: new Dice(seed).uniform, maxPeersPerAddress });
  }

  static async open(settings: PairSettings): Promise<RedisScene> {
    const scene = new RedisScene(settings, await startRedis());
    await scene.#shared.ready();
    return scene;
  }

  async feed(input: PairInput): Promise<void> {
    this.#now = epochMs + input.at;
    // In Redis whoever is silent for so long does not count, whether or not somebody has looked.
    this.#memory.expire(this.#now - this.#settings.lifetimeMs, Infinity);
    if (input.type === 'expire') return;
    const peer = announceOf(input);
    const outcome = this.#memory.announce(peer, this.#sample, this.#now);
    const answer = await this.#shared.announce(peer);
    expectEqual('outcome', answer.outcome, outcome);
    for (const name of ['seeders', 'leechers', 'partialSeeds'] as const)
      expectEqual(name, answer[name], this.#sample[name]);
    this.#judgePeers(peer, answer);
    this.seen[outcome] = (this.seen[outcome] ?? 0) + 1;
  }

  async inspect(): Promise<void> {
    this.#memory.expire(this.#now - this.#settings.lifetimeMs, Infinity);
    const found = await this.#shared.counts(torrents);
    for (const [index, infoHash] of torrents.entries()) {
      const known = this.#memory.counts(infoHash);
      // Downloads are kept by list in memory, and go with the last one of a list.
      for (const name of ['complete', 'incomplete', 'downloaders'] as const)
        expectEqual(`torrent ${index}: ${name}`, found[index]?.[name], known?.[name]);
    }
  }

  async close(): Promise<void> {
    await this.#shared[Symbol.asyncDispose]();
    await this.#server[Symbol.asyncDispose]();
  }

  /** The same peers where all are given, as many where some are. */
  #judgePeers({ want }: StoreAnnounce, { ipv4, ipv6, ipv4Ids, ipv6Ids }: RemoteAnswer): void {
    for (const [here, records, ids] of [
      [this.#sample.ipv4, ipv4, ipv4Ids],
      [this.#sample.ipv6, ipv6, ipv6Ids],
    ] as const) {
      const { count, stride } = here;
      expectEqual('peers given', records.length / stride, count);
      if (want < all) continue;
      const own = listed(here.records, here.peerIds, count, stride);
      expectEqual('who is given', listed(records, ids, count, stride), own);
    }
  }
}

/** Nobody has more peers than that here. */
const all = 200;

/** Records with their ids, in an order of their own. */
function listed(records: Uint8Array, ids: Uint8Array, count: number, stride: number): string {
  const names = Array.from({ length: count }, (_, at) => {
    const record = hex(records.subarray(at * stride, (at + 1) * stride));
    return `${record} ${hex(ids.subarray(at * 20, (at + 1) * 20))}`;
  });
  return names.toSorted().join(', ');
}

/**
 * Without what the two decide differently: who of several with one key and id is met, when a key is forgotten that was not
 * needed or of which there are many, whether it is noted beside a proof, and how many of the other family somebody gets whose
 * two addresses are listed apart. Every place has a client of its own, or another one now and then; few have a key. Whole
 * seconds, because one of them rounds up and the other down.
 */
function comparable(input: PairInput): PairInput {
  const at = Math.ceil(input.at / 1000) * 1000;
  if (input.type === 'expire') return { ...input, at };
  const { host, port, key, torrent } = input;
  const self = host + (port === 1 ? otherPort : 0);
  const id = key === 0 ? anybody : input.id === host % ids ? self : self + somebodyElse;
  const hasKey = keyed.has(id) && torrent === 0;
  const want = host === twofold ? all : input.want;
  return { ...input, at, id, key: hasKey ? id + 1 : 0, torrent: torrent === 1 ? 2 : torrent, from: undefined, want };
}

/** Numbers of clients. */
const [ids, otherPort, somebodyElse, anybody] = [3, 50, 100, 200];

/** Private in one family alone. */
const twofold = 4;

/** Beside it a public and a private one. */
const keyed: ReadonlySet<number> = new Set([0, twofold, 5]);
