import { Bitfield, geometryOf } from '@shoal/pieces';
import { describe, expect, test } from 'vitest';
import { Scheduler, SimulatedDisk, SyntheticContent } from '../src/index.ts';
import { PieceBuffers } from '../src/simulated-disk.ts';

const content = new SyntheticContent(geometryOf(100, 40), 1);

const trueBytes = (piece: number, length: number): Uint8Array => {
  const bytes = new Uint8Array(length);
  content.fill(piece, 0, length, bytes, 0);
  return bytes;
};

describe('the simulated disk', () => {
  test('stores a right piece and refuses a wrong one, after its delay', () => {
    const scheduler = new Scheduler();
    const disk = new SimulatedDisk(content, new Bitfield(3), scheduler, { checkMs: 5, readMs: 2, slowFactor: 10 });
    const outcomes: string[] = [];
    const check = (bytes: Uint8Array): void =>
      disk.check(1, bytes, (outcome) => outcomes.push(`${scheduler.nowMs} ${outcome}`));
    check(new Uint8Array(40));
    scheduler.step();
    disk.fault = 'writes';
    check(trueBytes(1, 40));
    scheduler.step();
    expect(disk.stored.count).toBe(0);
    disk.fault = 'none';
    check(trueBytes(1, 40));
    scheduler.step();
    expect(outcomes).toEqual(['5 corrupt', '10 failed', '15 stored']);
    expect(disk.stored.has(1)).toBe(true);
  });

  test('reads true bytes, or nothing while it cannot be read', () => {
    const scheduler = new Scheduler();
    const disk = new SimulatedDisk(content, Bitfield.full(3), scheduler, { checkMs: 5, readMs: 2, slowFactor: 10 });
    const block = { piece: 2, begin: 5, length: 15 };
    disk.read([block], (contents) => expect(contents).toEqual([trueBytes(2, 20).subarray(5)]));
    scheduler.step();
    disk.fault = 'reads';
    disk.read([block], (contents) => expect(contents).toBeUndefined());
    scheduler.step();
    expect.assertions(2);
  });

  test('fails as its fault says, each with its reason, and works again without it', () => {
    const scheduler = new Scheduler();
    const disk = new SimulatedDisk(content, Bitfield.full(3), scheduler, { checkMs: 5, readMs: 2, slowFactor: 10 });
    const seen: string[] = [];
    for (const fault of ['full', 'permission', 'reads', 'none'] as const) {
      disk.fault = fault;
      disk.check(0, trueBytes(0, 40), (outcome, failure) => seen.push(`${fault} check ${outcome} ${failure ?? ''}`));
      disk.read([{ piece: 0, begin: 0, length: 1 }], (_, failure) => seen.push(`${fault} read ${failure ?? ''}`));
      disk.look(0, (isStored, failure) => seen.push(`${fault} look ${isStored} ${failure ?? ''}`));
      for (let steps = 0; steps < 3; steps++) scheduler.step();
    }
    expect(seen.map((line) => line.trim())).toEqual([
      'full read',
      'full check failed no space left on the disk',
      'full look true',
      'permission read permission denied',
      'permission check failed permission denied',
      'permission look true permission denied',
      'reads read the disk cannot be read',
      'reads check stored',
      'reads look true the disk cannot be read',
      'none read',
      'none check stored',
      'none look true',
    ]);
  });

  test('takes its time while it is slow', () => {
    const scheduler = new Scheduler();
    const disk = new SimulatedDisk(content, Bitfield.full(3), scheduler, { checkMs: 5, readMs: 2, slowFactor: 10 });
    disk.fault = 'slow';
    disk.look(0, () => expect(scheduler.nowMs).toBe(50));
    scheduler.step();
    expect.assertions(1);
  });

  test('lets a deleted file be missed once, by whoever looks', () => {
    const scheduler = new Scheduler();
    const disk = new SimulatedDisk(content, Bitfield.full(3), scheduler, { checkMs: 5, readMs: 2, slowFactor: 10 });
    disk.loseFile(1, 3);
    disk.read([{ piece: 1, begin: 0, length: 1 }], (contents, failure) =>
      expect([contents, failure]).toEqual([undefined, 'the file is gone']),
    );
    scheduler.step();
    expect([...disk.takeVanished().indices()]).toEqual([1, 2]);
    expect(disk.takeVanished().isEmpty).toBe(true);
    expect.assertions(3);
  });
});

describe('piece buffers', () => {
  test('refuse what the contract with a torrent forbids, in words that name the fault', () => {
    const buffers = new PieceBuffers(content);
    expect(buffers.store(3, 0, new Uint8Array(1))).toMatch(/piece 3, which does not exist/);
    expect(buffers.store(2, 10, new Uint8Array(11))).toMatch(/past the end/);
    expect(buffers.take(0)).toMatch(/stored nothing/);
    expect(buffers.store(0, 0, new Uint8Array(30))).toBeUndefined();
    expect(buffers.take(0)).toMatch(/before its byte 30/);
    expect(buffers.store(0, 30, new Uint8Array(10))).toBeUndefined();
    expect(buffers.take(0)).toHaveLength(40);
    expect(buffers.take(0)).toMatch(/twice/);
    expect(buffers.store(0, 0, new Uint8Array(1))).toMatch(/while that is being checked/);
    expect(buffers.discard(0)).toMatch(/while that is being checked/);
  });

  test('count the bytes they hold', () => {
    const buffers = new PieceBuffers(content);
    buffers.store(0, 0, new Uint8Array(1));
    buffers.store(2, 0, new Uint8Array(1));
    expect(buffers.discard(0)).toBeUndefined();
    buffers.store(1, 0, new Uint8Array(1));
    buffers.drop(1);
    expect(buffers.peakBytes).toBe(60);
  });
});
