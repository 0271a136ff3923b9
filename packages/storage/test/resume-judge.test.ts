import { Bitfield, FileMap, geometryOf } from '@shoal/pieces';
import { describe, expect, test } from 'vitest';
import type { FileStamp } from '../src/index.ts';
import type { Recorded } from '../src/resume/journal-state.ts';
import { judge, type JudgeFacts } from '../src/resume/judge.ts';
import { piecesOf, stampOf } from './resume-fixtures.ts';

// Three files of 4, 2 and 2.5 pieces, 100 bytes each, the second begins in the midst of a piece: pieces 0–8.
const lengths = [450, 200, 250];
const files = new FileMap(lengths);
const geometry = geometryOf(900, 100);
const start = 1_000_000_000_000;
const alive = start + 60_000;
const slackMs = 3000;

const untouched: readonly FileStamp[] = lengths.map((length, file) => stampOf(length, start + 5000, file + 1));
const all = [0, 1, 2, 3, 4, 5, 6, 7, 8];

interface Scene {
  /** Journaled pieces; default those of all files but 3 and 8. */
  readonly have?: readonly number[];
  readonly doubt?: readonly number[];
  readonly recorded?: Partial<Recorded>;
  /** What replaces a file's stamp. */
  readonly now?: Readonly<Record<number, FileStamp | undefined>>;
  readonly facts?: Partial<JudgeFacts>;
}

const journaled = [0, 1, 2, 4, 5, 6, 7];

function verdictOf(scene: Scene): { have: number[]; doubt: number[]; reasons: string[] } {
  const stamps = untouched.map((stamp, file) =>
    scene.now !== undefined && file in scene.now ? scene.now[file] : stamp,
  );
  const recorded: Recorded = {
    have: setOf(scene.have ?? journaled),
    doubt: setOf(scene.doubt ?? []),
    unsynced: setOf([]),
    stamps: untouched,
    openingStamps: untouched,
    bootId: 'one',
    startedMs: start,
    aliveMs: alive,
    isClean: false,
    ...scene.recorded,
  };
  const mayHold = (offset: number, length: number): boolean =>
    files.spans(offset, length).every((span) => span.offset + span.length <= (stamps[span.file]?.length ?? -1));
  const facts = { geometry, files, bootId: 'one', slackMs, mayHold, isDamaged: false, ...scene.facts };
  const { have, doubt, reasons } = judge(recorded, stamps, facts);
  return {
    have: piecesOf(have),
    doubt: piecesOf(doubt),
    reasons: reasons.map(({ file, reason }) => `${file} ${reason}`),
  };
}

function setOf(pieces: readonly number[]): Bitfield {
  const set = new Bitfield(9);
  for (const piece of pieces) set.add(piece);
  return set;
}

const clean = { isClean: true };
const otherBoot = { bootId: 'another' };
const modified = (file: number, atMs: number): FileStamp => stampOf(lengths[file]!, atMs, file + 1);

describe('what a journal is worth', () => {
  test('files as recorded: what is journaled is trusted, what is not is missing', () => {
    for (const recorded of [clean, {}]) {
      expect(verdictOf({ recorded })).toEqual({ have: journaled, doubt: [], reasons: [] });
    }
  });

  test('what was in doubt and never looked at stays in doubt', () => {
    expect(verdictOf({ doubt: [3, 8] })).toMatchObject({ have: journaled, doubt: [3, 8] });
  });

  test('without a journal all that can be there is in doubt', () => {
    const stamps = [untouched[0], undefined, stampOf(199, start, 3)];
    const mayHold = (offset: number, length: number): boolean =>
      files.spans(offset, length).every((span) => span.offset + span.length <= (stamps[span.file]?.length ?? -1));
    const { have, doubt } = judge(undefined, stamps, {
      geometry,
      files,
      bootId: 'one',
      slackMs,
      mayHold,
      isDamaged: false,
    });
    expect(have.isEmpty).toBe(true);
    expect(piecesOf(doubt)).toEqual([0, 1, 2, 3, 7]);
  });

  test('after a damaged journal what it does not name may be there all the same', () => {
    expect(verdictOf({ facts: { isDamaged: true } })).toEqual({ have: journaled, doubt: [3, 8], reasons: [] });
  });

  test('after a crash of the system what had not reached the device is in doubt, also when its boot is not known', () => {
    const recorded = { unsynced: setOf([1, 2, 8]) };
    expect(verdictOf({ recorded, facts: otherBoot })).toMatchObject({ have: [0, 4, 5, 6, 7], doubt: [1, 2] });
    expect(verdictOf({ recorded: { ...recorded, bootId: '' }, facts: { bootId: '' } })).toMatchObject({
      doubt: [1, 2],
    });
    expect(verdictOf({ recorded })).toMatchObject({ have: journaled, doubt: [] });
  });
});

