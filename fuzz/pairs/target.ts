// Peers with an address in each family (BEP 7) in the store in memory, which packs them, against a model that does not. What
// a snapshot of it says makes the same swarms.
import { MemoryStore, PeerSample } from '@shoal/tracker';
import { hex } from '../model.ts';
import { Dice } from '../random.ts';
import { type Scene, type Target, expectEqual, expectThat } from '../target.ts';
import { type PairInput, type PairSettings, announceOf, pairInputs, pairSettings, torrents } from './inputs.ts';
import { type Expected, PairModel } from './model.ts';

export const pairTarget: Target<PairSettings, PairInput> = {
  name: 'pairs',
  episode: 2000,
  settings: pairSettings,
  inputs: pairInputs,
  open: (settings) => new PairScene(settings),
};

/** Removed at once while silent addresses go: any number, so that nothing depends on it. */
const expiryStep = 3;

class PairScene implements Scene<PairInput> {
  readonly seen: Record<string, number> = {};
  readonly #settings: PairSettings;
  readonly #store: MemoryStore;
  readonly #model: PairModel;
  readonly #sample = new PeerSample(200);
  #now = 0;

  constructor(settings: PairSettings) {
    this.#settings = settings;
    this.#store = storeOf(settings);
    this.#model = new PairModel(settings);
  }

  feed(input: PairInput): void {
    this.#now = input.at;
    if (input.type === 'expire') {
      const before = input.at - this.#settings.lifetimeMs;
      while (this.#store.expire(before, expiryStep) > 0);
      this.#model.expire(Math.floor(before / 1000));
      return;
    }
    const peer = announceOf(input);
    const { completed } = this.#model.counts(peer.infoHash);
    const outcome = this.#store.announce(peer, this.#sample, input.at);
    const people = this.#sample.seeders + this.#sample.leechers;
    const expected = this.#model.announce(peer, Math.ceil(input.at / 1000), people);
    expectEqual('outcome', outcome, expected.outcome);
    const counts = this.#model.counts(peer.infoHash);
    for (const name of ['seeders', 'leechers', 'partialSeeds'] as const)
      expectEqual(`announce: ${name}`, this.#sample[name], counts[name]);
    // The last one who leaves hears how often the torrent was completed.
    expectEqual('announce: completed', this.#sample.completed, peer.leaving ? completed : counts.completed);
    this.#judgePeers(input, expected);
    const kind = expected.isPaired ? `${outcome}, both families` : outcome;
    this.seen[kind] = (this.seen[kind] ?? 0) + 1;
  }

  inspect(): void {
    this.#judgeStore(this.#store, 'the store');
    this.#judgeStore(this.#copy(), 'a copy');
  }

  close(): void {}

  #judgePeers({ ipv6, want, families, leaving }: Extract<PairInput, { type: 'announce' }>, expected: Expected): void {
    const [own, other] = ipv6 ? ([6, 4] as const) : ([4, 6] as const);
    const { candidates, isPaired } = expected;
    const ofOther = families === 'both' && !leaving ? candidates[other].length : 0;
    // Who has addresses of both families gets a quarter of the other one.
    const reserved = isPaired ? Math.min(Math.floor(want / 4), ofOther) : 0;
    const fromOwn = Math.min(want - reserved, candidates[own].length);
    const counts = { [own]: fromOwn, [other]: Math.min(want - fromOwn, ofOther) };
    for (const family of [4, 6] as const) {
      const { records, stride, count } = family === 4 ? this.#sample.ipv4 : this.#sample.ipv6;
      const given = Array.from({ length: count }, (_, index) => named(records.subarray(index * stride), stride));
      expectEqual(`IPv${family} peers given`, given.length, counts[family]);
      expectEqual(`IPv${family} peers given, each once`, new Set(given).size, given.length);
      for (const name of given) expectThat(candidates[family].includes(name), `${name} is given, and must not be`);
    }
  }

  #judgeStore(store: MemoryStore, what: string): void {
    const { totals } = store;
    for (const [name, expected] of Object.entries(this.#model.totals))
      expectEqual(`${what}: ${name}`, totals[name as keyof typeof totals], expected);
    for (const [index, infoHash] of torrents.entries()) {
      const found = store.counts(infoHash);
      expectEqual(`${what}: torrent ${index} has anybody`, found !== undefined, this.#model.has(infoHash));
      if (found === undefined) continue;
      const { seeders, leechers, partialSeeds, completed } = this.#model.counts(infoHash);
      expectEqual(`${what}: complete`, found.complete, seeders);
      expectEqual(`${what}: incomplete`, found.incomplete, leechers);
      expectEqual(`${what}: downloaders`, found.downloaders, leechers - partialSeeds);
      expectEqual(`${what}: downloaded`, found.downloaded, completed);
    }
  }

  /** What another store makes of a walk over this one. */
  #copy(): MemoryStore {
    const copy = storeOf(this.#settings);
    const walk = this.#store.walk();
    const slice = new Uint8Array(1000);
    for (let length = 0; (length = walk.write(slice, this.#now)) > 0;)
      copy.restore(slice.subarray(0, length), 0, Infinity, this.#now);
    walk.end();
    return copy;
  }
}

function storeOf({ seed, keepPeerIds, maxPeers, maxPeersPerAddress }: PairSettings): MemoryStore {
  return new MemoryStore({ random: new Dice(seed).uniform, keepPeerIds, maxPeers, maxPeersPerAddress });
}

/** The first record in `bytes`. */
function named(bytes: Uint8Array, stride: number): string {
  return `${hex(bytes.subarray(0, stride - 2))}:${bytes[stride - 2]! * 256 + bytes[stride - 1]!}`;
}
