// What a tracker answers: policy, the store, then the reply. Decides who is listed, how many peers are given and
// when to come back; knows no transport and no clock. BEP 3, 7, 21, 23, 24, 48.
import {
  type AnnounceFailure,
  type AnnounceReply,
  type AnnounceRequest,
  type ScrapeCounts,
  type TrackedPeer,
  formatIp,
  ipScope,
  isFailure,
  parseIp,
} from '@shoal/tracker-protocol';
import { MemoryStore } from './memory-store.ts';
import { type PeerRecords, PeerSample, peerIdBytes } from './peer-sample.ts';
import type { AnnounceOutcome, PeerStore, StoreTotals } from './peer-store.ts';

export interface TrackerOptions {
  /** Uniform in [0, 1): keys the tables, draws the samples. */
  readonly random: () => number;
  /** Seconds between regular announces. Default 1800, as in BEP 3's first implementation and opentracker. */
  readonly interval?: number;
  /** Seconds before which a client shall not announce again; left out of answers by default. */
  readonly minInterval?: number;
  /** Peers given to a client that does not say how many it wants. Default 50 (BEP 3: "typically 50"). */
  readonly numWantDefault?: number;
  /** Most peers in one answer, at most 1,000. Default 200, as in opentracker. */
  readonly numWantLimit?: number;
  /** How long a silent peer stays listed, in ms. Default 1.5 intervals (opentracker's 45 minutes), at least two minutes. */
  readonly peerLifetimeMs?: number;
  /** Whether private, loopback and link-local addresses are listed. Default true; a tracker of the open internet says false. */
  readonly allowPrivateAddresses?: boolean;
  /** Which torrents are served, asked with the info-hash in lower-case hex. Default: all. */
  readonly allow?: (infoHash: string) => boolean;
  /** Where peers are kept. Default: a `MemoryStore`. */
  readonly store?: PeerStore;
}

/** Where an announce came from. */
export interface AnnounceSource {
  /** An IP address in any notation; IPv4-mapped IPv6 counts as IPv4. */
  readonly ip: string;
}

/** An answer whose peers are still packed as the store drew them. Valid until the tracker is called again. */
export interface PackedReply {
  readonly interval: number;
  readonly minInterval: number | undefined;
  readonly warning: string | undefined;
  /** Counts, and the peers in `ipv4` and `ipv6`. */
  readonly sample: PeerSample;
}

/** What a tracker has done since it was made, and what it holds. */
export interface TrackerCounts extends StoreTotals {
  readonly announces: number;
  readonly scrapes: number;
  /** Announces refused by policy. */
  readonly refused: number;
  /** Announces that were answered but not listed, because the store or the sender's address was full. */
  readonly unlisted: number;
  /** Downloads completed. */
  readonly completed: number;
  /** Peers dropped because they fell silent. */
  readonly expired: number;
}

const defaults = {
  interval: 1800,
  numWantDefault: 50,
  numWantLimit: 200,
  allowPrivateAddresses: true,
} satisfies Partial<TrackerOptions>;

/** Peers removed per `expire`: about a fifth of a millisecond (bench/tracker.bench.ts). */
const expirySlice = 128;

const warnings: Partial<Record<AnnounceOutcome, string>> = {
  'store-full': 'the tracker is full; you are not listed',
  'address-full': 'too many peers at your address; you are not listed',
};

/** A tracker's answers. */
export class Tracker {
  /** Seconds between regular announces. */
  readonly interval: number;
  readonly #options: TrackerOptions;
  readonly #minInterval: number | undefined;
  readonly #numWantDefault: number;
  readonly #numWantLimit: number;
  readonly #lifetimeMs: number;
  readonly #store: PeerStore;
  readonly #sample: PeerSample;
  #announces = 0;
  #scrapes = 0;
  #refused = 0;
  #unlisted = 0;
  #completed = 0;
  #expired = 0;

  /** @throws RangeError for an interval, lifetime or peer count out of range. */
  constructor(options: TrackerOptions) {
    this.#options = { ...defaults, ...options };
    this.interval = within('interval', options.interval ?? defaults.interval, 1, 86_400);
    this.#minInterval =
      options.minInterval === undefined ? undefined : within('minInterval', options.minInterval, 0, this.interval);
    this.#numWantLimit = within('numWantLimit', options.numWantLimit ?? defaults.numWantLimit, 0, 1000);
    this.#numWantDefault = within('numWantDefault', options.numWantDefault ?? defaults.numWantDefault, 0, 1000);
    const lifetimeMs = options.peerLifetimeMs ?? Math.max(this.interval * 1500, 120_000);
    this.#lifetimeMs = within('peerLifetimeMs', lifetimeMs, 1000, Number.MAX_SAFE_INTEGER);
    this.#store = options.store ?? new MemoryStore({ random: options.random });
    this.#sample = new PeerSample(this.#numWantLimit);
  }

