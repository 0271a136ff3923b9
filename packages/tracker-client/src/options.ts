// What a caller may choose for one announce or scrape, and every default.
import type { IpFamily } from '@shoal/tracker-protocol';
import type { Lookup } from './resolve.ts';
import type { UdpClient } from './udp-client.ts';

export interface TrackerRequestOptions {
  /** Cancels the request; it then rejects with code `aborted`. */
  readonly signal?: AbortSignal | undefined;
  /**
   * Milliseconds for the whole request, redirects included. Default 30,000 for HTTP, libtorrent's
   * `tracker_completion_timeout`; for UDP the retransmission schedule decides unless this is given.
   */
  readonly timeoutMs?: number | undefined;
  /** Ask over this address family only: announce once per family one listens on (BEP 7, 15). Default: any. */
  readonly family?: IpFamily | undefined;
  /** Local address to send from; implies its family. Default: the system's choice. */
  readonly localAddress?: string | undefined;
  /** `User-Agent`. Private sites want one of at most 64 characters. Default `Shoal/0.1`. */
  readonly userAgent?: string | undefined;
  /** Certificates (PEM) to trust instead of the well-known authorities. */
  readonly ca?: string | readonly string[] | undefined;
  /** Seconds; shorter intervals are raised to it. Default 60. */
  readonly minimumInterval?: number | undefined;
  /** Resolves host names. Default: the system's resolver, `dns.lookup`. */
  readonly lookup?: Lookup | undefined;
  /** Keeps sockets and connection ids between UDP requests. Default: one that lives for the request. */
  readonly udp?: UdpClient | undefined;
}

export const defaults = {
  timeoutMs: 30_000,
  userAgent: 'Shoal/0.1',
  /** A peer list of 2 MiB would hold 350,000 peers; rain and libtorrent stop at 1 to 4 MiB. */
  bodyLimitBytes: 2_097_152,
  /** Node's own limit is 16 KiB; trackers behind content networks were seen with more. */
  headerLimitBytes: 65_536,
  /** As libtorrent. */
  redirects: 5,
  /** Goodbyes must not hold up the end of a program: libtorrent's `stop_tracker_timeout`. */
  stopTimeoutMs: 5_000,
  /** Trackers of one torrent that are ever asked. */
  maximumTrackers: 100,
  /** After each of these without an answer a datagram is sent again; after the last the tracker counts as silent. */
  retransmitMs: [5_000, 10_000, 15_000],
} as const;

/** The schedule of BEP 15 to the letter: 15·2^n s, n from 0 to 8; over two hours. */
export const bep15RetransmitMs: readonly number[] = Array.from({ length: 9 }, (_, n) => 15_000 * 2 ** n);
