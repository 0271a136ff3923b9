import { Bitfield } from '@shoal/pieces';
import { describe, expect, test } from 'vitest';
import { corrupting, jainIndex, Simulation } from '../src/index.ts';
import { reportOf, smallTorrent } from './swarm.ts';

const pair = (seed = 1, trace?: (line: string) => void): Simulation => {
  const simulation = new Simulation({ seed, torrent: smallTorrent, ...(trace === undefined ? {} : { trace }) });
  simulation.addTracker();
  simulation.addPeer({ name: 'origin', have: 'all' });
  simulation.addPeer({ name: 'leecher' });
  return simulation;
};

describe('a simulation', () => {
  test('reports, and does not throw, when its time is up; it can go on from there', () => {
    const simulation = pair();
    const leecher = simulation.peers[1]!;
    const early = simulation.runUntil(() => leecher.complete, 5000);
    expect(early).toMatchObject({ outcome: 'limit', timeMs: 5000, seed: 1, totalBytes: 64 * 32_768 });
    expect(reportOf(early, 'leecher').complete).toBe(false);
    expect(early.lastEvents).toHaveLength(50);
    const late = simulation.runUntil(() => leecher.complete, 60_000);
    expect(late.outcome).toBe('done');
    expect(late.lastCompletedMs).toBe(reportOf(late, 'leecher').completedMs);
    expect(late.originBytes).toBe(reportOf(late, 'origin').uploadedBytes);
  });

  test('says idle when nothing will ever happen again', () => {
    const report = new Simulation({ seed: 1 }).runUntil(() => false, 1000);
    expect(report).toMatchObject({ outcome: 'idle', timeMs: 0, events: 0, originBytes: 0 });
    expect(report.lastCompletedMs).toBeUndefined();
  });

  test('hands out its trace line by line, in order of time, and hashes it', () => {
    const lines: string[] = [];
    const report = pair(1, (line) => lines.push(line)).runUntil(() => false, 20_000);
    expect(report.events).toBe(lines.length);
    expect(report.lastEvents).toEqual(lines.slice(-50));
    const times = lines.map((line) => Number(line.split(' ')[0]));
    expect(times).toEqual(times.toSorted((one, other) => one - other));
    expect(lines).toContainEqual(expect.stringMatching(/^\d+ leecher > report completed$/));
  });

  test('gives the same hash for the same seed whatever ran between, and another for another seed', () => {
    const hashOf = (seed: number): string => pair(seed).runUntil(() => false, 10_000).hash;
    const first = hashOf(7);
    expect(hashOf(8)).not.toBe(first);
    expect(hashOf(7)).toBe(first);
  });

  test('a behaviour used by several peers and runs keeps nothing from one to the next', () => {
    const behaviour = corrupting(0.5);
    const hashOf = (): string => {
      const simulation = pair(3);
      simulation.addPeer({ have: 'all', behaviour });
      simulation.addPeer({ have: 'all', behaviour });
      return simulation.runUntil(() => false, 10_000).hash;
    };
    expect(hashOf()).toBe(hashOf());
  });

  test('starts a peer with the pieces it is given, and only then when it is told to', () => {
    const simulation = pair();
    const have = new Bitfield(64);
    for (let piece = 0; piece < 60; piece++) have.add(piece);
    const late = simulation.addPeer({ name: 'late', have, startMs: Infinity });
    simulation.runUntil(() => false, 30_000);
    expect(late.state).toBe('waiting');
    late.start();
    const report = simulation.runUntil(() => late.complete, 60_000);
    expect(report.outcome).toBe('done');
    expect(reportOf(report, 'late')).toMatchObject({
      verifiedPieces: 4,
      downloadedBytes: 4 * 32_768,
      state: 'seeding',
    });
    expect(late.snapshot!.havePieces).toBe(64);
  });

  test('refuses what cannot be: seeds, names, a second tracker, the past', () => {
    expect(() => new Simulation({ seed: 0.5 })).toThrow(RangeError);
    const simulation = pair();
    expect(() => simulation.addPeer({ name: 'origin' })).toThrow(RangeError);
    expect(() => simulation.addTracker()).toThrow(RangeError);
    simulation.runUntil(() => false, 1000);
    expect(() => simulation.at(999, () => {})).toThrow(RangeError);
  });

  test("Jain's index is 1 for equals and 1/n when one has everything", () => {
    expect(jainIndex([3, 3, 3])).toBe(1);
    expect(jainIndex([0, 0, 5, 0])).toBe(0.25);
    expect(jainIndex([0, 0])).toBe(1);
  });
});
