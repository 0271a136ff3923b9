import { expect, test } from 'vitest';
import { FileMap } from '../src/index.ts';

test('a span costs O(log files), whatever lies before it and however many empty files lie between', () => {
  // Two filled files with a million empty ones in between, asked a hundred thousand times: stepping over the empty
  // ones would be 10^11 steps and run into the time limit of a test.
  const lengths = Array.from({ length: 1_000_002 }, () => 0);
  lengths[0] = 16;
  lengths[1_000_001] = 16;
  const map = new FileMap(lengths);
  let spans = 0;
  for (let round = 0; round < 100_000; round += 1) spans += map.spans(8 + (round % 8), 16).length;
  expect(spans).toBe(200_000);
});
