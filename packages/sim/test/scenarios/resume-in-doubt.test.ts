import { Bitfield } from '@shoal/pieces';
import { describe, expect, test } from 'vitest';
import { allComplete, expectDone, expectThat, reportOf, smallTorrent, swarmOf } from '../swarm.ts';

const firstHalf = (): Bitfield => {
  const bits = new Bitfield(smallTorrent.pieceCount);
  for (let piece = 0; piece < bits.length / 2; piece++) bits.add(piece);
  return bits;
};

describe('a peer that starts with data in doubt', () => {
  test.for([1, 2, 3])('downloads at once what is not in doubt, and fetches nothing that is found (seed %i)', (seed) => {
    const { simulation, leechers } = swarmOf(seed, 3, {}, (index) =>
      index === 0 ? { have: firstHalf(), doubt: firstHalf(), disk: { checkMs: 1000 } } : {},
    );
    const resumed = leechers[0]!;
    expectDone(simulation.runUntil(() => (resumed.snapshot?.downloadedBytes ?? 0) >= 65_536, 60_000));
    expect(resumed.snapshot?.checkingPieces).toBeGreaterThan(20);
    const report = simulation.runUntil(() => resumed.snapshot?.state === 'seeding', 10 * 60_000);
    expectDone(report);
    const { downloadedBytes } = reportOf(report, resumed.name);
    expectThat(downloadedBytes === report.totalBytes / 2, `it fetched ${downloadedBytes} bytes`, report);
  });

  test.for([4, 5, 6])('gives what is found to others while the check goes on (seed %i)', (seed) => {
    const { simulation, origin, leechers } = swarmOf(seed, 2, {}, (index) =>
      index === 0 ? { have: 'all', doubt: 'all', disk: { checkMs: 2000 } } : {},
    );
    simulation.at(1, () => origin.stop());
    const [resumed, other] = [leechers[0]!, leechers[1]!];
    const during = simulation.runUntil(() => other.havePieces >= 10, 5 * 60_000);
    expectDone(during);
    expectThat((resumed.snapshot?.checkingPieces ?? 0) > 20, 'the check is over already', during);
    expectDone(simulation.runUntil(() => other.complete, 10 * 60_000));
    expect(resumed.state).toBe('seeding');
  });

  test.for([7, 8])('fetches what is missing or damaged, as the check finds it (seed %i)', (seed) => {
    const { simulation, leechers } = swarmOf(seed, 3, {}, (index) =>
      index === 0 ? { have: firstHalf(), doubt: 'all', disk: { checkMs: 100 } } : {},
    );
    const report = simulation.runUntil(() => allComplete(leechers), 10 * 60_000);
    expectDone(report);
    expect(reportOf(report, leechers[0]!.name).downloadedBytes).toBe(report.totalBytes / 2);
  });

  test('goes on checking when its disk has been in trouble', () => {
    const { simulation, origin, leechers } = swarmOf(9, 1, {}, () => ({
      have: 'all',
      doubt: 'all',
      disk: { checkMs: 100 },
    }));
    const resumed = leechers[0]!;
    simulation.at(3000, () => (resumed.disk.fault = 'reads'));
    simulation.runUntil(() => false, 30_000);
    expect(resumed.state).toBe('suspended');
    resumed.disk.fault = 'none';
    expectDone(simulation.runUntil(() => resumed.snapshot?.state === 'seeding', 120_000));
    expect(origin.state).toBe('seeding');
  });
});

describe('a check while running', () => {
  test.for([1, 2])('of everything ends with everything, and loses what a deleted file held (seed %i)', (seed) => {
    const { simulation, origin, leechers } = swarmOf(seed, 3);
    const isElsewhere = (piece: number): boolean => leechers.some(({ disk }) => disk.stored.has(piece));
    const lost = Array.from({ length: 10 }, (_, index) => index);
    expectDone(simulation.runUntil(() => lost.every(isElsewhere), 5 * 60_000));
    origin.disk.loseFile(0, 10);
    origin.recheck();
    leechers[0]!.recheck();
    const report = simulation.runUntil(
      () => [origin, ...leechers].every((peer) => peer.snapshot?.state === 'seeding'),
      20 * 60_000,
    );
    expectDone(report);
    expectThat(
      report.peers.every(({ banned }) => banned.length === 0),
      'nobody is banned',
      report,
    );
  });
});
