import { describe, expect, test } from 'vitest';
import { allComplete, expectDone, expectThat, reportOf, swarmOf } from '../swarm.ts';

describe('a disk that fails', () => {
  test.for([1, 2])('suspends its own torrent and nobody else; freed, it completes by itself (seed %i)', (seed) => {
    const { simulation, leechers } = swarmOf(seed, 4);
    const victim = leechers[2]!;
    expectDone(simulation.runUntil(() => victim.havePieces >= 10, 5 * 60_000));
    victim.disk.fault = 'writes';
    const others = leechers.filter((peer) => peer !== victim);
    const during = simulation.runUntil(() => allComplete(others), 10 * 60_000);
    expectDone(during);
    expect(reportOf(during, victim.name).state).toBe('suspended');
    victim.disk.fault = 'none';
    expectDone(simulation.runUntil(() => victim.complete, 20 * 60_000));
  });

  test.for([3])(
    'cannot be read: the origin is suspended, those who have pieces go on, and it serves again (seed %i)',
    (seed) => {
      const { simulation, origin, leechers } = swarmOf(seed, 3);
      simulation.at(2000, () => (origin.disk.fault = 'reads'));
      const report = simulation.runUntil(() => false, 60_000);
      expect(reportOf(report, 'origin').state).toBe('suspended');
      expectThat(
        leechers.every(({ state }) => state === 'downloading'),
        'the leechers wait for a seed',
        report,
      );
      origin.disk.fault = 'none';
      expectDone(simulation.runUntil(() => allComplete(leechers), 10 * 60_000));
    },
  );
});
