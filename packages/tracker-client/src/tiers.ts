// The trackers of one torrent in their tiers: which one is asked, in which order, and what each has heard from us.
// Does not decide when to announce. BEP 12, and BEP 7's announce per address family.
import type { AnnounceReply, AnnounceRequest, IpFamily, TrackedPeer } from '@shoal/tracker-protocol';
import { announce } from './announce.ts';
import { systemClock } from './clock.ts';
import type { Clock } from './clock.ts';
import { TrackerError } from './errors.ts';
import { defaults } from './options.ts';
import type { TrackerRequestOptions } from './options.ts';
import { RememberedLookup } from './resolve.ts';
import { TrackerState } from './tracker-state.ts';
import type { TrackerStatus } from './tracker-state.ts';
import { UdpClient } from './udp-client.ts';

/** A way out of this computer: announces are made once over each. */
export interface Binding {
  readonly family?: IpFamily | undefined;
  readonly localAddress?: string | undefined;
}

export interface TrackerTiersOptions extends Omit<TrackerRequestOptions, 'signal' | 'family' | 'localAddress'> {
  /** Numbers from 0 to below 1, for the shuffle that BEP 12 asks for. */
  readonly random: () => number;
  /** Every tracker is asked once over each, because it learns one address a time (BEP 7). Default: one, the system's choice. */
  readonly bindings?: readonly Binding[] | undefined;
  /** Milliseconds that goodbyes may take in all. Default 5,000. */
  readonly stopTimeoutMs?: number | undefined;
  /** Time. Default: the system's monotonic clock. */
  readonly clock?: Clock | undefined;
}

export interface TierAnnounceOptions {
  readonly signal?: AbortSignal | undefined;
  /** Ask although the tracker wanted a longer pause, because the user said so. Default false. */
  readonly force?: boolean | undefined;
}

/** Which tracker answered, and what. */
export interface TierReply {
  readonly url: string;
  readonly reply: AnnounceReply;
}

export class TrackerTiers implements AsyncDisposable {
  readonly #tiers: TrackerState[][];
  readonly #options: TrackerTiersOptions;
  readonly #clock: Clock;
  readonly #names: RememberedLookup;
  readonly #udp: UdpClient;

  /** `tiers` as in the torrent's `announce-list`; a URL that appears twice counts once, the first time. */
  constructor(tiers: readonly (readonly string[])[], options: TrackerTiersOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#names = new RememberedLookup(options.lookup);
    this.#udp = options.udp ?? new UdpClient({ clock: this.#clock });
    this.#tiers = distinct(tiers)
      .map((urls) => shuffled(urls, options.random).map((url) => new TrackerState(url)))
      .filter((tier) => tier.length > 0);
  }

