import { expect, test } from 'vitest';
import { RecordIndex } from '../src/memory/record-index.ts';

test('records that all hash alike are found and removed, by pages that grow', () => {
  let sought = -1;
  const index = new RecordIndex({ hashOf: () => 0xdead_beef, isSought: (record) => record === sought });
  for (let record = 0; record < 4000; record++) index.add(0xdead_beef, record);
  for (let record = 0; record < 4000; record += 2) index.remove(0xdead_beef, record);
  const found: number[] = [];
  for (sought = 0; sought < 4000; sought += 399) if (index.find(0xdead_beef) === sought) found.push(sought);
  expect(found).toEqual([399, 1197, 1995, 2793, 3591]);
});

/** Records whose hashes are known, and how often their owner was asked about one. */
class CountedRecords {
  sought = -1;
  hashed = 0;
  compared = 0;

  hashOf(record: number): number {
    this.hashed++;
    return Math.imul(record + 1, 0x9e37_79b1) >>> 0;
  }

  isSought(record: number): boolean {
    this.compared++;
    return record === this.sought;
  }
}

test('no single insertion or removal works on more than a page, however many records there are', () => {
  const records = new CountedRecords();
  const index = new RecordIndex(records);
  const hashes = Array.from({ length: 200_000 }, (_, record) => records.hashOf(record));
  let most = 0;
  const step = (work: () => void): void => {
    records.hashed = 0;
    work();
    most = Math.max(most, records.hashed);
  };
  for (const [record, hash] of hashes.entries()) step(() => index.add(hash, record));
  for (const [record, hash] of hashes.entries()) step(() => index.remove(hash, record));
  // Two pages of 1,536 slots, where a split makes one larger on the way; a hash takes some 50 ns.
  expect(most).toBeLessThanOrEqual(2 * 1536);
});

test('a search looks at few records besides the one it is for, and a vain one at hardly any', () => {
  const records = new CountedRecords();
  const index = new RecordIndex(records);
  const size = 100_000;
  for (let record = 0; record < size; record++) index.add(records.hashOf(record), record);
  for (records.sought = 0; records.sought < size; records.sought++) index.find(records.hashOf(records.sought));
  // Without the bits of the hash in the slots it would be 1.8.
  expect(records.compared / size).toBeLessThan(1.2);
  records.compared = 0;
  for (records.sought = size; records.sought < 2 * size; records.sought++) index.find(records.hashOf(records.sought));
  expect(records.compared / size).toBeLessThan(0.5);
});
