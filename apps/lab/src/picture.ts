// The swarm at one moment, in numbers that any rendering can use, and the result of a whole run. Pure.
import type { Member } from './member.ts';

export type Phase = 'preparing' | 'starting' | 'downloading' | 'stopping' | 'comparing' | 'done';

/** What is shared, as its torrent has it. */
export interface SharedContent {
  readonly name: string;
  readonly infoHash: string;
  readonly totalBytes: number;
  readonly files: number;
  readonly pieces: number;
  readonly pieceLength: number;
}

/** What the tracker tells of its swarms. */
export interface TrackerFacts {
  readonly url: string;
  readonly seeders: number;
  readonly leechers: number;
  readonly completed: number;
  readonly announces: number;
}

export interface PeerPicture {
  readonly name: string;
  readonly state: Member['state'];
  readonly doneBytes: number;
  readonly downloadedBytes: number;
  readonly uploadedBytes: number;
  /** Bytes per second. */
  readonly downloadRate: number;
  readonly uploadRate: number;
  /** Connections. */
  readonly peers: number;
  /** Since the downloaders were started; undefined while incomplete. */
  readonly seconds: number | undefined;
  /** Bytes received from the origin, then from each peer in the order of the peers; from others never. */
  readonly received: readonly number[];
}

export interface OriginPicture {
  readonly state: Member['state'];
  readonly uploadedBytes: number;
  readonly uploadRate: number;
  readonly peers: number;
}

export interface SwarmPicture {
  readonly phase: Phase;
  /** Since the downloaders were started. */
  readonly seconds: number;
  readonly content: SharedContent | undefined;
  readonly tracker: TrackerFacts | undefined;
  readonly origin: OriginPicture;
  readonly peers: readonly PeerPicture[];
}

export interface PeerResult {
  readonly name: string;
  /** From the start of the downloaders to its last verified piece. */
  readonly seconds: number;
  readonly downloadedBytes: number;
  readonly uploadedBytes: number;
  readonly fromOriginBytes: number;
  readonly fromPeersBytes: number;
  readonly verified: boolean;
}

/** The object of `--json`. */
export interface RunResult {
  readonly ok: boolean;
  readonly infoHash: string;
  readonly name: string;
  readonly bytes: number;
  readonly files: number;
  readonly pieces: number;
  readonly pieceLength: number;
  /** From the start of the downloaders to the last copy complete. */
  readonly seconds: number;
  readonly originUploadedBytes: number;
  readonly peers: readonly PeerResult[];
}

export function originPicture(origin: Member, now: number): OriginPicture {
  const { state, uploadedBytes, peers } = origin;
  return { state, uploadedBytes, uploadRate: origin.uploadRate(now), peers };
}

/** `members` are the origin and then the downloaders, all started at `startedAt`. */
export function peerPicture(peer: Member, members: readonly Member[], startedAt: number, now: number): PeerPicture {
  const { name, state, doneBytes, downloadedBytes, uploadedBytes, peers, completedAt } = peer;
  return {
    name,
    state,
    doneBytes,
    downloadedBytes,
    uploadedBytes,
    downloadRate: peer.downloadRate(now),
    uploadRate: peer.uploadRate(now),
    peers,
    seconds: completedAt === undefined ? undefined : (completedAt - startedAt) / 1000,
    received: members.map(({ peerId }) => (peerId === undefined ? 0 : (peer.received.get(peerId) ?? 0))),
  };
}

export const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);

/** What downloaders got from each other, in bytes. */
export const fromPeersBytes = ({ received }: Pick<PeerPicture, 'received'>): number => sum(received.slice(1));

/** The last of a run: `verified` says of each peer's copy whether it is the original. */
export function resultOf(picture: SwarmPicture, content: SharedContent, verified: readonly boolean[]): RunResult {
  const peers = picture.peers.map((peer, i) => ({
    name: peer.name,
    seconds: peer.seconds ?? picture.seconds,
    downloadedBytes: peer.downloadedBytes,
    uploadedBytes: peer.uploadedBytes,
    fromOriginBytes: peer.received[0] ?? 0,
    fromPeersBytes: fromPeersBytes(peer),
    verified: verified[i] === true,
  }));
  const { infoHash, name, totalBytes: bytes, files, pieces, pieceLength } = content;
  return {
    ok: peers.every((peer) => peer.verified),
    infoHash,
    name,
    bytes,
    files,
    pieces,
    pieceLength,
    seconds: Math.max(0, ...peers.map(({ seconds }) => seconds)),
    originUploadedBytes: picture.origin.uploadedBytes,
    peers,
  };
}
