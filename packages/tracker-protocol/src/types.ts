// The vocabulary that a client and a tracker share, whatever the transport: announce, scrape, their answers.
// Knows no wire format. BEP 3, 7, 15, 21, 23, 24, 31, 48.

/** What an announce reports. `paused` is BEP 21 (a partial seed); `none` is the regular announce. */
export type AnnounceEvent = 'started' | 'completed' | 'stopped' | 'paused' | 'none';

/** Address family of a compact record: 4 (6-byte records) or 6 (18-byte records). */
export type IpFamily = 4 | 6;

/** Where a peer listens. */
export interface Endpoint {
  /** Canonical text: dotted IPv4, or RFC 5952 IPv6. IPv4-mapped IPv6 is always written as IPv4. */
  readonly ip: string;
  readonly port: number;
}

/** A peer as a tracker names it. */
export interface TrackedPeer extends Endpoint {
  /** 20 bytes; only dictionary lists carry it. */
  readonly peerId?: Uint8Array | undefined;
}

/** A peer that a dictionary list names by host name; it must be resolved before it can be dialled. */
export interface NamedPeer {
  readonly host: string;
  readonly port: number;
  readonly peerId?: Uint8Array | undefined;
}

/** One announce, as both ends see it. Counters are bytes, clamped to `Number.MAX_SAFE_INTEGER`. */
export interface AnnounceRequest {
  /** 20 bytes. Decoded from a datagram it is a view into that datagram. */
  readonly infoHash: Uint8Array;
  /** 20 bytes. Decoded from a datagram it is a view into that datagram. */
  readonly peerId: Uint8Array;
  /** The port the peer listens on; 0 only together with `stopped`. */
  readonly port: number;
  readonly uploaded: number;
  readonly downloaded: number;
  /** Bytes still missing; undefined when the peer does not know yet (magnet links) or did not say. */
  readonly left: number | undefined;
  readonly event: AnnounceEvent;
  /** Peers wanted; undefined leaves it to the tracker, 0 asks for none. */
  readonly numWant?: number | undefined;
  /** BEP 23: undefined when the client did not say. Clients send 1 unless this is false. */
  readonly compact?: boolean | undefined;
  readonly noPeerId?: boolean | undefined;
  /**
   * Identifies the client across address changes; constant per torrent (BEP 7). Latin-1 text, at most 100 characters, or
   * as UDP has it: 32 bits.
   */
  readonly key?: string | number | undefined;
  /** Echo of the tracker's last `tracker id`. Latin-1 text. */
  readonly trackerId?: string | undefined;
  /**
   * Echo of the tracker's last `last`: only peers that joined since are wanted. 0 asks for a first one. Left out by
   * clients that want whole lists.
   */
  readonly last?: number | undefined;
  /** Address the client claims. Spoofable: for trusted or private networks only. */
  readonly ip?: string | undefined;
  /** BEP 7: a second address the client claims. The port defaults to `port`. */
  readonly ipv4?: Endpoint | undefined;
  /** BEP 7: a second address the client claims. The port defaults to `port`. */
  readonly ipv6?: Endpoint | undefined;
  /** Bytes that failed their hash. Sent by clients, ignored by the parser. */
  readonly corrupt?: number | undefined;
  /** Bytes received twice. Sent by clients, ignored by the parser. */
  readonly redundant?: number | undefined;
}

/** A tracker's answer to an announce. */
export interface AnnounceReply {
  /** Seconds until the next regular announce. */
  readonly interval: number;
  /** Seconds before which the tracker does not want to hear from us again. */
  readonly minInterval?: number | undefined;
  /** Seeders. */
  readonly complete?: number | undefined;
  /** Leechers. */
  readonly incomplete?: number | undefined;
  /** How often the torrent was completed. */
  readonly downloaded?: number | undefined;
  /** Leechers that still download, where there are partial seeds too (BEP 21). */
  readonly downloaders?: number | undefined;
  /** Together with what was given before, all peers there are: bring this to be given only those that join from now on. */
  readonly last?: number | undefined;
  /** How many other peers could be given, for who sends `last`: far more than it knows, and it asks for a whole list. */
  readonly numPeers?: number | undefined;
  readonly peers: readonly TrackedPeer[];
  /** Peers given by host name (dictionary lists only). */
  readonly namedPeers?: readonly NamedPeer[] | undefined;
  /** Entries of the list that could not be used: bad address, port 0, a truncated record. Set by decoders when not 0. */
  readonly skippedPeers?: number | undefined;
  /** Latin-1 text, to be echoed in later announces. */
  readonly trackerId?: string | undefined;
  /** `warning message`: the announce succeeded nevertheless. */
  readonly warning?: string | undefined;
  /** Our address as the tracker sees it (BEP 24), canonical. */
  readonly externalIp?: string | undefined;
}

/** A tracker's refusal of an announce or scrape. */
export interface AnnounceFailure {
  readonly failureReason: string;
  /** BEP 31: minutes to wait, or never ask again. */
  readonly retryIn?: number | 'never' | undefined;
  /** Seconds; some trackers send it inside a failure to slow a client down. */
  readonly interval?: number | undefined;
}

/** What a scrape says about one torrent. */
export interface ScrapeCounts {
  /** Seeders. */
  readonly complete: number;
  /** Leechers. */
  readonly incomplete: number;
  /** How often the torrent was completed. */
  readonly downloaded: number;
  /** Leechers that still download: all but the partial seeds (BEP 21). */
  readonly downloaders?: number | undefined;
}

/** A tracker's answer to a scrape. */
export interface ScrapeReply {
  /** Keyed by info-hash in lower-case hex. */
  readonly files: ReadonlyMap<string, ScrapeCounts>;
  /** `flags.min_request_interval`, seconds. */
  readonly minRequestInterval?: number | undefined;
}

/** Whether an answer is a refusal. */
export function isFailure<Reply extends object>(reply: Reply | AnnounceFailure): reply is AnnounceFailure {
  return 'failureReason' in reply;
}
