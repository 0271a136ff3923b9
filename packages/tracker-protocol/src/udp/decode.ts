// Reads UDP tracker packets, both ends, straight from the datagram's bytes. Never throws: undefined means "drop it
// in silence", which is the only safe answer to what may be spoofed. BEP 15, 41.
import { utf8 } from '@shoal/bencode';
import { formatIp } from '../addresses.ts';
import { decodeCompactPeers } from '../compact-peers.ts';
import { clampInterval, replyDefaults } from '../http/reply.ts';
import type { DecodeReplyOptions } from '../http/reply.ts';
import type { AnnounceEvent, IpFamily, ScrapeCounts } from '../types.ts';
import { udpAction, udpLimits, udpProtocolId } from './packets.ts';
import type { UdpAnnounceRequest, UdpConnectionId, UdpReply, UdpRequest, UdpScrapeRequest } from './packets.ts';
import { readUrlData } from './url-data.ts';

/** Where a server has hash and id of every announce put: two views of each datagram would cost as much as the rest of it. */
export interface UdpRequestBytes {
  /** 20 bytes each. */
  readonly infoHash: Uint8Array;
  readonly peerId: Uint8Array;
}

/**
 * Reads a datagram sent to a tracker; undefined when it is too short, or a connect without the protocol's constant.
 * Hashes and ids in the result are views: valid as long as the datagram's memory is. Given `into`, those of an announce
 * are copied there, and valid until the next one is.
 */
export function decodeUdpRequest(bytes: Uint8Array, into?: UdpRequestBytes): UdpRequest | undefined {
  if (bytes.length < udpLimits.requestBytes) return undefined;
  const action = read32(bytes, 8);
  const transactionId = read32(bytes, 12);
  const connectionId = { high: read32(bytes, 0), low: read32(bytes, 4) };
  switch (action) {
    case udpAction.connect:
      if (connectionId.high !== udpProtocolId.high || connectionId.low !== udpProtocolId.low) return undefined;
      return { action: 'connect', transactionId };
    case udpAction.announce:
      return bytes.length < udpLimits.announceBytes
        ? undefined
        : readAnnounce(bytes, transactionId, connectionId, into);
    case udpAction.scrape:
      return readScrape(bytes, transactionId, connectionId);
    default:
      return { action: 'unknown', transactionId, connectionId };
  }
}

/** The transaction id of a reply, to be compared before anything else is read; undefined when it is too short. */
export function udpTransactionId(bytes: Uint8Array): number | undefined {
  return bytes.length < 8 ? undefined : read32(bytes, 4);
}

/**
 * Reads a datagram that a tracker sent over a socket of `family`, which decides the size of a peer record.
 * Undefined when it is too short for its action or the action is unknown.
 */
export function decodeUdpReply(
  bytes: Uint8Array,
  family: IpFamily,
  options: DecodeReplyOptions = {},
): UdpReply | undefined {
  const transactionId = udpTransactionId(bytes);
  if (transactionId === undefined) return undefined;
  switch (read32(bytes, 0)) {
    case udpAction.connect:
      if (bytes.length < 16) return undefined;
      return { action: 'connect', transactionId, connectionId: { high: read32(bytes, 8), low: read32(bytes, 12) } };
    case udpAction.announce:
      return readAnnounceReply(bytes, transactionId, family, options);
    case udpAction.scrape:
      return { action: 'scrape', transactionId, counts: readCounts(bytes) };
    case udpAction.error:
      return { action: 'error', transactionId, message: utf8(bytes.subarray(8, 8 + messageLimit)).replace(/\0+$/, '') };
    default:
      return undefined;
  }
}

