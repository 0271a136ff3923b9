// Reads a file of a torrent in order while it is being downloaded: has the pieces ahead of the reader fetched first, and
// hands on each as soon as it is verified. Decides how far ahead; how pieces are chosen is the picker's affair.
import { type FileMap, type Geometry } from '@shoal/pieces';
import type { Storage } from '@shoal/storage';
import { SessionError } from './errors.ts';

/** Bytes of a file, `end` exclusive; without them from its begin, to its end. */
export interface ReadRange {
  readonly start?: number;
  readonly end?: number;
}

export interface FileReaderParts {
  readonly infoHash: string;
  readonly map: FileMap;
  readonly geometry: Geometry;
  readonly storage: Storage;
  readonly has: (piece: number) => boolean;
  /** Resolves when the piece is verified. @throws SessionError `closed` when the torrent ends first. */
  readonly whenVerified: (piece: number, signal: AbortSignal) => Promise<void>;
  /** When the piece is wanted, in ms on the torrent's clock; undefined: no longer by us. */
  readonly setDeadline: (piece: number, at: number | undefined) => void;
  readonly now: () => number;
}

/** Bytes handed on at once: one read at full speed, and little to hold. */
const chunkBytes = 262_144;
/** What is fetched ahead of the reader: several seconds of video, a small part of a budget of 16 MiB. */
const aheadBytes = 8_388_608;
/** And never fewer than these. */
const aheadPieces = 2;
/** Between the deadlines of neighbours: they only have to be in order, and the first to be now. */
const stepMs = 100;

/**
 * The bytes of `range` as a stream. Nothing is read or asked for that nobody pulls; cancelling it takes the wishes back.
 * @throws RangeError when the range is not inside the file.
 */
export function readFile(parts: FileReaderParts, file: number, range: ReadRange = {}): ReadableStream<Uint8Array> {
  const { map, geometry, storage } = parts;
  const length = map.lengthOf(file);
  const { start = 0, end = length } = range;
  if (!(Number.isSafeInteger(start) && Number.isSafeInteger(end) && start >= 0 && start <= end && end <= length))
    throw new RangeError(`bytes ${start} to ${end} are not inside the ${length} bytes of file ${file}`);
  const base = map.offsetOf(file);
  let at = base + start;
  const until = base + end;
  const window = new Window(parts, until);
  const ended = new AbortController();
  return new ReadableStream<Uint8Array>(
    {
      pull: async (controller) => {
        if (at >= until) return controller.close();
        const piece = Math.floor(at / geometry.pieceLength);
        window.moveTo(piece);
        if (!parts.has(piece)) await parts.whenVerified(piece, ended.signal);
        const pieceEnd = Math.min(until, (piece + 1) * geometry.pieceLength);
        const bytes = new Uint8Array(Math.min(chunkBytes, pieceEnd - at));
        await storage.read(at, [bytes], ended.signal);
        at += bytes.length;
        controller.enqueue(bytes);
        if (at >= until) {
          window.close();
          controller.close();
        }
      },
      cancel: (reason) => {
        ended.abort(reason instanceof Error ? reason : new SessionError('closed', 'nobody reads any more', parts));
        window.close();
      },
    },
    { highWaterMark: 0 },
  );
}

/** The pieces from the reader on that have a deadline. */
class Window {
  readonly #parts: FileReaderParts;
  readonly #pieces: number;
  /** Exclusive. */
  readonly #end: number;
  #first = -1;
  /** Exclusive. */
  #asked = -1;

  constructor(parts: FileReaderParts, until: number) {
    const { pieceLength } = parts.geometry;
    this.#parts = parts;
    this.#end = Math.ceil(until / pieceLength);
    this.#pieces = Math.max(aheadPieces, Math.floor(aheadBytes / pieceLength));
  }

  moveTo(piece: number): void {
    if (piece === this.#first) return;
    const now = this.#parts.now();
    this.#first = piece;
    this.#asked = Math.max(this.#asked, piece);
    const end = Math.min(this.#end, piece + this.#pieces);
    for (; this.#asked < end; this.#asked++)
      if (!this.#parts.has(this.#asked)) this.#parts.setDeadline(this.#asked, now + (this.#asked - piece) * stepMs);
  }

  close(): void {
    for (let piece = Math.max(0, this.#first); piece < this.#asked; piece++)
      if (!this.#parts.has(piece)) this.#parts.setDeadline(piece, undefined);
    this.#first = this.#end;
    this.#asked = this.#end;
  }
}
