// The policy of a tracker that was given none: every torrent, every client, fixed numbers. BEP 3, 15.
import { type AnnounceRequest, infoHashHex } from '@shoal/tracker-protocol';
import { type PrivateAddresses, listingOf, unreachable } from './address-rules.ts';
import type { AnnouncePolicy, Refusal } from './announce-policy.ts';
import { minIntervalFor } from './min-interval.ts';
import { within } from './range.ts';

export interface PlainPolicyOptions {
  /** Seconds between regular announces, 1 to 86,400. Default 1800, as in BEP 3's first implementation and opentracker. */
  readonly interval?: number;
  /** Seconds before which a client shall not announce again; at most `interval`. Default 60. */
  readonly minInterval?: number;
  /** Peers given to a client that does not say how many it wants. Default 50 (BEP 3: "typically 50"). */
  readonly numWantDefault?: number;
  /** Most peers in one answer, at most 1,000. Default 200, as in opentracker. */
  readonly numWantLimit?: number;
  /** What becomes of private, loopback and link-local addresses. Default `listed`; a tracker of the open internet says otherwise. */
  readonly privateAddresses?: PrivateAddresses;
  /** Which torrents are served, asked with the info-hash in lower-case hex. Default: all. */
  readonly allow?: (infoHash: string) => boolean;
}

const defaults = {
  interval: 1800,
  numWantDefault: 50,
  numWantLimit: 200,
  privateAddresses: 'listed',
} satisfies PlainPolicyOptions;

/** Fixed numbers and at most a list of torrents. */
export class PlainPolicy implements AnnouncePolicy {
  readonly minInterval: number;
  readonly #interval: number;
  readonly #numWantDefault: number;
  readonly #numWantLimit: number;
  readonly #privateAddresses: PrivateAddresses;
  readonly #allow: ((infoHash: string) => boolean) | undefined;

  /** @throws RangeError for an interval or peer count out of range */
  constructor(options: PlainPolicyOptions = {}) {
    const { interval, numWantDefault, numWantLimit, privateAddresses } = { ...defaults, ...options };
    this.#interval = within('interval', interval, 1, 86_400);
    this.minInterval = within('minInterval', options.minInterval ?? minIntervalFor(interval), 0, interval);
    this.#numWantLimit = within('numWantLimit', numWantLimit, 0, 1000);
    this.#numWantDefault = within('numWantDefault', numWantDefault, 0, 1000);
    this.#privateAddresses = privateAddresses;
    this.#allow = options.allow;
  }

  refusal(request: AnnounceRequest, address: Uint8Array, _now: number): Refusal | undefined {
    const refusal = unreachable(request, address, this.#privateAddresses);
    if (refusal !== undefined) return refusal;
    if (this.serves(request.infoHash)) return undefined;
    return { code: 'torrent-not-served', message: 'this tracker does not serve this torrent' };
  }

  listing(address: Uint8Array): 'public' | 'private' {
    return listingOf(address, this.#privateAddresses);
  }

  serves(infoHash: Uint8Array): boolean {
    return this.#allow === undefined || this.#allow(infoHashHex(infoHash));
  }

  interval(_now: number): number {
    return this.#interval;
  }

  get longestInterval(): number {
    return this.#interval;
  }

  wanted({ numWant }: AnnounceRequest, _now: number): number {
    // Negative means "you decide": -1 is BEP 15's default, and libtorrent sends it over HTTP too.
    const want = numWant === undefined || numWant < 0 ? this.#numWantDefault : numWant;
    return Math.min(want, this.#numWantLimit);
  }
}
