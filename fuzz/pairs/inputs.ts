// Announces as a store sees them, of clients with an address in each family: they come, come again, move, change their
// minds and their ids, and leave. Few of everything, so that they meet.
import type { StoreAnnounce, StoreEndpoint } from '@shoal/tracker';
import type { Dice } from '../random.ts';

/** Where a peer is: one of a few hosts, each with an address in both families. */
export interface Place {
  readonly host: number;
  readonly ipv6: boolean;
  readonly port: number;
}

export type PairInput =
  | ({
      readonly type: 'announce';
      readonly at: number;
      /** Index in `torrents`. */
      readonly torrent: number;
      readonly id: number;
      readonly key: number;
      readonly role: 'seed' | 'leecher' | 'partial';
      readonly leaving: boolean;
      /** The place that it proves it announced from before. */
      readonly from: Place | undefined;
      readonly want: number;
      readonly families: 'own' | 'both';
    } & Place)
  | { readonly type: 'expire'; readonly at: number };

export interface PairSettings {
  readonly seed: number;
  readonly keepPeerIds: boolean;
  readonly maxPeers: number;
  readonly maxPeersPerAddress: number;
  readonly lifetimeMs: number;
}

/** The first two begin alike: a store may look at the beginning first. */
export const torrents: readonly Uint8Array[] = [
  Uint8Array.from({ length: 20 }, (_, at) => at),
  Uint8Array.from({ length: 20 }, (_, at) => (at < 4 ? at : 200 + at)),
  new Uint8Array(20).fill(0xff),
];

const hosts = 6;
const ids = 3;

export function pairSettings(dice: Dice): PairSettings {
  return {
    seed: dice.below(0x1_0000_0000),
    keepPeerIds: dice.chance(0.7),
    maxPeers: dice.pick([4, 12, 1000, 1000]),
    maxPeersPerAddress: dice.pick([1, 2, 256, 256]),
    lifetimeMs: dice.pick([5000, 60_000]),
  };
}

export function pairInputs(settings: PairSettings, dice: Dice): () => PairInput {
  let now = settings.lifetimeMs + dice.below(10_000);
  return () => {
    now += dice.chance(0.05) ? dice.pick([1000, 3000, settings.lifetimeMs]) : dice.pick([0, 0, 1, 400]);
    if (dice.chance(0.03)) return { type: 'expire', at: now };
    const { host, ...place } = placeOf(dice);
    const id = dice.chance(0.85) ? host % ids : dice.below(ids);
    return {
      type: 'announce',
      at: now,
      host,
      ...place,
      torrent: dice.below(torrents.length),
      id,
      key: keyOf(dice, id),
      role: dice.pick(['seed', 'leecher', 'leecher', 'partial']),
      leaving: dice.chance(0.15),
      from: dice.chance(0.15) ? placeOf(dice) : undefined,
      want: dice.chance(0.8) ? 200 : dice.pick([0, 1, 2, 3, 5]),
      families: dice.pick(['own', 'both', 'both']),
    };
  };
}

function placeOf(dice: Dice): Place {
  return { host: dice.below(hosts), ipv6: dice.chance(0.5), port: dice.chance(0.8) ? 6881 : 1 };
}

/** Few combinations of key and id: a store may forget which it heard of when there are many. */
function keyOf(dice: Dice, id: number): number {
  if (dice.chance(0.8)) return 7;
  return id === 0 ? dice.pick([0, 9]) : 0;
}

export function addressOf({ host, ipv6 }: Pick<Place, 'host' | 'ipv6'>): Uint8Array {
  const address = new Uint8Array(ipv6 ? 16 : 4).fill(7);
  address[address.length - 1] = host;
  return address;
}

/** One host is private in one family and public in the other, one is private in both. */
export function listingOf({ host, ipv6 }: Pick<Place, 'host' | 'ipv6'>): 'public' | 'private' {
  return host === hosts - 1 || (host === hosts - 2 && !ipv6) ? 'private' : 'public';
}

/** The announce that an input stands for. */
export function announceOf(input: Extract<PairInput, { readonly type: 'announce' }>): StoreAnnounce {
  const { torrent, id, key, port, role, leaving, from, want, families } = input;
  const formerly: StoreEndpoint | undefined = from && { address: addressOf(from), port: from.port };
  return {
    infoHash: torrents[torrent]!,
    address: addressOf(input),
    port,
    peerId: new Uint8Array(20).fill(id + 1),
    key,
    formerly,
    seeding: role === 'seed',
    partial: role === 'partial',
    leaving,
    listing: listingOf(input),
    want,
    families,
    withPeerIds: true,
    since: undefined,
  };
}
