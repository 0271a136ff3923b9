// What a start learns from the journal that is there: what to believe, what to check. Reads only, so a disk that is not
// mounted yet, or a thousand torrents that nobody asks for, change nothing. Must not know timers or writing.
import { readFile } from 'node:fs/promises';
import type { FileMap } from '@shoal/pieces';
import { errnoOf } from '../errors.ts';
import type { FileStamp, Presence, Storage } from '../storage.ts';
import type { JournalFiles } from './journal-files.ts';
import { common, JournalState } from './journal-state.ts';
import { judge, type JudgeFacts, type Verdict } from './judge.ts';
import { decodeJournal, type JournalSubject } from './records.ts';

/** How the journal was found: never written, left at rest, left by a crash, or not to be read from some byte on. */
export type JournalFound = 'none' | 'clean' | 'crashed' | 'damaged';

export interface JournalOpening {
  readonly found: JournalFound;
  readonly verdict: Verdict;
  /** Where the next writer begins. */
  readonly state: JournalState;
}

export interface JournalPlace {
  readonly path: string;
  readonly files: JournalFiles;
  readonly subject: JournalSubject;
  readonly fileMap: FileMap;
  readonly storage: Pick<Storage, 'stamps' | 'presence'>;
  readonly bootId: string;
  readonly slackMs: number;
}

/** Rejects never: what cannot be read is given to `report`, and puts all in doubt. */
export async function openingOf(place: JournalPlace, report: (cause: unknown) => void): Promise<JournalOpening> {
  const { geometry, fileCount } = place.subject;
  const [journal, content] = await Promise.all([replay(place, report), contentNow(place, report)]);
  const { found, recorded } = journal;
  const { stamps, mayHold } = content ?? { stamps: Array<undefined>(fileCount).fill(undefined), mayHold: () => true };
  const { fileMap: files, bootId, slackMs } = place;
  const facts: JudgeFacts = { geometry, files, bootId, slackMs, mayHold, isDamaged: found === 'damaged' };
  const verdict = judge(content === undefined ? undefined : recorded, stamps, facts);
  const state = new JournalState(geometry.pieceCount, stamps);
  state.apply({ type: 'have', bits: verdict.have.bytes });
  state.apply({ type: 'doubt', bits: verdict.doubt.bytes });
  // Trusted, but perhaps still on the way to the device.
  if (recorded !== undefined) state.syncing = common(recorded.unsynced, verdict.have);
  return { found, verdict, state };
}

/** Linux names each start of the system; elsewhere, '' = not known. */
export async function bootIdOfSystem(): Promise<string> {
  try {
    return (await readFile('/proc/sys/kernel/random/boot_id', 'utf8')).trim();
  } catch (error) {
    if (errnoOf(error) === undefined) throw error;
    return '';
  }
}

async function replay(
  { path, files, subject }: JournalPlace,
  report: (cause: unknown) => void,
): Promise<{ readonly found: JournalFound; readonly recorded: JournalState | undefined }> {
  let bytes: Uint8Array | undefined;
  try {
    bytes = await files.read(path, longestJournal(subject));
  } catch (error) {
    report(error);
    return { found: 'damaged', recorded: undefined };
  }
  if (bytes === undefined) return { found: 'none', recorded: undefined };
  const { records, end } = decodeJournal(bytes, subject);
  if (records.length === 0) return { found: 'damaged', recorded: undefined };
  const recorded = new JournalState(subject.geometry.pieceCount, Array<undefined>(subject.fileCount).fill(undefined));
  for (const record of records) recorded.apply(record);
  const ending = recorded.isClean && end === 'whole' ? 'clean' : 'crashed';
  return { found: end === 'damaged' ? 'damaged' : ending, recorded };
}

async function contentNow(
  { storage }: JournalPlace,
  report: (cause: unknown) => void,
): Promise<{ readonly stamps: readonly (FileStamp | undefined)[]; readonly mayHold: Presence['mayHold'] } | undefined> {
  try {
    const [stamps, presence] = await Promise.all([storage.stamps(), storage.presence()]);
    return { stamps, mayHold: (offset, length) => presence.mayHold(offset, length) };
  } catch (error) {
    report(error);
    return undefined;
  }
}

/** More than a writer ever lets it become: 8 bytes for every second piece and 58 for each file, twice, and one append. */
function longestJournal({ geometry, fileCount }: JournalSubject): number {
  return 1_048_576 + geometry.pieceCount * 16 + fileCount * 256;
}
