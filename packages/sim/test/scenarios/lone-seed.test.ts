import { describe, expect, test } from 'vitest';
import { allComplete, expectDone, expectThat, reportOf, swarmOf } from '../swarm.ts';

const minute = 60_000;

describe('a lone seed', () => {
  test.for([1, 2, 3])('gives one leecher everything, once, near the speed of its uplink (seed %i)', (seed) => {
    const { simulation, leechers } = swarmOf(seed, 1);
    const report = simulation.runUntil(() => allComplete(leechers), 5 * minute);
    expectDone(report);
    const leecher = reportOf(report, 'leecher-1');
    expect(leecher.downloadedBytes).toBe(report.totalBytes);
    expect(leecher.verifiedPieces).toBe(64);
    expectThat(leecher.wastedBytes === 0, 'nothing was sent twice', report);
    // 2 MiB at 200 000 bytes/s are 10.5 s.
    expectThat(report.timeMs < 16_000, 'the uplink was kept busy', report);
    expectThat(reportOf(report, 'origin').uploadedBytes <= report.totalBytes + 16_384, 'one copy was sent', report);
  });

  test.for([1, 2, 3])('works without a tracker when the leecher is told its address (seed %i)', (seed) => {
    const { simulation, leechers } = swarmOf(seed, 1, {}, () => ({
      usesTracker: false,
      knows: [{ ip: '10.0.0.1', port: 6881 }],
    }));
    expectDone(simulation.runUntil(() => allComplete(leechers), 5 * minute));
  });

  test.for([
    { pieceCount: 1, pieceLength: 1, totalLength: 1 },
    { pieceCount: 3, pieceLength: 5000, totalLength: 10_001 },
    { pieceCount: 5, pieceLength: 40_000, totalLength: 160_001 },
    { pieceCount: 8, pieceLength: 16_384, totalLength: 8 * 16_384 - 1 },
  ])('gives odd sizes completely: $totalLength bytes in pieces of $pieceLength (seed 1)', (torrent) => {
    const { simulation, leechers } = swarmOf(1, 2, { torrent });
    const report = simulation.runUntil(() => allComplete(leechers), 5 * minute);
    expectDone(report);
    expect(reportOf(report, 'leecher-2').downloadedBytes).toBe(torrent.totalLength);
  });

  test.for([1, 2, 3])('serves plain BEP 3 peers, without the fast extension, as well (seed %i)', (seed) => {
    const { simulation, leechers } = swarmOf(seed, 4, {}, (index) => ({ torrent: { fast: index % 2 === 0 } }));
    expectDone(simulation.runUntil(() => allComplete(leechers), 5 * minute));
  });
});
