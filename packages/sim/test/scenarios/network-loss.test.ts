import { describe, expect, test } from 'vitest';
import { allComplete, expectDone, expectThat, swarmOf } from '../swarm.ts';

describe('a network that is gone for a minute', () => {
  test.for([1, 2, 3, 4])('for one peer: within half a minute of its return the download goes on (seed %i)', (seed) => {
    const { simulation, leechers } = swarmOf(seed, 4);
    const victim = leechers[1]!;
    expectDone(simulation.runUntil(() => victim.havePieces >= 10, 5 * 60_000));
    victim.online = false;
    simulation.runUntil(() => false, simulation.nowMs + 60_000);
    expect(victim.snapshot?.peers).toEqual([]);
    const before = victim.havePieces;
    victim.online = true;
    const report = simulation.runUntil(() => victim.havePieces > before, simulation.nowMs + 30_000);
    expectDone(report);
    expectDone(simulation.runUntil(() => allComplete(leechers), simulation.nowMs + 10 * 60_000));
  });

  test.for([5, 6, 7])('for all of them, and the tracker: the swarm comes together again (seed %i)', (seed) => {
    const { simulation, leechers } = swarmOf(seed, 4);
    expectDone(simulation.runUntil(() => leechers.every(({ havePieces }) => havePieces >= 5), 5 * 60_000));
    for (const peer of simulation.peers) peer.online = false;
    simulation.tracker!.up = false;
    simulation.runUntil(() => false, simulation.nowMs + 60_000);
    expect(simulation.connections).toEqual([]);
    const before = leechers.map(({ havePieces }) => havePieces);
    for (const peer of simulation.peers) peer.online = true;
    const report = simulation.runUntil(
      () => leechers.every(({ havePieces, complete }, index) => complete || havePieces > before[index]!),
      simulation.nowMs + 30_000,
    );
    expectDone(report);
    expectThat(
      report.peers.every(({ banned }) => banned.length === 0),
      'nobody is banned',
      report,
    );
    expectDone(simulation.runUntil(() => allComplete(leechers), simulation.nowMs + 10 * 60_000));
  });

  test.for([8, 9])('for half an hour: whoever was known is found again without a tracker (seed %i)', (seed) => {
    const { simulation, leechers } = swarmOf(seed, 2);
    const victim = leechers[1]!;
    expectDone(simulation.runUntil(() => victim.havePieces >= 10, 5 * 60_000));
    victim.online = false;
    simulation.tracker!.up = false;
    simulation.runUntil(() => false, simulation.nowMs + 30 * 60_000);
    victim.online = true;
    const before = victim.havePieces;
    expectDone(simulation.runUntil(() => victim.havePieces > before, simulation.nowMs + 30_000));
  });
});
