// What a tracker asks of its memory: one call per announce, synchronous, plain data, addresses as bytes.
// Knows neither requests nor policies; the contract suite in testing/ says what every store must do.
import type { ScrapeCounts } from '@shoal/tracker-protocol';
import type { PeerSample } from './peer-sample.ts';

/** One announce as a store sees it. Its bytes are copied, never kept. */
export interface StoreAnnounce {
  /** 20 bytes. */
  readonly infoHash: Uint8Array;
  /** 4 or 16 bytes, canonical (an IPv4-mapped address comes as 4). */
  readonly address: Uint8Array;
  /** 1–65535. Address and port together are the peer's identity. */
  readonly port: number;
  /** 20 bytes. */
  readonly peerId: Uint8Array;
  /**
   * With the peer id it names the participant over both address families (BEP 7): 1 to 2^32 - 1. 0: none was given, and
   * the address is a participant of its own.
   */
  readonly key: number;
  /**
   * An address that this peer has proven to have announced from before; undefined where it proved none. If the same peer
   * id is still listed there: of the other family, it is the same participant; of the same family, and the announced
   * address is new, it moves from there to here.
   */
  readonly formerly: StoreEndpoint | undefined;
  /** Whether the peer has everything. */
  readonly seeding: boolean;
  /** Whether it has all it wants, but not everything (BEP 21): a leecher, tallied apart. Not together with `seeding`. */
  readonly partial: boolean;
  /** Whether the peer says goodbye: this address leaves, and no peers are drawn for it. */
  readonly leaving: boolean;
  /** Which list of the swarm the peer is on. `private` peers are drawn for private ones alone; all are counted. */
  readonly listing: 'public' | 'private';
  /** Most peers to draw. */
  readonly want: number;
  /** `own`: only peers of the announcer's address family; `both`: its own first, the other family fills the rest. */
  readonly families: 'own' | 'both';
  /** Whether the peer ids are wanted too; without them `answer.peerIds` keeps what it had. */
  readonly withPeerIds: boolean;
  /**
   * A mark that an earlier answer carried: only peers that joined since are wanted. 0: a mark is wanted. Undefined: no
   * marks. A store that does not know the mark draws as though it were 0.
   */
  readonly since: number | undefined;
}

/** An address, 4 or 16 bytes and canonical, and a port. */
export interface StoreEndpoint {
  readonly address: Uint8Array;
  readonly port: number;
}

/**
 * What became of the announcer. `completed`: it turned from leecher to seed for the first time in its stay.
 * `absent`: it left without being known. `store-full` and `address-full`: it was answered but is not listed.
 */
export type AnnounceOutcome = 'joined' | 'refreshed' | 'completed' | 'left' | 'absent' | 'store-full' | 'address-full';

/** How much a store holds. */
export interface StoreTotals {
  /** Torrents with at least one peer. */
  readonly torrents: number;
  /** Participants that seed. */
  readonly seeders: number;
  /** All other participants. */
  readonly leechers: number;
  /** Addresses. */
  readonly ipv4Peers: number;
  readonly ipv6Peers: number;
  /** Of the addresses, those of seeds. */
  readonly ipv4Seeds: number;
  readonly ipv6Seeds: number;
  /** Of torrents and participants, those of WebTorrent peers; undefined where the store holds none. */
  readonly signalled?: { readonly torrents: number; readonly seeders: number; readonly leechers: number } | undefined;
}

/** The peers of all swarms. */
export interface PeerStore {
  /**
   * Records the announcer and fills `answer` with the swarm's counts (the announcer included) and with a uniform
   * random sample of the others: seeds are not drawn for seeds or partial seeds, the announcer is never drawn, under
   * neither of its addresses.
   */
  announce(peer: StoreAnnounce, answer: PeerSample, now: number): AnnounceOutcome;
  /** Counts of a torrent, undefined when nobody is there. */
  counts(infoHash: Uint8Array): ScrapeCounts | undefined;
  /**
   * Removes addresses last heard of at or before `before` (ms), at most `limit` of them; says how many.
   * A store may round a peer's time up to the next second, never down.
   */
  expire(before: number, limit: number): number;
  /** When the address that has been silent longest was last heard of (ms, rounded as above), undefined when empty. */
  readonly oldest: number | undefined;
  readonly totals: StoreTotals;
  /**
   * Calls `visit` with the info-hash, valid until it returns, of each torrent among `limit` places from `from` on, the
   * first of which is 0; says where to go on, or -1 at the end. A torrent may come twice; those that come and go
   * meanwhile may be missed. Left out by stores that cannot name their torrents.
   */
  visitTorrents?(from: number, limit: number, visit: (infoHash: Uint8Array) => void): number;
}
