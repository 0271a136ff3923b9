import { describe, test } from 'vitest';
import { Simulation } from '../../src/index.ts';
import { allComplete, expectDone, expectThat, reportOf, smallTorrent } from '../swarm.ts';

describe('a tracker that is down', () => {
  test.for([1, 2, 3])('at the start and comes up later is found by all, who complete (seed %i)', (seed) => {
    const simulation = new Simulation({ seed, torrent: smallTorrent });
    simulation.addTracker({ interval: 120, outages: [{ fromMs: 0, untilMs: 90_000 }] });
    simulation.addPeer({ name: 'origin', have: 'all' });
    const leechers = Array.from({ length: 4 }, () => simulation.addPeer());
    const report = simulation.runUntil(() => allComplete(leechers), 15 * 60_000);
    expectDone(report);
    expectThat(report.timeMs > 90_000, 'nobody was found before', report);
    // Waits double from 5 s, each after a 15 s time-out: within about twice the outage all have asked again.
    expectThat(report.timeMs < 300_000, 'the tracker was asked again in time', report);
    expectThat(reportOf(report, 'peer-2').failedAnnounces >= 2, 'announces failed before', report);
  });

  test.for([4, 5, 6])('in the middle disturbs nobody who is connected (seed %i)', (seed) => {
    const simulation = new Simulation({ seed, torrent: smallTorrent });
    simulation.addTracker({ interval: 120, outages: [{ fromMs: 3000, untilMs: 600_000 }] });
    simulation.addPeer({ name: 'origin', have: 'all' });
    const leechers = Array.from({ length: 4 }, () => simulation.addPeer());
    const report = simulation.runUntil(() => allComplete(leechers), 10 * 60_000);
    expectDone(report);
    expectThat(report.timeMs < 60_000, 'the swarm went on', report);
  });
});
