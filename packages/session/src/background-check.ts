// Hashes what may be on disk already while the torrent runs: in random order, so that peers soon hear of pieces from
// everywhere, and telling of each at once. Decides the order; must not know peers.
import type { Bitfield, Geometry } from '@shoal/pieces';
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

/** Runs of neighbours stay together; which run comes first is drawn (Fisher and Yates). A million pieces take milliseconds. */
function inRandomOrder(pieces: Bitfield, geometry: Geometry, random: () => number): Uint32Array {
  const perRun = Math.max(1, Math.floor(runBytes / geometry.pieceLength));
  const runs = new Uint32Array(Math.ceil(pieces.length / perRun)).map((_, run) => run);
  for (let last = runs.length - 1; last > 0; last--) {
    const drawn = Math.floor(random() * (last + 1));
    const run = runs[drawn] as number;
    runs[drawn] = runs[last] as number;
    runs[last] = run;
  }
  const order = new Uint32Array(pieces.count);
  let at = 0;
  for (const run of runs) {
    const end = Math.min(pieces.length, (run + 1) * perRun);
    for (let piece = run * perRun; piece < end; piece++) if (pieces.has(piece)) order[at++] = piece;
  }
  return order;
}
