// What a run came to: counters that a peer keeps over all its lives, and the report made of them. Only counts and sums;
// must not know how a run is driven.
import type { TorrentReport } from '@shoal/torrent';

export class PeerMeasurements {
  /** Virtual ms at which the torrent said it was complete, in whatever life. */
  completedMs: number | undefined;
  /** Payload bytes that left the uplink, by the receiver's name. */
  readonly uploadedTo: Map<string, number> = new Map();
  uploadedBytes = 0;
  /** All bytes received, overhead and waste included. */
  receivedBytes = 0;
  /** Payload of finished lives, as their torrents counted it. */
  downloadedBytes = 0;
  wastedBytes = 0;
  corruptBytes = 0;
  /** `send` outputs, and their bytes: everything but payload. */
  messages = 0;
  controlBytes = 0;
  connections = 0;
  announces = 0;
  failedAnnounces = 0;
  /** Pieces that passed their check, over all lives: more than the torrent has = something was fetched again. */
  verifiedPieces = 0;
  corruptPieces = 0;
  peakBufferBytes = 0;
  readonly banned: Set<string> = new Set();

  payloadSent(receiver: string, bytes: number): void {
    this.uploadedBytes += bytes;
    this.uploadedTo.set(receiver, (this.uploadedTo.get(receiver) ?? 0) + bytes);
  }

  messageSent(bytes: number): void {
    this.messages++;
    this.controlBytes += bytes;
  }

  reported(report: TorrentReport, nowMs: number, nameOf: (ip: string) => string): void {
    if (report.type === 'completed') this.completedMs ??= nowMs;
    else if (report.type === 'piece-verified') this.verifiedPieces++;
    else if (report.type === 'piece-corrupt') this.corruptPieces++;
    else if (report.type === 'peer-banned') this.banned.add(nameOf(report.endpoint.ip));
    else if (report.type === 'announce-failed') this.failedAnnounces++;
  }
}

/** `waiting`: not started yet. `stopped`: said goodbye. `crashed`: is gone. `suspended`: its disk is in trouble. */
export type PeerState = 'waiting' | 'downloading' | 'seeding' | 'scripted' | 'stopped' | 'crashed' | 'suspended';

export interface PeerReport {
  readonly name: string;
  readonly behaviour: string;
  readonly state: PeerState;
  readonly havePieces: number;
  /** Everything is on its disk, and right. */
  readonly complete: boolean;
  /** Virtual ms; undefined while incomplete, and for who was complete from the start. */
  readonly completedMs: number | undefined;
  /** Payload bytes sent, over all lives. */
  readonly uploadedBytes: number;
  readonly uploadedTo: Readonly<Record<string, number>>;
  /** Payload bytes received that were of use, over all lives. */
  readonly downloadedBytes: number;
  /** Payload bytes received twice or unasked. */
  readonly wastedBytes: number;
  /** Payload bytes of pieces that failed their check. */
  readonly corruptBytes: number;
  readonly receivedBytes: number;
  readonly messages: number;
  readonly controlBytes: number;
  readonly connections: number;
  readonly announces: number;
  readonly failedAnnounces: number;
  readonly verifiedPieces: number;
  readonly corruptPieces: number;
  readonly peakBufferBytes: number;
  /** Names of the peers it will never speak to again. */
  readonly banned: readonly string[];
}

/** `done`: the condition held. `limit`: its time was up. `idle`: nothing would ever have happened again. */
export type SimulationOutcome = 'done' | 'limit' | 'idle';

export interface SimulationReport {
  readonly outcome: SimulationOutcome;
  readonly seed: number;
  /** Virtual ms since the start. */
  readonly timeMs: number;
  /** Lines of the trace, and 16 hex digits over all of them. */
  readonly events: number;
  readonly hash: string;
  /** The last 50 lines of the trace. */
  readonly lastEvents: readonly string[];
  readonly totalBytes: number;
  readonly peers: readonly PeerReport[];
  /** Payload bytes sent by the peers that were complete from the start. */
  readonly originBytes: number;
  /** Virtual ms of the last completion; undefined when nobody completed. */
  readonly lastCompletedMs: number | undefined;
}

/** Jain's index of fairness, (Σx)² / (n Σx²): 1 when all are equal, 1/n when one has everything, 1 for none or zeros. */
export function jainIndex(shares: readonly number[]): number {
  let sum = 0;
  let squares = 0;
  for (const share of shares) {
    sum += share;
    squares += share * share;
  }
  return squares === 0 ? 1 : (sum * sum) / (shares.length * squares);
}
