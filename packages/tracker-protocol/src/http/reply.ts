// The bencoded answer to an HTTP announce, both ends. Writes sorted keys and always `peers`; reads what real
// trackers send: unsorted keys, truncated lists, missing intervals. BEP 3, 7, 21, 23, 24, 31.
import { latin1, utf8 } from '@shoal/bencode';
import type { BencodeDictionary, BencodeValue } from '@shoal/bencode';
import { canonicalIp, formatIp, parseIp } from '../addresses.ts';
import { decodeCompactPeers, encodeCompactPeers } from '../compact-peers.ts';
import type { CompactPeerList } from '../compact-peers.ts';
import { TrackerProtocolError } from '../errors.ts';
import type { AnnounceFailure, AnnounceReply, NamedPeer, TrackedPeer } from '../types.ts';
import { type CompactRecords, compactReplyHeadLimit, writeCompactReply } from './compact-reply.ts';
import { concat, decodeDictionary, failureOf, numberOf, textBytes } from './dictionary.ts';

/** Peers already packed: 6-byte and 18-byte records. What a tracker that stores bytes hands over without copying. */
export interface PackedPeers {
  readonly v4: Uint8Array;
  readonly v6: Uint8Array;
}

/** An announce answer to be written: peers as objects, or packed. */
export interface AnnounceReplyInput extends Omit<
  AnnounceReply,
  'peers' | 'namedPeers' | 'skippedPeers' | 'externalIp'
> {
  readonly peers: readonly TrackedPeer[] | PackedPeers;
  /** The client's address (BEP 24) as text, or as its 4 or 16 bytes. */
  readonly externalIp?: string | Uint8Array | undefined;
}

export interface ReplyFormat {
  /** Compact lists (BEP 23) or a list of dictionaries. Default true. */
  readonly compact?: boolean | undefined;
  /** Leave `peer id` out of dictionaries. Default false. */
  readonly noPeerId?: boolean | undefined;
}

export interface DecodeReplyOptions {
  /** Seconds; a shorter interval is raised to it. Default 60. */
  readonly minimumInterval?: number;
  /** Seconds; a longer interval is lowered to it. Default 86,400. */
  readonly maximumInterval?: number;
  /** Peers read per family; the rest is ignored. Default 2,000: trackers send at most 200. */
  readonly maximumPeers?: number;
}

export const replyDefaults = {
  /** Taken when a tracker gives no interval: what most trackers use. Seconds. */
  interval: 1_800,
  minimumInterval: 60,
  maximumInterval: 86_400,
  maximumPeers: 2_000,
} as const;

/** The body of an answer. Keys sorted; `peers` always there, `peers6` only when it has any (older clients choke). */
export function encodeAnnounceReply(reply: AnnounceReplyInput, format: ReplyFormat = {}): Uint8Array {
  const external = typeof reply.externalIp === 'string' ? parseIp(reply.externalIp) : reply.externalIp;
  const { peers } = reply;
  const plain = format.compact !== false && reply.warning === undefined;
  if (plain && isPacked(peers) && fits(reply.trackerId, peers)) {
    const end = writeCompactReply(scratch, 0, reply, external, listOf(peers.v4), listOf(peers.v6));
    return scratch.slice(0, end);
  }
  const parts: (string | Uint8Array)[] = ['d'];
  if (reply.complete !== undefined) parts.push(`8:completei${reply.complete}e`);
  if (reply.downloaded !== undefined) parts.push(`10:downloadedi${reply.downloaded}e`);
  if (reply.downloaders !== undefined) parts.push(`11:downloadersi${reply.downloaders}e`);
  if (external) parts.push(`11:external ip${external.length}:`, external);
  if (reply.incomplete !== undefined) parts.push(`10:incompletei${reply.incomplete}e`);
  parts.push(`8:intervali${reply.interval}e`);
  if (reply.last !== undefined) parts.push(`4:lasti${reply.last}e`);
  if (reply.minInterval !== undefined) parts.push(`12:min intervali${reply.minInterval}e`);
  if (reply.numPeers !== undefined) parts.push(`9:num peersi${reply.numPeers}e`);
  if (format.compact === false) pushDictionaries(parts, reply.peers, format.noPeerId ?? false);
  else pushCompact(parts, reply.peers);
  if (reply.trackerId !== undefined) parts.push(`10:tracker id${reply.trackerId.length}:${reply.trackerId}`);
  if (reply.warning !== undefined) {
    const warning = textBytes(reply.warning);
    parts.push(`15:warning message${warning.length}:`, warning);
  }
  parts.push('e');
  return concat(parts);
}

