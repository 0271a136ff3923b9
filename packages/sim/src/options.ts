// What links, networks, disks and trackers are told once. Every default is here and nowhere else.
import type { TrackerOptions } from '@shoal/tracker';

export interface LinkOptions {
  /** One-way time from this machine to the middle of the network, in ms. Default 15 (two of them: 30 ms, libsimulator's). */
  readonly latencyMs?: number;
  /** Most extra one-way time a segment may meet here, uniformly, in ms. Default 0. */
  readonly jitterMs?: number;
  /** Default 200 000 (libsimulator's). `Infinity` is allowed. */
  readonly uplinkBytesPerSecond?: number;
  /** Default 800 000 (libsimulator's). `Infinity` is allowed. */
  readonly downlinkBytesPerSecond?: number;
}

export interface NetworkOptions {
  /** Longest segment in bytes. Default 16 384: one block, so that fair sharing is as fine as the requests. */
  readonly segmentBytes?: number;
  /** Most bytes of one direction of a connection between the two links. Default 65 536 (TCP's window without scaling). */
  readonly windowBytes?: number;
  /** How long a dial to an address that never answers takes, in ms. Default 10 000. */
  readonly dialTimeoutMs?: number;
}

export const linkDefaults: Required<LinkOptions> = {
  latencyMs: 15,
  jitterMs: 0,
  uplinkBytesPerSecond: 200_000,
  downlinkBytesPerSecond: 800_000,
};

export const networkDefaults: Required<NetworkOptions> = {
  segmentBytes: 16_384,
  windowBytes: 65_536,
  dialTimeoutMs: 10_000,
};

export interface DiskOptions {
  /** Time to hash and write a piece, in ms. Default 5. */
  readonly checkMs?: number;
  /** Time to read the blocks of one upload, in ms. Default 2. */
  readonly readMs?: number;
  /** How many times as long everything takes while the fault is `slow`. Default 100. */
  readonly slowFactor?: number;
}

export const diskDefaults: Required<DiskOptions> = { checkMs: 5, readMs: 2, slowFactor: 100 };

/** Policy options are those of the real tracker. */
export interface SimulatedTrackerOptions extends Omit<TrackerOptions, 'random' | 'store'> {
  /** One-way time between any peer and the tracker, in ms. Default 40. */
  readonly latencyMs?: number;
  /** How long a peer waits for an answer that does not come, in ms. Default 15 000 (the first retransmission of BEP 15). */
  readonly timeoutMs?: number;
  /** When nothing is answered, in ms of virtual time. */
  readonly outages?: readonly { readonly fromMs: number; readonly untilMs: number }[];
}

export const trackerDefaults: { readonly latencyMs: number; readonly timeoutMs: number } = {
  latencyMs: 40,
  timeoutMs: 15_000,
};
