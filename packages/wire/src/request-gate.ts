// Which of a peer's requests are worth showing to the torrent (BEP 3, BEP 6 "reject", "allowed fast").
// Decides from the protocol alone: ranges, choking, the queue's limit, abuse. Must not know which pieces we have.
import { type Block, blockCountAt, blockLength, type Geometry, isWithinPiece } from '@shoal/pieces';
import type { WireErrorCode } from './errors.ts';

/**
 * `pass` it on, `refuse` it (a reject with fast, else silence), refuse it because the queue is `full`, refuse and say
 * `choke` again, or end for a reason.
 */
export type Verdict = 'pass' | 'refuse' | 'full' | 'remind' | WireErrorCode;

export interface RequestGateOptions {
  readonly geometry: Geometry;
  /** Most requests that may wait. */
  readonly limit: number;
  /** Pieces that the peer may fetch while choked (BEP 6). */
  readonly exempt: ReadonlySet<number>;
}

/** Judges the requests of one peer. */
export class RequestGate {
  readonly #options: RequestGateOptions;
  #limit: number;
  /** Blocks of each exempt piece that were asked for while choked. */
  readonly #fetched = new Map<number, number>();
  #bad = 0;
  #whileChoked = 0;
  #graceUntil = -Infinity;
  #isGracePending = false;

  constructor(options: RequestGateOptions) {
    this.#options = options;
    this.#limit = options.limit;
  }

  /** Another number of requests may wait. */
  limitTo(requests: number): void {
    this.#limit = requests;
  }

  /** We choked: for two seconds, from the first request on, requests may cross with it. */
  choked(): void {
    this.#isGracePending = true;
  }

  /** `queued` counts the requests that wait, with those passed on but not yet accepted. */
  judge(request: Block, isChoked: boolean, queued: number, now: number): Verdict {
    const { geometry, exempt } = this.#options;
    if (request.length > blockLength || !isWithinPiece(geometry, request.piece, request.begin, request.length)) {
      this.#bad += 1;
      if (this.#bad > maxBadRequests) return 'too-many-bad-requests';
      return isChoked && this.#bad % reminderEvery === 0 ? 'remind' : 'refuse';
    }
    if (isChoked) {
      if (!exempt.has(request.piece)) return this.#judgeChoked(now);
      const fetched = (this.#fetched.get(request.piece) ?? 0) + 1;
      if (fetched > maxFetches * blockCountAt(geometry, request.piece)) return 'allowed-fast-abuse';
      this.#fetched.set(request.piece, fetched);
    }
    return queued < this.#limit ? 'pass' : 'full';
  }

  #judgeChoked(now: number): Verdict {
    if (this.#isGracePending) {
      this.#isGracePending = false;
      this.#graceUntil = now + graceMs;
    }
    if (now < this.#graceUntil) return 'refuse';
    this.#whileChoked += 1;
    if (this.#whileChoked > maxRequestsWhileChoked) return 'requests-while-choked';
    return this.#whileChoked % reminderEvery === 0 ? 'remind' : 'refuse';
  }
}

/** libtorrent drops a peer after 300 invalid requests. */
const maxBadRequests = 300;
/** libtorrent's `max_rejects`; BEP 6 leaves the number open. */
const maxRequestsWhileChoked = 50;
/** libtorrent says `choke` again after every 16 such requests: the peer may have missed it. */
const reminderEvery = 16;
/** libtorrent's tolerance for requests on their way when we choked. */
const graceMs = 2000;
/** libtorrent: a piece of the allowed fast set may be fetched three times. */
const maxFetches = 3;
