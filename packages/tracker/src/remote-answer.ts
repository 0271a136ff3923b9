// What a store that several trackers share is told and says where it is more than a `PeerStore` in memory is: answers as
// plain values, and WebTorrent peers, which are drawn there from those of all nodes.
import type { AnnounceOutcome } from './peer-store.ts';

/** What a store elsewhere says to an announce. */
export interface RemoteAnswer {
  readonly outcome: AnnounceOutcome;
  /** Participants, WebTorrent peers among them: one with two addresses counts once. */
  readonly seeders: number;
  /** All others, partial seeds too. */
  readonly leechers: number;
  /** Partial seeds (BEP 21). */
  readonly partialSeeds: number;
  readonly completed: number;
  /** Of seeders and leechers, WebTorrent peers. */
  readonly signalled: number;
  /** As in a `PeerSample`: what to ask with for the peers that join from now on, or 0. */
  readonly mark: number;
  /** Records of 6 bytes (BEP 23), in random order. */
  readonly ipv4: Uint8Array;
  /** Records of 18 bytes (BEP 7), in random order. */
  readonly ipv6: Uint8Array;
  /** The peer ids of `ipv4`, 20 bytes each, where they were wanted and are kept; else nothing. */
  readonly ipv4Ids: Uint8Array;
  /** Those of `ipv6`. */
  readonly ipv6Ids: Uint8Array;
}

/** A WebTorrent peer that announces, as a store elsewhere sees it. */
export interface RemoteMember {
  /** 20 bytes. */
  readonly infoHash: Uint8Array;
  /** Its name among all nodes, of `encodeMemberName`. */
  readonly name: Uint8Array;
  readonly seeding: boolean;
  /** Whether it says goodbye, and nobody is drawn for it. */
  readonly leaving: boolean;
  /** Most members to draw. */
  readonly want: number;
  /** After so many ms it does not count any more, unless it announces again; rounded up to seconds. */
  readonly lifetimeMs: number;
}

/** What a store elsewhere says to it. */
export interface RemoteMemberAnswer {
  /** Everybody in the torrent, the announcer and peers that can be dialled among them. */
  readonly seeders: number;
  readonly leechers: number;
  readonly completed: number;
  /** Names of members drawn from all nodes, packed and in random order: any for a leecher, leechers for a seed, never the announcer. */
  readonly drawn: Uint8Array;
}

/**
 * What became of signals handed to another node. `gone`: nobody there has read for seconds. `full`: more waits there than
 * may wait, so they are lost, but the node lives.
 */
export type SignalHandover = 'taken' | 'full' | 'gone';
