// When to tell the tracker what (BEP 3 "Tracker GET requests"): started, then at the tracker's interval, completed once,
// stopped at the end. Which tracker and how is the driver's affair.
import type { AnnounceEvent, AnnounceReply } from '@shoal/tracker-protocol';

export interface AnnouncingOptions {
  readonly minAnnounceIntervalMs: number;
  readonly retryMs: number;
  readonly random: () => number;
}

/** A reply without an interval means half an hour (BEP 3 practice; clients case 49). */
const defaultIntervalMs = 30 * 60_000;
/** No tracker may silence us for longer than a day. */
const maxIntervalMs = 24 * 60 * 60_000;
/** Longest wait after failures (libtorrent: 1 h). */
const maxRetryMs = 60 * 60_000;

export class Announcing {
  readonly #options: AnnouncingOptions;
  /** Events still to be told, in order. */
  #events: AnnounceEvent[] = [];
  #live = false;
  #underWay: AnnounceEvent | undefined;
  #failures = 0;
  /** Something has changed since the last announce. */
  #hasNews = false;
  #dueAt = Infinity;
  /** From here on an announce out of turn is polite. */
  #earliestAt = Infinity;

  constructor(options: AnnouncingOptions) {
    this.#options = options;
  }

  begin(now: number): void {
    this.#live = true;
    this.#events = ['started'];
    this.#dueAt = now;
  }

  /** Only for a transition seen live: none is sent for what was complete when started (BEP 3). */
  completed(now: number): void {
    if (!this.#live) return;
    this.#events.push('completed');
    // After a failure the wait stands: completing does not make a dead tracker answer.
    if (this.#failures === 0) this.#dueAt = now;
  }

  /** What we tell of ourselves has changed: worth an announce as soon as it is polite. */
  changed(now: number): void {
    this.#hasNews = true;
    if (this.#failures === 0) this.#dueAt = Math.min(this.#dueAt, Math.max(now, this.#earliestAt));
  }

  /** True when the tracker should hear of our end. */
  stop(): boolean {
    const wasLive = this.#live;
    this.#live = false;
    this.#events = [];
    this.#dueAt = Infinity;
    return wasLive;
  }

  /**
   * The event to announce now, or undefined. `needPeers`: nobody left to talk to, so ask again as soon as polite.
   * `isPartialSeed`: all that is wanted is here, but not all there is (BEP 21: every plain announce says `paused`).
   */
  take(needPeers: boolean, isPartialSeed: boolean, now: number): AnnounceEvent | undefined {
    if (!this.#live || this.#underWay !== undefined) return undefined;
    const due = now >= this.#dueAt || (needPeers && now >= this.#earliestAt);
    if (!due) return undefined;
    this.#hasNews = false;
    this.#underWay = this.#events[0] ?? (isPartialSeed ? 'paused' : 'none');
    return this.#underWay;
  }

  /** Returns the event that this reply answers. */
  answered(reply: AnnounceReply, now: number): AnnounceEvent {
    // The goodbye is the one announce that does not wait for another: with it nothing else is planned any more.
    const event = this.#finish() ?? 'stopped';
    if (this.#events[0] === event) this.#events.shift();
    this.#failures = 0;
    const floor = this.#options.minAnnounceIntervalMs;
    const asked = reply.interval > 0 ? reply.interval * 1000 : defaultIntervalMs;
    const interval = Math.min(Math.max(asked, floor), maxIntervalMs);
    const minimum = Math.min(Math.max((reply.minInterval ?? 0) * 1000, floor), interval);
    this.#earliestAt = now + minimum;
    this.#dueAt = this.#events.length > 0 ? now : now + (this.#hasNews ? minimum : interval);
    return event;
  }

  /** Returns how long we wait before the next try. */
  failed(retryInMs: number | undefined, now: number): number {
    this.#finish();
    const backOff = Math.min(this.#options.retryMs * 2 ** this.#failures, maxRetryMs);
    this.#failures = Math.min(this.#failures + 1, 30);
    const wait = retryInMs ?? backOff * (1 + this.#options.random() / 4);
    this.#dueAt = now + wait;
    this.#earliestAt = this.#dueAt;
    return wait;
  }

  deadline(needPeers: boolean): number {
    if (!this.#live || this.#underWay !== undefined) return Infinity;
    return needPeers ? Math.min(this.#dueAt, this.#earliestAt) : this.#dueAt;
  }

  get dueAt(): number {
    return this.#dueAt;
  }

  #finish(): AnnounceEvent | undefined {
    const event = this.#underWay;
    this.#underWay = undefined;
    return event;
  }
}