/** The body of a refusal, to be sent with HTTP status 200: several clients hide the reason of any other. */
export function encodeAnnounceFailure(failure: AnnounceFailure): Uint8Array {
  const reason = textBytes(failure.failureReason);
  const parts: (string | Uint8Array)[] = [`d14:failure reason${reason.length}:`, reason];
  if (failure.interval !== undefined) parts.push(`8:intervali${failure.interval}e`);
  if (failure.retryIn !== undefined) {
    parts.push(failure.retryIn === 'never' ? '8:retry in5:never' : `8:retry ini${failure.retryIn}e`);
  }
  parts.push('e');
  return concat(parts);
}

/**
 * Reads the body of an answer; a failure reason wins over everything else in it.
 * @throws TrackerProtocolError malformed-reply, malformed-peers (a list of which no entry is usable)
 */
export function decodeAnnounceReply(
  body: Uint8Array,
  options: DecodeReplyOptions = {},
): AnnounceReply | AnnounceFailure {
  const dictionary = decodeDictionary(body);
  const failure = failureOf(dictionary);
  if (failure) return failure;
  const limit = options.maximumPeers ?? replyDefaults.maximumPeers;
  const { peers, namedPeers, skipped } = readPeers(dictionary, limit);
  const minInterval = numberOf(dictionary.get('min interval'));
  const trackerId = dictionary.get('tracker id');
  const warning = dictionary.get('warning message');
  return {
    interval: clampInterval(numberOf(dictionary.get('interval')), options),
    minInterval: minInterval === undefined ? undefined : Math.min(minInterval, maximumOf(options)),
    complete: numberOf(dictionary.get('complete')),
    incomplete: numberOf(dictionary.get('incomplete')),
    downloaded: numberOf(dictionary.get('downloaded')),
    downloaders: numberOf(dictionary.get('downloaders')),
    last: numberOf(dictionary.get('last')),
    numPeers: numberOf(dictionary.get('num peers')),
    peers,
    namedPeers: namedPeers.length > 0 ? namedPeers : undefined,
    skippedPeers: skipped > 0 ? skipped : undefined,
    trackerId: trackerId instanceof Uint8Array ? latin1(trackerId) : undefined,
    warning: warning instanceof Uint8Array ? utf8(warning) : undefined,
    externalIp: externalIpOf(dictionary.get('external ip')),
  };
}

/** An interval in seconds held within the options' bounds; the default where a tracker gave none. */
export function clampInterval(seconds: number | undefined, options: DecodeReplyOptions = {}): number {
  const wanted = seconds === undefined || seconds <= 0 ? replyDefaults.interval : seconds;
  return Math.min(Math.max(wanted, options.minimumInterval ?? replyDefaults.minimumInterval), maximumOf(options));
}

function maximumOf(options: DecodeReplyOptions): number {
  return options.maximumInterval ?? replyDefaults.maximumInterval;
}

function pushCompact(parts: (string | Uint8Array)[], peers: AnnounceReplyInput['peers']): void {
  const { v4, v6 } = isPacked(peers) ? peers : { v4: encodeCompactPeers(peers, 4), v6: encodeCompactPeers(peers, 6) };
  parts.push(`5:peers${v4.length}:`, v4);
  if (v6.length > 0) parts.push(`6:peers6${v6.length}:`, v6);
}

function pushDictionaries(parts: (string | Uint8Array)[], peers: AnnounceReplyInput['peers'], noPeerId: boolean): void {
  parts.push('5:peersl');
  for (const { ip, port, peerId } of isPacked(peers) ? unpack(peers) : peers) {
    parts.push(`d2:ip${ip.length}:${ip}`);
    if (peerId && !noPeerId) parts.push(`7:peer id${peerId.length}:`, peerId);
    parts.push(`4:porti${port}ee`);
  }
  parts.push('e');
}

