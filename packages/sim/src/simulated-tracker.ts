// The real tracker machine behind a network delay and behind its real HTTP codecs, so that both ends of the protocol
// are part of every run. Decides only when answers arrive, and that none do in an outage.
import { type TrackerOptions, Tracker } from '@shoal/tracker';
import {
  type AnnounceReply,
  type AnnounceRequest,
  decodeAnnounceReply,
  encodeAnnounceFailure,
  encodeAnnounceQuery,
  encodeAnnounceReply,
  isFailure,
  parseAnnounceQuery,
} from '@shoal/tracker-protocol';
import { type SimulatedTrackerOptions, trackerDefaults } from './options.ts';
import type { Alarm, Scheduler } from './scheduler.ts';
import type { Trace } from './trace.ts';

/** What becomes of an announce, for the driver to hand to its torrent. */
export type AnnounceAnswer =
  | { readonly type: 'announced'; readonly reply: AnnounceReply }
  | { readonly type: 'announce-failed'; readonly reason: string; readonly retryInMs?: number };

export interface SimulatedTrackerFacts {
  readonly scheduler: Scheduler;
  readonly trace: Trace;
  readonly random: () => number;
}

export class SimulatedTracker {
  readonly tracker: Tracker;
  /** While false nothing is answered; set it at any time. */
  up = true;
  readonly #facts: SimulatedTrackerFacts;
  readonly #options: typeof trackerDefaults;
  readonly #expiry: Alarm;

  constructor(facts: SimulatedTrackerFacts, options: SimulatedTrackerOptions = {}) {
    const { outages = [], latencyMs, timeoutMs, ...policy } = { ...trackerDefaults, ...options };
    this.#facts = facts;
    this.#options = { latencyMs, timeoutMs };
    const trackerOptions: TrackerOptions = { ...policy, random: facts.random };
    this.tracker = new Tracker(trackerOptions);
    this.#expiry = facts.scheduler.alarm(() => this.#expire());
    for (const { fromMs, untilMs } of outages) {
      if (fromMs <= facts.scheduler.nowMs) this.#set(false);
      else facts.scheduler.at(Math.round(fromMs * 1000), () => this.#set(false));
      facts.scheduler.at(Math.round(untilMs * 1000), () => this.#set(true));
    }
  }

  /** The answer comes later, and always comes. */
  announce(request: AnnounceRequest, fromIp: string, answer: (answer: AnnounceAnswer) => void): void {
    const { scheduler, trace } = this.#facts;
    const query = encodeAnnounceQuery(request);
    scheduler.after(this.#options.latencyMs * 1000, () => {
      if (!this.up) {
        trace.event(scheduler.nowUs, 'tracker', `does not answer ${fromIp}`);
        const restMs = Math.max(0, this.#options.timeoutMs - this.#options.latencyMs);
        scheduler.after(restMs * 1000, () => answer({ type: 'announce-failed', reason: 'the tracker did not answer' }));
        return;
      }
      const body = this.#serve(query, fromIp);
      scheduler.after(this.#options.latencyMs * 1000, () => answer(read(body)));
    });
  }

  #serve(query: string, fromIp: string): Uint8Array {
    const { scheduler, trace } = this.#facts;
    const request = parseAnnounceQuery(query);
    const reply = this.tracker.announce(request, { ip: fromIp }, scheduler.nowMs);
    this.#armExpiry();
    if (isFailure(reply)) {
      trace.event(scheduler.nowUs, 'tracker', `refuses ${fromIp}: ${reply.failureReason}`);
      return encodeAnnounceFailure(reply);
    }
    trace.event(scheduler.nowUs, 'tracker', `answers ${fromIp} ${request.event} with ${reply.peers.length} peers`);
    return encodeAnnounceReply(reply, { compact: request.compact, noPeerId: request.noPeerId });
  }

  #expire(): void {
    while (this.tracker.expire(this.#facts.scheduler.nowMs));
    this.#armExpiry();
  }

  #armExpiry(): void {
    const { scheduler } = this.#facts;
    const deadlineUs = Math.ceil((this.tracker.deadline ?? Infinity) * 1000);
    // A store may keep a peer up to a second longer than its lifetime: look again then, not at once.
    this.#expiry.arm(deadlineUs > scheduler.nowUs ? deadlineUs : scheduler.nowUs + 1_000_000);
  }

  #set(up: boolean): void {
    this.up = up;
    this.#facts.trace.event(this.#facts.scheduler.nowUs, 'tracker', up ? 'is up' : 'is down');
  }
}

function read(body: Uint8Array): AnnounceAnswer {
  const reply = decodeAnnounceReply(body);
  if (!isFailure(reply)) return { type: 'announced', reply };
  const { failureReason: reason, retryIn } = reply;
  return { type: 'announce-failed', reason, ...(typeof retryIn === 'number' ? { retryInMs: retryIn * 60_000 } : {}) };
}
