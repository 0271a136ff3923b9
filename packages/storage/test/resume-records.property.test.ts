import fc from 'fast-check';
import { type Geometry, geometryOf } from '@shoal/pieces';
import { describe, expect, test } from 'vitest';
import { common, JournalState } from '../src/resume/journal-state.ts';
import {
  decodeJournal,
  encodeHeader,
  encodeRecords,
  headerLength,
  type JournalRecord,
  type JournalSubject,
} from '../src/resume/records.ts';

const geometry: Geometry = geometryOf(37 * 16_384 - 5, 16_384);
const subject: JournalSubject = { infoHash: new Uint8Array(20).fill(3), geometry, fileCount: 5 };
const header = encodeHeader(subject, Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8));

const wallMs = fc.nat(2 ** 31);
const run = fc.nat(36).chain((first) => fc.tuple(fc.constant(first), fc.integer({ min: 1, max: 37 - first })));
const runs = fc.array(run, { maxLength: 6 }).map((list) => list.flat());
const stamp = fc.record({
  length: fc.maxSafeNat(),
  modifiedNs: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  inode: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
});
const entries = fc.array(fc.record({ file: fc.nat(4), stamp: fc.option(stamp, { nil: undefined }) }), { maxLength: 4 });
const bits = fc.uint8Array({ minLength: 5, maxLength: 5 }).map((bytes) => {
  bytes[4]! &= 0xf8;
  return bytes;
});
const record: fc.Arbitrary<JournalRecord> = fc.oneof(
  fc.record({ type: fc.constant('session'), bootId: fc.string({ maxLength: 40 }), wallMs }),
  fc.record({ type: fc.constantFrom('have', 'doubt'), bits }),
  fc.record({ type: fc.constantFrom('verified', 'lost', 'doubted'), runs }),
  fc.record({ type: fc.constant('stamps'), entries }),
  fc.record({ type: fc.constant('alive'), wallMs }),
  fc.record({ type: fc.constantFrom('syncing', 'synced', 'clean') }),
);
const records = fc.array(record, { minLength: 1, maxLength: 12 });

const journalOf = (list: readonly JournalRecord[]): Uint8Array => Uint8Array.of(...header, ...encodeRecords(list));

describe('the bytes of a journal', () => {
  test('every list of records reads as it was written', () => {
    fc.assert(
      fc.property(records, (list) => {
        expect(decodeJournal(journalOf(list), subject)).toEqual({ records: list, end: 'whole' });
      }),
    );
  });

  test('a journal cut anywhere gives the records before the cut, and the rest is an append that did not end', () => {
    fc.assert(
      fc.property(records, fc.nat(), (list, cut) => {
        const bytes = journalOf(list);
        const length = headerLength + (cut % (bytes.length - headerLength));
        const decoded = decodeJournal(bytes.subarray(0, length), subject);
        const ends = list.map((_, index) => headerLength + encodeRecords(list.slice(0, index + 1)).length);
        const whole = ends.filter((end) => end <= length).length;
        expect(decoded.records).toEqual(list.slice(0, whole));
        expect(decoded.end).toBe(length === headerLength || ends.includes(length) ? 'whole' : 'torn');
      }),
    );
  });

  test('a journal with one bit flipped gives the records before it, and says so when whole ones follow', () => {
    fc.assert(
      fc.property(records, fc.nat(), fc.nat(7), (list, at, bit) => {
        const bytes = journalOf(list);
        const position = at % bytes.length;
        bytes[position]! ^= 1 << bit;
        const decoded = decodeJournal(bytes, subject);
        const ends = list.map((_, index) => headerLength + encodeRecords(list.slice(0, index + 1)).length);
        const isHeader = position < headerLength;
        const before = isHeader ? 0 : ends.filter((end) => end <= position).length;
        expect(decoded.records).toEqual(list.slice(0, before));
        expect(decoded.end).toBe(isHeader || before < list.length - 1 ? 'damaged' : 'torn');
      }),
    );
  });

  test('any bytes at all are read without an error', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), fc.boolean(), (bytes, hasHeader) => {
        decodeJournal(hasHeader ? Uint8Array.of(...header, ...bytes) : bytes, subject);
      }),
    );
  });

  test('zeros at the end, as a power loss leaves them, are an append that did not end', () => {
    const whole = journalOf([{ type: 'clean' }]);
    const bytes = new Uint8Array(whole.length + 5000);
    bytes.set(whole);
    expect(decodeJournal(bytes, subject)).toEqual({ records: [{ type: 'clean' }], end: 'torn' });
  });

  test('a header of another torrent, other pieces or another number of files is no header', () => {
    const bytes = journalOf([{ type: 'clean' }]);
    const others: Partial<JournalSubject>[] = [
      { infoHash: new Uint8Array(20).fill(4) },
      { geometry: geometryOf(37 * 16_384 - 4, 16_384) },
      { geometry: geometryOf(37 * 16_384 - 5, 32_768) },
      { fileCount: 6 },
    ];
    for (const other of others) {
      expect(decodeJournal(bytes, { ...subject, ...other })).toEqual({ records: [], end: 'damaged' });
    }
  });

  test('a whole record that names a piece, a file or a set which cannot be is where reading stops', () => {
    const impossible: JournalRecord[] = [
      { type: 'verified', runs: [36, 2] },
      { type: 'lost', runs: [0xffff_ffff, 1] },
      { type: 'stamps', entries: [{ file: 5, stamp: undefined }] },
      { type: 'have', bits: new Uint8Array(4) },
    ];
    for (const one of impossible) {
      expect(decodeJournal(journalOf([{ type: 'syncing' }, one]), subject).records).toEqual([{ type: 'syncing' }]);
    }
  });
});

describe('the state that records add up to', () => {
  const none = Array<undefined>(5).fill(undefined);
  const replayed = (list: readonly JournalRecord[]): JournalState => {
    const state = new JournalState(37, none);
    for (const one of list) state.apply(one);
    return state;
  };
  const sayings = (state: JournalState): unknown => ({
    have: [...state.have.indices()],
    doubt: [...state.doubt.indices()],
    unsynced: [...common(state.unsynced, state.have).indices()],
    syncing: [...common(state.syncing, state.have).indices()],
    stamps: state.stamps,
    opening: state.openingStamps,
    life: [state.bootId, state.startedMs, state.aliveMs, state.isClean],
  });

  test('written anew in a few records it is the same, through bytes too', () => {
    fc.assert(
      fc.property(records, (list) => {
        const state = replayed([{ type: 'session', bootId: 'x', wallMs: 0 }, ...list]);
        const compacted = state.compact();
        const again = replayed(decodeJournal(journalOf(compacted), subject).records);
        expect(sayings(again)).toEqual(sayings(state));
        expect(again.compact()).toEqual(compacted);
      }),
    );
  });

  test('an end is clean only when nothing comes after it', () => {
    const clean: JournalRecord = { type: 'clean' };
    expect(replayed([clean]).isClean).toBe(true);
    expect(replayed([clean, { type: 'alive', wallMs: 1 }]).isClean).toBe(false);
  });

  test('what was verified before the mark is synced, what came after it is not', () => {
    const state = replayed([
      { type: 'verified', runs: [0, 3] },
      { type: 'syncing' },
      { type: 'verified', runs: [10, 2] },
      { type: 'synced' },
    ]);
    expect([...state.unsynced.indices()]).toEqual([10, 11]);
    expect([...state.have.indices()]).toEqual([0, 1, 2, 10, 11]);
  });
});
