// The rate limits of one torrent: its buckets below the session's, one more for each peer, and what the torrent itself
// should plan with. How bytes are let through is rate-limit/; must not know why a rate is what it is.
import type { Pacer } from './rate-limit/pacer.ts';
import { RateLimit } from './rate-limit/limiter.ts';
import type { PeerSocket } from './tcp.ts';

/** Bytes per second of the socket's stream, payload and protocol; Infinity = no limit. What is left out stays as it is. */
export interface RateLimits {
  readonly downloadBytesPerSecond?: number;
  readonly uploadBytesPerSecond?: number;
}

/** Limits of one torrent and of each of its peers. */
export interface TorrentRateLimits extends RateLimits {
  /** For every peer alone. */
  readonly peer?: RateLimits;
}

interface Direction {
  readonly torrent: RateLimit;
  readonly peers: Set<RateLimit>;
  perPeer: number;
}

export class TorrentRates {
  readonly #pacer: Pacer;
  readonly #down: Direction;
  readonly #up: Direction;

  /** @throws RangeError when a limit is not above 0. */
  constructor(pacer: Pacer, limits: TorrentRateLimits = {}) {
    this.#pacer = pacer;
    this.#down = { torrent: new RateLimit(pacer.down), peers: new Set(), perPeer: Infinity };
    this.#up = { torrent: new RateLimit(pacer.up), peers: new Set(), perPeer: Infinity };
    this.set(limits);
  }

  /** Takes effect at once. @throws RangeError when a limit is not above 0. */
  set({ downloadBytesPerSecond, uploadBytesPerSecond, peer = {} }: TorrentRateLimits): void {
    change(this.#down, downloadBytesPerSecond, peer.downloadBytesPerSecond);
    change(this.#up, uploadBytesPerSecond, peer.uploadBytesPerSecond);
  }

  /** What this torrent can move at most, for its own planning. */
  get allowance(): Required<RateLimits> {
    return {
      downloadBytesPerSecond: Math.min(this.#down.torrent.bytesPerSecond, this.#pacer.down.bytesPerSecond),
      uploadBytesPerSecond: Math.min(this.#up.torrent.bytesPerSecond, this.#pacer.up.bytesPerSecond),
    };
  }

  /** Puts a socket below the limits; the result takes it out again. */
  attach(socket: PeerSocket): () => void {
    const down = new RateLimit(this.#down.torrent, this.#down.perPeer);
    const up = new RateLimit(this.#up.torrent, this.#up.perPeer);
    this.#down.peers.add(down);
    this.#up.peers.add(up);
    socket.limit(this.#pacer, down, up);
    return () => {
      this.#down.peers.delete(down);
      this.#up.peers.delete(up);
    };
  }
}

function change(direction: Direction, ofTorrent: number | undefined, perPeer: number | undefined): void {
  if (ofTorrent !== undefined) direction.torrent.bytesPerSecond = ofTorrent;
  if (perPeer === undefined) return;
  direction.perPeer = perPeer;
  for (const limit of direction.peers) limit.bytesPerSecond = perPeer;
}
