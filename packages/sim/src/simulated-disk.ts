// A disk that holds verified pieces: it takes time, can be made to fail, and outlives crashes. Decides whether a buffer
// is the true piece; must not know the torrent's state. Content is synthetic, so "stored" is one bit a piece.
import { Bitfield, type Block, pieceLengthAt } from '@shoal/pieces';
import type { SyntheticContent } from './content.ts';
import type { DiskOptions } from './options.ts';
import type { Scheduler } from './scheduler.ts';

/**
 * `reads`, `writes`: these fail. `full`: writes fail, as long as it lasts. `permission`: both fail. `slow`: everything
 * takes `slowFactor` times as long.
 */
export type DiskFault = 'none' | 'reads' | 'writes' | 'full' | 'permission' | 'slow';
export type CheckOutcome = 'stored' | 'corrupt' | 'failed';

export class SimulatedDisk {
  /** Pieces that are here and right. */
  readonly stored: Bitfield;
  /** What fails from now on; set it at any time. */
  fault: DiskFault = 'none';
  readonly #content: SyntheticContent;
  readonly #scheduler: Scheduler;
  readonly #options: Required<DiskOptions>;
  /** Pieces that vanished and that nobody has missed yet. */
  readonly #vanished = new Set<number>();

  constructor(content: SyntheticContent, stored: Bitfield, scheduler: Scheduler, options: Required<DiskOptions>) {
    this.#content = content;
    this.stored = stored;
    this.#scheduler = scheduler;
    this.#options = options;
  }

  /** Somebody deletes a file: the pieces from `first` on, up to but not including `end`, are gone. */
  loseFile(first: number, end: number): void {
    for (let piece = first; piece < end; piece++) if (this.stored.remove(piece)) this.#vanished.add(piece);
  }

  /** What a look at the files shows to be gone, once. */
  takeVanished(): Bitfield {
    const pieces = new Bitfield(this.stored.length);
    for (const piece of this.#vanished) pieces.add(piece);
    this.#vanished.clear();
    return pieces;
  }

  /** Hashes the whole piece and writes it when it is right; answers after the disk's delay, with the failure if any. */
  check(piece: number, bytes: Uint8Array, answer: (outcome: CheckOutcome, failure?: string) => void): void {
    this.#after(this.#options.checkMs, () => {
      if (!this.#content.matches(piece, bytes)) return answer('corrupt');
      const failure = writeFailures[this.fault];
      if (failure !== undefined) return answer('failed', failure);
      this.#vanished.delete(piece);
      this.stored.add(piece);
      return answer('stored');
    });
  }

  /** Reads blocks that are stored; answers after the disk's delay, `undefined` and the failure when it cannot. */
  read(blocks: readonly Block[], answer: (contents: Uint8Array[] | undefined, failure?: string) => void): void {
    this.#after(this.#options.readMs, () => {
      const failure = this.#readFailure(blocks);
      if (failure === undefined) answer(blocks.map((block) => this.#contentOf(block)));
      else answer(undefined, failure);
    });
  }

  /** Whether a piece is here and right, by reading and hashing it; answers after the disk's delay. */
  look(piece: number, answer: (isStored: boolean, failure?: string) => void): void {
    this.#after(this.#options.checkMs, () => answer(this.stored.has(piece), readFailures[this.fault]));
  }

  #readFailure(blocks: readonly Block[]): string | undefined {
    const failure = readFailures[this.fault];
    if (failure !== undefined) return failure;
    return blocks.every(({ piece }) => this.stored.has(piece)) ? undefined : 'the file is gone';
  }

  #after(delayMs: number, action: () => void): void {
    const factor = this.fault === 'slow' ? this.#options.slowFactor : 1;
    this.#scheduler.after(delayMs * factor * 1000, action);
  }

  #contentOf({ piece, begin, length }: Block): Uint8Array {
    const bytes = new Uint8Array(length);
    this.#content.fill(piece, begin, length, bytes, 0);
    return bytes;
  }
}

const writeFailures: Readonly<Partial<Record<DiskFault, string>>> = {
  writes: 'the disk cannot be written',
  full: 'no space left on the disk',
  permission: 'permission denied',
};
const readFailures: Readonly<Partial<Record<DiskFault, string>>> = {
  reads: 'the disk cannot be read',
  permission: 'permission denied',
};

/** Buffers of the pieces being downloaded: a process's memory, gone when it dies. */
export class PieceBuffers {
  readonly #content: SyntheticContent;
  readonly #buffers = new Map<number, PieceBuffer>();
  #bytes = 0;
  #peakBytes = 0;

  constructor(content: SyntheticContent) {
    this.#content = content;
  }

  /** Most bytes held at once so far. */
  get peakBytes(): number {
    return this.#peakBytes;
  }

  /** Copies `bytes` in; says what forbids it, if anything. */
  store(piece: number, begin: number, bytes: Uint8Array): string | undefined {
    const { geometry } = this.#content;
    if (!(piece >= 0 && piece < geometry.pieceCount)) return `stores bytes of piece ${piece}, which does not exist`;
    const buffer = this.#buffers.get(piece) ?? this.#add(piece, pieceLengthAt(geometry, piece));
    if (buffer.checking) return `stores bytes of piece ${piece} while that is being checked`;
    if (begin < 0 || begin + bytes.length > buffer.bytes.length) return `stores bytes past the end of piece ${piece}`;
    buffer.bytes.set(bytes, begin);
    buffer.filled.fill(1, begin, begin + bytes.length);
    return undefined;
  }

  /** The piece's bytes for the check, or what forbids one. */
  take(piece: number): Uint8Array | string {
    const buffer = this.#buffers.get(piece);
    if (buffer === undefined) return `checks piece ${piece}, of which it stored nothing`;
    if (buffer.checking) return `checks piece ${piece} twice`;
    const hole = buffer.filled.indexOf(0);
    if (hole >= 0) return `checks piece ${piece} before its byte ${hole} was stored`;
    buffer.checking = true;
    return buffer.bytes;
  }

  /** Gives up a piece that is not complete; says what forbids it, if anything. */
  discard(piece: number): string | undefined {
    if (this.#buffers.get(piece)?.checking === true) return `discards piece ${piece} while that is being checked`;
    this.drop(piece);
    return undefined;
  }

  /** The check is over. */
  drop(piece: number): void {
    this.#bytes -= this.#buffers.get(piece)?.bytes.length ?? 0;
    this.#buffers.delete(piece);
  }

  #add(piece: number, length: number): PieceBuffer {
    const buffer = { bytes: new Uint8Array(length), filled: new Uint8Array(length), checking: false };
    this.#buffers.set(piece, buffer);
    this.#bytes += length;
    this.#peakBytes = Math.max(this.#peakBytes, this.#bytes);
    return buffer;
  }
}

interface PieceBuffer {
  readonly bytes: Uint8Array;
  /** One byte for each byte that was stored. */
  readonly filled: Uint8Array;
  checking: boolean;
}
