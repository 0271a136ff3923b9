// Announces answered from a store that several trackers share: policy here, peers there, and an answer within a second
// even when the store gives none. Decides when a store counts as away; knows no protocol of any store. BEP 31.
import type { Admitted, PackedReply, RemoteAnswer, StoreAnnounce, StoreTotals, Tracker } from '@shoal/tracker';
import { PeerSample, detached } from '@shoal/tracker';
import { type AnnounceFailure, type AnnounceRequest, type ScrapeCounts, isFailure } from '@shoal/tracker-protocol';
import { StoreQuestions } from './shared-service-questions.ts';
import { type RemoteSignalling, SharedSignalling } from './shared-service-signalling.ts';
import type { AnnounceDone, PeersWanted, ScrapeDone, SwarmService } from './swarm-service.ts';

/**
 * A store of swarms elsewhere, which counts WebTorrent peers with the others. It rejects when it cannot answer, and comes
 * back by itself.
 */
export interface RemoteStore {
  /** As `PeerStore.announce`, on a clock of its own. The bytes of `peer` are copied before this returns. */
  announce(peer: StoreAnnounce): Promise<RemoteAnswer>;
  /** Counts for each hash, in order; undefined where nobody is. The hashes are copied before this returns. */
  counts(infoHashes: readonly Uint8Array[]): Promise<(ScrapeCounts | undefined)[]>;
  /** What all trackers together hold; may take minutes. */
  totals(): Promise<StoreTotals>;
  /** Its WebTorrent peers. */
  readonly signalling: RemoteSignalling;
}

export interface SharedServiceOptions {
  /** Monotonic milliseconds. Default `performance.now`. */
  readonly clock?: () => number;
  /** Uniform in [0, 1): spreads the returns of clients that were sent away. Default `Math.random`. */
  readonly random?: () => number;
  /** How long a client waits for the store before it is sent away, in ms. Default 1000: UDP clients ask again after 15 s (BEP 15). */
  readonly timeoutMs?: number;
  /** Requests that may wait for the store; further ones are sent away. Default 4096: about 2 MB. */
  readonly maxWaiting?: number;
  /** Most minutes that clients are told to stay away (BEP 31); each gets 1 to this many. Default 3. */
  readonly retryInMinutes?: number;
  /** Hears when the store goes away, with the reason, and when it is back. */
  readonly onAvailability?: (available: boolean, reason: unknown) => void;
}

const defaults = { timeoutMs: 1000, maxWaiting: 4096, retryInMinutes: 3 } satisfies SharedServiceOptions;

/** As many as a policy may want (`PlainPolicyOptions.numWantLimit`). */
const mostDrawn = 1000;

/** Answers from a shared store. */
export class SharedService implements SwarmService, Disposable {
  /** Where WebTorrent peers of all nodes meet; undefined for a tracker that has none. */
  readonly signalling: SharedSignalling | undefined;
  readonly #tracker: Tracker;
  readonly #store: RemoteStore;
  readonly #options: typeof defaults & SharedServiceOptions;
  readonly #clock: () => number;
  readonly #questions: StoreQuestions;
  readonly #sample = new PeerSample(mostDrawn);

  /** `tracker`'s own store is never asked. @throws RangeError for a timeout or number out of range */
  constructor(tracker: Tracker, store: RemoteStore, options: SharedServiceOptions = {}) {
    this.#options = { ...defaults, ...options };
    const { timeoutMs, maxWaiting, retryInMinutes } = this.#options;
    if (!(timeoutMs >= 1 && timeoutMs <= 60_000)) throw new RangeError('timeoutMs must be 1 to 60,000');
    if (!(maxWaiting >= 1)) throw new RangeError('maxWaiting must be at least 1');
    if (!(retryInMinutes >= 1)) throw new RangeError('retryInMinutes must be at least 1');
    this.#tracker = tracker;
    this.#store = store;
    this.#clock = options.clock ?? ((): number => performance.now());
    const { onAvailability } = options;
    const questions = new StoreQuestions({ clock: this.#clock, timeoutMs, maxWaiting, onAvailability });
    this.#questions = questions;
    const swarms = tracker.signalling;
    this.signalling = swarms && new SharedSignalling(swarms, store.signalling, { questions, clock: this.#clock });
  }

  /** Whether the store has answered lately, as far as anybody asked. */
  get available(): boolean {
    return this.#questions.available;
  }

  /** Requests that wait for the store. */
  get waiting(): number {
    return this.#questions.waiting;
  }

  announce(
    request: AnnounceRequest,
    address: Uint8Array,
    { families, withPeerIds }: PeersWanted,
    now: number,
    done: AnnounceDone,
  ): void {
    const admitted = this.#tracker.admit(request, address, families, withPeerIds, now);
    if (isFailure(admitted)) return done(admitted);
    if (!this.#questions.mayAsk()) return done(this.#unavailable());
    const kept = detached(admitted);
    this.#questions.ask(
      () => this.#store.announce(kept),
      (answer) => done(this.#replyOf(kept, answer)),
      () => done(this.#unavailable()),
    );
  }

  scrape(infoHashes: readonly Uint8Array[], _now: number, done: ScrapeDone): void {
    const admitted = this.#tracker.admitScrape(infoHashes).map((infoHash) => infoHash?.slice());
    const served = admitted.filter((infoHash) => infoHash !== undefined);
    if (served.length === 0) return done(admitted.map(() => undefined));
    if (!this.#questions.mayAsk()) return done(this.#unavailable());
    this.#questions.ask(
      () => this.#store.counts(served),
      (counts) => {
        let next = 0;
        done(admitted.map((hash) => hash && counts[next++]));
      },
      () => done(this.#unavailable()),
    );
  }

  /** Sends away whoever still waits. */
  [Symbol.dispose](): void {
    this.#questions[Symbol.dispose]();
  }

  #replyOf(admitted: Admitted, answer: RemoteAnswer): PackedReply {
    const sample = this.#sample;
    sample.clear();
    sample.seeders = answer.seeders;
    sample.leechers = answer.leechers;
    sample.partialSeeds = answer.partialSeeds;
    sample.completed = answer.completed;
    sample.signalled = answer.signalled;
    sample.mark = answer.mark;
    for (const [into, packed, ids] of [
      [sample.ipv4, answer.ipv4, answer.ipv4Ids],
      [sample.ipv6, answer.ipv6, answer.ipv6Ids],
    ] as const) {
      into.count = Math.min(Math.floor(packed.length / into.stride), sample.capacity);
      into.records.set(packed.subarray(0, into.count * into.stride));
      // Zeros stand for ids that are not known.
      if (ids.length === 0) into.peerIds.fill(0, 0, into.count * 20);
      else into.peerIds.set(ids.subarray(0, into.count * 20));
    }
    return this.#tracker.settle(admitted, answer.outcome, sample, this.#clock());
  }

  #unavailable(): AnnounceFailure {
    const { random = Math.random, retryInMinutes } = this.#options;
    const retryIn = 1 + Math.floor(random() * retryInMinutes);
    const message = 'the tracker cannot reach its list of peers, try again in a few minutes';
    return this.#tracker.refuse({ code: 'store-unavailable', message, retryIn, interval: retryIn * 60 }, this.#clock());
  }
}