function readAnnounce(
  bytes: Uint8Array,
  transactionId: number,
  connectionId: UdpConnectionId,
  into: UdpRequestBytes | undefined,
): UdpAnnounceRequest {
  const numWant = read32(bytes, 92);
  const claimed = read32(bytes, 84);
  return {
    action: 'announce',
    transactionId,
    connectionId,
    request: {
      infoHash: into === undefined ? view(bytes, 16) : copied(bytes, 16, into.infoHash),
      peerId: into === undefined ? view(bytes, 36) : copied(bytes, 36, into.peerId),
      downloaded: readCounter(bytes, 56) ?? 0,
      left: readCounter(bytes, 64),
      uploaded: readCounter(bytes, 72) ?? 0,
      event: events[read32(bytes, 80)] ?? 'none',
      ip: claimed === 0 ? undefined : formatIp(bytes, 84, 4),
      // A field of zeros is what those send who have no key.
      key: read32(bytes, 88) || undefined,
      // −1 is BEP 15's default; every other negative number means the same to the clients that send one.
      numWant: numWant > 0x7fff_ffff ? undefined : numWant,
      port: (bytes[96]! << 8) | bytes[97]!,
      compact: true,
    },
    urlData: bytes.length > udpLimits.announceBytes ? readUrlData(bytes, udpLimits.announceBytes) : undefined,
  };
}

function readScrape(bytes: Uint8Array, transactionId: number, connectionId: UdpConnectionId): UdpScrapeRequest {
  const count = Math.min(Math.floor((bytes.length - 16) / 20), udpLimits.scrapeHashes);
  const infoHashes: Uint8Array[] = [];
  for (let index = 0; index < count; index++) infoHashes.push(view(bytes, 16 + 20 * index));
  return { action: 'scrape', transactionId, connectionId, infoHashes };
}

function readAnnounceReply(
  bytes: Uint8Array,
  transactionId: number,
  family: IpFamily,
  options: DecodeReplyOptions,
): UdpReply | undefined {
  const start = udpLimits.announceReplyBytes;
  if (bytes.length < start) return undefined;
  const { peers, skipped } = decodeCompactPeers(
    bytes,
    family,
    options.maximumPeers ?? replyDefaults.maximumPeers,
    start,
  );
  const reply = {
    interval: clampInterval(read32(bytes, 8), options),
    incomplete: read32(bytes, 12),
    complete: read32(bytes, 16),
    peers,
    skippedPeers: skipped > 0 ? skipped : undefined,
  };
  return { action: 'announce', transactionId, reply };
}

function readCounts(bytes: Uint8Array): ScrapeCounts[] {
  const counts: ScrapeCounts[] = [];
  for (let at = 8; at + 12 <= bytes.length && counts.length < udpLimits.scrapeHashes; at += 12) {
    counts.push({ complete: read32(bytes, at), downloaded: read32(bytes, at + 4), incomplete: read32(bytes, at + 8) });
  }
  return counts;
}

// Twenty bytes as a plain Uint8Array even when the datagram is a Node Buffer, whose `slice` does not copy.
function view(bytes: Uint8Array, at: number): Uint8Array {
  return new Uint8Array(bytes.buffer, bytes.byteOffset + at, 20);
}

// A loop: for 20 bytes it is faster than a view and a copy.
function copied(bytes: Uint8Array, at: number, into: Uint8Array): Uint8Array {
  for (let byte = 0; byte < 20; byte++) into[byte] = bytes[at + byte]!;
  return into;
}

/** A signed 64-bit counter: undefined when negative, clamped to 2^53 − 1. */
function readCounter(bytes: Uint8Array, at: number): number | undefined {
  const high = read32(bytes, at);
  if (high > 0x7fff_ffff) return undefined;
  return high > 0x1f_ffff ? Number.MAX_SAFE_INTEGER : high * 0x1_0000_0000 + read32(bytes, at + 4);
}

function read32(bytes: Uint8Array, at: number): number {
  return ((bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!) >>> 0;
}

// BEP 15, and 4 for BEP 21's `paused`.
const events: readonly AnnounceEvent[] = ['none', 'completed', 'started', 'stopped', 'paused'];
// Shown to a person; the rest of a 64 KiB datagram is not.
const messageLimit = 1_000;
