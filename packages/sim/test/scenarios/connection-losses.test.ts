import { describe, test } from 'vitest';
import { allComplete, expectDone, expectThat, reportOf, swarmOf } from '../swarm.ts';

describe('connections that break at random', () => {
  test.for([1, 2, 3, 4])('are made again, and all complete with little fetched twice (seed %i)', (seed) => {
    const { simulation, leechers } = swarmOf(seed, 6);
    simulation.loseConnections(400, 10 * 60_000);
    const report = simulation.runUntil(() => allComplete(leechers), 10 * 60_000);
    expectDone(report);
    for (const { name } of leechers) {
      const { wastedBytes, verifiedPieces, connections } = reportOf(report, name);
      expectThat(verifiedPieces === 64, `${name} verified each piece once`, report);
      expectThat(wastedBytes < report.totalBytes / 4, `${name} wasted ${wastedBytes} bytes`, report);
      expectThat(connections < 400, `${name} did not dial in circles`, report);
    }
  });

  test.for([5, 6])('with jitter on every link and small segments too (seed %i)', (seed) => {
    const { simulation, leechers } = swarmOf(seed, 5, { link: { jitterMs: 80 }, network: { segmentBytes: 1460 } });
    simulation.loseConnections(1000, 10 * 60_000);
    expectDone(simulation.runUntil(() => allComplete(leechers), 10 * 60_000));
  });
});
