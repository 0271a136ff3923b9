import { describe, test } from 'vitest';
import { allComplete, expectDone, expectThat, reportOf, swarmOf } from '../swarm.ts';

describe('a flash crowd of twelve', () => {
  test.for([1, 2, 3, 4, 5])('completes while the origin sends less than two copies (seed %i)', (seed) => {
    const { simulation, leechers } = swarmOf(seed, 12);
    const report = simulation.runUntil(() => allComplete(leechers), 10 * 60_000);
    expectDone(report);
    const copies = report.originBytes / report.totalBytes;
    expectThat(copies < 2, `the origin sent ${copies.toFixed(2)} copies`, report);
    // All uplinks together would need 2 MiB × 12 / (13 × 200 000 bytes/s) = 9.7 s after the first second.
    expectThat(report.timeMs < 60_000, 'the leechers served each other', report);
    // Blocks that two peers sent in the end game: a cancel cannot take back what the sender has under way.
    const wasted = leechers.map(({ name }) => reportOf(report, name).wastedBytes);
    const share = wasted.reduce((sum, bytes) => sum + bytes, 0) / (leechers.length * report.totalBytes);
    expectThat(share < 0.04, `${(share * 100).toFixed(1)} % were fetched twice`, report);
    expectThat(Math.max(...wasted) < report.totalBytes * 0.2, `one wasted ${Math.max(...wasted)} bytes`, report);
  });
});
