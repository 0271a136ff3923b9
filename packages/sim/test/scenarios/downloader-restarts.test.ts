import { describe, test } from 'vitest';
import { allComplete, expectDone, expectThat, reportOf, swarmOf } from '../swarm.ts';

describe('a downloader that is killed mid-way and started again', () => {
  test.for([
    { how: 'reset', seed: 1 },
    { how: 'reset', seed: 2 },
    { how: 'silence', seed: 3 },
    { how: 'silence', seed: 4 },
    { how: 'stop', seed: 5 },
    { how: 'stop', seed: 6 },
  ] as const)('completes and fetches no verified piece again ($how, seed $seed)', ({ how, seed }) => {
    const { simulation, leechers } = swarmOf(seed, 3);
    const victim = leechers[1]!;
    expectDone(simulation.runUntil(() => victim.havePieces >= 20, 5 * 60_000));
    if (how === 'stop') victim.stop();
    else victim.crash(how);
    simulation.at(simulation.nowMs + 5000, () => victim.start());
    const report = simulation.runUntil(() => allComplete(leechers), 15 * 60_000);
    expectDone(report);
    const { verifiedPieces, downloadedBytes } = reportOf(report, victim.name);
    // A piece that was on disk before the process heard of it is not among those that it verified.
    expectThat(verifiedPieces >= 63 && verifiedPieces <= 64, `it verified ${verifiedPieces} pieces`, report);
    // What was in memory when it died is all that it may fetch again: the pieces that were open.
    expectThat(downloadedBytes < report.totalBytes * 1.5, `it fetched ${downloadedBytes} bytes`, report);
  });

  test.for([7, 8])('may die again and again (seed %i)', (seed) => {
    const { simulation, leechers } = swarmOf(seed, 3);
    for (let life = 0; life < 6; life++) {
      const victim = leechers[life % 3]!;
      simulation.at(4000 + life * 3000, () => victim.crash(life % 2 === 0 ? 'reset' : 'silence'));
      simulation.at(5500 + life * 3000, () => victim.start());
    }
    expectDone(simulation.runUntil(() => simulation.nowMs > 24_000 && allComplete(leechers), 20 * 60_000));
  });
});
