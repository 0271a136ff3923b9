import { describe, test } from 'vitest';
import { allComplete, expectDone, expectThat, reportOf, swarmOf } from '../swarm.ts';

describe('links of every kind', () => {
  test.for([1, 2, 3])('from a modem to a data centre: all complete, the fast first (seed %i)', (seed) => {
    const uplinks = [8000, 20_000, 50_000, 200_000, 1_000_000, 5_000_000];
    const { simulation, leechers } = swarmOf(seed, 6, {}, (index) => ({
      link: {
        uplinkBytesPerSecond: uplinks[index]!,
        downlinkBytesPerSecond: uplinks[index]! * 4,
        latencyMs: [300, 150, 60, 30, 10, 2][index]!,
      },
    }));
    const report = simulation.runUntil(() => allComplete(leechers), 20 * 60_000);
    expectDone(report);
    const [modem, , , , , fastest] = leechers.map(({ name }) => reportOf(report, name).completedMs!);
    expectThat(fastest! < modem!, 'the fastest is done before the slowest', report);
    // 2 MiB at 32 000 bytes/s are 65.5 s: its own downlink is what limits the modem.
    expectThat(modem! < 130_000, 'the modem used its downlink', report);
  });

  test.for([4, 5])('without any limit of bandwidth (seed %i)', (seed) => {
    const link = { uplinkBytesPerSecond: Infinity, downlinkBytesPerSecond: Infinity, latencyMs: 1 };
    const { simulation, leechers } = swarmOf(seed, 4, { link });
    const report = simulation.runUntil(() => allComplete(leechers), 60_000);
    expectDone(report);
    expectThat(report.timeMs < 35_000, 'it takes a few choking rounds at most', report);
  });

  test.for([6, 7])('with half a second of latency each way (seed %i)', (seed) => {
    const { simulation, leechers } = swarmOf(seed, 4, { link: { latencyMs: 250 } });
    const report = simulation.runUntil(() => allComplete(leechers), 10 * 60_000);
    expectDone(report);
    expectThat(report.timeMs < 90_000, 'pipelines are long enough for the latency', report);
  });
});
