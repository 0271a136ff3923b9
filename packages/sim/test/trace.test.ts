import { describe, expect, test } from 'vitest';
import { keptLines, Trace } from '../src/index.ts';

describe('trace', () => {
  test('hands every line out, keeps the last, and hashes all', () => {
    const lines: string[] = [];
    const trace = new Trace((line) => lines.push(line));
    for (let event = 0; event < keptLines + 7; event++) trace.event(event, 'peer', `does ${event}`);
    expect(lines).toHaveLength(keptLines + 7);
    expect(lines[3]).toBe('3 peer does 3');
    expect(trace.last).toEqual(lines.slice(7));
    expect(trace.hash).toMatch(/^[0-9a-f]{16}$/);
  });

  test('one letter, one line end and the order all change the hash', () => {
    const hashOf = (...events: string[]): string => {
      const trace = new Trace();
      for (const event of events) trace.event(0, 'peer', event);
      return trace.hash;
    };
    expect(hashOf('a', 'b')).toBe(hashOf('a', 'b'));
    const others = [hashOf('a', 'b'), hashOf('b', 'a'), hashOf('a', 'c'), hashOf('a\n0 peer b'), hashOf('a')];
    expect(new Set(others).size).toBe(others.length);
  });
});
