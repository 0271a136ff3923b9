// What a torrent is told once: what it is, and how it may behave. Every default is here and nowhere else.
import type { Bitfield, Geometry } from '@shoal/pieces';

export interface TorrentDescription {
  /** 20 bytes: SHA-1 of the raw info dictionary (BEP 3). */
  readonly infoHash: Uint8Array;
  readonly geometry: Geometry;
  /** BEP 27: peers only from its own trackers. */
  readonly isPrivate: boolean;
}

/** What may be known of a torrent when it is added. */
export interface TorrentFacts {
  /** Pieces that may be on disk and are being checked in the background: `piece-found` or `piece-missing` follows for each. */
  readonly held?: Bitfield;
}

export interface TorrentOptions {
  /** Uniform in [0, 1). The only source of chance. */
  readonly random: () => number;
  /** 20 bytes, one per torrent and run. */
  readonly peerId: Uint8Array;
  /** Told to peers in the extended handshake (BEP 10 `p`); 0 = not listening. Default 0. */
  readonly listenPort?: number;
  /** Client name and version for the extended handshake (BEP 10 `v`). */
  readonly clientVersion?: string;
  /** Bytes of pieces being downloaded that may be held at once. At the limit we stop requesting. Default 32 MiB. */
  readonly pieceBufferBytes?: number;
  /** Live and dialled connections. Default 100. */
  readonly maxConnections?: number;
  /** Dials under way at once. Default 20. */
  readonly maxDialing?: number;
  /** Addresses remembered. Default 2000 (rain's list). */
  readonly maxKnownPeers?: number;
  /** Upload slots, the optimistic one included. Default: as many as the upload limit can serve (mainline's rule), 4 without one (BEP 3). */
  readonly uploadSlots?: number;
  /** Limit of the payload sent, in bytes per second; the driver keeps to it, the torrent plans for it. Default none. */
  readonly uploadBytesPerSecond?: number;
  /** Limit of the payload received, in bytes per second; the driver keeps to it, the torrent plans for it. Default none. */
  readonly downloadBytesPerSecond?: number;
  /** Bytes handed to the driver for one peer and not yet sent. Default 1 MiB (measured: no gain above). */
  readonly uploadWatermarkBytes?: number;
  /** Peers asked of a tracker. Default 50. */
  readonly numWant?: number;
  /** Shortest time between plain announces, whatever a tracker says. Default 60 000. */
  readonly minAnnounceIntervalMs?: number;
  /** First wait after a failed announce or dial; doubles with each failure. Default 5000. */
  readonly retryMs?: number;
  /** Offer the fast extension (BEP 6). Default true. */
  readonly fast?: boolean;
}

export const defaults: Required<Omit<TorrentOptions, 'random' | 'peerId' | 'uploadSlots'>> = {
  listenPort: 0,
  clientVersion: 'Shoal',
  pieceBufferBytes: 32 * 1024 * 1024,
  maxConnections: 100,
  maxDialing: 20,
  maxKnownPeers: 2000,
  uploadBytesPerSecond: Infinity,
  downloadBytesPerSecond: Infinity,
  uploadWatermarkBytes: 1024 * 1024,
  numWant: 50,
  minAnnounceIntervalMs: 60_000,
  retryMs: 5000,
  fast: true,
};

export type ResolvedOptions = TorrentOptions & Required<Omit<TorrentOptions, 'uploadSlots'>>;

export function resolveOptions(options: TorrentOptions): ResolvedOptions {
  return { ...defaults, ...options };
}
