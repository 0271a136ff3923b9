// Pieces that somebody waits for, earliest first. Knows no states of pieces: what cannot be asked for now keeps its place.

/** A piece to have by a time in milliseconds of the caller's clock. */
export interface Deadline {
  readonly piece: number;
  readonly at: number;
}

export class Deadlines {
  readonly #byPiece = new Map<number, Deadline>();
  /** Earliest first, then the lowest piece. */
  #sorted: Deadline[] = [];

  get size(): number {
    return this.#sorted.length;
  }

  /** Earliest first, then the lowest piece. Read it before the next change. */
  get earliestFirst(): readonly Deadline[] {
    return this.#sorted;
  }

  has(piece: number): boolean {
    return this.#byPiece.has(piece);
  }

  of(piece: number): number | undefined {
    return this.#byPiece.get(piece)?.at;
  }

  /** Replaces the piece's older deadline. */
  set(piece: number, at: number): void {
    this.clear(piece);
    const deadline = { piece, at };
    this.#byPiece.set(piece, deadline);
    this.#sorted.splice(this.#placeOf(deadline), 0, deadline);
  }

  clear(piece: number): void {
    const deadline = this.#byPiece.get(piece);
    if (deadline === undefined) return;
    this.#byPiece.delete(piece);
    this.#sorted.splice(this.#placeOf(deadline), 1);
  }

  clearAll(): void {
    this.#byPiece.clear();
    this.#sorted = [];
  }

  /** How many deadlines come before this one. */
  #placeOf({ piece, at }: Deadline): number {
    let low = 0;
    let high = this.#sorted.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const other = this.#sorted[middle] as Deadline;
      if (other.at < at || (other.at === at && other.piece < piece)) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
