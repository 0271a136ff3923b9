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
