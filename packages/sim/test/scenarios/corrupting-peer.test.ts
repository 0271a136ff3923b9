import { describe, expect, test } from 'vitest';
import { corrupting } from '../../src/index.ts';
import { allComplete, expectDone, expectThat, reportOf, swarmOf } from '../swarm.ts';

describe('a peer that corrupts what it sends', () => {
  test.for([1, 2, 3, 4])('is banned by those it gave to, and all complete with the right content (seed %i)', (seed) => {
    const { simulation, leechers } = swarmOf(seed, 6);
    simulation.addPeer({ name: 'corrupter', have: 'all', behaviour: corrupting() });
    const report = simulation.runUntil(() => allComplete(leechers), 15 * 60_000);
    expectDone(report);
    const victims = leechers.map(({ name }) => reportOf(report, name)).filter(({ corruptPieces }) => corruptPieces > 0);
    expectThat(victims.length > 0, 'somebody got corrupt pieces', report);
    for (const { banned } of victims) expect(banned).toContain('corrupter');
    for (const { banned, name } of report.peers) {
      expectThat(
        banned.every((who) => who === 'corrupter'),
        `${name} banned nobody else`,
        report,
      );
    }
  });

  test.for([5, 6])('one block in ten is found out too, and nobody honest is banned (seed %i)', (seed) => {
    const { simulation, leechers } = swarmOf(seed, 6);
    simulation.addPeer({ name: 'corrupter', have: 'all', behaviour: corrupting(0.1) });
    const report = simulation.runUntil(() => allComplete(leechers), 15 * 60_000);
    expectDone(report);
    for (const { banned, name } of report.peers) {
      expectThat(
        banned.every((who) => who === 'corrupter'),
        `${name} banned nobody else`,
        report,
      );
    }
  });
});
