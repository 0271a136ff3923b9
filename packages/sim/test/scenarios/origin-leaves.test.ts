import { describe, test } from 'vitest';
import type { SimulatedPeer } from '../../src/index.ts';
import { allComplete, expectDone, expectThat, swarmOf } from '../swarm.ts';

/** Every piece is on the disk of one of them. */
const fullCopyOut = (peers: readonly SimulatedPeer[], pieceCount: number): boolean => {
  for (let piece = 0; piece < pieceCount; piece++) if (!peers.some((peer) => peer.disk.stored.has(piece))) return false;
  return true;
};

describe('an origin that leaves after one full copy is out', () => {
  test.for([
    { how: 'stop', seed: 1 },
    { how: 'stop', seed: 2 },
    { how: 'reset', seed: 3 },
    { how: 'reset', seed: 4 },
    { how: 'silence', seed: 5 },
    { how: 'silence', seed: 6 },
  ] as const)('is not missed: all complete from each other (leaves by $how, seed $seed)', ({ how, seed }) => {
    const { simulation, origin, leechers } = swarmOf(seed, 6);
    const out = simulation.runUntil(() => fullCopyOut(leechers, 64), 5 * 60_000);
    expectDone(out);
    expectThat(!allComplete(leechers), 'somebody still lacks something', out);
    if (how === 'stop') origin.stop();
    else origin.crash(how);
    const report = simulation.runUntil(() => allComplete(leechers), 20 * 60_000);
    expectDone(report);
    // A machine that lost its power is noticed only by time-outs.
    expectThat(report.timeMs - out.timeMs < (how === 'silence' ? 180_000 : 60_000), 'nobody waited for it', report);
  });
});
