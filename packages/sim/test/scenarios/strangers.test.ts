import { describe, test } from 'vitest';
import { type Behaviour, garbage, oversized, silent } from '../../src/index.ts';
import { allComplete, expectDone, expectThat, reportOf, swarmOf } from '../swarm.ts';

const strangers: readonly Behaviour[] = [
  garbage('before-handshake'),
  garbage('after-handshake'),
  oversized(),
  silent('before-handshake'),
  silent('after-handshake'),
];

describe('peers that speak nonsense or not at all', () => {
  for (const behaviour of strangers) {
    test.for([1, 2])(`neither stall nor grow the swarm: three of ${behaviour.name} (seed %i)`, (seed) => {
      const { simulation, leechers } = swarmOf(seed, 5);
      for (let index = 1; index <= 3; index++) simulation.addPeer({ name: `stranger-${index}`, behaviour });
      const report = simulation.runUntil(() => allComplete(leechers), 10 * 60_000);
      expectDone(report);
      expectThat(report.timeMs < 60_000, 'the strangers cost little time', report);
    });
  }

  test.for([3, 4, 5])('all kinds at once, and in the majority (seed %i)', (seed) => {
    const { simulation, leechers } = swarmOf(seed, 4);
    for (const behaviour of strangers) {
      simulation.addPeer({ name: `${behaviour.name} 1`, behaviour });
      simulation.addPeer({ name: `${behaviour.name} 2`, behaviour });
    }
    const report = simulation.runUntil(() => allComplete(leechers), 10 * 60_000);
    expectDone(report);
    for (const { name } of leechers) {
      const { downloadedBytes, peakBufferBytes } = reportOf(report, name);
      expectThat(downloadedBytes === report.totalBytes, `${name} took nothing from strangers`, report);
      expectThat(peakBufferBytes <= report.totalBytes, `${name} holds ${peakBufferBytes} bytes`, report);
    }
  });

  test.for([6])('dialled addresses where nobody lives cost nothing but their dial (seed %i)', (seed) => {
    const knows = Array.from({ length: 40 }, (_, index) => ({ ip: `192.0.2.${index + 1}`, port: 6881 }));
    const { simulation, leechers } = swarmOf(seed, 3, {}, () => ({ knows }));
    const report = simulation.runUntil(() => allComplete(leechers), 10 * 60_000);
    expectDone(report);
    expectThat(report.timeMs < 90_000, 'live peers were dialled among the dead', report);
  });
});
