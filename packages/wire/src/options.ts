// What a connection is told once, and every default, here and nowhere else.
import type { Geometry } from '@shoal/pieces';

export interface PeerConnectionOptions {
  /** 20 bytes: the torrent this connection is about. */
  readonly infoHash: Uint8Array;
  /** 20 bytes: our own id on this torrent. A peer with the same id is ourselves. */
  readonly peerId: Uint8Array;
  /** What pieces and blocks there are. */
  readonly geometry: Geometry;
  /** Whether we dialled: the initiator speaks first, the responder after 48 bytes. */
  readonly initiator: boolean;
  /** The moment the connection opened, in monotonic milliseconds. */
  readonly now: number;
  /** 20 bytes: end the connection when the peer has another id (BEP 3). Default: any id will do. */
  readonly expectedPeerId?: Uint8Array;
  /** Offer the fast extension (BEP 6). Default true. */
  readonly fast?: boolean;
  /** Offer the extension protocol (BEP 10). Default true. */
  readonly extensionProtocol?: boolean;
  /** Offer the DHT bit, for the `port` message (BEP 5). Default false. */
  readonly dht?: boolean;
  /** Extensions we understand (BEP 10 `m`); our id for each is its place here, from 1. At most 255. Default none. */
  readonly extensions?: readonly string[];
  /** Our name and version (BEP 10 `v`). Default: not told. */
  readonly clientVersion?: string;
  /** Our listening port (BEP 10 `p`). Default 0: not told. */
  readonly listenPort?: number;
  /** 4 or 16 bytes: the peer's address as we see it (BEP 10 `yourip`). Default: not told. */
  readonly peerAddress?: Uint8Array;
  /** Requests of the peer that we queue (BEP 10 `reqq`); more are rejected. Default 2000. */
  readonly requestQueueLimit?: number;
  /** Requests of ours that may be outstanding, whatever the peer allows. Default 500 (libtorrent). */
  readonly maxOutstandingRequests?: number;
  /** Milliseconds for the peer's 68 bytes. Default 10 000 (libtorrent, rain). */
  readonly handshakeTimeoutMs?: number;
  /** Longest silence of ours before a keep-alive, in milliseconds. Default 100 000 (Transmission). */
  readonly keepAliveMs?: number;
  /** Longest silence of the peer in milliseconds. Default 240 000: two keep-alive periods of BEP 3. */
  readonly silenceTimeoutMs?: number;
  /** Milliseconds a request may stay unanswered. Default 60 000 (libtorrent). */
  readonly requestTimeoutMs?: number;
  /** Milliseconds without payload, with requests outstanding, that make a peer snubbed. Default 20 000 (libtorrent). */
  readonly blockTimeoutMs?: number;
}

type Optional = Omit<
  PeerConnectionOptions,
  'infoHash' | 'peerId' | 'geometry' | 'initiator' | 'now' | 'expectedPeerId' | 'clientVersion' | 'peerAddress'
>;

export const defaults: Required<Optional> = {
  fast: true,
  extensionProtocol: true,
  dht: false,
  extensions: [],
  listenPort: 0,
  // libtorrent's. With 500, a libtorrent that downloads at full speed takes all it asked for in one read, asks anew and
  // waits: two thirds of the rate (docs/decisions/0008).
  requestQueueLimit: 2000,
  maxOutstandingRequests: 500,
  handshakeTimeoutMs: 10_000,
  keepAliveMs: 100_000,
  silenceTimeoutMs: 240_000,
  requestTimeoutMs: 60_000,
  blockTimeoutMs: 20_000,
};

export type ResolvedOptions = PeerConnectionOptions & Required<Optional>;

/** @throws RangeError when an id is not 20 bytes or a number is out of range. */
export function resolveOptions(options: PeerConnectionOptions): ResolvedOptions {
  const resolved: ResolvedOptions = { ...defaults, ...options };
  if (resolved.extensions.length > 255) throw new RangeError('an extension id is one byte: at most 255 extensions');
  if (resolved.requestQueueLimit < 1 || resolved.maxOutstandingRequests < 1) {
    throw new RangeError('queues of requests hold at least one');
  }
  return resolved;
}
