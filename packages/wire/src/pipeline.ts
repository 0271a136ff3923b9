// What we asked of one peer and how much to ask at once (BEP 3 "pipelining"; depth as in libtorrent).
// A block is outstanding from `add` until it is complete, rejected, cancelled, expired or cleared. One that was given up
// is remembered as late for a while: its data may still come, and then it is no invention of the peer.
// Invariants: requests lie in the order asked; all bounded. Must not know choking, pieces wanted, or the wire's bytes.
import { type Block, blockIndexOf, blockLength, type Geometry } from '@shoal/pieces';
import { RateWindow } from './rate-window.ts';

/** What a block that arrives is to us. */
export type BlockOutcome = 'requested' | 'late' | 'unrequested';

/** One request on its way. Held by whoever reads its data, so that giving it up meanwhile is seen there. */
export interface PendingBlock {
  /** Of its place in the torrent. */
  readonly key: number;
  readonly block: Block;
  readonly askedAt: number;
  /** Bytes of it that came in whole messages: some peers split a block over two. */
  received: number;
  isLate: boolean;
  /** Once late: how often it was asked for and given up, so how many copies may still come. */
  copies: number;
}

export interface PipelineOptions {
  readonly geometry: Geometry;
  /** Most requests outstanding. */
  readonly limit: number;
  /** Milliseconds a request may stay unanswered. */
  readonly requestTimeoutMs: number;
  /** Milliseconds without payload that make the peer snubbed. */
  readonly blockTimeoutMs: number;
}

/** The requests that one peer has yet to answer. */
export class RequestPipeline {
  /** No payload for the block timeout although requests were outstanding. Over with the next whole block. */
  snubbed = false;
  readonly #options: PipelineOptions;
  readonly #blocksPerPiece: number;
  readonly #pending = new Map<number, PendingBlock>();
  readonly #late = new Map<number, PendingBlock>();
  readonly #window = new RateWindow();
  #limit: number;
  #inSlowStart = true;
  /** The second of its first payload. */
  #slowStartSecond: number | undefined;
  #depth = firstDepth;
  /** Since when nothing came: the last payload, or the first request after a pause. */
  #waitingSince = 0;

  constructor(options: PipelineOptions) {
    this.#options = options;
    this.#limit = options.limit;
    this.#blocksPerPiece = Math.max(1, Math.ceil(options.geometry.pieceLength / blockLength));
  }

  /** Number of blocks asked for and not yet answered. */
  get outstanding(): number {
    return this.#pending.size;
  }

  /** Most requests that may be outstanding: our own limit and the peer's. */
  get limit(): number {
    return this.#limit;
  }

  /** Lowers the limit to what the peer queues (BEP 10 `reqq`). */
  limitTo(requests: number): void {
    this.#limit = Math.max(1, Math.min(this.#options.limit, requests));
  }

  has(piece: number, begin: number): boolean {
    return this.#pending.has(this.#keyOf(piece, begin));
  }