function unpack({ v4, v6 }: PackedPeers): TrackedPeer[] {
  return [...decodeCompactPeers(v4, 4, Infinity).peers, ...decodeCompactPeers(v6, 6, Infinity).peers];
}

function fits(trackerId: string | undefined, { v4, v6 }: PackedPeers): boolean {
  const isShort = trackerId === undefined || trackerId.length <= 100;
  return isShort && v4.length <= listLimit && v6.length <= listLimit;
}

function listOf(records: Uint8Array): CompactRecords {
  return { records, count: records.length, stride: 1 };
}

/** Longest list of a family that is written at once: four times what one answer has. Longer ones are joined from parts. */
const listLimit = 8192;

/** Nothing survives between two calls. */
const scratch = new Uint8Array(2 * listLimit + compactReplyHeadLimit);

function isPacked(peers: AnnounceReplyInput['peers']): peers is PackedPeers {
  return 'v4' in peers;
}

interface PeerLists {
  readonly peers: readonly TrackedPeer[];
  readonly namedPeers: readonly NamedPeer[];
  readonly skipped: number;
}

function readPeers(dictionary: BencodeDictionary, limit: number): PeerLists {
  const listed = dictionary.get('peers');
  const packed = dictionary.get('peers6');
  const six: CompactPeerList =
    packed instanceof Uint8Array ? decodeCompactPeers(packed, 6, limit) : { peers: [], skipped: 0 };
  if (Array.isArray(listed)) {
    const rich = readDictionaries(listed, limit);
    return { ...rich, peers: [...rich.peers, ...six.peers], skipped: rich.skipped + six.skipped };
  }
  // A missing list is normal in the answer to `stopped`.
  const four: CompactPeerList =
    listed instanceof Uint8Array ? decodeCompactPeers(listed, 4, limit) : { peers: [], skipped: 0 };
  return { peers: [...four.peers, ...six.peers], namedPeers: [], skipped: four.skipped + six.skipped };
}

function readDictionaries(list: readonly BencodeValue[], limit: number): PeerLists {
  const peers: TrackedPeer[] = [];
  const namedPeers: NamedPeer[] = [];
  let skipped = 0;
  for (const entry of list.slice(0, limit)) if (!readDictionary(entry, peers, namedPeers)) skipped++;
  if (skipped > 0 && peers.length + namedPeers.length === 0) {
    throw new TrackerProtocolError('malformed-peers', 'No entry of the peer list is usable');
  }
  return { peers, namedPeers, skipped };
}

function readDictionary(entry: BencodeValue, peers: TrackedPeer[], namedPeers: NamedPeer[]): boolean {
  if (!(entry instanceof Map)) return false;
  const [address, port, id] = [entry.get('ip'), portOf(entry.get('port')), entry.get('peer id')];
  if (!(address instanceof Uint8Array) || port === undefined) return false;
  // A copy: the body need not stay in memory. (`slice` of a Node Buffer would be a view.)
  const peerId = id instanceof Uint8Array && id.length === 20 ? new Uint8Array(id) : undefined;
  const text = latin1(address);
  const ip = canonicalIp(text.replace(/^\[(.*)\]$/, '$1'));
  if (ip !== undefined) peers.push({ ip, port, peerId });
  else if (hostName.test(text)) namedPeers.push({ host: text, port, peerId });
  else return false;
  return true;
}

// Some trackers write the port as text, as the founding exchange shows it.
function portOf(value: BencodeValue | undefined): number | undefined {
  const port = value instanceof Uint8Array && /^\d{1,5}$/.test(latin1(value)) ? Number(latin1(value)) : value;
  return typeof port === 'number' && port > 0 && port <= 65_535 ? port : undefined;
}

function externalIpOf(value: BencodeValue | undefined): string | undefined {
  if (!(value instanceof Uint8Array)) return undefined;
  // BEP 24 says bytes. Some trackers send text, which may have 16 characters but never 4.
  const text = value.length === 4 ? undefined : canonicalIp(latin1(value));
  return text ?? (value.length === 4 || value.length === 16 ? formatIp(value) : undefined);
}

// RFC 1123, and underscores as they occur; an all-digit top label would be a broken address.
const hostName = /^(?=.{1,253}$)(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.)*[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?\.?$/i;
