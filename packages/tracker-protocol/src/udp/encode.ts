// Writes UDP tracker packets, both ends, into a buffer of the caller's and returns their length: a server reuses one
// buffer for every answer. Throws RangeError when the buffer is too small. BEP 15, 41.
import type { AnnounceRequest, ScrapeCounts } from '../types.ts';
import { unknownLeft } from '../http/query.ts';
import { keyNumber } from '../participant-key.ts';
import { udpAction, udpLimits, udpProtocolId } from './packets.ts';
import type { UdpAnnounceReplyHead, UdpConnectionId } from './packets.ts';
import { urlDataLength, writeUrlData } from './url-data.ts';

/** Client → tracker, 16 bytes. */
export function encodeUdpConnectRequest(target: Uint8Array, transactionId: number): number {
  return writeHead(target, udpLimits.requestBytes, udpProtocolId, udpAction.connect, transactionId);
}

/**
 * Client → tracker, 98 bytes and the options. `urlData` is path and query of the announce URL (BEP 41), Latin-1.
 * The address field stays 0: trackers must not believe it.
 */
export function encodeUdpAnnounceRequest(
  target: Uint8Array,
  transactionId: number,
  connectionId: UdpConnectionId,
  request: AnnounceRequest,
  urlData = '',
): number {
  const { infoHash, peerId } = request;
  if (infoHash.length !== 20 || peerId.length !== 20) throw new RangeError('Info-hash and peer id have 20 bytes');
  const length = udpLimits.announceBytes + urlDataLength(urlData);
  writeHead(target, length, connectionId, udpAction.announce, transactionId);
  target.set(infoHash, 16);
  target.set(peerId, 36);
  write64(target, 56, request.downloaded);
  write64(target, 64, request.left ?? unknownLeft);
  write64(target, 72, request.uploaded);
  write32(target, 80, eventNumbers[request.event]);
  write32(target, 84, 0);
  write32(target, 88, request.key === undefined ? 0 : keyNumber(request.key));
  write32(target, 92, request.numWant ?? 0xffff_ffff);
  target[96] = request.port >> 8;
  target[97] = request.port & 0xff;
  return writeUrlData(target, udpLimits.announceBytes, urlData);
}

/** Client → tracker. @throws RangeError for more than 74 hashes */
export function encodeUdpScrapeRequest(
  target: Uint8Array,
  transactionId: number,
  connectionId: UdpConnectionId,
  infoHashes: readonly Uint8Array[],
): number {
  if (infoHashes.length > udpLimits.scrapeHashes) throw new RangeError('A UDP scrape has at most 74 info-hashes');
  const length = 16 + 20 * infoHashes.length;
  writeHead(target, length, connectionId, udpAction.scrape, transactionId);
  for (const [index, infoHash] of infoHashes.entries()) {
    if (infoHash.length !== 20) throw new RangeError('An info-hash has 20 bytes');
    target.set(infoHash, 16 + 20 * index);
  }
  return length;
}

/** Tracker → client, 16 bytes. */
export function encodeUdpConnectReply(
  target: Uint8Array,
  transactionId: number,
  connectionId: UdpConnectionId,
): number {
  writeReplyHead(target, 16, udpAction.connect, transactionId);
  write32(target, 8, connectionId.high);
  write32(target, 12, connectionId.low);
  return 16;
}

/** Tracker → client: `packedPeers` are 6-byte records on an IPv4 socket, 18-byte records on an IPv6 socket. */
export function encodeUdpAnnounceReply(
  target: Uint8Array,
  transactionId: number,
  head: UdpAnnounceReplyHead,
  packedPeers: Uint8Array,
): number {
  const length = udpLimits.announceReplyBytes + packedPeers.length;
  writeReplyHead(target, length, udpAction.announce, transactionId);
  write32(target, 8, head.interval);
  write32(target, 12, head.leechers);
  write32(target, 16, head.seeders);
  target.set(packedPeers, udpLimits.announceReplyBytes);
  return length;
}

/** Tracker → client: one entry per hash asked, in that order; zeros for an unknown torrent keep the positions. */
export function encodeUdpScrapeReply(
  target: Uint8Array,
  transactionId: number,
  counts: readonly ScrapeCounts[],
): number {
  const length = 8 + 12 * counts.length;
  writeReplyHead(target, length, udpAction.scrape, transactionId);
  for (const [index, count] of counts.entries()) {
    write32(target, 8 + 12 * index, count.complete);
    write32(target, 12 + 12 * index, count.downloaded);
    write32(target, 16 + 12 * index, count.incomplete);
  }
  return length;
}

/** Tracker → client. The message is cut at the buffer's end. */
export function encodeUdpError(target: Uint8Array, transactionId: number, message: string): number {
  const text = new TextEncoder().encode(message).subarray(0, Math.max(0, target.length - 8));
  writeReplyHead(target, 8 + text.length, udpAction.error, transactionId);
  target.set(text, 8);
  return 8 + text.length;
}

function writeHead(
  target: Uint8Array,
  length: number,
  id: UdpConnectionId,
  action: number,
  transactionId: number,
): number {
  requireRoom(target, length);
  write32(target, 0, id.high);
  write32(target, 4, id.low);
  write32(target, 8, action);
  write32(target, 12, transactionId);
  return length;
}

function writeReplyHead(target: Uint8Array, length: number, action: number, transactionId: number): void {
  requireRoom(target, length);
  write32(target, 0, action);
  write32(target, 4, transactionId);
}

function requireRoom(target: Uint8Array, length: number): void {
  if (target.length < length) throw new RangeError(`The packet has ${length} bytes, the buffer ${target.length}`);
}

function write64(target: Uint8Array, at: number, value: number): void {
  if (!Number.isSafeInteger(value) || value < 0) throw new RangeError(`Not a number of bytes: ${value}`);
  write32(target, at, Math.floor(value / 0x1_0000_0000));
  write32(target, at + 4, value);
}

function write32(target: Uint8Array, at: number, value: number): void {
  target[at] = value >>> 24;
  target[at + 1] = value >>> 16;
  target[at + 2] = value >>> 8;
  target[at + 3] = value;
}

const eventNumbers = { none: 0, completed: 1, started: 2, stopped: 3, paused: 4 } as const;
