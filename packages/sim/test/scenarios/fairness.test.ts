import { describe, test } from 'vitest';
import { jainIndex } from '../../src/index.ts';
import { expectThat, reportOf, swarmOf } from '../swarm.ts';

describe('a seed', () => {
  test.for([1, 2, 3])('serves ten leechers that know nobody else about equally (seed %i)', (seed) => {
    // 32 MiB each at a tenth of 200 000 bytes/s: nobody completes in the ten minutes that are measured.
    const { simulation, leechers } = swarmOf(seed, 10, { torrent: { pieceCount: 512, pieceLength: 65_536 } }, () => ({
      usesTracker: false,
      knows: [{ ip: '10.0.0.1', port: 6881 }],
    }));
    const report = simulation.runUntil(() => false, 10 * 60_000);
    const { uploadedTo } = reportOf(report, 'origin');
    const shares = leechers.map(({ name }) => uploadedTo[name] ?? 0);
    const index = jainIndex(shares);
    expectThat(index > 0.95, `Jain's index is ${index.toFixed(3)} of ${shares.join(' ')}`, report);
    const used = shares.reduce((sum, share) => sum + share, 0) / (600 * 200_000);
    expectThat(used > 0.9, `the uplink was used to ${(used * 100).toFixed(0)} %`, report);
  });
});
