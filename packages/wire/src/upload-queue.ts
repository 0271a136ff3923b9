// What one peer asked of us and has yet to get, in the order asked (BEP 3, "peer protocol": queued in memory, so that
// a choke can throw it all out). Invariants: never more than the limit; while shut, only exempt pieces (BEP 6).
// Must not know the disk, the socket, or who deserves data.
import type { Block, Geometry } from '@shoal/pieces';

/** What became of a request: to be served, answered by an earlier one, or to be rejected. */
export type Acceptance = 'accepted' | 'duplicate' | 'full';

export interface UploadQueueOptions {
  readonly geometry: Geometry;
  /** Most requests held. */
  readonly limit: number;
  /** Pieces that are served while the queue is shut: the allowed fast set. */
  readonly exempt: ReadonlySet<number>;
}

/** Requests of one peer that wait to be served. Shut at first, since connections start out choked (BEP 3). */
export class UploadQueue {
  /** Requests were passed over without a word since the queue was last shut: the peer still waits for them. */
  hasPassedOver = false;
  readonly #options: UploadQueueOptions;
  #limit: number;
  /** By offset in the torrent; a Map keeps the order asked. */
  readonly #blocks = new Map<number, Block>();
  #isShut = true;

  constructor(options: UploadQueueOptions) {
    this.#options = options;
    this.#limit = options.limit;
  }

  /** Another number of requests may wait. */
  limitTo(requests: number): void {
    this.#limit = requests;
  }

  get length(): number {
    return this.#blocks.size;
  }

  /**
   * Takes a request. `duplicate`: it waits already, one answer is enough. `full`: not taken, because the limit is
   * reached, the peer is choked by now, or the same place was asked for with another length; reject it.
   */
  accept(request: Block): Acceptance {
    const offset = this.#offsetOf(request);
    const waiting = this.#blocks.get(offset);
    if (waiting !== undefined) return waiting.length === request.length ? 'duplicate' : 'full';
    if (this.#blocks.size >= this.#limit) return 'full';
    if (this.#isShut && !this.#options.exempt.has(request.piece)) return 'full';
    this.#blocks.set(offset, { piece: request.piece, begin: request.begin, length: request.length });
    return 'accepted';
  }

  /** Takes a request back; false when it does not wait here: never accepted, or already on its way. */
  cancel(request: Block): boolean {
    const offset = this.#offsetOf(request);
    return this.#blocks.get(offset)?.length === request.length && this.#blocks.delete(offset);
  }

  /** Takes the longest run at the head that one read of one piece can serve, at most `maxBlocks` blocks. */
  takeRun(maxBlocks: number): Block[] {
    const run: Block[] = [];
    let piece = -1;
    let begin = -1;
    for (const [offset, block] of this.#blocks) {
      if (run.length >= maxBlocks) break;
      if (run.length > 0 && (block.piece !== piece || block.begin !== begin)) break;
      this.#blocks.delete(offset);
      run.push(block);
      piece = block.piece;
      begin = block.begin + block.length;
    }
    return run;
  }

  /** Empties the queue and says what was in it. */
  clear(): Block[] {
    const blocks = [...this.#blocks.values()];
    this.#blocks.clear();
    return blocks;
  }

  /** The peer is choked: throws out all but exempt pieces and says what it was. */
  shut(): Block[] {
    this.#isShut = true;
    this.hasPassedOver = false;
    const dropped: Block[] = [];
    for (const [offset, block] of this.#blocks) {
      if (this.#options.exempt.has(block.piece)) continue;
      this.#blocks.delete(offset);
      dropped.push(block);
    }
    return dropped;
  }

  /** The peer is unchoked: takes requests for any piece. */
  open(): void {
    this.#isShut = false;
  }

  #offsetOf(request: Block): number {
    return request.piece * this.#options.geometry.pieceLength + request.begin;
  }
}
