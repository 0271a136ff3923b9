// What to believe of a resume journal, given what the files look like now. Decides by plain rules, first match first,
// without I/O or clock: which pieces need no check, which need one, and what was noticed of each file. Where nothing
// can be, nothing is in doubt; what is in doubt is hashed, what is neither is downloaded.
import { Bitfield, type FileMap, type Geometry } from '@shoal/pieces';
import type { FileStamp } from '../storage.ts';
import { common, isSameStamp, type Recorded, without } from './journal-state.ts';

/** What is wrong with a file; see {@link judge}. */
export type FileDoubtReason = 'missing' | 'shorter' | 'longer' | 'changed' | 'replaced';

export interface FileDoubt {
  /** Number of the file. */
  readonly file: number;
  readonly reason: FileDoubtReason;
}

export interface JudgeFacts {
  readonly geometry: Geometry;
  readonly files: FileMap;
  /** Of the running system; '' = not known, which counts as another boot than any. */
  readonly bootId: string;
  /** How far from a sign of life, in ms, a file may have been written by the journal's own process. */
  readonly slackMs: number;
  /** As `Presence` has it. */
  readonly mayHold: (offset: number, length: number) => boolean;
  /** Whether records are missing from the journal, so that a piece without one may be there all the same. */
  readonly isDamaged: boolean;
}

export interface Verdict {
  readonly have: Bitfield;
  readonly doubt: Bitfield;
  readonly reasons: readonly FileDoubt[];
}

/**
 * - No journal: all that can be there is in doubt.
 * - Verified, but not known to have reached the device before a boot that was not this one: in doubt.
 * - A file is as recorded: its pieces are what the journal says they are.
 * - Missing, shorter than recorded, replaced by another, longer than in the torrent, changed: all its pieces are in
 *   doubt, as far as it reaches, journaled or not.
 * - Except changed while the journal's own process lived and did not end cleanly: those were its last writes, and what
 *   it had not reported yet is missing. So a crash costs what was not yet journaled, never a check of whole files.
 * - A piece in several files takes the worst of them.
 */
export function judge(
  recorded: Recorded | undefined,
  stamps: readonly (FileStamp | undefined)[],
  facts: JudgeFacts,
): Verdict {
  const { pieceCount } = facts.geometry;
  const held = heldPieces(stamps, facts);
  if (recorded === undefined) return { have: new Bitfield(pieceCount), doubt: held, reasons: [] };
  const have = recorded.have.clone();
  const doubt = facts.isDamaged ? Bitfield.full(pieceCount) : recorded.doubt.clone();
  const isOtherBoot = facts.bootId === '' || facts.bootId !== recorded.bootId;
  if (isOtherBoot) {
    for (const piece of common(recorded.unsynced, have).indices()) {
      have.remove(piece);
      doubt.add(piece);
    }
  }
  const reasons: FileDoubt[] = [];
  for (let file = 0; file < facts.files.fileCount; file += 1) {
    const reason =
      facts.files.lengthOf(file) === 0 ? undefined : reasonOf(file, recorded, stamps[file], facts, isOtherBoot);
    if (reason === undefined) continue;
    reasons.push({ file, reason });
    const { first, last } = facts.files.piecesOf(file, facts.geometry.pieceLength)!;
    for (let piece = first; piece <= last; piece += 1) {
      have.remove(piece);
      doubt.add(piece);
    }
  }
  const trusted = common(have, held);
  return { have: trusted, doubt: without(common(doubt, held), trusted), reasons };
}

function reasonOf(
  file: number,
  recorded: Recorded,
  now: FileStamp | undefined,
  facts: JudgeFacts,
  isOtherBoot: boolean,
): FileDoubtReason | undefined {
  const before = recorded.stamps[file];
  if (isUntouched(before, now, isOtherBoot)) return undefined;
  if (now === undefined) return 'missing';
  const length = facts.files.lengthOf(file);
  if (before !== undefined && before.inode !== now.inode) return 'replaced';
  // What was longer than in the torrent is cut by the first write.
  if (before !== undefined && now.length < Math.min(before.length, length)) return 'shorter';
  if (now.length > length) return 'longer';
  if (recorded.isClean) return 'changed';
  const modifiedMs = Number(now.modifiedNs / 1_000_000n);
  const isWithinLife =
    modifiedMs >= recorded.startedMs - facts.slackMs && modifiedMs <= recorded.aliveMs + facts.slackMs;
  // A power loss can take back the time of a change, though not the content that was synced before it.
  const isTakenBack = isOtherBoot && isUntouched(recorded.openingStamps[file], now, isOtherBoot);
  return isWithinLife || isTakenBack ? undefined : 'changed';
}

/** After a boot the numbers of files may be others: FAT and some network file systems hand them out anew. */
function isUntouched(before: FileStamp | undefined, now: FileStamp | undefined, isOtherBoot: boolean): boolean {
  if (isSameStamp(before, now)) return true;
  if (!isOtherBoot || before === undefined || now === undefined) return false;
  return before.length === now.length && before.modifiedNs === now.modifiedNs;
}

/** The pieces of which every byte can be there. Asks `mayHold` of whole files where it can: it costs a search each time. */
function heldPieces(stamps: readonly (FileStamp | undefined)[], facts: JudgeFacts): Bitfield {
  const { geometry, files, mayHold } = facts;
  const held = Bitfield.full(geometry.pieceCount);
  for (let file = 0; file < files.fileCount; file += 1) {
    const length = files.lengthOf(file);
    const offset = files.offsetOf(file);
    const range = files.piecesOf(file, geometry.pieceLength);
    if (range === undefined || mayHold(offset, length)) continue;
    const end = Math.min(stamps[file]?.length ?? 0, length - 1);
    // One that is there up to its end needs no look at each piece, nor one that is not there at all; one of which a part
    // file or memory has some pieces does.
    const isWholeToEnd = end > 0 ? mayHold(offset, end) : !mayHold(offset, 1) && !mayHold(offset + length - 1, 1);
    const first = isWholeToEnd ? Math.floor((offset + end) / geometry.pieceLength) : range.first;
    for (let piece = first; piece <= range.last; piece += 1) {
      const begin = Math.max(piece * geometry.pieceLength, offset);
      const pieceEnd = Math.min((piece + 1) * geometry.pieceLength, offset + length);
      if (isWholeToEnd || !mayHold(begin, pieceEnd - begin)) held.remove(piece);
    }
  }
  return held;
}
