export { Bitfield } from './bitfield.ts';
export {
  blockAt,
  blockCountAt,
  blockIndexOf,
  blockLength,
  blockLengthAt,
  blocksOf,
  isBlock,
  isWithinPiece,
  type Block,
} from './blocks.ts';
export { FileMap, type FileSpan, type PieceRange } from './file-spans.ts';
export { geometryOf, maxPieceCount, maxPieceLength, offsetAt, pieceLengthAt, type Geometry } from './geometry.ts';
