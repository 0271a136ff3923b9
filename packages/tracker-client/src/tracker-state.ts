// What we remember of one tracker of one torrent: whether it knows us, what it told us to echo, when it may be asked.
import type { AnnounceEvent, AnnounceReply, AnnounceRequest } from '@shoal/tracker-protocol';
import type { TrackerError } from './errors.ts';

/** A tracker's state for display. */
export interface TrackerStatus {
  readonly url: string;
  /** Index of its tier. */
  readonly tier: number;
  /** It has answered an announce and not been told goodbye since. */
  readonly isStarted: boolean;
  /** Announces in a row that failed. */
  readonly failures: number;
  readonly lastError: TrackerError | undefined;
  readonly lastReply: AnnounceReply | undefined;
}

export class TrackerState {
  readonly url: string;
  isStarted = false;
  failures = 0;
  lastError: TrackerError | undefined;
  lastReply: AnnounceReply | undefined;
  #isCompleted = false;
  #trackerId: string | undefined;
  /** Monotonic milliseconds before which it does not want another regular announce. */
  #notBefore = -Infinity;
  /** Monotonic milliseconds before which a refusal forbids any announce (BEP 31). */
  #refusedUntil = -Infinity;

  constructor(url: string) {
    this.url = url;
  }

  /**
   * The events to announce, in order, so that the tracker hears `started` first and `completed` once. A tracker that
   * has not heard of us yet is told `started` in place of a regular announce, and before `completed`.
   */
  eventsFor(event: AnnounceEvent): readonly AnnounceEvent[] {
    if (event === 'completed' && this.#isCompleted) return this.isStarted ? ['none'] : ['started'];
    if (this.isStarted || event === 'started' || event === 'stopped') return [event];
    return event === 'none' ? ['started'] : ['started', event];
  }

  requestFor(request: AnnounceRequest, event: AnnounceEvent): AnnounceRequest {
    return { ...request, event, trackerId: this.#trackerId ?? request.trackerId };
  }

  /** Milliseconds until the tracker accepts an announce of `event`; 0 when it does now. */
  pauseMs(event: AnnounceEvent, now: number): number {
    // Only regular announces wait for `min interval`: an event has to be told when it happens.
    const isRegular = event === 'none' && this.isStarted;
    return Math.max(0, this.#refusedUntil - now, isRegular ? this.#notBefore - now : 0);
  }

  succeeded(event: AnnounceEvent, reply: AnnounceReply, now: number): void {
    this.isStarted = event !== 'stopped';
    if (event === 'completed') this.#isCompleted = true;
    this.failures = 0;
    this.lastError = undefined;
    this.lastReply = reply;
    // An answer without one does not take the last one back (BEP 3's convention for `tracker id`).
    this.#trackerId = reply.trackerId ?? this.#trackerId;
    this.#notBefore = reply.minInterval === undefined ? -Infinity : now + reply.minInterval * 1_000;
    this.#refusedUntil = -Infinity;
  }

  failed(error: TrackerError, now: number): void {
    this.failures++;
    this.lastError = error;
    if (error.retryInMs !== undefined) this.#refusedUntil = now + error.retryInMs;
  }
}
