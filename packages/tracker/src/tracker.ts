// What a tracker answers: policy, the store, then the reply. Decides who is listed, how many peers are given and
// when to come back; knows no transport and no clock. BEP 3, 7, 21, 23, 24, 48.
import {
  type AnnounceFailure,
  type AnnounceReply,
  type AnnounceRequest,
  type ScrapeCounts,
  formatIp,
  isFailure,
  keyNumber,
  parseIp,
} from '@shoal/tracker-protocol';
import { MemoryStore } from './memory-store.ts';
import { peersIn } from './peer-list.ts';
import { PeerSample, downloadersIn } from './peer-sample.ts';
import type { AnnounceOutcome, PeerStore, StoreAnnounce, StoreTotals } from './peer-store.ts';
import type { AnnouncePolicy, Refusal, RefusalCode } from './policy/announce-policy.ts';
import { PlainPolicy, type PlainPolicyOptions } from './policy/plain-policy.ts';
import { within } from './policy/range.ts';
import { TrackerIds, trackerIdKeyBytes } from './tracker-ids.ts';
import type { SignalledSwarms, SignalledTotals } from './signalling/signalled-swarms.ts';

export interface TrackerOptions extends PlainPolicyOptions {
  /** Uniform in [0, 1): keys the tables, draws the samples. */
  readonly random: () => number;
  /** Who is refused, how many peers are given, when to come back. Default: a `PlainPolicy` of the options beside it. */
  readonly policy?: AnnouncePolicy;
  /** How long a silent peer stays listed, in ms. Default 1.5 of the longest interval given out (opentracker's 45 minutes), at least two minutes. */
  readonly peerLifetimeMs?: number;
  /** Where peers are kept. Default: a `MemoryStore`. */
  readonly store?: PeerStore;
  /**
   * 16 secret bytes behind the tracker ids, the same in every node that shares a store. Default: drawn from `random`; a
   * tracker on the internet gives bytes that nobody can guess.
   */
  readonly trackerIdKey?: Uint8Array;
  /** WebTorrent peers of this process: counted in every answer, listed in none. Default: none. */
  readonly signalling?: SignalledSwarms;
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
  /** Latin-1 text that the client shall echo; undefined leaves it with the one it has. */
  readonly trackerId: string | undefined;
  /** For who sent `last` alone: the mark of a complete list, and how many other peers there are. */
  readonly last: number | undefined;
  readonly numPeers: number | undefined;
  /** Counts, and the peers in `ipv4` and `ipv6`. */
  readonly sample: PeerSample;
}

/** An announce that policy lets pass. */
export interface Admitted extends StoreAnnounce {
  /** Whether the client echoes a tracker id that is not the one of this address. */
  readonly lacksId: boolean;
}

/** An admitted announce with bytes of its own, for who answers when those of the request are gone. */
export function detached(admitted: Admitted): Admitted {
  const { infoHash, address, peerId } = admitted;
  return { ...admitted, infoHash: infoHash.slice(), address: address.slice(), peerId: peerId.slice() };
}

/** What a tracker has done since it was made, and what it holds. */
export interface TrackerCounts extends StoreTotals {
  /** How many of the seeders and leechers are WebTorrent peers, and their torrents, which may have other peers too. */
  readonly signalled: SignalledTotals | undefined;
  readonly announces: number;
  readonly scrapes: number;
  /** Announces refused by policy. */
  readonly refused: number;
  /** The same by reason; reasons that never occurred are left out. */
  readonly refusals: Readonly<Partial<Record<RefusalCode, number>>>;
  /** Announces that were answered but not listed, because the store or the sender's address was full. */
  readonly unlisted: number;
  /** Downloads completed. */
  readonly completed: number;
  /** Peers dropped because they fell silent. */
  readonly expired: number;
}

/** Most peers one answer can hold; policies want fewer. */
const mostDrawn = 1000;

