// What the download of resume-kill-child.ts downloads.
import type { StorageFile } from '../src/index.ts';

export const killPieceLength = 262_144;

/** 64 MiB and a bit, no file of whole pieces. */
export const killFiles: readonly StorageFile[] = [
  { path: ['t', 'a'], length: 40_000_001 },
  { path: ['t', 'empty'], length: 0 },
  { path: ['t', 'b'], length: 99 },
  { path: ['t', 'c'], length: 27_109_002 },
];

/** Each piece full of its number; the last is shorter. */
export function contentOf(piece: number, totalLength: number): Uint8Array {
  const length = Math.min(killPieceLength, totalLength - piece * killPieceLength);
  return new Uint8Array(length).fill((piece % 255) + 1);
}
