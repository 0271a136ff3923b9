import { FileMap, geometryOf } from '@shoal/pieces';
import { describe, expect, test } from 'vitest';
import { FileSelection, type FilePriority } from '../src/file-selection.ts';

/** Files of these lengths, in pieces of 16 KiB; a negative length is padding. */
function selectionOf(
  lengths: readonly number[],
  options: { priorities?: readonly FilePriority[]; finishFilesFirst?: boolean } = {},
): FileSelection {
  const files = lengths.map((length) => ({ length: Math.abs(length), isPadding: length < 0 }));
  const map = new FileMap(files.map((file) => file.length));
  const { priorities = files.map((): FilePriority => 'normal'), finishFilesFirst = false } = options;
  return new FileSelection({ map, geometry: geometryOf(map.totalLength, 16_384), files, priorities, finishFilesFirst });
}

const KiB = 1024;

describe('a selection of files', () => {
  test('gives a piece the level of the most wanted file that it touches', () => {
    const priorities = ['skip', 'low', 'high', 'skip'] as const;
    const selection = selectionOf([24 * KiB, 24 * KiB, 16 * KiB, 32 * KiB], { priorities });
    expect([...selection.pieces()]).toEqual([0, 1, 1, 7, 0, 0]);
    expect(selection.wanted()).toEqual([false, true, true, false]);
    expect(selection.isPlain).toBe(false);
  });

  test('changes while it is used', () => {
    const selection = selectionOf([16 * KiB, 16 * KiB]);
    expect(selection.isPlain).toBe(true);
    selection.priorities = selection.with([1], 'skip');
    expect([...selection.pieces()]).toEqual([4, 0]);
    selection.priorities = selection.with([1], 'normal');
    expect([...selection.pieces()]).toEqual([4, 4]);
  });

  test('does not let filler want a piece, nor lose a piece of filler alone', () => {
    const selection = selectionOf([8 * KiB, -24 * KiB, 16 * KiB], { priorities: ['skip', 'normal', 'skip'] });
    expect([...selection.pieces()]).toEqual([0, 4, 0]);
  });

  test('prefers a file that is near completion when asked to, and no longer once it is complete', () => {
    const selection = selectionOf([1024 * KiB, 1024 * KiB], { finishFilesFirst: true });
    let changedAt = -1;
    for (let piece = 0; piece < 64 && changedAt < 0; piece++) if (selection.verified(piece)) changedAt = piece;
    // 1 MiB / ceil(log2(1 MiB)) = 51 KiB, three pieces and a bit.
    expect(changedAt).toBe(60);
    expect([...selection.pieces()].slice(60, 66)).toEqual([5, 5, 5, 5, 4, 4]);
    expect([61, 62, 63].map((piece) => selection.verified(piece))).toEqual([false, false, true]);
    expect(selection.leftOf(0)).toBe(0);
    expect(selection.pieces()[63]).toBe(4);
  });

  test('never lifts a file that is skipped or wanted most already', () => {
    const selection = selectionOf([32 * KiB, 32 * KiB], { priorities: ['skip', 'high'], finishFilesFirst: true });
    expect(selection.verified(0)).toBe(false);
    expect(selection.verified(2)).toBe(false);
    expect([...selection.pieces()]).toEqual([0, 0, 7, 7]);
  });

  test('refuses files that do not exist and priorities that do not fit', () => {
    expect(() => selectionOf([1, 2], { priorities: ['skip'] })).toThrow(RangeError);
    expect(() => selectionOf([1]).with([0, 1], 'low')).toThrow(RangeError);
    expect(() => selectionOf([1]).leftOf(-1)).toThrow(RangeError);
  });
});
