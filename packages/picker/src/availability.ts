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
  /** Pieces per count, so that the rarest are known without a scan; undefined after many changed at once. */
  #histogram: number[] | undefined;

  constructor(pieceCount: number) {
    this.counts = new Uint16Array(pieceCount);
    this.#histogram = [pieceCount];
  }

  of(piece: number): number {
    return (this.counts[piece] ?? 0) + this.seeds;
  }

  add(piece: number): void {
    const count = (this.counts[piece] as number)++;
    const histogram = this.#histogram;
    if (histogram === undefined) return;
    (histogram[count] as number)--;
    histogram[count + 1] = (histogram[count + 1] ?? 0) + 1;
  }

  drop(piece: number): void {
    const count = (this.counts[piece] as number)--;
    const histogram = this.#histogram;
    if (histogram === undefined) return;
    (histogram[count] as number)--;
    (histogram[count - 1] as number)++;
  }

  /** A peer with these pieces came, `change` 1, or left, -1. The histogram is put off until it is asked for. */
  changeAll({ bytes }: Bitfield, change: 1 | -1): void {
    const { counts } = this;
    this.#histogram = undefined;
    for (let index = 0; index < bytes.length; index++) {
      const byte = bytes[index] as number;
      if (byte === 0) continue;
      // A branch for each bit would be guessed wrong half of the time; writing past the end does nothing.
      for (let bit = 0, piece = index * 8; bit < 8; bit++, piece++) {
        counts[piece] = (counts[piece] as number) + ((byte >> (7 - bit)) & 1) * change;
      }
    }
  }

  /** A peer that had every piece one by one is a seed from now on: every count, at least one so far, falls by one. */
  dropAll(): void {
    const counts = this.counts;
    for (let piece = 0; piece < counts.length; piece++) (counts[piece] as number)--;
    this.#histogram?.shift();
  }

  /** O(1), but O(pieces) for the first call after bitfields came or left. */
  rarest(): Rarest {
    const histogram = (this.#histogram ??= histogramOf(this.counts));
    const lowest = histogram.findIndex((pieces) => pieces > 0);
    if (lowest < 0) return { copies: this.seeds, pieces: 0 };
    return { copies: lowest + this.seeds, pieces: histogram[lowest] as number };
  }
}

function histogramOf(counts: Uint16Array): number[] {
  const histogram = [0];
  for (let piece = 0; piece < counts.length; piece++) {
    const count = counts[piece] as number;
    while (histogram.length <= count) histogram.push(0);
    (histogram[count] as number)++;
  }
  return histogram;
}
