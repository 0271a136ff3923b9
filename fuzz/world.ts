// The little world that all inputs are about: few torrents, few addresses, few ports, so that things happen to the
// same peer again and again; and the tracker that serves it.
import { MemoryStore, type SignalledSwarms, Tracker } from '@shoal/tracker';
import { Model, type ModelAnnounce, hex } from './model.ts';
import { Dice } from './random.ts';
import { expectEqual, expectThat } from './target.ts';

/** How the tracker of an episode is set up. */
export interface WorldSettings {
  readonly seed: number;
  readonly interval: number;
  readonly minInterval: number | undefined;
  readonly numWantDefault: number;
  readonly numWantLimit: number;
  readonly privateAddresses: 'listed' | 'apart' | 'refused';
  /** Whether the torrent of that number is served. */
  readonly served: readonly boolean[];
  readonly keepPeerIds: boolean;
  readonly maxPeers: number;
  readonly maxPeersPerAddress: number;
  readonly lifetimeMs: number;
}

export function worldSettings(dice: Dice): WorldSettings {
  const interval = dice.pick([1, 60, 1800, 86_400]);
  return {
    seed: dice.below(0x1_0000_0000),
    interval,
    minInterval: dice.chance(0.5) ? dice.below(interval + 1) : undefined,
    numWantDefault: dice.pick([0, 1, 3, 50]),
    numWantLimit: dice.pick([0, 2, 10, 200, 1000]),
    privateAddresses: dice.pick(['listed', 'apart', 'refused']),
    served: infoHashes.map(() => dice.chance(0.9)),
    keepPeerIds: dice.chance(0.8),
    maxPeers: dice.pick([5, 60, 100_000]),
    maxPeersPerAddress: dice.pick([1, 4, 256]),
    lifetimeMs: dice.pick([60_000, 900_000]),
  };
}

const names = new Dice(0x5ca1e);

export const infoHashes: readonly Uint8Array[] = [
  ...Array.from({ length: 6 }, () => names.bytes(20)),
  // Those that a text decoder would spoil.
  new Uint8Array(20),
  new Uint8Array(20).fill(0xff),
  new TextEncoder().encode('%26%3d&=?+;#%00abcde'),
];

export const peerIds: readonly Uint8Array[] = [
  ...Array.from({ length: 8 }, () => names.bytes(20)),
  new Uint8Array(20),
  new TextEncoder().encode('-SH0001-abcdefghijkl'),
];

export const ports: readonly number[] = [1, 80, 6881, 6882, 6883, 51_413, 65_534, 65_535];

/** `fine` is public; `unreachable` cannot be a peer. */
export type Reach = 'fine' | 'private' | 'unreachable';

/** Where inputs come from. */
export interface Source {
  readonly text: string;
  readonly family: 'IPv4' | 'IPv6';
  /** What it is to the tracker: 4 or 16 bytes in hex. */
  readonly canonical: string;
  readonly reach: Reach;
  /** How lists of dictionaries write it. */
  readonly listed: string;
}

function source(text: string, canonical: string, reach: Reach = 'fine', listed: string = text): Source {
  return { text, family: text.includes(':') ? 'IPv6' : 'IPv4', canonical, reach, listed };
}

export const sources: readonly Source[] = [
  source('11.1.2.3', '0b010203'),
  source('11.1.2.4', '0b010204'),
  source('93.0.0.255', '5d0000ff'),
  source('199.255.255.254', 'c7fffffe'),
  // The same host as the first, seen by a socket of both families.
  source('::ffff:11.1.2.3', '0b010203', 'fine', '11.1.2.3'),
  source('2a00::1', '2a000000000000000000000000000001'),
  source('2a00:0:0:1:ffff:ffff:ffff:ffff', '2a00000000000001ffffffffffffffff', 'fine', '2a00::1:ffff:ffff:ffff:ffff'),
  source('2a00:1:2:3:4:5:6:7', '2a000001000200030004000500060007'),
  source('10.0.0.1', '0a000001', 'private'),
  source('127.0.0.1', '7f000001', 'private'),
  source('fd00::1', 'fd000000000000000000000000000001', 'private'),
  source('fe80::1%eth0', 'fe800000000000000000000000000001', 'private', 'fe80::1'),
  source('224.0.0.1', 'e0000001', 'unreachable'),
  source('::', '00000000000000000000000000000000', 'unreachable'),
];

const privateAddresses: ReadonlySet<string> = new Set(
  sources.filter(({ reach }) => reach === 'private').map(({ canonical }) => canonical),
);

