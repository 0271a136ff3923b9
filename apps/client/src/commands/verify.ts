// `shoal verify`: compares content on disk with a torrent and says which files and pieces are missing or wrong.
import { lstat } from 'node:fs/promises';
import path from 'node:path';
import type { Metainfo } from '@shoal/metainfo';
import { FileMap, type Bitfield } from '@shoal/pieces';
import { FileStorage, HashPool } from '@shoal/storage';
import { CommandError, type ExitName } from '../exit-codes.ts';
import type { Output } from '../output.ts';
import { table } from '../render/table.ts';
import { bar, formatPercent } from '../render/text.ts';
import { onStop } from '../signals.ts';
import { readTorrent } from '../source.ts';

export interface FileVerdict {
  readonly path: string;
  readonly length: number;
  readonly status: 'ok' | 'missing' | 'short' | 'too long' | 'wrong';
  /** Pieces that touch the file and are missing or wrong, as inclusive ranges. */
  readonly badPieces: readonly (readonly [first: number, last: number])[];
}

export async function verify(source: string, place: string, output: Output): Promise<ExitName> {
  const stop = onStop();
  const metainfo = await readTorrent(source);
  const directory = await directoryOf(place, metainfo);
  const storage = await FileStorage.open({
    directory,
    files: metainfo.files,
  });
  try {
    const { geometry, pieceHashes } = metainfo;
    const good = await new HashPool().checkPieces(storage, geometry, pieceHashes, {
      signal: stop.signal,
      onProgress: (checked, total) =>
        output.progress(
          () => [`checking ${bar(checked, total, 30)} ${formatPercent(checked, total).padStart(7)} of ${total} pieces`],
          performance.now(),
        ),
    });
    output.endProgress();
    const files = await verdicts(metainfo, good, directory);
    return tell(metainfo, good, files, output);
  } catch (error) {
    const by = stop.by();
    if (by !== undefined) return by;
    throw error;
  } finally {
    output.endProgress();
    await storage.close();
  }
}

/** `place` is the folder that holds the torrent's name, or what bears that name itself. */
async function directoryOf(place: string, metainfo: Metainfo): Promise<string> {
  const absolute = path.resolve(place);
  const kind = await lstat(absolute).catch((error: unknown) => {
    throw new CommandError('input', `${place}: no such file or folder`, { cause: error });
  });
  if (!kind.isDirectory()) return path.dirname(absolute);
  const inside = await lstat(path.join(absolute, metainfo.name)).catch(() => undefined);
  const isItself = inside === undefined && metainfo.isMultiFile && path.basename(absolute) === metainfo.name;
  return isItself ? path.dirname(absolute) : absolute;
}

async function verdicts(metainfo: Metainfo, good: Bitfield, directory: string): Promise<FileVerdict[]> {
  const map = new FileMap(metainfo.files.map((file) => file.length));
  const all: FileVerdict[] = [];
  for (const [index, file] of metainfo.files.entries()) {
    if (file.isPadding || file.isSkipped || file.symlinkTarget !== undefined) continue;
    const pieces = map.piecesOf(index, metainfo.geometry.pieceLength);
    const bad = pieces === undefined ? [] : badRanges(good, pieces.first, pieces.last);
    const found = await lstat(path.join(directory, ...file.path)).catch(() => undefined);
    let status: FileVerdict['status'] = bad.length > 0 ? 'wrong' : 'ok';
    if (found === undefined || !found.isFile()) status = 'missing';
    else if (found.size < file.length) status = 'short';
    else if (found.size > file.length) status = 'too long';
    all.push({ path: file.path.join('/'), length: file.length, status, badPieces: bad });
  }
  return all;
}

/** Pieces of [first, last] that are not good, as inclusive ranges. */
export function badRanges(good: Bitfield, first: number, last: number): (readonly [number, number])[] {
  const ranges: [number, number][] = [];
  for (let piece = first; piece <= last; piece++) {
    if (good.has(piece)) continue;
    const range = ranges.at(-1);
    if (range?.[1] === piece - 1) range[1] = piece;
    else ranges.push([piece, piece]);
  }
  return ranges;
}

function tell(metainfo: Metainfo, good: Bitfield, files: readonly FileVerdict[], output: Output): ExitName {
  const bad = badRanges(good, 0, good.length - 1);
  const wrong = files.filter((file) => file.status !== 'ok');
  const ok = bad.length === 0 && wrong.length === 0;
  output.result({
    ok,
    name: metainfo.name,
    infoHash: metainfo.infoHash,
    pieces: { total: good.length, good: good.count, bad },
    files,
  });
  if (ok) {
    output.data(`${metainfo.name}: all ${good.length} pieces and ${files.length} files are right`);
    return 'ok';
  }
  const rows = wrong.map(
    (file) =>
      [
        file.status,
        file.path,
        ...(file.badPieces.length === 0 ? [] : [`pieces ${rangesText(file.badPieces)}`]),
      ] as const,
  );
  output.data(table(rows, process.stdout.isTTY).join('\n'));
  const missing = good.length - good.count;
  const pieces = `${missing} of ${good.length} pieces are missing or wrong${bad.length === 0 ? '' : ` (${rangesText(bad)})`}`;
  output.fail(
    'verification-failed',
    `${metainfo.name}: ${pieces}, in ${wrong.length} of ${files.length} files; shoal download fetches what is missing`,
  );
  return 'verification-failed';
}

/** At most this many ranges are spelled out; --json has them all. */
const maxRanges = 20;

function rangesText(ranges: readonly (readonly [number, number])[]): string {
  const shown = ranges
    .slice(0, maxRanges)
    .map(([first, last]) => (first === last ? String(first) : `${first}-${last}`));
  return shown.join(', ') + (ranges.length > maxRanges ? `, and ${ranges.length - maxRanges} ranges more` : '');
}
