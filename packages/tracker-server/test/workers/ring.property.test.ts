import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { RingReader, RingWriter, ringMemory } from '../../src/workers/ring.ts';

/** Writes `length` bytes of which each is `length` too. */
function put(ring: RingWriter, length: number, most = length): boolean {
  return ring.write(most, (bytes, _view, at) => {
    bytes.fill(length & 0xff, at, at + length);
    return length;
  });
}

function take(ring: RingReader, limit: number): number[] {
  const lengths: number[] = [];
  ring.drain(limit, (bytes, _view, at, length) => {
    expect(bytes.subarray(at, at + length).every((byte) => byte === (length & 0xff))).toBe(true);
    lengths.push(length);
  });
  return lengths;
}

describe('a ring', () => {
  test('gives out what was put in, in order and whole, however writing and reading alternate', () => {
    const step = fc.oneof(
      fc.record({ put: fc.nat(120), spare: fc.nat(8) }),
      fc.record({ take: fc.integer({ min: 1, max: 9 }) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 300 }), (steps) => {
        const memory = ringMemory(512);
        const [writer, reader] = [new RingWriter(memory, () => {}), new RingReader(memory)];
        const expected: number[] = [];
        for (const turn of steps) {
          if ('take' in turn) expect(take(reader, turn.take)).toEqual(expected.splice(0, turn.take));
          else if (put(writer, turn.put, turn.put + turn.spare)) expected.push(turn.put);
        }
        expect(take(reader, 1000)).toEqual(expected);
        // Whatever was refused finds room once it is empty.
        expect(put(writer, 120)).toBe(true);
      }),
    );
  });

  test('rings once for all that is written before the reader looks, and again after it has slept', () => {
    const memory = ringMemory(512);
    let rings = 0;
    const [writer, reader] = [new RingWriter(memory, () => rings++), new RingReader(memory)];
    for (let count = 0; count < 5; count++) put(writer, 10);
    expect(rings).toBe(1);
    expect(reader.drain(3, () => {})).toBe(true);
    put(writer, 10);
    expect(rings).toBe(1);
    expect(reader.drain(100, () => {})).toBe(false);
    put(writer, 10);
    expect(rings).toBe(2);
  });

  test('takes nothing more when it is full, and does not grow', () => {
    const memory = ringMemory(512);
    const writer = new RingWriter(memory, () => {});
    let taken = 0;
    while (put(writer, 24)) taken++;
    expect(taken).toBeGreaterThan(10);
    expect(taken).toBeLessThan(17);
  });
});
