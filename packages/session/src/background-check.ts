// Hashes what may be on disk already while the torrent runs: in random order, so that peers soon hear of pieces from
// everywhere, and telling of each at once. Decides the order; must not know peers.
import { type Bitfield, type Geometry, pieceLengthAt } from '@shoal/pieces';
import type { HashPool, ResumeJournal, Storage } from '@shoal/storage';
import type { TorrentInput } from '@shoal/torrent';
import type { DiskTrouble } from './disk-trouble.ts';

export interface BackgroundCheckParts {
  readonly hashPool: HashPool;
  readonly storage: Storage;
  readonly geometry: Geometry;
  readonly pieceHashes: Uint8Array;
  readonly journal: ResumeJournal | undefined;
  readonly trouble: DiskTrouble;
  readonly random: () => number;
  readonly answer: (input: TorrentInput) => void;
}

export interface CheckProgress {
  /** Pieces looked at, of how many. */
  readonly onProgress?: ((checked: number, total: number) => void) | undefined;
  readonly signal: AbortSignal;
}

/** Neighbouring small pieces are read together, as much as one read takes at full speed. */
const runBytes = 1_048_576;

/**
 * Answers `piece-found` or `piece-missing` for each of `doubted`. Trouble with the disk interrupts it and does not end it.
 * @throws the signal's reason.
 */
export async function checkInBackground(
  parts: BackgroundCheckParts,
  doubted: Bitfield,
  { onProgress, signal }: CheckProgress,
): Promise<void> {
  const { hashPool, storage, geometry, pieceHashes, journal, trouble, random, answer } = parts;
  const left = doubted.clone();
  const total = left.count;
  const onPiece = (piece: number, isGood: boolean): void => {
    if (signal.aborted || !left.remove(piece)) return;
    if (isGood) journal?.verified(piece);
    else journal?.lost(piece);
    answer({ type: isGood ? 'piece-found' : 'piece-missing', piece });
    onProgress?.(total - left.count, total);
  };
  const check = async (): Promise<void> => {
    const pieces = inRandomOrder(left, geometry, random);
    await hashPool.checkPieces(storage, geometry, pieceHashes, { pieces, onPiece, signal });
  };
  await check().catch((error: unknown) => {
    if (signal.aborted) throw error;
    return trouble.overcome(error, check);
  });
}

/** Runs of neighbours stay together; which run comes first is drawn (Fisher and Yates). */
function* inRandomOrder(
  pieces: Bitfield,
  geometry: Geometry,
  random: () => number,
): Generator<number, void, undefined> {
  const runs = runsOf(pieces, geometry);
  for (let last = runs.length - 1; last >= 0; last--) {
    const drawn = Math.floor(random() * (last + 1));
    const run = runs[drawn];
    const swapped = runs[last];
    if (run === undefined || swapped === undefined) return;
    runs[drawn] = swapped;
    for (let piece = run.first; piece < run.end; piece++) yield piece;
  }
}

interface PieceRun {
  readonly first: number;
  /** Exclusive. */
  end: number;
  length: number;
}

function runsOf(pieces: Bitfield, geometry: Geometry): PieceRun[] {
  const runs: PieceRun[] = [];
  let run: PieceRun | undefined;
  for (const piece of pieces.indices()) {
    const length = pieceLengthAt(geometry, piece);
    if (run !== undefined && piece === run.end && run.length + length <= runBytes) {
      run.end++;
      run.length += length;
      continue;
    }
    run = { first: piece, end: piece + 1, length };
    runs.push(run);
  }
  return runs;
}