/** A tracker with its model. */
export class World {
  readonly tracker: Tracker;
  readonly model: Model;
  readonly settings: WorldSettings;

  constructor(settings: WorldSettings, signalling?: SignalledSwarms) {
    this.settings = settings;
    const { seed, keepPeerIds, maxPeers, maxPeersPerAddress, served, minInterval, lifetimeMs } = settings;
    const random = new Dice(seed).uniform;
    const refused = new Set(infoHashes.filter((_, index) => served[index] === false).map(hex));
    this.tracker = new Tracker({
      random,
      store: new MemoryStore({ random, keepPeerIds, maxPeers, maxPeersPerAddress }),
      interval: settings.interval,
      ...(minInterval === undefined ? {} : { minInterval }),
      numWantDefault: settings.numWantDefault,
      numWantLimit: settings.numWantLimit,
      privateAddresses: settings.privateAddresses,
      peerLifetimeMs: lifetimeMs,
      allow: (infoHash) => !refused.has(infoHash),
      ...(signalling === undefined ? {} : { signalling }),
    });
    const isApart = (address: string): boolean =>
      settings.privateAddresses === 'apart' && privateAddresses.has(address);
    this.model = new Model({ ...settings, isApart });
  }

  /** Whether the tracker must refuse this announce. */
  refuses(announce: Pick<ModelAnnounce, 'infoHash' | 'port' | 'leaving'>, reach: Reach): boolean {
    if (announce.port === 0 && !announce.leaving) return true;
    if (reach === 'unreachable' || (reach === 'private' && this.settings.privateAddresses === 'refused')) return true;
    return !this.serves(announce.infoHash);
  }

  serves(infoHash: string): boolean {
    const index = infoHashes.findIndex((known) => hex(known) === infoHash);
    return this.settings.served[index] ?? true;
  }

  /** How many peers an announcer wants, by policy. */
  wanted(numWant: number | undefined): number {
    const { numWantDefault, numWantLimit } = this.settings;
    return Math.min(numWant === undefined || numWant < 0 ? numWantDefault : numWant, numWantLimit);
  }

  /** Lets silent peers expire on both sides; `now` is a whole second. */
  expire(now: number): void {
    while (this.tracker.expire(now));
    this.model.expire(now);
  }

  /** Holds the tracker's totals against the model's. */
  inspect(): void {
    const { counts } = this.tracker;
    for (const [name, expected] of Object.entries(this.model.totals))
      expectEqual(`totals: ${name}`, counts[name as keyof typeof counts], expected);
    const scraped = this.tracker.scrape(infoHashes, 0);
    for (const [index, infoHash] of infoHashes.entries()) {
      const expected = this.serves(hex(infoHash)) && this.model.has(hex(infoHash));
      expectEqual(`torrent ${index} has anybody`, scraped[index] !== undefined, expected);
      const model = this.model.counts(hex(infoHash));
      if (scraped[index] === undefined) continue;
      expectThat(
        scraped[index].complete === model.complete &&
          scraped[index].incomplete === model.incomplete &&
          scraped[index].downloaded === model.downloaded,
        `torrent ${index} counts ${JSON.stringify(scraped[index])}, must count ${JSON.stringify(model)}`,
      );
    }
  }

  /**
   * Judges packed records (`stride` 6 or 18): everyone in them is in the swarm, none is the announcer, none is there
   * twice, and no seed is given to a seed, be it a partial one.
   */
  judgePeers(announce: ModelAnnounce, records: Uint8Array, stride: 6 | 18): void {
    expectEqual('bytes of the last record', records.length % stride, 0);
    const given = new Set<string>();
    for (let at = 0; at < records.length; at += stride) {
      const address = hex(records.subarray(at, at + stride - 2));
      const port = (records[at + stride - 2] ?? 0) * 256 + (records[at + stride - 1] ?? 0);
      this.judgePeer(announce, address, port);
      expectThat(!given.has(`${address}:${port}`), `${address}:${port} is listed twice`);
      given.add(`${address}:${port}`);
    }
  }

  /** Judges one listed peer. */
  judgePeer(announce: ModelAnnounce, address: string, port: number): void {
    const peer = this.model.peer(announce.infoHash, address, port);
    expectThat(peer !== undefined, `${address}:${port} is listed and not in the swarm`);
    expectThat(address !== announce.address || port !== announce.port, 'the announcer is listed');
    expectThat(!this.model.mayNotMeet(announce.address, address), 'a peer of a private network is given to the public');
    expectThat(!(peer.seeding && (announce.seeding || announce.partial)), 'a seed is given to who wants no more');
  }
}
