// Counts what passes between a transport and whoever answers: announces by family, event and result, and how long some
// took. Plain numbers; nothing is written out before somebody looks.
import type { AnnounceEvent } from '@shoal/tracker-protocol';
import { isFailure } from '@shoal/tracker-protocol';
import type { AnnounceDone, PeersWanted, ScrapeDone, SwarmService } from '@shoal/tracker-server';
import { Durations } from './durations.ts';

/** A number of announces that were alike. */
export interface AnnounceCount {
  readonly family: 'ipv4' | 'ipv6';
  readonly event: AnnounceEvent;
  readonly result: 'ok' | 'refused';
  readonly count: number;
}

const events: readonly AnnounceEvent[] = ['started', 'completed', 'stopped', 'paused', 'none'];
const families = ['ipv4', 'ipv6'] as const;
const results = ['ok', 'refused'] as const;

/** Over how many answers the mean of intervals goes, about. */
const intervalMemory = 64;

/** What one transport asked for. */
export class Measurements {
  readonly announceDurations: Durations = new Durations();
  readonly scrapeDurations: Durations = new Durations();
  readonly #counts = new Float64Array(events.length * families.length * results.length);
  #interval = 0;

  /** One answered announce. */
  count(event: AnnounceEvent, addressBytes: number, refused: boolean): void {
    const kind = events.indexOf(event) * families.length + (addressBytes === 4 ? 0 : 1);
    this.#counts[kind * results.length + (refused ? 1 : 0)]!++;
  }

  /** An interval that a client was told, in seconds. */
  tell(interval: number): void {
    this.#interval = this.#interval === 0 ? interval : this.#interval + (interval - this.#interval) / intervalMemory;
  }

  /** The mean of the intervals told lately, in seconds; 0 before the first. */
  get interval(): number {
    return this.#interval;
  }

  /** Every kind, zeros included: a series that appears late looks like a jump. */
  *announces(): Iterable<AnnounceCount> {
    for (const [index, count] of this.#counts.entries()) {
      const kind = Math.floor(index / results.length);
      const [event, family] = [events[Math.floor(kind / families.length)], families[kind % families.length]];
      const result = results[index % results.length];
      if (event !== undefined && family !== undefined && result !== undefined) yield { family, event, result, count };
    }
  }
}

/**
 * `service`, with every announce counted in `measurements` and one of `sampleEvery` requests timed until its answer has
 * been handed to the socket. `clock`: ms.
 */
export function measuredService(
  service: SwarmService,
  measurements: Measurements,
  sampleEvery: number,
  clock: () => number,
): SwarmService {
  const { announceDurations, scrapeDurations } = measurements;
  let seen = 0;
  return {
    announce(request, address, wanted: PeersWanted, now, done: AnnounceDone): void {
      // Both are the transport's again when the answer comes later.
      const { event } = request;
      const { length } = address;
      const started = seen++ % sampleEvery === 0 ? clock() : undefined;
      service.announce(request, address, wanted, now, (reply) => {
        const refused = isFailure(reply);
        measurements.count(event, length, refused);
        if (!refused) measurements.tell(reply.interval);
        done(reply);
        if (started !== undefined) announceDurations.record(clock() - started);
      });
    },
    scrape(infoHashes, now, done: ScrapeDone): void {
      const started = seen++ % sampleEvery === 0 ? clock() : undefined;
      service.scrape(infoHashes, now, (counts) => {
        done(counts);
        if (started !== undefined) scrapeDurations.record(clock() - started);
      });
    },
  };
}
