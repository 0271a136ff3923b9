// How a session may behave. Every default is here and nowhere else; the reason stands beside it.
import type { Storage } from '@shoal/storage';
import type { Endpoint } from '@shoal/tracker-protocol';

export interface SessionOptions {
  /** TCP port for peers: one port, 0 for any free one, or a range to try in order. Default 6881–6889 (BEP 3). */
  readonly port?: number | readonly [first: number, last: number];
  /** Address to listen on and to dial and announce from. Default: all addresses, both families where there are two. */
  readonly bind?: string;
  /** Two letters and four digits for peer ids, `-SH0100-`. */
  readonly peerIdPrefix?: string;
  /** Name and version told to peers (BEP 10 `v`) and trackers (`User-Agent`). */
  readonly clientVersion?: string;
  /** Uniform in [0, 1). Default `Math.random`. */
  readonly random?: () => number;
  /** Bytes of pieces in the making, for each torrent. Default 32 MiB. */
  readonly pieceBufferBytes?: number;
  /** Files open at once, over all torrents. Default 64. */
  readonly openFiles?: number;
  /** Connections per torrent. Default 100. */
  readonly maxConnections?: number;
  /** Incoming connections that have not said which torrent they want; past it the oldest goes. Default 256 (rqbit). */
  readonly maxPendingHandshakes?: number;
  /** Upload slots per torrent. Default 4 (BEP 3). */
  readonly uploadSlots?: number;
  /** How long a dial may take. Default 10 000. */
  readonly dialTimeoutMs?: number;
  /** How long an incoming connection may take to say which torrent it wants. Default 10 000 (clients case 11). */
  readonly handshakeTimeoutMs?: number;
  /** How long the goodbye to the trackers may take. Default 5000. */
  readonly stopTimeoutMs?: number;
  /** First wait after a failed announce or dial; doubles with each failure. Default 5000. */
  readonly retryMs?: number;
  /** Shortest time between plain announces. Default 60 000. */
  readonly minAnnounceIntervalMs?: number;
}

export interface AddOptions {
  /** Folder that holds, or will hold, the torrent's name. Required unless `storage` is given. */
  readonly directory?: string;
  /** Where the content is kept instead of files. It is closed with the torrent. */
  readonly storage?: Storage;
  /** Peers to dial beside those of the trackers. */
  readonly peers?: readonly Endpoint[];
  /** Announce tiers instead of the torrent's own (BEP 12). */
  readonly trackers?: readonly (readonly string[])[];
  /** Reject with `incomplete` instead of downloading what the check does not find. Default false. */
  readonly requireComplete?: boolean;
  /** Called while what is on disk is checked: pieces looked at, of how many. */
  readonly onCheckProgress?: (checked: number, total: number) => void;
}

export const defaults: Required<Omit<SessionOptions, 'bind' | 'random'>> = {
  port: [6881, 6889],
  peerIdPrefix: '-SH0100-',
  clientVersion: 'Shoal 0.1',
  pieceBufferBytes: 32 * 1024 * 1024,
  openFiles: 64,
  maxConnections: 100,
  maxPendingHandshakes: 256,
  uploadSlots: 4,
  dialTimeoutMs: 10_000,
  handshakeTimeoutMs: 10_000,
  stopTimeoutMs: 5000,
  retryMs: 5000,
  minAnnounceIntervalMs: 60_000,
};

export type ResolvedSessionOptions = Required<Omit<SessionOptions, 'bind'>> & { readonly bind: string | undefined };

export function resolveOptions(options: SessionOptions): ResolvedSessionOptions {
  return { ...defaults, random: Math.random, bind: undefined, ...options };
}
