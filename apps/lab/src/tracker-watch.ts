// Asks the tracker's own statistics page now and then what it knows of the swarm. Its silence is no failure: it is only
// for show.
import type { TrackerFacts } from './picture.ts';

const intervalMs = 500;

export class TrackerWatch {
  readonly #url: string;
  readonly #timer: NodeJS.Timeout;
  readonly #controller = new AbortController();
  #facts: TrackerFacts;
  #isAsking = false;

  /** `url` is where the tracker serves HTTP. */
  constructor(url: string) {
    this.#url = url;
    this.#facts = { url, seeders: 0, leechers: 0, completed: 0, announces: 0 };
    this.#timer = setInterval(() => void this.ask(), intervalMs);
  }

  /** As of the last answer. */
  get facts(): TrackerFacts {
    return this.#facts;
  }

  /** Asks now; never fails. */
  async ask(): Promise<void> {
    if (this.#isAsking) return;
    this.#isAsking = true;
    try {
      const response = await fetch(`${this.#url}/stats.json`, { signal: this.#controller.signal });
      const { swarms } = (await response.json()) as { readonly swarms: Omit<TrackerFacts, 'url'> };
      const { seeders, leechers, completed, announces } = swarms;
      this.#facts = { url: this.#url, seeders, leechers, completed, announces };
    } catch {
      // The last answer stands.
    } finally {
      this.#isAsking = false;
    }
  }

  close(): void {
    clearInterval(this.#timer);
    this.#controller.abort();
  }
}
