// The service of a thread that owns no swarms: questions go to the thread that does, answers come back later. What is
// under way is bounded; beyond that a client is told to come back.
import type { AnnounceFailure } from '@shoal/tracker-protocol';
import type { AnnounceDone, ScrapeDone, SwarmService } from '../swarm-service.ts';
import { AnswerReader, type AnswerRecord, answerId } from './answer-records.ts';
import { longestAnnounce, writeAnnounce, writeScrape } from './question-records.ts';
import type { RingReader, RingWriter } from './ring.ts';

/** Questions under way: at a million in a second they have waited four milliseconds. */
const mostUnderWay = 4096;

/** Answers taken before others get their turn. */
const turn = 256;

type Waiting = { readonly announce: AnnounceDone } | { readonly scrape: ScrapeDone };

export class ForwardingService implements SwarmService {
  readonly #questions: RingWriter;
  readonly #answers: RingReader;
  readonly #reader = new AnswerReader();
  readonly #waiting: (Waiting | undefined)[] = [];
  readonly #free: number[] = [];
  readonly #onError: (error: unknown) => void;

  /** `onError` hears of failures of our own in who takes an answer. Default: they are thrown. */
  constructor(questions: RingWriter, answers: RingReader, onError: (error: unknown) => void = thrown) {
    this.#questions = questions;
    this.#answers = answers;
    this.#onError = onError;
    for (let id = mostUnderWay - 1; id >= 0; id--) this.#free.push(id);
  }

  announce: SwarmService['announce'] = (request, address, wanted, _now, done) => {
    const id = this.#free.pop();
    const isSent =
      id !== undefined &&
      this.#questions.write(longestAnnounce, (bytes, view, at) =>
        writeAnnounce(bytes, view, at, id, request, address, wanted),
      );
    if (isSent) this.#waiting[id] = { announce: done };
    else this.#turnAway(id, done);
  };

  scrape: SwarmService['scrape'] = (infoHashes, _now, done) => {
    const id = this.#free.pop();
    const isSent =
      id !== undefined &&
      this.#questions.write(8 + 20 * infoHashes.length, (bytes, view, at) =>
        writeScrape(bytes, view, at, id, infoHashes),
      );
    if (isSent) this.#waiting[id] = { scrape: done };
    else this.#turnAway(id, done);
  };

  /** Hands out the answers that are there. To be called when the bell rang. */
  collect(): void {
    const isMore = this.#answers.drain(turn, (bytes, view, at, length) => {
      const id = answerId(view, at);
      const waiting = this.#waiting[id];
      if (waiting === undefined) return;
      this.#waiting[id] = undefined;
      this.#free.push(id);
      try {
        hand(waiting, this.#reader.read(bytes, view, at, length));
      } catch (error) {
        this.#onError(error);
        // Who waits did not get that one.
        refuse(waiting, failed);
      }
    });
    if (isMore) setImmediate(() => this.collect());
  }

  #turnAway(id: number | undefined, done: (failure: AnnounceFailure) => void): void {
    if (id !== undefined) this.#free.push(id);
    done(busy);
  }
}

function hand(waiting: Waiting, answer: AnswerRecord): void {
  if (answer.kind === 'refusal') refuse(waiting, answer.failure);
  else if (answer.kind === 'listing' && 'announce' in waiting) waiting.announce(answer.reply);
  else if (answer.kind === 'counts' && 'scrape' in waiting) waiting.scrape(answer.counts);
}

function refuse(waiting: Waiting, failure: AnnounceFailure): void {
  ('announce' in waiting ? waiting.announce : waiting.scrape)(failure);
}

/** What is told where too many wait already. */
export const busy: AnnounceFailure = {
  failureReason: 'the tracker has too much to do, try again in a minute',
  retryIn: 1,
  interval: 60,
};

/** What is told in place of an answer that we failed to give. */
export const failed: AnnounceFailure = { failureReason: 'the tracker failed to answer', retryIn: 1, interval: 60 };

export function thrown(error: unknown): never {
  throw error;
}
