// What transports call: somebody who answers announces and scrapes, at once from memory or later from elsewhere.
// Knows no transport. A callback and not a promise, which would cost as much as the announce itself.
import type { PackedReply, Tracker } from '@shoal/tracker';
import type { AnnounceFailure, AnnounceRequest, ScrapeCounts } from '@shoal/tracker-protocol';
import type { SharedSignalling } from './shared-service-signalling.ts';

/** Which peers an answer can carry. */
export interface PeersWanted {
  /** `own`: only peers of the announcer's address family, as over UDP (BEP 15). */
  readonly families: 'own' | 'both';
  /** Whether peer ids are needed, as in dictionary lists (BEP 3). */
  readonly withPeerIds: boolean;
}

/** Takes the answer to an announce. The `sample` in it is valid until this returns. */
export type AnnounceDone = (reply: PackedReply | AnnounceFailure) => void;

/** Takes the counts of a scrape, in the order asked; undefined where nobody is or the torrent is not served. */
export type ScrapeDone = (counts: readonly (ScrapeCounts | undefined)[] | AnnounceFailure) => void;

/** Answers announces and scrapes. */
export interface SwarmService {
  /** Where WebTorrent peers of several nodes meet; undefined where there is one node. */
  readonly signalling?: SharedSignalling | undefined;
  /**
   * Calls `done` exactly once, before it returns where peers are in memory. `request` and `address` (4 or 16 bytes,
   * canonical) are the caller's and change after the call: who answers later copies what it still needs.
   */
  announce(request: AnnounceRequest, address: Uint8Array, wanted: PeersWanted, now: number, done: AnnounceDone): void;
  /** Calls `done` exactly once; the hashes are valid as long as the request of an announce. */
  scrape(infoHashes: readonly Uint8Array[], now: number, done: ScrapeDone): void;
}

/** The service of a tracker in this very thread: every answer is there before the call returns. */
export function localService(tracker: Tracker): SwarmService {
  return {
    announce(request, address, { families, withPeerIds }, now, done): void {
      done(tracker.announcePacked(request, address, families, withPeerIds, now));
    },
    scrape(infoHashes, now, done): void {
      done(tracker.scrape(infoHashes, now));
    },
  };
}
