// The policy that an operator's settings make: lists, bans, rates, intervals. The settings are one plain value that is
// replaced as a whole while announces go on; what was counted meanwhile stays. Every list is asked in constant or
// logarithmic time and allocates nothing. Refusals say what a person at the client can understand. BEP 3, 20, 31.
import type { AnnounceRequest } from '@shoal/tracker-protocol';
import { type PrivateAddresses, listingOf, unreachable } from './address-rules.ts';
import { AnnounceInterval, type IntervalSettings, intervalDefaults } from './announce-interval.ts';
import type { AnnouncePolicy, Refusal } from './announce-policy.ts';
import { type AnnounceRate, AnnounceRates } from './announce-rates.ts';
import type { AddressRanges } from './lists/address-ranges.ts';
import type { ClientPrefixes } from './lists/client-prefixes.ts';
import type { InfoHashes } from './lists/info-hash-set.ts';
import { minIntervalFor } from './min-interval.ts';
import { PrivateAddressWatch } from './private-address-watch.ts';
import { within } from './range.ts';

/** What an operator decides. Where something is both allowed and denied it is denied. */
export interface PolicySettings extends IntervalSettings {
  /** The only torrents that are served. Default: all. */
  readonly allowedTorrents?: InfoHashes;
  /** Torrents that are not served. Default: none. */
  readonly deniedTorrents?: InfoHashes;
  /** The only clients that are served. Default: all. */
  readonly allowedClients?: ClientPrefixes;
  /** Clients that are not served. Default: none. */
  readonly deniedClients?: ClientPrefixes;
  /** The only addresses that are served. Default: all. */
  readonly allowedAddresses?: AddressRanges;
  /** Addresses that are not served. Default: none. */
  readonly bannedAddresses?: AddressRanges;
  /** What becomes of private, loopback and link-local addresses. Default `listed`; a tracker of the open internet says otherwise. */
  readonly privateAddresses?: PrivateAddresses;
  /** How often one address may announce. Default: as often as it likes. */
  readonly announceRate?: AnnounceRate;
  /** Seconds before which a client shall not announce again, at most `interval`. Default 60. */
  readonly minInterval?: number;
  /** Peers given to a client that does not say how many it wants. Default 50 (BEP 3: "typically 50"). */
  readonly numWantDefault?: number;
  /** Most peers in one answer, seed or not, at most 1,000. Default 200, as in opentracker. */
  readonly numWantLimit?: number;
}

export interface StandingPolicyOptions {
  /** Uniform in [0, 1): jitter, and the key of the table of rates. */
  readonly random: () => number;
  /** Addresses whose rates are remembered, at 20 bytes each. Default 65,536. */
  readonly ratedAddresses?: number;
}

const defaults = {
  privateAddresses: 'listed',
  numWantDefault: 50,
  numWantLimit: 200,
} satisfies PolicySettings;

/** Seconds that libtorrent waits after a refusal that will not change: a day, in case it does. */
const lastingInterval = 86_400;

const refusals = {
  banned: { code: 'address-banned', message: 'your address is banned from this tracker' },
  foreign: { code: 'address-not-served', message: 'this tracker does not serve your network' },
  client: {
    code: 'client-denied',
    message: 'this tracker does not serve your client, or not this version of it',
    retryIn: 'never',
    interval: lastingInterval,
  },
  torrent: {
    code: 'torrent-denied',
    message: 'this tracker does not serve this torrent: it was denied',
    retryIn: 'never',
    interval: lastingInterval,
  },
  // A torrent that is not on the list may be on it tomorrow: the usual interval.
  unknown: { code: 'torrent-not-served', message: 'this tracker does not serve this torrent' },
} as const satisfies Record<string, Refusal>;

/** Settings in force. */
export class StandingPolicy implements AnnouncePolicy {
  /** Notices a proxy that is not trusted. */
  readonly privateAddresses: PrivateAddressWatch = new PrivateAddressWatch();
  readonly #rates: AnnounceRates;
  readonly #interval: AnnounceInterval;
  #settings: Settled;

  /** @throws RangeError for a number out of range */
  constructor(settings: PolicySettings, { random, ratedAddresses }: StandingPolicyOptions) {
    this.#settings = checked(settings);
    this.#interval = new AnnounceInterval(random, settings);
    this.#rates = new AnnounceRates(random, ratedAddresses);
  }

