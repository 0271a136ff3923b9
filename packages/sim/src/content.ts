// The content of a simulated torrent: every byte is a pure function of (seed, place), so that a swarm of gigabytes
// needs no storage and any copy can be checked without a hash. Must not know pieces that anybody holds.
import { type Geometry, offsetAt, pieceLengthAt } from '@shoal/pieces';

export class SyntheticContent {
  readonly geometry: Geometry;
  readonly #seed: number;

  /** @param seed Any whole number; its low 32 bits count. */
  constructor(geometry: Geometry, seed: number) {
    this.geometry = geometry;
    this.#seed = seed >>> 0;
  }

  /** Writes `length` true bytes of a piece, from its byte `begin` on, into `target` at `at`. */
  fill(piece: number, begin: number, length: number, target: Uint8Array, at: number): void {
    const offset = offsetAt(this.geometry, piece, begin);
    let word = this.#wordAt(offset);
    for (let done = 0; done < length; done++) {
      const place = offset + done;
      if (place % 4 === 0) word = this.#wordAt(place);
      target[at + done] = word >>> ((place % 4) * 8);
    }
  }

  /** Whether `bytes` is exactly the piece. */
  matches(piece: number, bytes: Uint8Array): boolean {
    if (bytes.length !== pieceLengthAt(this.geometry, piece)) return false;
    const offset = offsetAt(this.geometry, piece);
    let word = this.#wordAt(offset);
    for (let at = 0; at < bytes.length; at++) {
      const place = offset + at;
      if (place % 4 === 0) word = this.#wordAt(place);
      if (bytes[at] !== ((word >>> ((place % 4) * 8)) & 0xff)) return false;
    }
    return true;
  }

  /** The 32 bits that hold this byte: MurmurHash3's finalizer (Appleby) over the place, so no two pieces are alike. */
  #wordAt(offset: number): number {
    let mixed = (Math.floor(offset / 4) % 2 ** 32) ^ this.#seed;
    mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b);
    mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
    return mixed ^ (mixed >>> 16);
  }
}
