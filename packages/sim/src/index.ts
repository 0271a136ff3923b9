/** Whole swarms of the real torrent and tracker machines under a virtual clock. @packageDocumentation */
export * from './behaviours.ts';
export { Connection, type ConnectionHost } from './connection.ts';
export { SyntheticContent } from './content.ts';
export { SimulationError, type SimulationErrorCode } from './errors.ts';
export { FairServer, type Flow } from './fair-server.ts';
export type { Host, HostListener } from './host.ts';
export {
  jainIndex,
  type PeerReport,
  type PeerState,
  type SimulationOutcome,
  type SimulationReport,
} from './measurements.ts';
export { addressOf, Network } from './network.ts';
export * from './options.ts';
export { randomStream, RandomStream, splitMix64 } from './random.ts';
export { type Action, type Alarm, Scheduler } from './scheduler.ts';
export { type CheckOutcome, type DiskFault, SimulatedDisk } from './simulated-disk.ts';
export { type PeerOptions, SimulatedPeer } from './simulated-peer.ts';
export { type AnnounceAnswer, SimulatedTracker, type SimulatedTrackerFacts } from './simulated-tracker.ts';
export { Simulation, type SimulatedTorrentOptions, type SimulationOptions } from './simulation.ts';
export { fingerprint, keptLines, Trace } from './trace.ts';
