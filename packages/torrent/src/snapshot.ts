// A picture of a torrent for people and programs: plain data, computed on demand, never kept.
import type { AnnounceEvent, Endpoint } from '@shoal/tracker-protocol';
import type { PeerKey } from './inputs.ts';
import type { LivePeer } from './live-peer.ts';
import type { Possession } from './possession.ts';
import type { Contribution } from './progress.ts';
import type { Swarm } from './swarm.ts';

export interface TorrentSnapshot {
  readonly state: 'idle' | 'downloading' | 'seeding' | 'suspended' | 'stopped';
  /** While suspended: what failed. */
  readonly failure?: string;
  readonly pieceCount: number;
  readonly havePieces: number;
  /** Pieces that may be on disk and wait for their check. */
  readonly checkingPieces: number;
  readonly totalBytes: number;
  /** Of the whole torrent, not verified. */
  readonly leftBytes: number;
  /** Of the pieces whose priority is not 0, all and those not verified. */
  readonly wantedBytes: number;
  readonly wantedLeftBytes: number;
  /** Payload since `started`: useful, sent, redundant, and of pieces that failed their hash. */
  readonly downloadedBytes: number;
  readonly uploadedBytes: number;
  readonly wastedBytes: number;
  readonly corruptBytes: number;
  /** Bytes per second over about 20 s. */
  readonly downloadRate: number;
  readonly uploadRate: number;
  readonly inEndgame: boolean;
  readonly knownPeers: number;
  readonly peers: readonly PeerSnapshot[];
  /** Totals by peer id, over reconnections. */
  readonly contributions: readonly Contribution[];
  readonly tracker: TrackerSnapshot;
}

export interface TrackerSnapshot {
  readonly lastReply?: {
    readonly event: AnnounceEvent;
    readonly peers: number;
    readonly complete?: number | undefined;
    readonly incomplete?: number | undefined;
  };
  readonly lastFailure?: string;
  /** Ms until the next announce; Infinity when none is planned. */
  readonly nextAnnounceInMs?: number;
}

export interface PeerSnapshot {
  readonly peer: PeerKey;
  readonly endpoint: Endpoint;
  readonly incoming: boolean;
  /** 40 hex digits; empty until told. */
  readonly peerId: string;
  readonly client?: string;
  readonly havePieces: number;
  readonly isSeed: boolean;
  readonly amChoking: boolean;
  readonly amInterested: boolean;
  readonly peerChoking: boolean;
  readonly peerInterested: boolean;
  readonly snubbed: boolean;
  readonly downloadRate: number;
  readonly uploadRate: number;
  readonly downloadedBytes: number;
  readonly uploadedBytes: number;
  readonly outstandingRequests: number;
  readonly queuedRequests: number;
}

interface SnapshotFacts {
  readonly state: 'idle' | 'running' | 'suspended' | 'stopped';
  readonly failure: string | undefined;
  readonly possession: Possession;
  readonly tracker: TrackerSnapshot;
}

export function snapshotOf(swarm: Swarm, facts: SnapshotFacts, now: number): TorrentSnapshot {
  const { picker, progress, description } = swarm;
  const running = picker.complete ? 'seeding' : 'downloading';
  return {
    state: facts.state === 'running' ? running : facts.state,
    ...(facts.failure === undefined ? {} : { failure: facts.failure }),
    pieceCount: description.geometry.pieceCount,
    havePieces: picker.have.count,
    checkingPieces: picker.held,
    totalBytes: description.geometry.totalLength,
    leftBytes: facts.possession.leftBytes,
    wantedBytes: facts.possession.wantedBytes,
    wantedLeftBytes: facts.possession.wantedLeftBytes,
    downloadedBytes: progress.downloadedBytes,
    uploadedBytes: progress.uploadedBytes,
    wastedBytes: progress.wastedBytes,
    corruptBytes: progress.corruptBytes,
    downloadRate: progress.downloadMeter.rate(now),
    uploadRate: progress.uploadMeter.rate(now),
    inEndgame: picker.inEndgame,
    knownPeers: swarm.known.size,
    peers: [...swarm.live.values()].map((peer) => peerSnapshot(swarm, peer, now)),
    contributions: progress.contributions(),
    tracker: facts.tracker,
  };
}

function peerSnapshot(swarm: Swarm, peer: LivePeer, now: number): PeerSnapshot {
  const { connection } = peer;
  return {
    peer: peer.key,
    endpoint: peer.endpoint,
    incoming: peer.incoming,
    peerId: peer.peerId,
    ...(connection.peerClient === undefined ? {} : { client: connection.peerClient }),
    havePieces: peer.joined ? swarm.picker.pieceCountOf(peer.key) : 0,
    isSeed: peer.joined && swarm.picker.isSeed(peer.key),
    amChoking: connection.amChoking,
    amInterested: connection.amInterested,
    peerChoking: connection.peerChoking,
    peerInterested: connection.peerInterested,
    snubbed: connection.pipeline.snubbed,
    downloadRate: connection.pipeline.rate(now),
    uploadRate: peer.uploadMeter.rate(now),
    downloadedBytes: peer.downloadedBytes,
    uploadedBytes: peer.uploadedBytes,
    outstandingRequests: connection.pipeline.outstanding,
    queuedRequests: connection.uploads.length,
  };
}
