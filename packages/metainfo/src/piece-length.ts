/** The piece length of a new torrent. Decides from the total length only. BEP 3, "piece length". */

/** Below, hashes outweigh the content (and BEP 52 forbids it); above, clients refuse. */
export const shortestAutoPieceLength = 16_384;
export const longestAutoPieceLength = 16_777_216;
/** 1000 to 2000 pieces keep a .torrent near 40 KB and a piece worth sharing; between the limits above. */
const mostPieces = 2000;

/**
 * The smallest power of two, from 16 KiB to 16 MiB, that cuts `totalLength` bytes into at most 2000 pieces.
 * @throws RangeError when `totalLength` is no whole number of bytes.
 */
export function autoPieceLength(totalLength: number): number {
  if (!Number.isSafeInteger(totalLength) || totalLength < 0) {
    throw new RangeError(`total length ${totalLength} is not a whole number of bytes`);
  }
  let pieceLength = shortestAutoPieceLength;
  while (pieceLength < longestAutoPieceLength && totalLength > pieceLength * mostPieces) pieceLength *= 2;
  return pieceLength;
}
