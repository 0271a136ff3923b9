// The query of an HTTP announce or scrape, both ends. Parses the raw target in one scan: no URL object, no
// percent-decoder that thinks in UTF-8. Knows no passkeys and no policy. BEP 3, 7, 21, 23, 48.
import { formatEndpoint, formatIp, ipFamily, parseEndpoint, parseIp } from '../addresses.ts';
import { TrackerProtocolError } from '../errors.ts';
import { percentDecodeInto, percentDecodeText, percentEncode, percentEncodeText } from '../percent-encoding.ts';
import type { AnnounceEvent, AnnounceRequest, Endpoint } from '../types.ts';

export interface ParseAnnounceOptions {
  /** Refuse a `left` that is negative or no number instead of treating it as unknown. Default false. */
  readonly strictLeft?: boolean;
}

export interface ParseScrapeOptions {
  /** More distinct hashes than this are refused. Default 74, what one UDP scrape can carry (BEP 15). */
  readonly maxInfoHashes?: number;
}

/** What is announced as missing while a magnet link has no metadata yet: any non-zero value says "leecher". */
export const unknownLeft = 16_384;

/**
 * The query of an announce, without the question mark. Parameters in the order of the oldest clients.
 * @throws RangeError when the request is not one: info-hash or peer id not 20 bytes, port or counters out of range
 */
export function encodeAnnounceQuery(request: AnnounceRequest): string {
  const { infoHash, peerId } = request;
  if (infoHash.length !== 20 || peerId.length !== 20) throw new RangeError('Info-hash and peer id have 20 bytes');
  let query = `info_hash=${percentEncode(infoHash)}&peer_id=${percentEncode(peerId)}&port=${natural(request.port, 65_535)}`;
  query += `&uploaded=${natural(request.uploaded)}&downloaded=${natural(request.downloaded)}`;
  query += `&left=${natural(request.left ?? unknownLeft)}`;
  if (request.corrupt !== undefined) query += `&corrupt=${natural(request.corrupt)}`;
  if (request.redundant !== undefined) query += `&redundant=${natural(request.redundant)}`;
  query += request.compact === false ? '&compact=0' : '&compact=1';
  if (request.noPeerId === true) query += '&no_peer_id=1';
  if (request.event !== 'none') query += `&event=${request.event}`;
  if (request.numWant !== undefined) query += `&numwant=${natural(request.numWant)}`;
  if (request.key !== undefined) query += `&key=${percentEncodeText(keyText(request.key))}`;
  if (request.trackerId !== undefined) query += `&trackerid=${percentEncodeText(request.trackerId)}`;
  if (request.last !== undefined) query += `&last=${natural(request.last)}`;
  if (request.ip !== undefined) query += `&ip=${percentEncodeText(request.ip)}`;
  if (request.ipv4 !== undefined) query += `&ipv4=${percentEncodeText(formatEndpoint(request.ipv4))}`;
  if (request.ipv6 !== undefined) query += `&ipv6=${percentEncodeText(formatEndpoint(request.ipv6))}`;
  return query;
}

/** The query of a scrape, without the question mark. Without hashes it is empty: a full scrape. */
export function encodeScrapeQuery(infoHashes: readonly Uint8Array[]): string {
  if (infoHashes.some((hash) => hash.length !== 20)) throw new RangeError('An info-hash has 20 bytes');
  return infoHashes.map((hash) => `info_hash=${percentEncode(hash)}`).join('&');
}

/**
 * Reads the query of an announce: the raw target's text after the first `?`, still percent-encoded.
 * The info-hash and peer id are fresh arrays.
 * @throws TrackerProtocolError with a text to send back: malformed-escape, missing-… or invalid-…, repeated-info-hash
 */
export function parseAnnounceQuery(rawQuery: string, options: ParseAnnounceOptions = {}): AnnounceRequest {
  const draft = emptyDraft();
  forEachParameter(rawQuery, (name, from, to) => readParameter(draft, rawQuery, name, from, to));
  return finish(draft, options.strictLeft ?? false);
}

/**
 * Reads the info-hashes of a scrape, each once, in the order asked; empty for a full scrape.
 * @throws TrackerProtocolError with a text to send back: malformed-escape, invalid-info-hash, too-many-info-hashes
 */
export function parseScrapeQuery(rawQuery: string, options: ParseScrapeOptions = {}): Uint8Array[] {
  const limit = options.maxInfoHashes ?? 74;
  const hashes = new Map<string, Uint8Array>();
  forEachParameter(rawQuery, (name, from, to) => {
    if (name !== 'info_hash') return name === 'passkey';
    const hash = readInfoHash(rawQuery, from, to);
    hashes.set(String.fromCharCode(...hash), hash);
    if (hashes.size > limit) throw new TrackerProtocolError('too-many-info-hashes', 'Too many info_hash parameters');
    return true;
  });
  return [...hashes.values()];
}

