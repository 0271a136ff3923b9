// What is told of a torrent in transfer, as figures for programs: while it runs, and at its end.
import type { Metainfo } from '@shoal/metainfo';
import type { TorrentHandle } from '@shoal/session';
import type { TorrentSnapshot } from '@shoal/torrent';

export interface Transferring {
  /** Counted from 1 in this run. */
  readonly id: number;
  readonly metainfo: Metainfo;
  readonly handle: TorrentHandle;
  readonly trackers: readonly (readonly string[])[];
  readonly startedAt: number;
  /** Rejects with the first trouble of the disk that is not to be waited for. */
  readonly trouble: PromiseWithResolvers<never>;
  /** The time it began with when it was complete already. */
  completedAt: number | undefined;
  /** What it was doing when it was stopped. */
  endState: TorrentSnapshot['state'] | undefined;
}

export interface TransferResult {
  readonly infoHash: string;
  readonly name: string;
  readonly peerId: string;
  readonly state: TorrentSnapshot['state'];
  readonly complete: boolean;
  readonly totalBytes: number;
  readonly leftBytes: number;
  /** Of the files that are wanted. */
  readonly wantedLeftBytes: number;
  readonly downloadedBytes: number;
  readonly uploadedBytes: number;
  readonly wastedBytes: number;
  readonly corruptBytes: number;
  /** From the start of the transfer to completion, or until now. */
  readonly seconds: number;
  readonly contributions: TorrentSnapshot['contributions'];
}

/** Of now, but what it was doing when it was stopped: that it is stopped says nothing. */
export function snapshotOf({ handle, endState }: Transferring): TorrentSnapshot {
  const snapshot = handle.snapshot();
  return { ...snapshot, state: endState ?? snapshot.state };
}

export function resultOf(torrent: Transferring): TransferResult {
  const { handle, completedAt, startedAt } = torrent;
  const { infoHash, name, peerId } = handle;
  const snapshot = snapshotOf(torrent);
  const { state, totalBytes, leftBytes, wantedLeftBytes } = snapshot;
  const { downloadedBytes, uploadedBytes, wastedBytes, corruptBytes } = snapshot;
  return {
    infoHash,
    name,
    peerId,
    state,
    complete: wantedLeftBytes === 0,
    totalBytes,
    leftBytes,
    wantedLeftBytes,
    downloadedBytes,
    uploadedBytes,
    wastedBytes,
    corruptBytes,
    seconds: ((completedAt ?? performance.now()) - startedAt) / 1000,
    contributions: snapshot.contributions,
  };
}

export function progressFacts({ handle }: Transferring, snapshot: TorrentSnapshot): object {
  const { state, havePieces, pieceCount, checkingPieces, leftBytes, wantedLeftBytes, totalBytes } = snapshot;
  const { downloadedBytes, uploadedBytes, downloadRate, uploadRate, peers, contributions } = snapshot;
  return {
    infoHash: handle.infoHash,
    state,
    havePieces,
    pieces: pieceCount,
    checkingPieces,
    leftBytes,
    wantedLeftBytes,
    totalBytes,
    downloadedBytes,
    uploadedBytes,
    downloadRate: Math.round(downloadRate),
    uploadRate: Math.round(uploadRate),
    peers: peers.length,
    contributions,
  };
}