/** Peers removed per `expire`: about a fifth of a millisecond (bench/tracker.bench.ts). */
const expirySlice = 128;

const warnings: Partial<Record<AnnounceOutcome, string>> = {
  'store-full': 'the tracker is full; you are not listed',
  'address-full': 'too many peers at your address; you are not listed',
};

/** A tracker's answers. */
export class Tracker {
  /** WebTorrent peers, where there are any. */
  readonly signalling: SignalledSwarms | undefined;
  readonly #policy: AnnouncePolicy;
  readonly #fixedLifetimeMs: number | undefined;
  readonly #store: PeerStore;
  readonly #sample: PeerSample;
  #ids: TrackerIds;
  #announces = 0;
  #scrapes = 0;
  #refused = 0;
  #unlisted = 0;
  #completed = 0;
  #expired = 0;
  readonly #refusals: Partial<Record<RefusalCode, number>> = {};

  /** @throws RangeError for an interval, lifetime, peer count or length of a key out of range. */
  constructor(options: TrackerOptions) {
    this.#policy = options.policy ?? new PlainPolicy(options);
    const { peerLifetimeMs } = options;
    if (peerLifetimeMs !== undefined) within('peerLifetimeMs', peerLifetimeMs, 1000, Number.MAX_SAFE_INTEGER);
    this.#fixedLifetimeMs = peerLifetimeMs;
    this.#store = options.store ?? new MemoryStore({ random: options.random });
    this.#sample = new PeerSample(mostDrawn);
    this.#ids = new TrackerIds(options.trackerIdKey ?? drawnKey(options.random));
    this.signalling = options.signalling;
  }

  /** Answers an announce with the peers spelled out; a refusal by policy is a value too. */
  announce(request: AnnounceRequest, from: AnnounceSource, now: number): AnnounceReply | AnnounceFailure {
    const address = parseIp(from.ip);
    if (address === undefined) {
      return this.refuse({ code: 'source-unknown', message: 'your address is not an IP address' }, now);
    }
    const packed = this.announcePacked(request, address, 'both', true, now);
    if (isFailure(packed)) return packed;
    const { sample, ...reply } = packed;
    return {
      ...reply,
      complete: sample.seeders,
      incomplete: sample.leechers,
      downloaded: sample.completed,
      downloaders: downloadersIn(sample),
      externalIp: formatIp(address),
      peers: peersIn(sample),
    };
  }

  /**
   * As `announce`, without making an object for each peer. `address` has 4 or 16 bytes and is canonical; `own` gives
   * only peers of its family, as UDP must (BEP 15).
   */
  announcePacked(
    request: AnnounceRequest,
    address: Uint8Array,
    families: 'own' | 'both',
    withPeerIds: boolean,
    now: number,
  ): PackedReply | AnnounceFailure {
    const admitted = this.admit(request, address, families, withPeerIds, now);
    if (isFailure(admitted)) return admitted;
    const outcome = this.#store.announce(admitted, this.#sample, now);
    this.#addSignalled(admitted.infoHash, this.#sample);
    return this.settle(admitted, outcome, this.#sample, now);
  }

  /** Counts for each hash, in order; undefined where nobody is or the torrent is not served. */
  scrape(infoHashes: readonly Uint8Array[], _now: number): (ScrapeCounts | undefined)[] {
    return this.admitScrape(infoHashes).map((infoHash) =>
      infoHash === undefined ? undefined : this.swarmCounts(infoHash),
    );
  }

  /** Everybody in a torrent, however reached; undefined where nobody is. */
  swarmCounts(infoHash: Uint8Array): ScrapeCounts | undefined {
    return sumOf(this.#store.counts(infoHash), this.signalling?.counts(infoHash));
  }

  /**
   * Counts of all torrents that are served, a page at a time: those among `limit` places from `from` on, of which 0 is
   * the first. Says where to go on, or -1 at the end; undefined where the store cannot name its torrents. `take` may
   * hear of a torrent twice; those of WebTorrent peers alone are left out. BEP 48.
   */
  scrapePage(
    from: number,
    limit: number,
    take: (infoHash: Uint8Array, counts: ScrapeCounts) => void,
  ): number | undefined {
    return this.#store.visitTorrents?.(from, limit, (infoHash) => {
      const counts = this.#policy.serves(infoHash) ? this.swarmCounts(infoHash) : undefined;
      if (counts !== undefined) take(infoHash, counts);
    });
  }

