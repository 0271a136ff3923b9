// How many connected peers have each piece. Seeds have every piece, so they are one integer and never counted per
// piece; an arriving or leaving seed costs O(1). Knows nothing of what we have or want.

import type { Bitfield } from '@shoal/pieces';

/** The lowest availability in the torrent and how many pieces are at it. */
export interface Rarest {
  /** Connected peers, seeds included and we excluded, that have each of the rarest pieces. */
  readonly copies: number;
  readonly pieces: number;
}

export class Availability {
  /** Peers other than seeds that have each piece. 16 bits: the picker admits at most 65 535 peers. */
  readonly counts: Uint16Array;
  seeds = 0;
  /** Pieces per count, so that the rarest are known without a scan. */
  readonly #histogram: number[];

  constructor(pieceCount: number) {
    this.counts = new Uint16Array(pieceCount);
    this.#histogram = [pieceCount];
  }

  of(piece: number): number {
    return (this.counts[piece] ?? 0) + this.seeds;
  }

  add(piece: number): void {
    const count = (this.counts[piece] as number)++;
    (this.#histogram[count] as number)--;
    this.#histogram[count + 1] = (this.#histogram[count + 1] ?? 0) + 1;
  }

  drop(piece: number): void {
    const count = (this.counts[piece] as number)--;
    (this.#histogram[count] as number)--;
    (this.#histogram[count - 1] as number)++;
  }

  /** A peer with these pieces came, `change` 1, or left, -1. */
  changeAll(bits: Bitfield, change: 1 | -1): void {
    const { bytes } = bits;
    const { counts } = this;
    const histogram = this.#histogram;
    histogram.push(0);
    for (let index = 0; index < bytes.length; index++) {
      const byte = bytes[index] as number;
      for (let piece = index * 8, rest = byte; rest !== 0; piece++, rest = (rest << 1) & 0xff) {
        if (rest < 0x80) continue;
        const count = counts[piece] as number;
        counts[piece] = count + change;
        (histogram[count] as number)--;
        (histogram[count + change] as number)++;
      }
    }
    while (histogram.length > 1 && histogram.at(-1) === 0) histogram.pop();
  }

  /** A peer that had every piece one by one is a seed from now on: every count, at least one so far, falls by one. */
  dropAll(): void {
    const counts = this.counts;
    for (let piece = 0; piece < counts.length; piece++) (counts[piece] as number)--;
    this.#histogram.shift();
  }

  rarest(): Rarest {
    const lowest = this.#histogram.findIndex((pieces) => pieces > 0);
    if (lowest < 0) return { copies: this.seeds, pieces: 0 };
    return { copies: lowest + this.seeds, pieces: this.#histogram[lowest] as number };
  }
}
