// Blocks: the pieces' parts that one `request` asks for (BEP 3, "peer messages").
// Decides where blocks begin and end, and whether a range named by a remote is one; must not know who asked for it.
import { type Geometry, pieceLengthAt } from './geometry.ts';

/** Bytes in every block but a piece's last: 2^14, as BEP 3 now says; its first edition had 2^15, which many refuse. */
export const blockLength = 16384;

/** One block of a piece; `begin` and `length` in bytes, as in a `request` message. */
export interface Block {
  readonly piece: number;
  readonly begin: number;
  readonly length: number;
}

/**
 * Number of blocks in a piece.
 * @throws RangeError when there is no such piece.
 */
export function blockCountAt(geometry: Geometry, piece: number): number {
  return Math.ceil(pieceLengthAt(geometry, piece) / blockLength);
}

/**
 * Length in bytes of the piece's block number `block`; only a piece's last block can be shorter than 2^14.
 * @throws RangeError when there is no such piece or block.
 */
export function blockLengthAt(geometry: Geometry, piece: number, block: number): number {
  const pieceLength = pieceLengthAt(geometry, piece);
  const begin = block * blockLength;
  if (block >>> 0 !== block || begin >= pieceLength) {
    throw new RangeError(`block ${block} is not one of piece ${piece}, which has ${pieceLength} bytes`);
  }
  return Math.min(blockLength, pieceLength - begin);
}

/**
 * The piece's block number `block`.
 * @throws RangeError when there is no such piece or block.
 */
export function blockAt(geometry: Geometry, piece: number, block: number): Block {
  return { piece, begin: block * blockLength, length: blockLengthAt(geometry, piece, block) };
}

/**
 * All blocks of a piece in order; together they are the whole piece.
 * @throws RangeError when there is no such piece.
 */
export function blocksOf(geometry: Geometry, piece: number): Block[] {
  const pieceLength = pieceLengthAt(geometry, piece);
  const blocks: Block[] = [];
  for (let begin = 0; begin < pieceLength; begin += blockLength) {
    blocks.push({ piece, begin, length: Math.min(blockLength, pieceLength - begin) });
  }
  return blocks;
}

/** Number, within its piece, of the block that holds byte `begin`. Never throws: `begin` may come from a remote. */
export function blockIndexOf(begin: number): number {
  return Math.floor(begin / blockLength);
}

/** Whether a range is exactly one block, as a `piece` that answers our own request must be. Never throws. */
export function isBlock(geometry: Geometry, piece: number, begin: number, length: number): boolean {
  if (begin % blockLength !== 0 || !isWithinPiece(geometry, piece, begin, length)) return false;
  return length === Math.min(blockLength, pieceLengthAt(geometry, piece) - begin);
}

/** Whether a range has at least one byte and lies inside one piece, as a remote's `request` must. Never throws. */
export function isWithinPiece(geometry: Geometry, piece: number, begin: number, length: number): boolean {
  // `>>> 0` refuses negatives, fractions and NaN; the sum of two numbers below 2^32 is exact.
  if (piece >>> 0 !== piece || begin >>> 0 !== begin || length >>> 0 !== length) return false;
  return length > 0 && piece < geometry.pieceCount && begin + length <= pieceLengthAt(geometry, piece);
}
