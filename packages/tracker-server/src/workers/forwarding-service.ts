// The service of a thread that owns no swarms: questions go to the thread that does, answers come back later. What is
// under way is bounded; beyond that a client is told to come back.
import type { AnnounceFailure } from '@shoal/tracker-protocol';
import type { AnnounceDone, ScrapeDone, SwarmService } from '../swarm-service.ts';
import { AnswerReader } from './answer-records.ts';
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

  constructor(questions: RingWriter, answers: RingReader) {
    this.#questions = questions;
    this.#answers = answers;
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
      const answer = this.#reader.read(bytes, view, at, length);
      const waiting = this.#waiting[answer.id];
      this.#waiting[answer.id] = undefined;
      this.#free.push(answer.id);
      if (waiting === undefined) return;
      if (answer.kind === 'refusal') ('announce' in waiting ? waiting.announce : waiting.scrape)(answer.failure);
      else if (answer.kind === 'listing' && 'announce' in waiting) waiting.announce(answer.reply);
      else if (answer.kind === 'counts' && 'scrape' in waiting) waiting.scrape(answer.counts);
    });
    if (isMore) setImmediate(() => this.collect());
  }

  #turnAway(id: number | undefined, done: (failure: AnnounceFailure) => void): void {
    if (id !== undefined) this.#free.push(id);
    done({ failureReason: 'the tracker has too much to do, try again in a minute', retryIn: 1, interval: 60 });
  }
}
