// Scrapes of everything: so many torrents at most, one a second over all clients, made in slices so that announces come
// between. Decides who has to wait; whether anybody may ask is the operator's choice, at any time. BEP 48.
import type { ServerResponse } from 'node:http';
import { setImmediate as turn } from 'node:timers/promises';
import type { Tracker } from '@shoal/tracker';
import { type AnnounceFailure, type ScrapeCounts, encodeScrapeFiles, infoHashHex } from '@shoal/tracker-protocol';

/** Between the beginnings of two, in ms. */
const restMs = 1000;

/** How long one may take, its reader included, before the next who asks takes its place, in ms; as for a request. */
const patienceMs = 10_000;

/** Torrents looked at in one turn of the event loop: about a millisecond. */
const slice = 256;

/** Files are sorted and written by the first byte of their hash: of 100,000 torrents 400 in a turn. */
const shelves = 256;

const toldToWait: AnnounceFailure = {
  failureReason: 'a scrape of everything was answered a moment ago, try again in a minute',
  retryIn: 1,
  interval: 60,
};
const elsewhere: AnnounceFailure = {
  failureReason: 'a scrape must name its torrents: the swarms are in a store that cannot list them',
  retryIn: 'never',
};

/** Answers scrapes that name no torrents. */
export class FullScrapes {
  readonly #tracker: Tracker;
  #limit: number | 'off' = 'off';
  readonly #clock: () => number;
  #reader: ServerResponse | undefined;
  #began = -Infinity;

  /** `limit` as below. */
  constructor(tracker: Tracker, limit: number | 'off', clock: () => number) {
    this.#tracker = tracker;
    this.#clock = clock;
    this.limit = limit;
  }

  /** Torrents in one answer, at most 100,000, which are 10 MB; `off` where nobody may ask. */
  get limit(): number | 'off' {
    return this.#limit;
  }

  /** @throws RangeError for a number that is none of those; then nothing changes */
  set limit(limit: number | 'off') {
    if (limit !== 'off' && !(Number.isInteger(limit) && limit >= 1 && limit <= 100_000))
      throw new RangeError('fullScrape must be 1 to 100,000 torrents, or off');
    this.#limit = limit;
  }

  /** The body for who reads `response`, or why there is none. Rejects with the reader gone. */
  async answer(response: ServerResponse): Promise<Uint8Array | AnnounceFailure> {
    const now = this.#clock();
    if (now - this.#began < (this.#reader === undefined ? restMs : patienceMs)) return toldToWait;
    // Who reads slowly has had its time.
    this.#reader?.destroy();
    this.#reader = response;
    this.#began = now;
    response.once('close', () => {
      if (this.#reader === response) this.#reader = undefined;
    });
    const files = await this.#collect(response);
    return files === undefined ? elsewhere : this.#written(files, response);
  }

  /** Counts by the first byte of the hash; undefined where the store cannot name its torrents. */
  async #collect(response: ServerResponse): Promise<Map<string, ScrapeCounts>[] | undefined> {
    const files = Array.from({ length: shelves }, () => new Map<string, ScrapeCounts>());
    let left = this.#limit === 'off' ? 0 : this.#limit;
    for (let from = 0; from >= 0 && left > 0 && !response.destroyed; await turn()) {
      const next = this.#tracker.scrapePage(from, slice, (infoHash, counts) => {
        if (left === 0) return;
        const shelf = files[infoHash[0]!]!;
        const name = infoHashHex(infoHash);
        if (!shelf.has(name)) left--;
        shelf.set(name, counts);
      });
      if (next === undefined) return undefined;
      from = next;
    }
    return files;
  }

  async #written(files: readonly ReadonlyMap<string, ScrapeCounts>[], response: ServerResponse): Promise<Uint8Array> {
    const parts: Uint8Array[] = [Buffer.from('d5:filesd')];
    for (const shelf of files) {
      if (response.destroyed) break;
      if (shelf.size === 0) continue;
      parts.push(encodeScrapeFiles(shelf));
      await turn();
    }
    parts.push(Buffer.from('ee'));
    return Buffer.concat(parts);
  }
}