  /** What is outstanding, longest first. */
  blocks(): Block[] {
    return Array.from(this.#pending.values(), (pending) => pending.block);
  }

  /** Bytes of blocks we asked for, per second, over the last 20 seconds. */
  rate(now: number): number {
    return this.#window.rate(now);
  }

  /**
   * How many requests should be outstanding. Slow start: 4 and one more per block received, until a second brought no
   * 5 kB more than the one before. Then three seconds of the present rate. At least 2; 1 while snubbed.
   */
  target(now: number): number {
    if (this.snubbed) return 1;
    if (this.#inSlowStart) return Math.min(this.#limit, this.#depth);
    // The last second counts when it is faster than the average, or a fast link would take 20 s to be used.
    const bytesPerSecond = Math.max(this.rate(now), this.#window.second(1, now));
    const depth = Math.ceil((bytesPerSecond * queueSeconds) / blockLength);
    return Math.min(this.#limit, Math.max(leastDepth, depth));
  }

  /** The peer unchoked us: what was learnt about its rate is stale. */
  restart(): void {
    this.#inSlowStart = true;
    this.#slowStartSecond = undefined;
    this.#depth = firstDepth;
  }

  /** Notes a request; false when it was outstanding already. */
  add(block: Block, now: number): boolean {
    const key = this.#keyOf(block.piece, block.begin);
    if (this.#pending.has(key)) return false;
    if (this.#pending.size === 0) this.#waitingSince = now;
    this.#pending.set(key, { key, block, askedAt: now, received: 0, isLate: false, copies: 1 });
    return true;
  }

  /** Gives a block up; false when it was not outstanding. Its data may still come, late. */
  cancel(piece: number, begin: number): boolean {
    const pending = this.#pending.get(this.#keyOf(piece, begin));
    if (pending === undefined) return false;
    this.#giveUp(pending);
    return true;
  }

  /** Takes out the block that the peer refused: its data will not come. Undefined when it was not outstanding. */
  reject(piece: number, begin: number, length?: number): Block | undefined {
    const key = this.#keyOf(piece, begin);
    const pending = this.#pending.get(key);
    if (pending === undefined || pending.block.begin !== begin) {
      this.#forgetCopy(key);
      return undefined;
    }
    if (length !== undefined && pending.block.length !== length) return undefined;
    this.#pending.delete(key);
    return pending.block;
  }

  /** Gives everything up and says what it was: the peer choked us (BEP 3), or is gone. */
  clear(): Block[] {
    const blocks = this.blocks();
    for (const pending of this.#pending.values()) this.#giveUp(pending);
    return blocks;
  }

  /** Gives up what waited too long; a peer silent for the block timeout is snubbed and loses all it left so long. */
  takeExpired(now: number): Block[] {
    if (this.#pending.size === 0) return [];
    if (now >= this.#waitingSince + this.#options.blockTimeoutMs) {
      this.snubbed = true;
      this.#inSlowStart = false;
    }
    const patience = this.#patience;
    const expired: Block[] = [];
    for (const pending of this.#pending.values()) {
      if (now < pending.askedAt + patience) break;
      expired.push(pending.block);
      this.#giveUp(pending);
    }
    return expired;
  }

  /** When `takeExpired` has something to do; Infinity when nothing is outstanding. */
  get deadline(): number {
    for (const oldest of this.#pending.values()) {
      const expiry = oldest.askedAt + this.#patience;
      return this.snubbed ? expiry : Math.min(expiry, this.#waitingSince + this.#options.blockTimeoutMs);
    }
    return Infinity;
  }

  /** The request that data of this range answers, outstanding or late; undefined when nobody asked for it. */
  find(piece: number, begin: number, length: number, now: number): PendingBlock | undefined {
    const key = this.#keyOf(piece, begin);
    const pending = this.#pending.get(key);
    if (pending !== undefined && answers(pending, begin, length)) return pending;
    const late = this.#late.get(key);
    if (late === undefined || now >= late.askedAt + lateMs) return undefined;
    return isInside(late.block, begin, length) ? late : undefined;
  }

  /** Payload of a block that we asked for came in. */
  progress(bytes: number, now: number): void {
    this.#waitingSince = now;
    const isNewSecond = this.#window.add(bytes, now);
    if (!this.#inSlowStart) return;
    const second = Math.floor(now / 1000);
    this.#slowStartSecond ??= second;
    // Compares whole seconds only: the first one of the slow start has to be over, and the next one too.
    if (!isNewSecond || second - 2 < this.#slowStartSecond) return;
    const growth = this.#window.second(1, now) - this.#window.second(2, now);
    if (growth < slowStartGrowthBytes) this.#inSlowStart = false;
  }

  /** A whole message of `length` bytes answered `pending`; true when its block is complete, or was late. */
  arrived(pending: PendingBlock, begin: number, length: number): boolean {
    const { key, block } = pending;
    if (pending.isLate) {
      pending.received += length;
      if (pending.received >= block.length) this.#forgetCopy(key);
      return true;
    }
    pending.received = begin - block.begin + length;
    if (pending.received < block.length) return false;
    this.#pending.delete(key);
    this.snubbed = false;
    if (this.#inSlowStart) this.#depth += 1;
    return true;
  }

  get #patience(): number {
    const { blockTimeoutMs, requestTimeoutMs } = this.#options;
    return this.snubbed ? Math.min(blockTimeoutMs, requestTimeoutMs) : requestTimeoutMs;
  }

  #giveUp(pending: PendingBlock): void {
    const { key } = pending;
    this.#pending.delete(key);
    pending.isLate = true;
    pending.received = 0;
    pending.copies = 1 + (this.#late.get(key)?.copies ?? 0);
    this.#late.delete(key);
    this.#late.set(key, pending);
    if (this.#late.size <= maxLate) return;
    for (const oldest of this.#late.keys()) {
      this.#late.delete(oldest);
      return;
    }
  }

  #forgetCopy(key: number): void {
    const late = this.#late.get(key);
    if (late === undefined) return;
    late.copies -= 1;
    late.received = 0;
    if (late.copies === 0) this.#late.delete(key);
  }

  /** A `begin` past its piece gives another piece's key; comparing `begin` with that block's tells them apart. */
  #keyOf(piece: number, begin: number): number {
    return piece * this.#blocksPerPiece + blockIndexOf(begin);
  }
}

/** The whole block, or the part that follows what came so far. */
function answers(pending: PendingBlock, begin: number, length: number): boolean {
  const { block, received } = pending;
  if (begin === block.begin && length === block.length) return true;
  return begin === block.begin + received && length <= block.length - received;
}

function isInside(block: Block, begin: number, length: number): boolean {
  return begin >= block.begin && begin + length <= block.begin + block.length;
}

/** libtorrent's first queue size. */
const firstDepth = 4;
/** libtorrent's `min_request_queue`. */
const leastDepth = 2;
/** libtorrent's `request_queue_time`. */
const queueSeconds = 3;
/** libtorrent leaves slow start when a second's payload grows by less. */
const slowStartGrowthBytes = 5000;
/** Three request timeouts after a block was asked for, a peer with the fullest buffers has sent it. */
const lateMs = 180_000;
/** Two full pipelines of 500. */
const maxLate = 1000;
