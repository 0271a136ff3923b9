// What a running tracker and the process that shall take its place say to each other, over the channel that
// node:child_process opens between them. Both may be of different releases: the version is said first.
import type { Socket as DatagramSocket } from 'node:dgram';
import type { Server } from 'node:net';
import type { OutgoingDatagram } from '../udp/outlet.ts';

/** Changes when a message means something else. */
export const restartVersion = 1;

/** What listens: one socket each. */
export type SocketName = 'http' | 'udp' | 'admin';

/** A listening socket on its way. */
export type Handle = Server | DatagramSocket;

/** What both processes have to have in common. */
export interface SharedState {
  /** When the clock of the tracker was at 0, as the system counts milliseconds since it was started. */
  readonly clockZero: number;
  /** Eight bytes behind the connection ids of UDP (BEP 15). */
  readonly connectionSecret: Uint8Array;
  /** Sixteen bytes behind tracker ids, where there are any. */
  readonly trackerIdKey: Uint8Array | undefined;
}

/** From the successor. */
export type ToPredecessor =
  | { readonly ask: 'state'; readonly version: number }
  | { readonly ask: 'swarms' }
  | { readonly ask: 'socket'; readonly name: SocketName; readonly host: string; readonly port: number }
  | { readonly tell: 'serving' };

/**
 * From the tracker that runs. A socket comes with its message, where it is given; those of threads came when the process was
 * started, and the message has their numbers. `datagram`: an answer that found its own socket closed.
 */
export type ToSuccessor =
  | { readonly tell: 'state'; readonly version: number; readonly state: SharedState }
  | { readonly tell: 'entries'; readonly entries: Uint8Array }
  | { readonly tell: 'caught-up' }
  | { readonly tell: 'socket'; readonly name: SocketName; readonly descriptors?: readonly number[] }
  | { readonly tell: 'datagram'; readonly datagram: OutgoingDatagram };

/** Milliseconds since the system was started: the same for all of its processes. */
export function systemMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}
