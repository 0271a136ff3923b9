import { describe, expect, test } from 'vitest';
import { allComplete, expectDone, expectThat, reportOf, swarmOf } from '../swarm.ts';

describe('a disk that fails', () => {
  test.for([1, 2])(
    'stops its own torrent and nobody else; freed, it completes with what was verified (seed %i)',
    (seed) => {
      const { simulation, leechers } = swarmOf(seed, 4);
      const victim = leechers[2]!;
      expectDone(simulation.runUntil(() => victim.havePieces >= 10, 5 * 60_000));
      victim.disk.fault = 'writes';
      const others = leechers.filter((peer) => peer !== victim);
      const during = simulation.runUntil(() => allComplete(others), 10 * 60_000);
      expectDone(during);
      expect(reportOf(during, victim.name).state).toBe('failed');
      victim.stop();
      victim.disk.fault = 'none';
      victim.start();
      expectDone(simulation.runUntil(() => victim.complete, 20 * 60_000));
    },
  );

  test.for([3])('cannot be read: the origin gives up, those who have pieces go on (seed %i)', (seed) => {
    const { simulation, origin, leechers } = swarmOf(seed, 3);
    simulation.at(2000, () => (origin.disk.fault = 'reads'));
    const report = simulation.runUntil(() => false, 60_000);
    expect(reportOf(report, 'origin').state).toBe('failed');
    expectThat(
      leechers.every(({ state }) => state === 'downloading'),
      'the leechers wait for a seed',
      report,
    );
    origin.stop();
    origin.disk.fault = 'none';
    origin.start();
    expectDone(simulation.runUntil(() => allComplete(leechers), 10 * 60_000));
  });
});