interface Draft {
  infoHash: Uint8Array | undefined;
  peerId: Uint8Array | undefined;
  port: number;
  uploaded: number;
  downloaded: number;
  left: number | undefined;
  event: AnnounceEvent;
  numWant: number | undefined;
  compact: boolean | undefined;
  noPeerId: boolean | undefined;
  key: string | undefined;
  trackerId: string | undefined;
  last: number | undefined;
  ip: string | undefined;
  ipv4: string | undefined;
  ipv6: string | undefined;
}

function emptyDraft(): Draft {
  return {
    infoHash: undefined,
    peerId: undefined,
    port: -1,
    uploaded: 0,
    downloaded: 0,
    left: undefined,
    event: 'none',
    numWant: undefined,
    compact: undefined,
    noPeerId: undefined,
    key: undefined,
    trackerId: undefined,
    last: undefined,
    ip: undefined,
    ipv4: undefined,
    ipv6: undefined,
  };
}

/**
 * Calls `read` for every `name=value` with a value. Where `read` does not know the name, a `?` inside the value starts
 * a new query: clients append theirs to a URL that has one (`/announce?passkey=…?info_hash=…`).
 */
function forEachParameter(raw: string, read: (name: string, from: number, to: number) => boolean): void {
  let at = 0;
  let equals = -1;
  let question = -1;
  while (at < raw.length) {
    if (raw.charCodeAt(at) === 0x3f) {
      at++;
      continue;
    }
    let stop = indexOrEnd(raw, '&', at);
    // Both are searched once for each occurrence, so hostile queries stay linear.
    if (equals < at) equals = raw.indexOf('=', at);
    if (equals < 0) return;
    if (equals > at && equals + 1 < stop && !read(parameterName(raw, at, equals), equals + 1, stop)) {
      if (question < equals) question = indexOrEnd(raw, '?', equals);
      stop = Math.min(stop, question);
    }
    at = stop + 1;
  }
}

function indexOrEnd(raw: string, character: string, from: number): number {
  const at = raw.indexOf(character, from);
  return at < 0 ? raw.length : at;
}

function parameterName(raw: string, from: number, to: number): string {
  const name = raw.slice(from, to);
  return name.includes('%') ? percentDecodeText(name, 0, name.length) : name;
}

/** False when the name is not one that a tracker reads. */
function readParameter(draft: Draft, raw: string, name: string, from: number, to: number): boolean {
  switch (name) {
    case 'info_hash':
      if (draft.infoHash) throw new TrackerProtocolError('repeated-info-hash', 'More than one info_hash');
      draft.infoHash = readInfoHash(raw, from, to);
      return true;
    case 'peer_id':
      draft.peerId = readPeerId(raw, from, to);
      return true;
    case 'port':
      draft.port = readPort(raw, from, to);
      return true;
    case 'uploaded':
      draft.uploaded = readCounter(raw, from, to);
      return true;
    case 'downloaded':
      draft.downloaded = readCounter(raw, from, to);
      return true;
    case 'left':
      draft.left = readInteger(raw, from, to);
      return true;
    case 'event':
      draft.event = readEvent(raw.slice(from, to));
      return true;
    case 'numwant':
    case 'num want':
    case 'num+want':
      draft.numWant = nonNegative(readInteger(raw, from, to));
      return true;
    case 'last':
      draft.last = nonNegative(readInteger(raw, from, to));
      return true;
    case 'compact':
      draft.compact = raw.charCodeAt(from) !== 0x30;
      return true;
    case 'no_peer_id':
      draft.noPeerId = raw.charCodeAt(from) !== 0x30;
      return true;
    default:
      return readText(draft, raw, name, from, to);
  }
}

function readText(draft: Draft, raw: string, name: string, from: number, to: number): boolean {
  switch (name) {
    case 'key':
    case 'trackerid':
    case 'ip':
    case 'ipv4':
    case 'ipv6':
      draft[name === 'trackerid' ? 'trackerId' : name] = percentDecodeText(raw, from, to).slice(0, textLimit);
      return true;
    default:
      return false;
  }
}

