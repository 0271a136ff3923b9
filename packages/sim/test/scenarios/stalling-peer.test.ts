import { describe, test } from 'vitest';
import { stalling } from '../../src/index.ts';
import { allComplete, expectDone, expectThat, reportOf, swarmOf } from '../swarm.ts';

const completionMs = (seed: number, stalls: 'no' | 'from the start' | 'at the end'): number => {
  const { simulation, leechers } = swarmOf(seed, 4);
  // In the run without stalling the same peer gives honestly, so that both swarms have the same uplinks.
  const behaviour = stalls === 'no' ? {} : { behaviour: stalling(stalls === 'at the end' ? 60 : 0) };
  simulation.addPeer({ name: 'staller', have: 'all', link: { uplinkBytesPerSecond: 100_000 }, ...behaviour });
  const report = simulation.runUntil(() => allComplete(leechers), 15 * 60_000);
  expectDone(report);
  expectThat(
    report.peers.every(({ banned }) => banned.length === 0),
    'slowness is no reason for a ban',
    report,
  );
  return report.timeMs;
};

describe('a peer that takes requests and sends nothing', () => {
  test.for([1, 2, 3])('at the end game costs less than half as much time again (seed %i)', (seed, { expect }) => {
    expect(completionMs(seed, 'at the end')).toBeLessThan(1.5 * completionMs(seed, 'no'));
  });

  test.for([4, 5, 6])('from the start does not keep anybody from completing (seed %i)', (seed, { expect }) => {
    expect(completionMs(seed, 'from the start')).toBeLessThan(120_000);
  });

  test.for([7, 8, 9])(
    'in company, against a leecher with buffers for two pieces, holds it up only for a while (seed %i)',
    (seed) => {
      const { simulation, leechers } = swarmOf(seed, 2, {}, () => ({ torrent: { pieceBufferBytes: 65_536 } }));
      for (let index = 1; index <= 3; index++) {
        simulation.addPeer({ name: `staller-${index}`, have: 'all', behaviour: stalling(index * 3) });
      }
      const report = simulation.runUntil(() => allComplete(leechers), 10 * 60_000);
      expectDone(report);
      for (const { name } of leechers) {
        const { peakBufferBytes } = reportOf(report, name);
        expectThat(peakBufferBytes <= 65_536, `${name} held ${peakBufferBytes} bytes`, report);
      }
    },
  );
});
