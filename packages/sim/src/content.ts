// The content of a simulated torrent: every byte is a pure function of (seed, place), so that any copy can be checked
// without a hash and a swarm of gigabytes needs no storage; pieces are kept only as long as they are few.
// Must not know pieces that anybody holds.
import { type Geometry, offsetAt, pieceLengthAt } from '@shoal/pieces';

/** Bytes of pieces kept, so that the small torrents of tests are computed once. */
const keptBytes = 64 * 1024 * 1024;

export class SyntheticContent {
  readonly geometry: Geometry;
  readonly #seed: number;
  readonly #kept = new Map<number, Uint8Array>();

  /** @param seed Any whole number; its low 32 bits count. */
  constructor(geometry: Geometry, seed: number) {
    this.geometry = geometry;
    this.#seed = seed >>> 0;
  }

  /** Writes `length` true bytes of a piece, from its byte `begin` on, into `target` at `at`. */
  fill(piece: number, begin: number, length: number, target: Uint8Array, at: number): void {
    target.set(this.#piece(piece).subarray(begin, begin + length), at);
  }

  /** Whether `bytes` is exactly the piece. */
  matches(piece: number, bytes: Uint8Array): boolean {
    return areEqual(bytes, this.#piece(piece));
  }

  #piece(piece: number): Uint8Array {
    const kept = this.#kept.get(piece);
    if (kept !== undefined) return kept;
    const bytes = this.#computed(offsetAt(this.geometry, piece), pieceLengthAt(this.geometry, piece));
    if ((this.#kept.size + 1) * this.geometry.pieceLength <= keptBytes) this.#kept.set(piece, bytes);
    return bytes;
  }

  #computed(offset: number, length: number): Uint8Array {
    const bytes = new Uint8Array(length);
    // Four bytes are one word; past 16 GiB of a torrent its words come round again.
    let index = (offset / 4) | 0;
    let word = mixed(index ^ this.#seed);
    let shift = (offset & 3) * 8;
    for (let at = 0; at < length; at++) {
      bytes[at] = word >>> shift;
      shift += 8;
      if (shift < 32) continue;
      shift = 0;
      word = mixed(++index ^ this.#seed);
    }
    return bytes;
  }
}

/** By words where memory allows it: whole pieces are compared for every piece that every peer checks. */
function areEqual(one: Uint8Array, other: Uint8Array): boolean {
  if (one.length !== other.length) return false;
  let at = 0;
  if (one.byteOffset % 4 === 0 && other.byteOffset % 4 === 0) {
    const words = one.length >>> 2;
    const ones = new Int32Array(one.buffer, one.byteOffset, words);
    const others = new Int32Array(other.buffer, other.byteOffset, words);
    for (let word = 0; word < words; word++) if (ones[word] !== others[word]) return false;
    at = words * 4;
  }
  for (; at < one.length; at++) if (one[at] !== other[at]) return false;
  return true;
}

/** MurmurHash3's finalizer (Appleby): a bijection of 32 bits, so no two words of a torrent are alike. */
function mixed(word: number): number {
  let hash = Math.imul(word ^ (word >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return hash ^ (hash >>> 16);
}
