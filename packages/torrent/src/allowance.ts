// What a torrent may use at the moment: memory, connections, slots and rates. Given by options, changed while it runs;
// whatever follows from the numbers is decided where they are read.
import { slotsForUploadLimit } from '@shoal/choker';
import type { ResolvedOptions } from './options.ts';

/** What may be changed at any time; what is left out stays as it is. Units and defaults as in `TorrentOptions`. */
export interface AllowanceChange {
  readonly pieceBufferBytes?: number;
  readonly maxConnections?: number;
  readonly uploadSlots?: number;
  readonly uploadBytesPerSecond?: number;
  readonly downloadBytesPerSecond?: number;
}

/** BEP 3's. More of them share an uplink nobody told us of: with 7 the origin of a flash crowd sends 6 % more (simulated). */
const slotsWithoutLimit = 4;

export class Allowance {
  #pieceBufferBytes: number;
  #maxConnections: number;
  #uploadSlots: number | undefined;
  #uploadBytesPerSecond: number;
  #downloadBytesPerSecond: number;

  /** @throws RangeError when a number is out of range. */
  constructor(options: ResolvedOptions) {
    requireInRange(options);
    this.#pieceBufferBytes = options.pieceBufferBytes;
    this.#maxConnections = options.maxConnections;
    this.#uploadSlots = options.uploadSlots;
    this.#uploadBytesPerSecond = options.uploadBytesPerSecond;
    this.#downloadBytesPerSecond = options.downloadBytesPerSecond;
  }

  get pieceBufferBytes(): number {
    return this.#pieceBufferBytes;
  }

  get maxConnections(): number {
    return this.#maxConnections;
  }

  /** Infinity = no limit. */
  get uploadBytesPerSecond(): number {
    return this.#uploadBytesPerSecond;
  }

  /** Infinity = no limit. */
  get downloadBytesPerSecond(): number {
    return this.#downloadBytesPerSecond;
  }

  /** As given, else as many as the upload limit can serve at a rate worth having. */
  get uploadSlots(): number {
    if (this.#uploadSlots !== undefined) return this.#uploadSlots;
    return this.#uploadBytesPerSecond === Infinity
      ? slotsWithoutLimit
      : slotsForUploadLimit(this.#uploadBytesPerSecond);
  }

  /** @throws RangeError when a number is out of range; then nothing is changed. */
  change(change: AllowanceChange): void {
    requireInRange(change);
    this.#pieceBufferBytes = change.pieceBufferBytes ?? this.#pieceBufferBytes;
    this.#maxConnections = change.maxConnections ?? this.#maxConnections;
    this.#uploadSlots = change.uploadSlots ?? this.#uploadSlots;
    this.#uploadBytesPerSecond = change.uploadBytesPerSecond ?? this.#uploadBytesPerSecond;
    this.#downloadBytesPerSecond = change.downloadBytesPerSecond ?? this.#downloadBytesPerSecond;
  }
}

function requireInRange(change: AllowanceChange): void {
  const { pieceBufferBytes = 0, maxConnections = 0, uploadSlots = 1 } = change;
  const { uploadBytesPerSecond = Infinity, downloadBytesPerSecond = Infinity } = change;
  if (!(pieceBufferBytes >= 0)) throw new RangeError(`pieceBufferBytes is ${pieceBufferBytes}`);
  if (!(maxConnections >= 0)) throw new RangeError(`maxConnections is ${maxConnections}`);
  if (!(uploadSlots >= 1)) throw new RangeError(`uploadSlots is ${uploadSlots}, below 1`);
  if (!(uploadBytesPerSecond > 0)) throw new RangeError(`an upload limit of ${uploadBytesPerSecond} bytes/s`);
  if (!(downloadBytesPerSecond > 0)) throw new RangeError(`a download limit of ${downloadBytesPerSecond} bytes/s`);
}
