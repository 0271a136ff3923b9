// How a session may behave. Every default is here and nowhere else; the reason stands beside it.
import type { Preallocation, Storage } from '@shoal/storage';
import type { Endpoint } from '@shoal/tracker-protocol';
import type { FilePriority } from './file-selection.ts';
import type { RateLimits, TorrentRateLimits } from './rates.ts';

/** `downloadBytesPerSecond` and `uploadBytesPerSecond` are those of all torrents together; default no limit. */
export interface SessionOptions extends RateLimits {
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
  /**
   * Bytes of pieces in the making, over all torrents, which get fair parts; each may hold two pieces whatever the limit.
   * Default 16 MiB: two full pipelines of 500 requests.
   */
  readonly pieceBufferBytes?: number;
  /** Files open at once, over all torrents. Default 64. */
  readonly openFiles?: number;
  /** Reads and writes of files under way at once, over all torrents in turns. Default 8, twice Node's file threads. */
  readonly diskOperations?: number;
  /** Threads that hash downloaded pieces. Default one less than there are cores, 1 to 4; checks may use one more. */
  readonly hashThreads?: number;
  /** Connections per torrent. Default 100. */
  readonly maxConnections?: number;
  /** Connections over all torrents. Default 300: with files and trackers far below the 1024 descriptors that many systems allow. */
  readonly maxTotalConnections?: number;
  /** Incoming connections that have not said which torrent they want; past it the oldest goes. Default 256 (rqbit). */
  readonly maxPendingHandshakes?: number;
  /** Upload slots per torrent. Default: as many as the upload limit can serve (mainline's rule), 4 without one (BEP 3). */
  readonly uploadSlots?: number;
  /** How long a dial may take. Default 10 000. */
  readonly dialTimeoutMs?: number;
  /** How long an incoming connection may take to say which torrent it wants. Default 10 000 (clients case 11). */
  readonly handshakeTimeoutMs?: number;
  /** How long the goodbye to the trackers may take. Default 5000. */
  readonly stopTimeoutMs?: number;
  /** How long content may take to reach the device when a torrent stops; past it less is trusted after a power loss. Default 5000. */
  readonly flushTimeoutMs?: number;
  /** Folder for one journal a torrent, which spares checks after a stop or a crash. Default: none are kept. */
  readonly resumeDirectory?: string;
  /**
   * Days after which the journal of a torrent that nobody added again is removed, where there are over a hundred; then
   * its content is checked once. Default 180: longer than a disk is usually away.
   */
  readonly resumeKeepDays?: number;
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
  /** How much each file is wanted, in the order of the metainfo. Default all `normal`. */
  readonly filePriorities?: readonly FilePriority[];
  /** Prefer files that are near completion to the rarest pieces. Default false. */
  readonly finishFilesFirst?: boolean;
  /** Fetch pieces in the order of the content. Default false. */
  readonly sequential?: boolean;
  /** How space is taken on disk. Default `sparse`. */
  readonly preallocation?: Preallocation;
  /** Limits of this torrent and of each of its peers, within those of the session. Default none. */
  readonly limits?: TorrentRateLimits;
  /** Reject with `incomplete` instead of downloading what the check does not find. Default false. */
  readonly requireComplete?: boolean;
  /** Called while what is on disk is checked: pieces looked at, of how many. */
  readonly onCheckProgress?: (checked: number, total: number) => void;
}

type WithoutDefault = 'bind' | 'random' | 'uploadSlots' | 'hashThreads' | 'resumeDirectory';

export const defaults: Required<Omit<SessionOptions, WithoutDefault>> = {
  port: [6881, 6889],
  peerIdPrefix: '-SH0100-',
  clientVersion: 'Shoal 0.1',
  downloadBytesPerSecond: Infinity,
  uploadBytesPerSecond: Infinity,
  pieceBufferBytes: 16 * 1024 * 1024,
  openFiles: 64,
  diskOperations: 8,
  maxConnections: 100,
  maxTotalConnections: 300,
  maxPendingHandshakes: 256,
  dialTimeoutMs: 10_000,
  handshakeTimeoutMs: 10_000,
  stopTimeoutMs: 5000,
  flushTimeoutMs: 5000,
  resumeKeepDays: 180,
  retryMs: 5000,
  minAnnounceIntervalMs: 60_000,
};

type Undefaulted = { readonly [Name in Exclude<WithoutDefault, 'random'>]: SessionOptions[Name] | undefined };

export type ResolvedSessionOptions = Required<Omit<SessionOptions, Exclude<WithoutDefault, 'random'>>> & Undefaulted;

export function resolveOptions(options: SessionOptions): ResolvedSessionOptions {
  const undefaulted = { bind: undefined, uploadSlots: undefined, hashThreads: undefined, resumeDirectory: undefined };
  return { ...defaults, ...undefaulted, random: Math.random, ...options };
}
