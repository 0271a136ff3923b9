// The data of `piece` messages on its way in: where each fragment belongs and whether we asked for it (BEP 3 "piece").
// Never holds data. Decides which ranges a peer may send at all; must not know what the torrent does with them.
import { blockLength, type Geometry, isBlock, isWithinPiece } from '@shoal/pieces';
import type { WireErrorCode } from './errors.ts';
import type { WireEvent } from './events.ts';
import type { Framer } from './framer.ts';
import type { BlockOutcome, PendingBlock, RequestPipeline } from './pipeline.ts';

/** Follows one `piece` message at a time through the framer. */
export class BlockReader {
  readonly #geometry: Geometry;
  readonly #pipeline: RequestPipeline;
  #pending: PendingBlock | undefined;
  #unrequested = 0;

  constructor(geometry: Geometry, pipeline: RequestPipeline) {
    this.#geometry = geometry;
    this.#pipeline = pipeline;
  }

  /** The header is there. Says why the connection has to end, or undefined. */
  start(framer: Framer, now: number, events: WireEvent[]): WireErrorCode | undefined {
    const { piece, begin, length } = framer;
    if (length === 0) {
      // BitComet's way to reject a request without the fast extension.
      const rejected = this.#pipeline.reject(piece, begin);
      if (rejected !== undefined) events.push({ type: 'reject', piece, begin, length: rejected.length });
      return undefined;
    }
    this.#pending = this.#pipeline.find(piece, begin, length, now);
    if (this.#pending !== undefined) return undefined;
    if (!isWithinPiece(this.#geometry, piece, begin, length)) return 'block-out-of-range';
    if (!isBlock(this.#geometry, piece, begin, length)) return 'block-off-grid';
    this.#unrequested += 1;
    return this.#unrequested > maxUnrequested ? 'unrequested-blocks' : undefined;
  }

  /** A fragment of the data is there. */
  data(framer: Framer, now: number, events: WireEvent[]): void {
    const { piece, begin, length, dataStart, dataEnd } = framer;
    const outcome = this.#outcome;
    const position = begin + framer.dataOffset;
    const requested = outcome === 'requested';
    events.push({ type: 'block-data', piece, begin: position, start: dataStart, end: dataEnd, requested, outcome });
    const pending = this.#pending;
    if (pending !== undefined) this.#pipeline.progress(dataEnd - dataStart, now);
    if (!framer.isBlockOver) return;
    this.#pending = undefined;
    if (pending === undefined) {
      events.push({ type: 'block-end', piece, begin, length, outcome });
    } else if (this.#pipeline.arrived(pending, begin, length)) {
      const whole = requested ? pending.block : framer;
      events.push({ type: 'block-end', piece, begin: whole.begin, length: whole.length, outcome });
    }
  }

  /** Asked anew for each fragment: the request may be given up while its data is coming. */
  get #outcome(): BlockOutcome {
    if (this.#pending === undefined) return 'unrequested';
    return this.#pending.isLate ? 'late' : 'requested';
  }
}

/**
 * Whole blocks that a peer may invent. BEP 6 ends at the first, libtorrent never: a peer that answers both copies of
 * something asked before and after a choke long past is not hostile. 32 blocks are half a megabyte.
 */
const maxUnrequested: number = (512 * 1024) / blockLength;
