import { expect } from 'vitest';
import {
  type PeerOptions,
  type PeerReport,
  Simulation,
  type SimulationOptions,
  type SimulationReport,
} from '../src/index.ts';
import type { SimulatedPeer } from '../src/index.ts';

/** 64 pieces of 32 KiB: 2 MiB, two blocks a piece. */
export const smallTorrent = { pieceCount: 64, pieceLength: 32_768 } as const;

export interface Swarm {
  readonly simulation: Simulation;
  readonly origin: SimulatedPeer;
  readonly leechers: readonly SimulatedPeer[];
}

/** A tracker, one origin, and `count` leechers that arrive within the first second. */
export function swarmOf(
  seed: number,
  count: number,
  options: Omit<SimulationOptions, 'seed'> = {},
  peer: (index: number) => PeerOptions = () => ({}),
): Swarm {
  const simulation = new Simulation({ seed, torrent: smallTorrent, ...options });
  simulation.addTracker({ interval: 120 });
  const origin = simulation.addPeer({ name: 'origin', have: 'all' });
  const arrivals = simulation.random('arrivals');
  const leechers = Array.from({ length: count }, (_, index) =>
    simulation.addPeer({
      name: `leecher-${index + 1}`,
      startMs: Math.floor(arrivals.fraction() * 1000),
      ...peer(index),
    }),
  );
  return { simulation, origin, leechers };
}

export const allComplete = (peers: readonly SimulatedPeer[]): boolean => peers.every((peer) => peer.complete);

export function reportOf(report: SimulationReport, name: string): PeerReport {
  return report.peers.find((peer) => peer.name === name) ?? expect.unreachable(`no peer ${name}`);
}

/** A run that did not end as it should says where it stood: the seed, every peer, the last events. */
export function expectDone(report: SimulationReport): void {
  if (report.outcome === 'done') return;
  expect.unreachable(account(report));
}

/** Checks with the account of the run as the failure's message. */
export function expectThat(fact: boolean, what: string, report: SimulationReport): void {
  expect(fact, `${what}\n${account(report)}`).toBe(true);
}

function account(report: SimulationReport): string {
  const peers = report.peers.map(
    (peer) =>
      `${peer.name} (${peer.behaviour}) ${peer.state} ${peer.havePieces} pieces, completed ${peer.completedMs ?? '-'} ms, ` +
      `up ${peer.uploadedBytes} down ${peer.downloadedBytes} wasted ${peer.wastedBytes} corrupt ${peer.corruptBytes} ` +
      `connections ${peer.connections} announces ${peer.announces} banned [${peer.banned.join(' ')}]`,
  );
  const head = `seed ${report.seed}: ${report.outcome} at ${report.timeMs} ms, ${report.events} events, hash ${report.hash}`;
  return [head, ...peers, 'last events:', ...report.lastEvents].join('\n');
}