function finish(draft: Draft, strictLeft: boolean): AnnounceRequest {
  const { infoHash, peerId, port, left, ip, ipv4, ipv6 } = draft;
  if (infoHash === undefined) throw new TrackerProtocolError('missing-info-hash', 'Missing info_hash');
  if (peerId === undefined) throw new TrackerProtocolError('missing-peer-id', 'Missing peer_id');
  if (port < 0) throw new TrackerProtocolError('missing-port', 'Missing port');
  // A peer that leaves does not need a port to be found at.
  if (port === 0 && draft.event !== 'stopped') throw invalidPort();
  if (strictLeft && left !== undefined && !(left >= 0)) {
    throw new TrackerProtocolError('invalid-left', 'left must be a number of bytes');
  }
  return {
    infoHash,
    peerId,
    port,
    uploaded: draft.uploaded,
    downloaded: draft.downloaded,
    left: nonNegative(left),
    event: draft.event,
    numWant: draft.numWant,
    compact: draft.compact,
    noPeerId: draft.noPeerId,
    key: draft.key,
    trackerId: draft.trackerId,
    last: draft.last,
    ip: ip === undefined ? undefined : ipText(ip),
    ipv4: ipv4 === undefined ? undefined : endpointOf(ipv4, port, 4),
    ipv6: ipv6 === undefined ? undefined : endpointOf(ipv6, port, 6),
  };
}

function readInfoHash(raw: string, from: number, to: number): Uint8Array {
  const length = percentDecodeInto(scratch, raw, from, to);
  // BEP 52: a v2 hash is announced truncated; some clients leave the truncating to the tracker.
  if (length === 20 || length === 32) return scratch.slice(0, 20);
  if (length === 40) {
    throw new TrackerProtocolError(
      'invalid-info-hash',
      'info_hash must be 20 percent-encoded bytes, not 40 hex digits',
    );
  }
  throw new TrackerProtocolError('invalid-info-hash', 'info_hash must be 20 bytes');
}

function readPeerId(raw: string, from: number, to: number): Uint8Array {
  if (percentDecodeInto(scratch, raw, from, to) === 20) return scratch.slice(0, 20);
  throw new TrackerProtocolError('invalid-peer-id', 'peer_id must be 20 bytes');
}

function readPort(raw: string, from: number, to: number): number {
  const port = readInteger(raw, from, to);
  if (port >= 0 && port <= 65_535) return port;
  throw invalidPort();
}

function invalidPort(): TrackerProtocolError {
  return new TrackerProtocolError('invalid-port', 'port must be a number from 1 to 65535');
}

// A counter that is negative or no number counts as nothing transferred, so no account ever shrinks.
function readCounter(raw: string, from: number, to: number): number {
  return nonNegative(readInteger(raw, from, to)) ?? 0;
}

/** A decimal integer clamped to ±(2^53 − 1); NaN for anything else. */
function readInteger(raw: string, from: number, to: number): number {
  const negative = raw.charCodeAt(from) === 0x2d;
  const first = negative ? from + 1 : from;
  if (first === to) return Number.NaN;
  let value = 0;
  for (let at = first; at < to; at++) {
    const digit = raw.charCodeAt(at) - 0x30;
    if (digit < 0 || digit > 9) return Number.NaN;
    value = value * 10 + digit;
  }
  value = Math.min(value, Number.MAX_SAFE_INTEGER);
  return negative && value > 0 ? -value : value;
}

function nonNegative(value: number | undefined): number | undefined {
  return value !== undefined && value >= 0 ? value : undefined;
}

function readEvent(text: string): AnnounceEvent {
  const event = text.toLowerCase();
  return event === 'started' || event === 'completed' || event === 'stopped' || event === 'paused' ? event : 'none';
}

function ipText(text: string): string | undefined {
  const bytes = parseIp(text);
  return bytes && formatIp(bytes);
}

function endpointOf(text: string, defaultPort: number, family: 4 | 6): Endpoint | undefined {
  const endpoint = parseEndpoint(text, defaultPort);
  return endpoint !== undefined && ipFamily(endpoint.ip) === family ? endpoint : undefined;
}

/** Eight digits, as most clients write it. */
function keyText(key: string | number): string {
  return typeof key === 'string' ? key : natural(key, 0xffff_ffff).toString(16).padStart(8, '0');
}

function natural(value: number, limit: number = Number.MAX_SAFE_INTEGER): number {
  if (Number.isSafeInteger(value) && value >= 0 && value <= limit) return value;
  throw new RangeError(`Not a whole number from 0 to ${limit}: ${value}`);
}

// aquatic refuses keys over 100 characters; cutting keeps the announce. An endpoint needs at most 53.
const textLimit = 100;
// The longest thing worth looking at is a 40-digit hexadecimal hash; nothing survives between two calls.
const scratch = new Uint8Array(40);
