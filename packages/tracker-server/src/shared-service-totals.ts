// What a tracker over a shared store shows of it: totals that are counted anew now and then, because counting walks over
// every swarm. Takes the place of the tracker's own store, which nobody asks.
import type { AnnounceOutcome, PeerStore, StoreTotals } from '@shoal/tracker';
import type { RemoteStore } from './shared-service.ts';

/** Between two counts, in ms, at least … */
const restMs = 60_000;

/** … and this many times as long as the count took, so that counting is one percent of the store's work. */
const restFactor = 100;

const nothing: StoreTotals = {
  torrents: 0,
  seeders: 0,
  leechers: 0,
  ipv4Peers: 0,
  ipv6Peers: 0,
  ipv4Seeds: 0,
  ipv6Seeds: 0,
};

/** The totals of a shared store, as they were when last counted. Zeros until then. */
export class SharedTotals implements PeerStore {
  readonly oldest: undefined;
  #totals = nothing;

  get totals(): StoreTotals {
    return this.#totals;
  }

  /** @throws TypeError: a tracker over a shared store is asked through its `SharedService` */
  announce(): AnnounceOutcome {
    throw new TypeError('a tracker over a shared store is asked through its SharedService');
  }

  counts(): undefined {
    return undefined;
  }

  expire(): number {
    return 0;
  }

  /** Counts now and from time to time until disposed; a store that is away is counted next time. */
  follow(store: RemoteStore): Disposable {
    let timer: NodeJS.Timeout | undefined;
    let over = false;
    const turn = async (): Promise<void> => {
      const began = performance.now();
      try {
        this.#totals = await store.totals();
      } catch {
        // Announces tell whether the store is there; this only counts.
      }
      const rest = Math.max(restMs, restFactor * (performance.now() - began));
      if (!over) timer = setTimeout(() => void turn(), rest).unref();
    };
    void turn();
    return {
      [Symbol.dispose](): void {
        over = true;
        clearTimeout(timer);
      },
    };
  }
}
