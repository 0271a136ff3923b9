import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ByteRanges } from '../src/byte-ranges.ts';

const size = 40;
const change = fc.record({
  adds: fc.boolean(),
  begin: fc.nat(size),
  length: fc.nat(12),
});

test('byte ranges hold exactly what was added and not removed since, as few ranges', () => {
  fc.assert(
    fc.property(fc.array(change, { maxLength: 60 }), fc.nat(size), fc.nat(size), (changes, one, other) => {
      const ranges = new ByteRanges();
      const model = Array.from({ length: 60 }, () => false);
      for (const { adds, begin, length } of changes) {
        if (adds) ranges.add(begin, begin + length);
        else ranges.remove(begin, begin + length);
        model.fill(adds, begin, begin + length);
      }
      const runs: { begin: number; end: number }[] = [];
      for (const [at, isHeld] of model.entries()) {
        if (isHeld && model[at - 1] !== true) runs.push({ begin: at, end: at });
        if (isHeld) runs[runs.length - 1] = { begin: runs.at(-1)!.begin, end: at + 1 };
      }
      expect(ranges.within(0, 60)).toEqual(runs);
      expect(ranges.copy().within(0, 60)).toEqual(runs);
      expect(ranges.isEmpty).toBe(runs.length === 0);
      const [begin, end] = [Math.min(one, other), Math.max(one, other)];
      expect(ranges.covers(begin, end)).toBe(model.slice(begin, end).every(Boolean));
      const clipped = runs
        .map((run) => ({ begin: Math.max(run.begin, begin), end: Math.min(run.end, end) }))
        .filter((run) => run.begin < run.end);
      expect(ranges.within(begin, end)).toEqual(clipped);
    }),
  );
});