describe('what a file tells', () => {
  const doubted = (file: number, reason: string): unknown => ({
    have: [
      [5, 6, 7],
      [0, 1, 2, 7],
      [0, 1, 2, 4, 5],
    ][file],
    doubt: [
      [0, 1, 2, 3, 4],
      [4, 5, 6],
      [6, 7, 8],
    ][file],
    reasons: [`${file} ${reason}`],
  });

  test('a missing file has no pieces, nor has a piece that it shares with another', () => {
    expect(verdictOf({ now: { 1: undefined } })).toEqual({ have: [0, 1, 2, 7], doubt: [], reasons: ['1 missing'] });
  });

  test('a shorter file has no pieces past its end, and all others are in doubt', () => {
    for (const recorded of [clean, {}]) {
      const verdict = verdictOf({ recorded, now: { 0: stampOf(299, start + 5000, 1) } });
      expect(verdict).toEqual({ have: [5, 6, 7], doubt: [0, 1], reasons: ['0 shorter'] });
    }
  });

  test('a file of another inode is another file, whatever its time says', () => {
    for (const recorded of [clean, {}]) {
      for (const at of [start + 5000, start + 6000]) {
        expect(verdictOf({ recorded, now: { 1: stampOf(200, at, 99) } })).toEqual(doubted(1, 'replaced'));
      }
    }
  });

  test('inodes that are handed out anew at a boot tell nothing, unless time or length is another too', () => {
    const recorded = clean;
    expect(verdictOf({ recorded, facts: otherBoot, now: { 1: stampOf(200, start + 5000, 99) } })).toMatchObject({
      have: journaled,
      reasons: [],
    });
    expect(verdictOf({ recorded, facts: otherBoot, now: { 1: stampOf(200, start + 5001, 99) } })).toEqual(
      doubted(1, 'replaced'),
    );
  });

  test('a file that became longer than in the torrent is not ours any more', () => {
    expect(verdictOf({ now: { 2: stampOf(251, start + 5000, 3) } })).toEqual(doubted(2, 'longer'));
  });

  test('a file that was longer than in the torrent when it was verified is trusted as it was', () => {
    const stamps = [untouched[0], untouched[1], stampOf(251, start, 3)];
    const now = { 2: stamps[2] };
    expect(verdictOf({ recorded: { ...clean, stamps }, now })).toMatchObject({ have: journaled, reasons: [] });
    // Cut by our own first write.
    expect(verdictOf({ recorded: { stamps }, now: { 2: modified(2, alive) } })).toMatchObject({ reasons: [] });
  });

  test("after a clean end any later change is another's", () => {
    for (const at of [start + 5001, alive - 1, alive + 1, start - 86_400_000]) {
      expect(verdictOf({ recorded: clean, now: { 0: modified(0, at) } })).toEqual(doubted(0, 'changed'));
    }
  });

  test('after a crash a change within our life is our own last writing: nothing is checked again', () => {
    for (const at of [start - slackMs, start, alive, alive + slackMs]) {
      expect(verdictOf({ now: { 0: modified(0, at) } })).toEqual({ have: journaled, doubt: [], reasons: [] });
    }
  });

  test("after a crash a change before or after our life is another's", () => {
    for (const at of [start - slackMs - 1, alive + slackMs + 1]) {
      expect(verdictOf({ now: { 0: modified(0, at) } })).toEqual(doubted(0, 'changed'));
    }
  });

  test('a power loss may take back the time of our writes, a crash of ours may not', () => {
    const before = start - 3_600_000;
    const openingStamps = [modified(0, before), untouched[1], untouched[2]];
    const now = { 0: modified(0, before) };
    expect(verdictOf({ recorded: { openingStamps }, now, facts: otherBoot })).toMatchObject({ have: journaled });
    expect(verdictOf({ recorded: { openingStamps }, now })).toEqual(doubted(0, 'changed'));
    expect(verdictOf({ recorded: { openingStamps, isClean: true }, now, facts: otherBoot })).toEqual(
      doubted(0, 'changed'),
    );
  });

  test('a file that was not there is ours when it appeared within our life, else someone put it there', () => {
    const stamps = [untouched[0], undefined, untouched[2]];
    const have = [0, 1, 2, 7];
    const scene = { have, recorded: { stamps, openingStamps: stamps } };
    expect(verdictOf({ ...scene, now: { 1: modified(1, alive) } })).toEqual({ have, doubt: [], reasons: [] });
    expect(verdictOf({ ...scene, now: { 1: modified(1, start - 86_400_000) } })).toEqual(doubted(1, 'changed'));
  });

  test('a file that grows as it is written is not shorter, and its end is where nothing is yet', () => {
    const stamps = [stampOf(300, start + 5000, 1), untouched[1], untouched[2]];
    const verdict = verdictOf({ have: [0, 2, 7], recorded: { stamps }, now: { 0: stampOf(400, alive, 1) } });
    expect(verdict).toEqual({ have: [0, 2, 7], doubt: [], reasons: [] });
  });

  test('a piece in several files takes the worst of them', () => {
    const now = { 0: undefined, 1: modified(1, alive + 60_000) };
    expect(verdictOf({ now })).toEqual({ have: [7], doubt: [5, 6], reasons: ['0 missing', '1 changed'] });
  });
});