  /** Every tracker in the order in which it would be asked now. */
  get trackers(): readonly TrackerStatus[] {
    return this.#tiers.flatMap((states, tier) =>
      states.map(({ url, isStarted, failures, lastError, lastReply }) => ({
        url,
        tier,
        isStarted,
        failures,
        lastError,
        lastReply,
      })),
    );
  }

  /**
   * Announces to the first tracker that answers, in the order of BEP 12. An event of `none` becomes `started` for a
   * tracker that has not heard of us. `stopped` goes to every tracker that has, in parallel, and the answer is the
   * first; undefined when there was nobody to tell, or nobody listened within `stopTimeoutMs`.
   * @throws TrackerError no-trackers, aborted, too-soon (the tracker in use asked for a longer pause), the error of
   * the only tracker there is, or all-failed with theirs in an AggregateError as cause
   */
  announce(
    request: AnnounceRequest & { readonly event: 'stopped' },
    options?: TierAnnounceOptions,
  ): Promise<TierReply | undefined>;
  announce(request: AnnounceRequest, options?: TierAnnounceOptions): Promise<TierReply>;
  async announce(request: AnnounceRequest, options: TierAnnounceOptions = {}): Promise<TierReply | undefined> {
    if (request.event === 'stopped') return this.#stop(request, options.signal);
    const errors: TrackerError[] = [];
    for (const tier of this.#tiers) {
      // The order as it is now: an announce at the same time may change it.
      const order = [...tier];
      for (const tracker of order) {
        try {
          const reply = await this.#announceTo(tracker, request, options);
          moveToFront(tier, tracker);
          return { url: tracker.url, reply };
        } catch (error) {
          if (!(error instanceof TrackerError) || error.code === 'aborted' || isRegularPause(error, tracker))
            throw error;
          errors.push(error);
        }
      }
    }
    throw allFailed(errors);
  }

  /** Closes sockets of its own. Say `stopped` before. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#options.udp === undefined) await this.#udp[Symbol.asyncDispose]();
  }

  async #announceTo(
    tracker: TrackerState,
    request: AnnounceRequest,
    options: TierAnnounceOptions,
  ): Promise<AnnounceReply> {
    const pauseMs = options.force === true ? 0 : tracker.pauseMs(request.event, this.#clock.now());
    if (pauseMs > 0) throw new TrackerError('too-soon', tracker.url, { retryInMs: pauseMs });
    let reply: AnnounceReply | undefined;
    for (const event of tracker.eventsFor(request.event)) {
      const requestOptions = { ...this.#requestOptions(), lookup: this.#names.fresh, signal: options.signal };
      try {
        reply = await this.#overBindings(tracker.url, tracker.requestFor(request, event), requestOptions);
      } catch (error) {
        if (error instanceof TrackerError && error.code !== 'aborted') tracker.failed(error, this.#clock.now());
        throw error;
      }
      tracker.succeeded(event, reply, this.#clock.now());
    }
    return reply!;
  }

  async #stop(request: AnnounceRequest, signal: AbortSignal | undefined): Promise<TierReply | undefined> {
    const known = this.#tiers.flat().filter((tracker) => tracker.isStarted);
    const timeoutMs = this.#options.stopTimeoutMs ?? defaults.stopTimeoutMs;
    // Names from memory: a resolver that hangs must not cost the goodbye.
    const options = { ...this.#requestOptions(), lookup: this.#names.recall, timeoutMs, signal };
    const goodbyes = known.map(async (tracker): Promise<TierReply> => {
      const goodbye = tracker.requestFor({ ...request, numWant: 0 }, 'stopped');
      // Told or not, this is the end of our time with it: after this it has to be told `started` again.
      tracker.isStarted = false;
      const reply = await this.#overBindings(tracker.url, goodbye, options);
      tracker.succeeded('stopped', reply, this.#clock.now());
      return { url: tracker.url, reply };
    });
    const results = await Promise.allSettled(goodbyes);
    return results.find((result) => result.status === 'fulfilled')?.value;
  }

  #requestOptions(): TrackerRequestOptions {
    const { timeoutMs, userAgent, ca, minimumInterval } = this.#options;
    return { timeoutMs, userAgent, ca, minimumInterval, udp: this.#udp };
  }

  /** Announces over every binding; one success is enough, and the answers become one. */
  async #overBindings(url: string, request: AnnounceRequest, options: TrackerRequestOptions): Promise<AnnounceReply> {
    const bindings = this.#options.bindings ?? [{}];
    const results = await Promise.allSettled(
      bindings.map((binding) => announce(url, request, { ...options, ...binding })),
    );
    const replies = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
    if (replies.length > 0) return merged(replies);
    throw errorOf(results);
  }
}

// BEP 12 says "cannot be reached": a tracker that is merely not to be asked again yet is reached, so no backup is.
function isRegularPause(error: TrackerError, tracker: TrackerState): boolean {
  return error.code === 'too-soon' && tracker.isStarted && tracker.failures === 0;
}

function errorOf(results: readonly PromiseSettledResult<AnnounceReply>[]): unknown {
  const reasons = results.flatMap((result) => (result.status === 'rejected' ? [result.reason as unknown] : []));
  // "No address of that family" says less than what the other family met.
  return reasons.find((reason) => !(reason instanceof TrackerError) || reason.code !== 'unresolved') ?? reasons[0];
}

function merged(replies: readonly AnnounceReply[]): AnnounceReply {
  const [first, ...rest] = replies as [AnnounceReply, ...AnnounceReply[]];
  if (rest.length === 0) return first;
  const peers = new Map<string, TrackedPeer>();
  for (const { peers: found } of replies) for (const peer of found) peers.set(`${peer.ip} ${peer.port}`, peer);
  return {
    ...first,
    peers: [...peers.values()],
    interval: Math.max(...replies.map((reply) => reply.interval)),
  };
}

function allFailed(errors: readonly TrackerError[]): TrackerError {
  if (errors.length === 0) return new TrackerError('no-trackers', '');
  if (errors.length === 1) return errors[0]!;
  const pauses = errors.map((error) => error.retryInMs);
  // Known only when all of them named one: the first that may be asked again decides.
  const retryInMs = pauses.includes(undefined) ? undefined : Math.min(...(pauses as number[]));
  return new TrackerError('all-failed', errors[0]!.url, { cause: new AggregateError(errors), retryInMs });
}

function distinct(tiers: readonly (readonly string[])[]): string[][] {
  const seen = new Set<string>();
  return tiers.map((urls) =>
    urls.filter((url) => {
      if (seen.has(url) || seen.size >= defaults.maximumTrackers) return false;
      seen.add(url);
      return true;
    }),
  );
}

function shuffled(urls: readonly string[], random: () => number): string[] {
  const order = [...urls];
  for (let last = order.length - 1; last > 0; last--) {
    const other = Math.floor(random() * (last + 1));
    [order[last], order[other]] = [order[other]!, order[last]!];
  }
  return order;
}

function moveToFront(tier: TrackerState[], tracker: TrackerState): void {
  tier.splice(tier.indexOf(tracker), 1);
  tier.unshift(tracker);
}
