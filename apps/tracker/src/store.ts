// Where swarms live: in this process, or in a store that several trackers share (docs/decisions/0010).
import { type AnnouncePolicy, MemoryStore, type SignalledSwarms, Tracker } from '@shoal/tracker';
import type { RedisStore } from '@shoal/tracker-redis';
import { SharedService, SharedTotals, type SwarmService, localService } from '@shoal/tracker-server';
import { ConfigurationError } from './errors.ts';
import { KeyAgreement } from './key-agreement.ts';
import type { Log } from './log.ts';

/** A tracker and who answers for it. */
export interface Swarms extends AsyncDisposable {
  readonly tracker: Tracker;
  readonly service: SwarmService;
  /** The service, where the swarms are in a shared store. */
  readonly shared: SharedService | undefined;
  /** Where the swarms are, where they are in this process. */
  readonly memory: MemoryStore | undefined;
  /** Behind tracker ids, as it is now: who takes this process's place begins with it. */
  readonly trackerIdKey: Uint8Array;
}

/** What a tracker goes by, wherever its swarms are. */
export interface SwarmRules {
  readonly policy: AnnouncePolicy;
  readonly signalling: SignalledSwarms;
  /** Behind tracker ids, which prove a former address: nothing that can be predicted. Offered to a shared store, which may have another. */
  readonly trackerIdKey: Uint8Array;
}

/** How long a start waits for the store, in ms; after that the tracker serves and sends clients away until it is there. */
const connectMs = 2000;

/**
 * Opens the swarms: this process's own, or those of the store at a URL (`redis://…`, `redis-cluster://…`, both with
 * `rediss` for TLS). A store that is not there is waited for while serving.
 * @throws ConfigurationError for another URL
 */
export async function openSwarms(store: string | undefined, rules: SwarmRules, log: Log): Promise<Swarms> {
  if (store !== undefined) return openShared(store, rules, log);
  const memory = new MemoryStore({ random: Math.random });
  const tracker = new Tracker({ random: Math.random, ...rules, store: memory });
  const { trackerIdKey } = rules;
  const service = localService(tracker);
  return { tracker, service, shared: undefined, memory, trackerIdKey, [Symbol.asyncDispose]: async () => {} };
}

async function openShared(url: string, rules: SwarmRules, log: Log): Promise<Swarms> {
  const totals = new SharedTotals();
  const store = await connectTo(url, () => tracker.peerLifetimeMs);
  const tracker = new Tracker({ random: Math.random, ...rules, store: totals });
  const agreement = new KeyAgreement(store, rules.trackerIdKey, {
    take: (key) => tracker.useTrackerIdKey(key),
    failed: (error) => log.warn(error instanceof Error ? error.message : String(error)),
  });
  if (!(await agreement.reached(connectMs)))
    log.warn('the store is not there yet; until it is, clients are told to come back');
  const shared = new SharedService(tracker, store, {
    onAvailability: (available, reason) =>
      available
        ? log.info('the store is back')
        : log.error(reason instanceof Error ? reason.message : `the store is away: ${String(reason)}`),
  });
  const following = totals.follow(store);
  return {
    tracker,
    service: shared,
    shared,
    memory: undefined,
    get trackerIdKey() {
      return agreement.key;
    },
    async [Symbol.asyncDispose](): Promise<void> {
      following[Symbol.dispose]();
      agreement[Symbol.dispose]();
      shared[Symbol.dispose]();
      await store[Symbol.asyncDispose]();
    },
  };
}

async function connectTo(url: string, peerLifetimeMs: () => number): Promise<RedisStore> {
  // Loaded only where it is used: its client takes as long to load as the whole tracker.
  const { RedisStore } = await import('@shoal/tracker-redis');
  try {
    return new RedisStore(url, { random: Math.random, peerLifetimeMs });
  } catch (error) {
    if (error instanceof TypeError) throw new ConfigurationError(`--store: ${error.message}`);
    throw error;
  }
}
