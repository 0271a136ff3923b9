// What a tracker asks of its memory: one call per announce, synchronous, addresses as bytes.
// Knows neither requests nor policies; the contract suite in testing/ says what every store must do.
import type { ScrapeCounts } from '@shoal/tracker-protocol';
import type { PeerSample } from './peer-sample.ts';

/** One announce as a store sees it. */
export interface StoreAnnounce {
  /** 20 bytes; copied, never kept. */
  readonly infoHash: Uint8Array;
  /** 4 or 16 bytes, canonical (an IPv4-mapped address comes as 4); copied, never kept. */
  readonly address: Uint8Array;
  /** 1–65535. Address and port together are the peer's identity. */
  readonly port: number;
  /** 20 bytes; copied, never kept. */
  readonly peerId: Uint8Array;
  /** Whether the peer has everything. */
  readonly seeding: boolean;
  /** Whether the peer says goodbye: it leaves, and no peers are drawn for it. */
  readonly leaving: boolean;
  /** Most peers to draw. */
  readonly want: number;
  /** `own`: only peers of the announcer's address family; `both`: its own first, the other family fills the rest. */
  readonly families: 'own' | 'both';
  /** Whether the peer ids are wanted too; without them `answer.peerIds` keeps what it had. */
  readonly withPeerIds: boolean;
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
  readonly seeders: number;
  readonly leechers: number;
  readonly ipv4Peers: number;
  readonly ipv6Peers: number;
}

/** The peers of all swarms. */
export interface PeerStore {
  /**
   * Records the announcer and fills `answer` with the swarm's counts (the announcer included) and with a uniform
   * random sample of the others: seeds are not drawn for seeds, the announcer is never drawn.
   */
  announce(peer: StoreAnnounce, answer: PeerSample, now: number): AnnounceOutcome;
  /** Counts of a torrent, undefined when nobody is there. */
  counts(infoHash: Uint8Array): ScrapeCounts | undefined;
  /**
   * Removes peers last heard of at or before `before` (ms), at most `limit` of them; says how many.
   * A store may round a peer's time up to the next second, never down.
   */
  expire(before: number, limit: number): number;
  /** When the peer that has been silent longest was last heard of (ms, rounded as above), undefined when empty. */
  readonly oldest: number | undefined;
  readonly totals: StoreTotals;
}
