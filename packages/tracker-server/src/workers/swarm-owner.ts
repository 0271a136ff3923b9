// The thread that owns the swarms, as seen by one that asks: takes its questions, answers from the service it was given,
// which has policy and counts. So whatever changes while the tracker runs changes in one place.
import type { PackedReply } from '@shoal/tracker';
import { type AnnounceFailure, isFailure } from '@shoal/tracker-protocol';
import type { SwarmService } from '../swarm-service.ts';
import { listingLength, rareAnswer, writeListing, writeRare } from './answer-records.ts';
import { busy, failed, thrown } from './forwarding-service.ts';
import { type Question, readQuestion } from './question-records.ts';
import type { RingReader, RingWriter } from './ring.ts';

/** Questions taken before others get their turn: half a millisecond. */
const turn = 128;

export class SwarmOwner {
  readonly #service: SwarmService;
  readonly #clock: () => number;
  readonly #questions: RingReader;
  readonly #answers: RingWriter;
  /** Answers that found no room: as many as there are questions under way, no more. */
  readonly #unsent: (() => boolean)[] = [];
  readonly #onError: (error: unknown) => void;
  #isDue = false;
  #closed = false;

  /** `onError` hears of failures of our own. Default: they are thrown. */
  constructor(
    service: SwarmService,
    clock: () => number,
    questions: RingReader,
    answers: RingWriter,
    onError: (error: unknown) => void = thrown,
  ) {
    this.#service = service;
    this.#clock = clock;
    this.#questions = questions;
    this.#answers = answers;
    this.#onError = onError;
  }

  /** Answers nothing from now on. */
  close(): void {
    this.#closed = true;
  }

  /** Answers what was asked. To be called when the bell rang. */
  serve(): void {
    if (this.#closed) return;
    while (this.#unsent.length > 0 && this.#unsent[0]!()) this.#unsent.shift();
    const isMore = this.#unsent.length > 0 || this.#drain();
    if (isMore) this.#serveSoon();
  }

  /** Takes one more turn, however many ask for it. */
  #serveSoon(): void {
    if (this.#isDue) return;
    this.#isDue = true;
    setImmediate(() => {
      this.#isDue = false;
      this.serve();
    });
  }

  #drain(): boolean {
    const now = this.#clock();
    return this.#questions.drain(turn, (bytes, view, at, length) => {
      const question = readQuestion(bytes, view, at, length);
      let isAnswered = false;
      try {
        this.#answer(question, now, () => (isAnswered = true));
      } catch (error) {
        // Thrown from here it would leave the question where it is, to be asked again for ever.
        this.#onError(error);
        if (!isAnswered) this.#sendRare(question.id, 'refusal', rareAnswer(failed));
      }
    });
  }

  #answer(question: Question, now: number, answered: () => void): void {
    const { id } = question;
    if (question.kind === 'scrape') {
      this.#service.scrape(question.infoHashes, now, (found) => {
        this.#sendRare(id, isFailure(found) ? 'refusal' : 'counts', rareAnswer(found));
        answered();
      });
      return;
    }
    const { request, address, wanted } = question;
    this.#service.announce(request, address, wanted, now, (reply) => {
      this.#send(id, reply, wanted.withPeerIds);
      answered();
    });
  }

  #send(id: number, reply: PackedReply | AnnounceFailure, withPeerIds: boolean): void {
    if (isFailure(reply)) {
      this.#sendRare(id, 'refusal', rareAnswer(reply));
      return;
    }
    const isSent = this.#answers.write(listingLength(reply), (into, numbers, from) =>
      writeListing(into, numbers, from, id, reply, withPeerIds),
    );
    // The sample is gone when this returns, and one who does not take answers can do without.
    if (!isSent) this.#sendRare(id, 'refusal', rareAnswer(busy));
  }

  #sendRare(id: number, kind: 'refusal' | 'counts', text: Uint8Array): void {
    const send = (): boolean =>
      this.#answers.write(8 + text.length, (bytes, view, at) => writeRare(bytes, view, at, id, kind, text));
    if (this.#unsent.length === 0 && send()) return;
    this.#unsent.push(send);
    // An answer that comes later comes when perhaps nobody asks anything, and no bell is rung.
    this.#serveSoon();
  }
}