  /** Answers an announce with the peers spelled out; a refusal by policy is a value too. */
  announce(request: AnnounceRequest, from: AnnounceSource, now: number): AnnounceReply | AnnounceFailure {
    const address = parseIp(from.ip);
    if (address === undefined) return this.#refuse('your address is not an IP address');
    const packed = this.#answer(request, address, 'both', true, now);
    if (isFailure(packed)) return packed;
    const { sample, ...reply } = packed;
    return {
      ...reply,
      complete: sample.seeders,
      incomplete: sample.leechers,
      downloaded: sample.completed,
      externalIp: formatIp(address),
      peers: [...unpack(sample.ipv4), ...unpack(sample.ipv6)],
    };
  }

  /**
   * As `announce`, without peer ids and without making an object for each peer. `address` has 4 or 16 bytes and is
   * canonical; `own` gives only peers of its family, as UDP must (BEP 15).
   */
  announcePacked(
    request: AnnounceRequest,
    address: Uint8Array,
    families: 'own' | 'both',
    now: number,
  ): PackedReply | AnnounceFailure {
    return this.#answer(request, address, families, false, now);
  }

  /** Counts for each hash, in order; undefined where nobody is or the torrent is not served. */
  scrape(infoHashes: readonly Uint8Array[], _now: number): (ScrapeCounts | undefined)[] {
    this.#scrapes++;
    return infoHashes.map((infoHash) => (this.#serves(infoHash) ? this.#store.counts(infoHash) : undefined));
  }

  /** Drops a slice of the peers that fell silent; true when there may be more, so that the caller comes back soon. */
  expire(now: number): boolean {
    const removed = this.#store.expire(now - this.#lifetimeMs, expirySlice);
    this.#expired += removed;
    return removed === expirySlice;
  }

  /** When the next peer is due to expire (ms); undefined when there is none. */
  get deadline(): number | undefined {
    const oldest = this.#store.oldest;
    return oldest === undefined ? undefined : oldest + this.#lifetimeMs;
  }

  get counts(): TrackerCounts {
    return {
      ...this.#store.totals,
      announces: this.#announces,
      scrapes: this.#scrapes,
      refused: this.#refused,
      unlisted: this.#unlisted,
      completed: this.#completed,
      expired: this.#expired,
    };
  }

  #answer(
    request: AnnounceRequest,
    address: Uint8Array,
    families: 'own' | 'both',
    withPeerIds: boolean,
    now: number,
  ): PackedReply | AnnounceFailure {
    this.#announces++;
    const { infoHash, peerId, port } = request;
    const leaving = request.event === 'stopped';
    const refusal = this.#refusal(request, address, leaving);
    if (refusal !== undefined) return refusal;
    // Unknown and absurd amounts left are those of a leecher; `completed` with something left is no completion.
    const seeding = request.left === 0;
    const want = this.#wanted(request.numWant);
    const outcome = this.#store.announce(
      { infoHash, address, port, peerId, seeding, leaving, want, families, withPeerIds },
      this.#sample,
      now,
    );
    if (outcome === 'completed') this.#completed++;
    const warning = warnings[outcome];
    if (warning !== undefined) this.#unlisted++;
    return { interval: this.interval, minInterval: this.#minInterval, warning, sample: this.#sample };
  }

  #refusal(request: AnnounceRequest, address: Uint8Array, leaving: boolean): AnnounceFailure | undefined {
    // Whoever says goodbye need not be reachable, and clients repeat a goodbye that is refused.
    if (request.port === 0 && !leaving) return this.#refuse('port 0 cannot be reached');
    const scope = ipScope(address);
    if (scope === 'multicast' || scope === 'unspecified') return this.#refuse('your address cannot be reached');
    if (scope !== 'public' && this.#options.allowPrivateAddresses === false) {
      return this.#refuse('this tracker does not list private addresses');
    }
    return this.#serves(request.infoHash) ? undefined : this.#refuse('this tracker does not serve this torrent');
  }

  #refuse(failureReason: string): AnnounceFailure {
    this.#refused++;
    // libtorrent waits for the interval of a failure.
    return { failureReason, interval: this.interval };
  }

  #serves(infoHash: Uint8Array): boolean {
    return this.#options.allow === undefined || this.#options.allow(hex(infoHash));
  }

  #wanted(numWant: number | undefined): number {
    // Negative means "you decide": -1 is BEP 15's default, and libtorrent sends it over HTTP too.
    const want = numWant === undefined || numWant < 0 ? this.#numWantDefault : numWant;
    return Math.min(want, this.#numWantLimit);
  }
}

function unpack({ count, stride, records, peerIds }: PeerRecords): TrackedPeer[] {
  return Array.from({ length: count }, (_, index) => {
    const at = index * stride;
    return {
      ip: formatIp(records, at, stride - 2),
      port: (records[at + stride - 2]! << 8) | records[at + stride - 1]!,
      peerId: keptId(peerIds, index * peerIdBytes),
    };
  });
}

/** A peer id, unless it is all zeros: those stand for a store that keeps none. */
function keptId(peerIds: Uint8Array, at: number): Uint8Array | undefined {
  const peerId = peerIds.slice(at, at + peerIdBytes);
  return peerId.some((byte) => byte !== 0) ? peerId : undefined;
}

function hex(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) text += (byte < 16 ? '0' : '') + byte.toString(16);
  return text;
}

function within(name: string, value: number, least: number, most: number): number {
  if (!(value >= least && value <= most)) throw new RangeError(`${name} must be ${least} to ${most}`);
  return value;
}
