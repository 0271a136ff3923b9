// File spans: which files hold a range of a torrent's bytes (BEP 3: files are treated as one, in the order listed).
// Decides where each file begins and ends; must not know names, paths or disks. Empty files hold no byte, so no span.

/** A run of bytes inside one file; all in bytes. */
export interface FileSpan {
  /** Number of the file in the list. */
  readonly file: number;
  /** Where the run begins in the file. */
  readonly offset: number;
  readonly length: number;
  /** Where the run begins in the range that was asked for. */
  readonly position: number;
}

/** The first and the last of consecutive pieces. */
export interface PieceRange {
  readonly first: number;
  readonly last: number;
}

/** Places of the files of one torrent, made once from their lengths. */
export class FileMap {
  /** Bytes in all files together. */
  readonly totalLength: number;
  /** Number of files, empty ones included. */
  readonly fileCount: number;
  /** Where each file begins, and one entry more: the total. */
  readonly #offsets: Float64Array;
  /** The files that hold bytes, so that a search never steps over a run of empty ones. */
  readonly #filled: Uint32Array;

  /**
   * Lengths in bytes, in the order of the metainfo.
   * @throws RangeError when a length or their sum is no safe whole number.
   */
  constructor(lengths: readonly number[]) {
    this.fileCount = lengths.length;
    this.#offsets = new Float64Array(lengths.length + 1);
    let total = 0;
    let filled = 0;
    for (const [file, length] of lengths.entries()) {
      total += length;
      if (!Number.isSafeInteger(length) || length < 0 || !Number.isSafeInteger(total)) {
        throw new RangeError(`length ${length} of file ${file} is no whole number, or the sum is beyond 2^53`);
      }
      this.#offsets[file + 1] = total;
      if (length > 0) filled += 1;
    }
    this.totalLength = total;
    this.#filled = new Uint32Array(filled);
    let slot = 0;
    for (const [file, length] of lengths.entries()) {
      if (length > 0) this.#filled[slot++] = file;
    }
  }

  /**
   * Where a file begins, in bytes from the start of the torrent.
   * @throws RangeError when there is no such file.
   */
  offsetOf(file: number): number {
    this.#requireFile(file);
    return this.#offsets[file]!;
  }

  /**
   * Length of a file in bytes.
   * @throws RangeError when there is no such file.
   */
  lengthOf(file: number): number {
    this.#requireFile(file);
    return this.#offsets[file + 1]! - this.#offsets[file]!;
  }

  /**
   * The runs of bytes, in order, that make up `length` bytes from `offset`; none for a length of 0.
   * Costs O(log files + spans).
   * @throws RangeError when the range is not inside the torrent.
   */
  spans(offset: number, length: number): FileSpan[] {
    if (!Number.isSafeInteger(offset) || !Number.isSafeInteger(length) || offset < 0 || length < 0) {
      throw new RangeError(`${length} bytes from ${offset} is no range`);
    }
    if (length > this.totalLength - offset) {
      throw new RangeError(`${length} bytes from ${offset} reach beyond ${this.totalLength}`);
    }
    const spans: FileSpan[] = [];
    let position = 0;
    for (let slot = length === 0 ? 0 : this.#slotAt(offset); position < length; slot += 1) {
      const file = this.#filled[slot]!;
      const inFile = offset + position - this.#offsets[file]!;
      const run = Math.min(length - position, this.#offsets[file + 1]! - offset - position);
      spans.push({ file, offset: inFile, length: run, position });
      position += run;
    }
    return spans;
  }

  /**
   * The pieces that hold a file's bytes, both ends included; undefined for an empty file.
   * @throws RangeError when there is no such file, or the piece length is no positive whole number.
   */
  piecesOf(file: number, pieceLength: number): PieceRange | undefined {
    this.#requireFile(file);
    if (!Number.isSafeInteger(pieceLength) || pieceLength < 1) {
      throw new RangeError(`piece length ${pieceLength} is not a positive whole number of bytes`);
    }
    const begin = this.#offsets[file]!;
    const end = this.#offsets[file + 1]!;
    if (begin === end) return undefined;
    return { first: Math.floor(begin / pieceLength), last: Math.floor((end - 1) / pieceLength) };
  }

  /** The first filled file that ends after `offset`: the one that holds the byte there. */
  #slotAt(offset: number): number {
    let low = 0;
    let high = this.#filled.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#offsets[this.#filled[middle]! + 1]! > offset) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  #requireFile(file: number): void {
    if (file >>> 0 !== file || file >= this.fileCount) {
      throw new RangeError(`file ${file} is not one of ${this.fileCount}`);
    }
  }
}
