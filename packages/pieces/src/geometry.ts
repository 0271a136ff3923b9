// Geometry: how the bytes of a torrent fall into pieces (BEP 3, "info dictionary": piece length, length, files).
// Decides the number of pieces and the length of each; must not know files, blocks, or who holds what.

/** How a torrent's bytes are cut into pieces. All lengths in bytes. Built by {@link geometryOf}. */
export interface Geometry {
  /** Bytes in all files together. */
  readonly totalLength: number;
  /** Bytes in every piece but the last, which may be shorter. */
  readonly pieceLength: number;
  /** Number of pieces; 0 when there are no bytes. */
  readonly pieceCount: number;
}

/** Most pieces a torrent can have: an index is four bytes on the wire (BEP 3, "peer messages"). */
export const maxPieceCount: number = 2 ** 32 - 1;

/** Longest piece in bytes: `begin` is four bytes on the wire (BEP 3, "peer messages"). */
export const maxPieceLength: number = 2 ** 32 - 1;

/**
 * Cuts `totalLength` bytes into pieces of `pieceLength` bytes. A torrent without bytes has no pieces.
 * @throws RangeError when a length is no safe whole number, or piece indices or offsets would not fit the wire.
 */
export function geometryOf(totalLength: number, pieceLength: number): Geometry {
  if (!Number.isSafeInteger(totalLength) || totalLength < 0) {
    throw new RangeError(`total length ${totalLength} is not a whole number of bytes`);
  }
  if (!Number.isSafeInteger(pieceLength) || pieceLength < 1 || pieceLength > maxPieceLength) {
    throw new RangeError(`piece length ${pieceLength} is not between 1 and ${maxPieceLength} bytes`);
  }
  const pieceCount = Math.ceil(totalLength / pieceLength);
  if (pieceCount > maxPieceCount) {
    throw new RangeError(`${pieceCount} pieces are more than ${maxPieceCount}`);
  }
  return { totalLength, pieceLength, pieceCount };
}

/**
 * Length in bytes of one piece; only the last can be shorter than the rest.
 * @throws RangeError when there is no such piece.
 */
export function pieceLengthAt(geometry: Geometry, piece: number): number {
  requirePiece(geometry, piece);
  if (piece < geometry.pieceCount - 1) return geometry.pieceLength;
  return geometry.totalLength - piece * geometry.pieceLength;
}

/**
 * Place, in bytes from the start of the torrent, of byte `begin` of a piece.
 * @throws RangeError when there is no such piece.
 */
export function offsetAt(geometry: Geometry, piece: number, begin: number = 0): number {
  requirePiece(geometry, piece);
  return piece * geometry.pieceLength + begin;
}

function requirePiece(geometry: Geometry, piece: number): void {
  // `>>> 0` keeps only what is already a whole number below 2^32, so it refuses negatives, fractions and NaN too.
  if (piece >>> 0 !== piece || piece >= geometry.pieceCount) {
    throw new RangeError(`piece ${piece} is not one of ${geometry.pieceCount}`);
  }
}
