import { blockLength, type Block } from '@shoal/pieces';
import { pieceHeaderLength } from '@shoal/wire';
import { describe, expect, test } from 'vitest';
import { RunBuffers } from '../src/run-buffers.ts';

const run = (count: number, length: number = blockLength): Block[] =>
  Array.from({ length: count }, (_, index) => ({ piece: 1, begin: index * blockLength, length }));
const framed = blockLength + pieceHeaderLength;

describe('buffers of runs', () => {
  test('a run has a place for each block behind its header, in a buffer of less than twice its size', () => {
    for (let count = 1; count <= 32; count++) {
      const { message, targets } = new RunBuffers().frame(run(count, blockLength - 1));
      expect(message.length).toBe(count * (framed - 1));
      expect(targets.map((target) => target.byteOffset)).toEqual(
        Array.from({ length: count }, (_, index) => message.byteOffset + index * (framed - 1) + pieceHeaderLength),
      );
      expect(message.buffer.byteLength).toBeLessThan(2 * count * framed);
    }
  });

  test('a buffer that was given back serves the next run of its size, and no other', () => {
    const buffers = new RunBuffers();
    const { message } = buffers.frame(run(5));
    buffers.give(message);
    expect(buffers.frame(run(2)).message.buffer).not.toBe(message.buffer);
    expect(buffers.frame(run(9)).message.buffer).not.toBe(message.buffer);
    expect(buffers.frame(run(8)).message.buffer).toBe(message.buffer);
    expect(buffers.frame(run(8)).message.buffer).not.toBe(message.buffer);
  });

  test('what lies idle is bounded by its bytes, whatever its sizes', () => {
    const buffers = new RunBuffers();
    const out = [1, 2, 32, 7, 16, 1].flatMap((count) => Array.from({ length: 40 }, () => buffers.frame(run(count))));
    for (const { message } of out) buffers.give(message);
    expect(buffers.idleBytes).toBeGreaterThan(7 * 32 * framed);
    expect(buffers.idleBytes).toBeLessThanOrEqual(8 * 32 * framed);
    for (const count of [1, 2, 8, 16, 32]) for (let time = 0; time < 80; time++) buffers.frame(run(count));
    expect(buffers.idleBytes).toBe(0);
  });
});
