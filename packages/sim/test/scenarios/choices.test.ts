import { describe, expect, test } from 'vitest';
import { Simulation } from '../../src/index.ts';
import { allComplete, expectDone, expectThat, reportOf, swarmOf } from '../swarm.ts';

const pieceCount = 64;
const unwanted = (from: number, end: number): Uint8Array => new Uint8Array(pieceCount).fill(4).fill(0, from, end);

describe('selected files', () => {
  test.for([1, 2, 3])('only: it completes as a partial seed, which gives what it has (seed %i)', (seed) => {
    const { simulation, origin, leechers } = swarmOf(seed, 3);
    const [chooser, ...others] = leechers;
    simulation.at(1200, () => chooser!.tell({ type: 'priorities', pieces: unwanted(16, 48) }));
    const report = simulation.runUntil(() => chooser!.snapshot?.state === 'seeding', 10 * 60_000);
    expectDone(report);
    const { downloadedBytes, havePieces, completedMs } = reportOf(report, chooser!.name);
    expect(completedMs).toBeDefined();
    // What was under way when the choice was made may have come.
    expectThat(havePieces >= 32 && havePieces <= 40, `it has ${havePieces} pieces`, report);
    expectThat(downloadedBytes <= 40 * 32_768, `it fetched ${downloadedBytes} bytes`, report);
    expect(chooser!.snapshot).toMatchObject({ wantedBytes: 32 * 32_768, wantedLeftBytes: 0 });
    expectDone(simulation.runUntil(() => allComplete(others), 10 * 60_000));
    origin.stop();
    const late = simulation.addPeer({ name: 'late' });
    const all = simulation.runUntil(() => allComplete([...others, late]), 20 * 60_000);
    expectDone(all);
    expectThat((reportOf(all, chooser!.name).uploadedTo['late'] ?? 0) > 0, 'it gave nothing to the late one', all);
    chooser!.tell({ type: 'priorities', pieces: unwanted(0, 0) });
    expectDone(simulation.runUntil(() => chooser!.complete, simulation.nowMs + 5 * 60_000));
  });
});

describe('sequential order', () => {
  test.for([1, 2, 3])('is kept to, but for what several peers have under way (seed %i)', (seed) => {
    const order: number[] = [];
    const simulation = new Simulation({
      seed,
      torrent: { pieceCount, pieceLength: 65_536 },
      trace: (line) => {
        const found = /^\d+ leecher > report piece-verified (\d+)/.exec(line);
        if (found !== null) order.push(Number(found[1]));
      },
    });
    simulation.addTracker();
    for (let index = 0; index < 3; index++) simulation.addPeer({ have: 'all' });
    const leecher = simulation.addPeer({ name: 'leecher' });
    simulation.at(1, () => leecher.tell({ type: 'sequential', on: true }));
    expectDone(simulation.runUntil(() => leecher.complete, 10 * 60_000));
    expect(order).toHaveLength(pieceCount);
    const distances = order.map((piece, index) => Math.abs(piece - index));
    expect(Math.max(...distances)).toBeLessThanOrEqual(12);
  });
});

describe('a piece with a deadline', () => {
  test.for([1, 2, 3, 4])('comes within two piece times, in the middle of a busy download (seed %i)', (seed) => {
    const verified = new Map<number, number>();
    const simulation = new Simulation({
      seed,
      torrent: { pieceCount: 200, pieceLength: 262_144 },
      trace: (line) => {
        const found = /^(\d+) leecher > report piece-verified (\d+)/.exec(line);
        if (found !== null) verified.set(Number(found[2]), Number(found[1]) / 1000);
      },
    });
    simulation.addTracker();
    for (let index = 0; index < 4; index++) simulation.addPeer({ have: 'all' });
    const leecher = simulation.addPeer({ name: 'leecher' });
    expectDone(simulation.runUntil(() => leecher.havePieces >= 20, 10 * 60_000));
    // One peer alone needs this long for a piece.
    const pieceMs = (262_144 / 200_000) * 1000;
    for (const piece of [150, 151, 152]) {
      const wantedMs = simulation.nowMs;
      if (verified.has(piece)) continue;
      leecher.tell({ type: 'deadline', piece, at: wantedMs + 1000 });
      expectDone(simulation.runUntil(() => verified.has(piece), wantedMs + 2 * pieceMs));
    }
    expectDone(simulation.runUntil(() => leecher.complete, 10 * 60_000));
  });
});