  /** What is in force. */
  get settings(): PolicySettings {
    return this.#settings;
  }

  /** Puts other settings in force, all at once. @throws RangeError for a number out of range; then nothing changes */
  replace(settings: PolicySettings): void {
    const next = checked(settings);
    this.#interval.replace(settings);
    this.#settings = next;
  }

  refusal(request: AnnounceRequest, address: Uint8Array, now: number): Refusal | undefined {
    this.privateAddresses.note(address);
    // Clients repeat a goodbye that is refused, for ever; and nobody gains anything by one.
    if (request.event === 'stopped') return undefined;
    const { privateAddresses, allowedAddresses, bannedAddresses } = this.#settings;
    if (bannedAddresses?.contains(address) === true) return refusals.banned;
    if (allowedAddresses?.contains(address) === false) return refusals.foreign;
    return (
      unreachable(request, address, privateAddresses) ??
      this.#clientRefusal(request) ??
      this.#rateRefusal(request, address, now) ??
      this.#torrentRefusal(request.infoHash)
    );
  }

  listing(address: Uint8Array): 'public' | 'private' {
    return listingOf(address, this.#settings.privateAddresses);
  }

  serves(infoHash: Uint8Array): boolean {
    return this.#torrentRefusal(infoHash) === undefined;
  }

  interval(now: number): number {
    return this.#interval.next(now);
  }

  get longestInterval(): number {
    return this.#interval.longest;
  }

  get minInterval(): number {
    return this.#settings.minInterval ?? minIntervalFor(this.#settings.interval ?? intervalDefaults.interval);
  }

  wanted({ numWant }: AnnounceRequest, _now: number): number {
    const { numWantDefault, numWantLimit } = this.#settings;
    // Negative means "you decide": -1 is BEP 15's default, and libtorrent sends it over HTTP too.
    return Math.min(numWant === undefined || numWant < 0 ? numWantDefault : numWant, numWantLimit);
  }

  #clientRefusal({ peerId }: AnnounceRequest): Refusal | undefined {
    const { allowedClients, deniedClients } = this.#settings;
    const isWelcome = deniedClients?.matches(peerId) !== true && allowedClients?.matches(peerId) !== false;
    return isWelcome ? undefined : refusals.client;
  }

  #torrentRefusal(infoHash: Uint8Array): Refusal | undefined {
    const { allowedTorrents, deniedTorrents } = this.#settings;
    if (deniedTorrents?.has(infoHash) === true) return refusals.torrent;
    return allowedTorrents?.has(infoHash) === false ? refusals.unknown : undefined;
  }

  /** A download that completes is reported once, and is to be counted: it has a second allowance as large as the first. */
  #rateRefusal({ event }: AnnounceRequest, address: Uint8Array, now: number): Refusal | undefined {
    const { announceRate } = this.#settings;
    if (announceRate === undefined) return undefined;
    const waitMs = this.#rates.take(address, announceRate, event === 'completed' ? 1 : 0, now);
    if (waitMs === 0) return undefined;
    const seconds = Math.max(leastPause, Math.ceil(waitMs / 1000));
    return {
      code: 'too-often',
      message: `too many announces from your address; try again in ${seconds} seconds`,
      retryIn: Math.ceil(seconds / 60),
      interval: seconds,
    };
  }
}

/** Seconds: whoever shares a crowded address gains nothing by coming back at the first second that is free. */
const leastPause = 60;

type Settled = PolicySettings & Required<Pick<PolicySettings, keyof typeof defaults>>;

function checked(settings: PolicySettings): Settled {
  const { minInterval, announceRate } = settings;
  const all = { ...defaults, ...settings };
  if (minInterval !== undefined) {
    within('minInterval', minInterval, 0, settings.interval ?? intervalDefaults.interval);
  }
  within('numWantLimit', all.numWantLimit, 0, 1000);
  within('numWantDefault', all.numWantDefault, 0, 1000);
  if (announceRate !== undefined) {
    within('announceRate.perMinute', announceRate.perMinute, 0.1, 1_000_000);
    within('announceRate.burst', announceRate.burst, 1, 1_000_000);
  }
  return all;
}
