// Which files and pieces of a torrent are missing or wrong on disk, given the pieces that are right.
import { lstat } from 'node:fs/promises';
import path from 'node:path';
import type { Metainfo } from '@shoal/metainfo';
import { FileMap, type Bitfield } from '@shoal/pieces';
import type { Row } from './render/table.ts';

/** An inclusive range of pieces. */
export type PieceRange = readonly [first: number, last: number];

export interface FileVerdict {
  readonly path: string;
  readonly length: number;
  readonly status: 'ok' | 'missing' | 'short' | 'too long' | 'wrong';
  /** Pieces that touch the file and are missing or wrong. */
  readonly badPieces: readonly PieceRange[];
}

export interface Verdict {
  readonly ok: boolean;
  readonly pieces: { readonly total: number; readonly good: number; readonly bad: readonly PieceRange[] };
  readonly files: readonly FileVerdict[];
}

/** `places`: where each file of the torrent is, relative to `directory`. */
export async function verdictOf(
  metainfo: Metainfo,
  good: Bitfield,
  directory: string,
  places: readonly (readonly string[])[] = metainfo.files.map((file) => file.path),
): Promise<Verdict> {
  const map = new FileMap(metainfo.files.map((file) => file.length));
  const files: FileVerdict[] = [];
  for (const [index, file] of metainfo.files.entries()) {
    if (file.isPadding || file.isSkipped || file.symlinkTarget !== undefined) continue;
    const place = places[index] ?? file.path;
    const pieces = map.piecesOf(index, metainfo.geometry.pieceLength);
    const badPieces = pieces === undefined ? [] : badRanges(good, pieces.first, pieces.last);
    const status = await statusOf(path.join(directory, ...place), file.length, badPieces.length > 0);
    files.push({ path: place.join('/'), length: file.length, status, badPieces });
  }
  const bad = badRanges(good, 0, good.length - 1);
  const ok = bad.length === 0 && files.every((file) => file.status === 'ok');
  return { ok, pieces: { total: good.length, good: good.count, bad }, files };
}

/** What anything but `ok` is about, a row each: status, path, pieces. */
export const faultRows = ({ files }: Verdict): Row[] =>
  files
    .filter((file) => file.status !== 'ok')
    .map(({ status, path: place, badPieces }): Row => [
      status,
      place,
      ...(badPieces.length === 0 ? [] : [`pieces ${rangesText(badPieces)}`]),
    ]);

/** `2 of 40 pieces are missing or wrong (3-4), in 1 of 7 files`. */
export function faultSummary({ pieces, files }: Verdict): string {
  const missing = pieces.total - pieces.good;
  const which = pieces.bad.length === 0 ? '' : ` (${rangesText(pieces.bad)})`;
  const wrong = files.filter((file) => file.status !== 'ok').length;
  return `${missing} of ${pieces.total} pieces are missing or wrong${which}, in ${wrong} of ${files.length} files`;
}

/** Pieces of [first, last] that are not good. */
export function badRanges(good: Bitfield, first: number, last: number): PieceRange[] {
  const ranges: [number, number][] = [];
  for (let piece = first; piece <= last; piece++) {
    if (good.has(piece)) continue;
    const range = ranges.at(-1);
    if (range?.[1] === piece - 1) range[1] = piece;
    else ranges.push([piece, piece]);
  }
  return ranges;
}

/** At most this many ranges are spelled out; --json has them all. */
const maxRanges = 20;

export function rangesText(ranges: readonly PieceRange[]): string {
  const shown = ranges
    .slice(0, maxRanges)
    .map(([first, last]) => (first === last ? String(first) : `${first}-${last}`));
  return shown.join(', ') + (ranges.length > maxRanges ? `, and ${ranges.length - maxRanges} ranges more` : '');
}

async function statusOf(place: string, length: number, isWrong: boolean): Promise<FileVerdict['status']> {
  const found = await lstat(place).catch(() => undefined);
  if (found === undefined || !found.isFile()) return 'missing';
  if (found.size < length) return 'short';
  if (found.size > length) return 'too long';
  return isWrong ? 'wrong' : 'ok';
}