describe('what has no stamp', () => {
  test('padding and content in a part file are trusted where they can be at all', () => {
    const stamps = [untouched[0], undefined, untouched[2]];
    const recorded = { stamps, openingStamps: stamps };
    const held = { mayHold: () => true };
    const now = { 1: undefined };
    expect(verdictOf({ recorded, now, facts: held })).toEqual({ have: journaled, doubt: [], reasons: [] });
    // A part file that ends within file 1: byte 549 is its last.
    const mayHold = (offset: number, length: number): boolean => offset + length <= 550 || offset >= 650;
    expect(verdictOf({ recorded, now, facts: { mayHold } })).toEqual({ have: [0, 1, 2, 4, 7], doubt: [], reasons: [] });
  });

  test('a part file has some pieces of a file and not others', () => {
    // Of file 0 bytes 200 to 449 are held, as the stamp of an unwanted file has it: up to the last of them.
    const mayHold = (offset: number, length: number): boolean =>
      length === 0 || (offset >= 200 && offset + length <= 900);
    expect(verdictOf({ have: [2, 4, 5, 6], doubt: [0, 1, 3], facts: { mayHold } })).toEqual({
      have: [2, 4, 5, 6],
      doubt: [3],
      reasons: [],
    });
  });

  test('a file that became a part of the part file is checked where it can be there', () => {
    const verdict = verdictOf({ now: { 1: undefined }, facts: { mayHold: () => true } });
    expect(verdict).toEqual({ have: [0, 1, 2, 7], doubt: [4, 5, 6], reasons: ['1 missing'] });
  });

  test('empty files are never looked at', () => {
    const verdict = judge(
      {
        have: Bitfield.full(1),
        doubt: new Bitfield(1),
        unsynced: new Bitfield(1),
        stamps: [stampOf(0, start, 1), untouched[1]],
        openingStamps: [],
        bootId: 'one',
        startedMs: start,
        aliveMs: alive,
        isClean: true,
      },
      [undefined, untouched[1]],
      {
        geometry: geometryOf(200, 200),
        files: new FileMap([0, 200]),
        bootId: 'one',
        slackMs,
        mayHold: () => true,
        isDamaged: false,
      },
    );
    expect(verdict).toMatchObject({ have: { isFull: true }, reasons: [] });
  });

  test('nothing at all is there: nothing is had and nothing is checked', () => {
    const now = { 0: undefined, 1: undefined, 2: undefined };
    expect(verdictOf({ have: all, now })).toEqual({
      have: [],
      doubt: [],
      reasons: ['0 missing', '1 missing', '2 missing'],
    });
  });
});