  /** Adds the torrent's WebTorrent peers to the counts that a store in memory gave. */
  #addSignalled(infoHash: Uint8Array, sample: PeerSample): void {
    const signalled = this.signalling?.counts(infoHash);
    if (signalled === undefined) return;
    sample.seeders += signalled.complete;
    sample.leechers += signalled.incomplete;
    sample.completed += signalled.downloaded;
    sample.signalled = signalled.complete + signalled.incomplete;
  }

  /** Drops a slice of the peers that fell silent; true when there may be more, so that the caller comes back soon. */
  expire(now: number): boolean {
    const before = now - this.peerLifetimeMs;
    const removed = this.#store.expire(before, expirySlice);
    const signalled = this.signalling?.expire(before, expirySlice) ?? 0;
    this.#expired += removed + signalled;
    return Math.max(removed, signalled) === expirySlice;
  }

  /** When the next peer is due to expire (ms); undefined when there is none. */
  get deadline(): number | undefined {
    const oldest = Math.min(this.#store.oldest ?? Infinity, this.signalling?.oldest ?? Infinity);
    return oldest === Infinity ? undefined : oldest + this.peerLifetimeMs;
  }

  /**
   * Goes on with another key behind the tracker ids, such as that of a store that is there at last. Ids of the former key
   * prove nothing any more, and whoever echoes one is given a new one. @throws RangeError for a wrong length
   */
  useTrackerIdKey(trackerIdKey: Uint8Array): void {
    this.#ids = new TrackerIds(trackerIdKey);
  }

  /** Seconds between regular announces, as told to who asks at `now`. */
  interval(now: number): number {
    return this.#policy.interval(now);
  }

  get counts(): TrackerCounts {
    const { torrents, seeders, leechers, signalled: held, ...families } = this.#store.totals;
    const here = this.signalling?.totals;
    // A store that holds WebTorrent peers has counted those of this process with the others.
    const added = held === undefined ? here : undefined;
    const completed = here?.completed ?? 0;
    return {
      ...families,
      torrents: torrents + (added?.torrents ?? 0),
      seeders: seeders + (added?.seeders ?? 0),
      leechers: leechers + (added?.leechers ?? 0),
      signalled: held === undefined ? here : { ...held, completed },
      announces: this.#announces,
      scrapes: this.#scrapes,
      refused: this.#refused,
      refusals: { ...this.#refusals },
      unlisted: this.#unlisted,
      completed: this.#completed + completed,
      expired: this.#expired,
    };
  }

  /**
   * The first half of an announce, for stores that answer later: what to ask of the store, or a refusal. Its bytes are
   * views into the request.
   */
  admit(
    request: AnnounceRequest,
    address: Uint8Array,
    families: 'own' | 'both',
    withPeerIds: boolean,
    now: number,
  ): Admitted | AnnounceFailure {
    this.#announces++;
    const refusal = this.#policy.refusal(request, address, now);
    if (refusal !== undefined) return this.refuse(refusal, now);
    // Where nobody can be given an id nobody brings one.
    const echo = families === 'both' ? request.trackerId : undefined;
    const proven = echo === undefined ? undefined : this.#ids.read(echo, request);
    const stays = proven !== undefined && proven.port === request.port && isEqual(proven.address, address);
    return {
      infoHash: request.infoHash,
      address,
      port: request.port,
      peerId: request.peerId,
      key: request.key === undefined ? 0 : keyNumber(request.key),
      formerly: stays ? undefined : proven,
      // Unknown and absurd amounts left are those of a leecher; `completed` with something left is no completion.
      seeding: request.left === 0,
      partial: request.event === 'paused' && request.left !== 0,
      leaving: request.event === 'stopped',
      listing: this.#policy.listing?.(address) ?? 'public',
      want: this.#policy.wanted(request, now),
      families,
      withPeerIds,
      since: families === 'both' ? request.last : undefined,
      lacksId: echo !== undefined && !stays,
    };
  }

  /** The second half: the answer to who was admitted, once the store has filled `sample`. */
  settle(admitted: Admitted, outcome: AnnounceOutcome, sample: PeerSample, now: number): PackedReply {
    if (outcome === 'completed') this.#completed++;
    const warning = warnings[outcome];
    if (warning !== undefined) this.#unlisted++;
    const isNew = outcome === 'joined' && admitted.families === 'both';
    const interval = this.#policy.interval(now);
    const { minInterval } = this.#policy;
    return {
      interval,
      // Jitter may bring the one below the other, and whoever comes when told to shall not come too soon.
      minInterval: minInterval === undefined ? undefined : Math.min(minInterval, interval),
      warning,
      trackerId: isNew || admitted.lacksId ? this.#ids.issue(admitted, admitted.address, admitted.port) : undefined,
      last: sample.mark === 0 ? undefined : sample.mark,
      numPeers: admitted.since === undefined ? undefined : othersIn(admitted, outcome, sample),
      sample,
    };
  }

  /** The first half of a scrape, for stores that answer later: each torrent that may be asked for, undefined for others. */
  admitScrape(infoHashes: readonly Uint8Array[]): (Uint8Array | undefined)[] {
    this.#scrapes++;
    return infoHashes.map((infoHash) => (this.#policy.serves(infoHash) ? infoHash : undefined));
  }

  /** Counts a refusal and says it as an answer; for reasons that no policy knows, such as a store that is away. */
  refuse({ code, message, retryIn, interval }: Refusal, now: number): AnnounceFailure {
    this.#refused++;
    this.#refusals[code] = (this.#refusals[code] ?? 0) + 1;
    const seconds = interval ?? this.#policy.interval(now);
    // libtorrent waits for the interval of a failure, others for BEP 31's minutes.
    return { failureReason: message, retryIn: retryIn ?? Math.ceil(seconds / 60), interval: seconds };
  }

  /** How long a silent peer stays listed, in ms; it may change with the policy's intervals. */
  get peerLifetimeMs(): number {
    return this.#fixedLifetimeMs ?? Math.max(this.#policy.longestInterval * 1500, 120_000);
  }
}

/** How many participants there are besides the announcer that can be dialled. */
function othersIn(
  { leaving }: Admitted,
  outcome: AnnounceOutcome,
  { seeders, leechers, signalled }: PeerSample,
): number {
  const isListed = !leaving && outcome !== 'store-full' && outcome !== 'address-full';
  return seeders + leechers - signalled - (isListed ? 1 : 0);
}

function sumOf(one: ScrapeCounts | undefined, other: ScrapeCounts | undefined): ScrapeCounts | undefined {
  if (one === undefined || other === undefined) return one ?? other;
  return {
    complete: one.complete + other.complete,
    incomplete: one.incomplete + other.incomplete,
    downloaded: one.downloaded + other.downloaded,
    downloaders: (one.downloaders ?? one.incomplete) + (other.downloaders ?? other.incomplete),
  };
}

function drawnKey(random: () => number): Uint8Array {
  return Uint8Array.from({ length: trackerIdKeyBytes }, () => Math.floor(random() * 256));
}

function isEqual(one: Uint8Array, other: Uint8Array): boolean {
  return one.length === other.length && one.every((byte, at) => byte === other[at]);
}
