// What a tracker asks of its policy: who is refused and why, how many peers are given, when to come back.
// Plain facts in, a decision out; the operator's lists and rates live behind it and may change between two calls.
import type { AnnounceRequest } from '@shoal/tracker-protocol';

/** Why an announce or scrape was refused: the label under which it is counted. */
export type RefusalCode =
  | 'torrent-not-served'
  | 'torrent-denied'
  | 'client-denied'
  | 'address-banned'
  | 'address-not-served'
  | 'address-private'
  | 'address-unreachable'
  | 'port-unreachable'
  | 'too-often'
  | 'not-connectable'
  | 'source-unknown'
  | 'store-unavailable';

/** A refusal, in words that the person at the client understands. */
export interface Refusal {
  readonly code: RefusalCode;
  /** Sent as the failure reason; names nothing that the client did not send. */
  readonly message: string;
  /** BEP 31: minutes to wait, or never ask again. Left out: the usual interval. */
  readonly retryIn?: number | 'never';
  /** Seconds to wait, for the clients that know only that. Left out: the usual interval. */
  readonly interval?: number;
}

/** Decides over announces. Called once per announce, so it allocates only for refusals. */
export interface AnnouncePolicy {
  /** Why this announce is refused; undefined when it is welcome. `address`: 4 or 16 bytes, canonical. */
  refusal(request: AnnounceRequest, address: Uint8Array, now: number): Refusal | undefined;
  /** Which list of its swarm a welcome address is on: `private` peers are given to private ones alone. Left out: `public`. */
  listing?(address: Uint8Array): 'public' | 'private';
  /** Whether the torrent may be scraped. */
  serves(infoHash: Uint8Array): boolean;
  /** Seconds until the next regular announce of a client that asks at `now`. */
  interval(now: number): number;
  /** The longest interval, in seconds, that somebody may still be waiting for: silence up to it says nothing. */
  readonly longestInterval: number;
  /** Seconds before which a client shall not announce again; undefined leaves it out of answers. */
  readonly minInterval: number | undefined;
  /** How many peers to draw for this request. */
  wanted(request: AnnounceRequest, now: number): number;
}
