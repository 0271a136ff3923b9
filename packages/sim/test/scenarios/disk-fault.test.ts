import { describe, expect, test } from 'vitest';
import { allComplete, expectDone, expectThat, reportOf, swarmOf } from '../swarm.ts';

describe('a disk that cannot be written', () => {
  test.for([
    { fault: 'full', seed: 1 },
    { fault: 'full', seed: 2 },
    { fault: 'full', seed: 3 },
    { fault: 'writes', seed: 4 },
    { fault: 'writes', seed: 5 },
    { fault: 'permission', seed: 6 },
    { fault: 'permission', seed: 7 },
  ] as const)(
    'half-way suspends its own torrent and nobody else; once it works nothing is fetched again ($fault, seed $seed)',
    ({ fault, seed }) => {
      const { simulation, leechers } = swarmOf(seed, 4);
      const victim = leechers[2]!;
      expectDone(simulation.runUntil(() => victim.havePieces >= 32, 5 * 60_000));
      victim.disk.fault = fault;
      const others = leechers.filter((peer) => peer !== victim);
      const during = simulation.runUntil(() => allComplete(others), 10 * 60_000);
      expectDone(during);
      expect(reportOf(during, victim.name)).toMatchObject({ state: 'suspended', corruptPieces: 0, banned: [] });
      const { havePieces } = victim;
      simulation.runUntil(() => false, simulation.nowMs + 60_000);
      expect(victim.havePieces).toBe(havePieces);
      expect(victim.snapshot?.peers.every(({ outstandingRequests }) => outstandingRequests === 0)).toBe(true);
      victim.disk.fault = 'none';
      const freedMs = simulation.nowMs;
      const report = simulation.runUntil(() => victim.complete, freedMs + 10 * 60_000);
      expectDone(report);
      const { verifiedPieces, downloadedBytes, corruptBytes, banned } = reportOf(report, victim.name);
      expectThat(verifiedPieces === 64, `${verifiedPieces} pieces were verified`, report);
      expectThat(downloadedBytes === report.totalBytes, `${downloadedBytes} bytes were fetched`, report);
      expect({ corruptBytes, banned }).toEqual({ corruptBytes: 0, banned: [] });
      // Tried again every half minute at the latest.
      expectThat(report.timeMs - freedMs < 90_000, `it took ${report.timeMs - freedMs} ms from then on`, report);
    },
  );
});

describe('a disk that cannot be read', () => {
  test.for([1, 2, 3])('suspends the origin, who keeps its peers and serves them again (seed %i)', (seed) => {
    const { simulation, origin, leechers } = swarmOf(seed, 3);
    simulation.at(2000, () => (origin.disk.fault = 'reads'));
    const report = simulation.runUntil(() => false, 60_000);
    expect(reportOf(report, 'origin')).toMatchObject({ state: 'suspended', havePieces: 64 });
    expect(origin.snapshot?.peers).toHaveLength(3);
    expect(origin.snapshot?.failure).toMatch(/cannot be read/);
    expectThat(
      leechers.every(({ state }) => state === 'downloading'),
      'the leechers wait for the origin',
      report,
    );
    origin.disk.fault = 'none';
    const after = simulation.runUntil(() => allComplete(leechers), 10 * 60_000);
    expectDone(after);
    expectThat(
      after.peers.every(({ banned }) => banned.length === 0),
      'nobody is banned',
      after,
    );
    expect(reportOf(after, 'origin').connections).toBe(reportOf(report, 'origin').connections);
  });
});

describe('a slow disk', () => {
  const othersMs = (seed: number, slow: boolean): { others: number; slowest: boolean } => {
    // It gives little in both runs, so that only what its slowness does to others can differ.
    const { simulation, leechers } = swarmOf(seed, 5, {}, (index) =>
      index === 1 ? { disk: { slowFactor: 400 }, link: { uplinkBytesPerSecond: 20_000 } } : {},
    );
    const victim = leechers[1]!;
    if (slow) victim.disk.fault = 'slow';
    const others = leechers.filter((peer) => peer !== victim);
    const report = simulation.runUntil(() => allComplete(others), 20 * 60_000);
    expectDone(report);
    const stillBusy = !victim.complete;
    expectDone(simulation.runUntil(() => victim.complete, 60 * 60_000));
    return { others: report.timeMs, slowest: stillBusy };
  };

  test.for([
    [1, 2, 3, 4],
    [5, 6, 7, 8],
  ])('slows its own download, and that of the others by less than a tenth (seeds %i to %i)', (seeds) => {
    let [fastMs, slowMs] = [0, 0];
    for (const seed of seeds) {
      // One run differs from the next by as much as is at stake here: only several together say anything.
      fastMs += othersMs(seed, false).others;
      const slow = othersMs(seed, true);
      expect(slow.slowest).toBe(true);
      slowMs += slow.others;
    }
    expect(slowMs).toBeLessThan(fastMs * 1.1);
  });
});

describe('a file that is deleted while it is shared', () => {
  test.for([1, 2, 3])('is noticed when it is asked for, and fetched again from the others (seed %i)', (seed) => {
    const { simulation, origin, leechers } = swarmOf(seed, 4);
    const late = simulation.addPeer({ name: 'late', startMs: Infinity });
    const lost = Array.from({ length: 16 }, (_, index) => index + 8);
    const isElsewhere = (piece: number): boolean => leechers.some(({ disk }) => disk.stored.has(piece));
    expectDone(simulation.runUntil(() => lost.every(isElsewhere), 5 * 60_000));
    origin.disk.loseFile(8, 24);
    late.start();
    const report = simulation.runUntil(() => allComplete([origin, late, ...leechers]), 30 * 60_000);
    expectDone(report);
    expectThat(
      report.peers.every(({ banned }) => banned.length === 0),
      'nobody is banned',
      report,
    );
    expect(origin.state).toBe('seeding');
  });
});
