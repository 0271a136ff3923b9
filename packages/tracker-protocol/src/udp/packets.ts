// The packets of the UDP tracker protocol as values, and the numbers that mean something in them. BEP 15, 41.
// Connection ids are two 32-bit halves: no bigint on a path that serves a hundred thousand datagrams a second.
import type { AnnounceReply, AnnounceRequest, ScrapeCounts } from '../types.ts';

/** The constant 0x41727101980 that opens a connect request, in two halves. */
export const udpProtocolId = { high: 0x417, low: 0x2710_1980 } as const;

export const udpAction = { connect: 0, announce: 1, scrape: 2, error: 3 } as const;

export const udpLimits = {
  /** Any request. */
  requestBytes: 16,
  /** An announce without options. */
  announceBytes: 98,
  /** Hashes in one scrape (BEP 15); the reply then has 896 bytes. */
  scrapeHashes: 74,
  /** An announce reply before its peers. */
  announceReplyBytes: 20,
  /** A reply payload that is never fragmented on its way: opentracker's bound. 196 IPv4 or 65 IPv6 peers. */
  replyBytes: 1_200,
} as const;

/** Identifies a UDP "connection": the eight bytes the tracker gave, in two unsigned halves. */
export interface UdpConnectionId {
  readonly high: number;
  readonly low: number;
}

export interface UdpConnectRequest {
  readonly action: 'connect';
  readonly transactionId: number;
}

export interface UdpAnnounceRequest {
  readonly action: 'announce';
  readonly transactionId: number;
  readonly connectionId: UdpConnectionId;
  /** `infoHash` and `peerId` are views into the datagram; `ip` is undefined unless the client filled the field. */
  readonly request: AnnounceRequest;
  /** BEP 41: path and query of the announce URL, Latin-1; undefined when the packet has no options. */
  readonly urlData: string | undefined;
}

export interface UdpScrapeRequest {
  readonly action: 'scrape';
  readonly transactionId: number;
  readonly connectionId: UdpConnectionId;
  /** Views into the datagram, at most 74, in the order asked. */
  readonly infoHashes: readonly Uint8Array[];
}

/** An action that BEP 15 does not know: answer with an error, once the connection id has been checked. */
export interface UdpUnknownRequest {
  readonly action: 'unknown';
  readonly transactionId: number;
  readonly connectionId: UdpConnectionId;
}

export type UdpRequest = UdpConnectRequest | UdpAnnounceRequest | UdpScrapeRequest | UdpUnknownRequest;

export type UdpReply =
  | { readonly action: 'connect'; readonly transactionId: number; readonly connectionId: UdpConnectionId }
  | { readonly action: 'announce'; readonly transactionId: number; readonly reply: AnnounceReply }
  | { readonly action: 'scrape'; readonly transactionId: number; readonly counts: readonly ScrapeCounts[] }
  | { readonly action: 'error'; readonly transactionId: number; readonly message: string };

/** The head of an announce reply. */
export interface UdpAnnounceReplyHead {
  /** Seconds. */
  readonly interval: number;
  readonly leechers: number;
  readonly seeders: number;
}
