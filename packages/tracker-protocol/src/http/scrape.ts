// The bencoded answer to an HTTP scrape, both ends. BEP 21, 48.
import { latin1 } from '@shoal/bencode';
import { TrackerProtocolError } from '../errors.ts';
import type { AnnounceFailure, ScrapeCounts, ScrapeReply } from '../types.ts';
import { concat, decodeDictionary, failureOf, numberOf } from './dictionary.ts';

/**
 * The body of an answer; files sorted by their hash, as a dictionary must be.
 * @throws RangeError for a key that is not 40 hex digits
 */
export function encodeScrapeReply(reply: ScrapeReply): Uint8Array {
  const parts: (string | Uint8Array)[] = ['d5:filesd', encodeScrapeFiles(reply.files), 'e'];
  if (reply.minRequestInterval !== undefined) {
    parts.push(`5:flagsd20:min_request_intervali${reply.minRequestInterval}ee`);
  }
  parts.push('e');
  return concat(parts);
}

/**
 * The files of an answer alone, sorted, for one that is put together of parts: `d5:filesd`, parts whose hashes follow
 * each other, `ee`. @throws RangeError for a key that is not 40 hex digits
 */
export function encodeScrapeFiles(files: ReadonlyMap<string, ScrapeCounts>): Uint8Array {
  const parts: (string | Uint8Array)[] = [];
  // Lower-case hex sorts as the bytes do.
  for (const infoHash of [...files.keys()].toSorted()) {
    const counts = files.get(infoHash)!;
    parts.push('20:', bytesOfHex(infoHash));
    parts.push(`d8:completei${counts.complete}e10:downloadedi${counts.downloaded}e`);
    if (counts.downloaders !== undefined) parts.push(`11:downloadersi${counts.downloaders}e`);
    parts.push(`10:incompletei${counts.incomplete}ee`);
  }
  return concat(parts);
}

/**
 * Reads the body of an answer. Entries that are not about a torrent are left out.
 * @throws TrackerProtocolError malformed-reply
 */
export function decodeScrapeReply(body: Uint8Array): ScrapeReply | AnnounceFailure {
  const dictionary = decodeDictionary(body);
  const failure = failureOf(dictionary);
  if (failure) return failure;
  const listed = dictionary.get('files');
  if (!(listed instanceof Map)) throw new TrackerProtocolError('malformed-reply', 'The answer has no files');
  const files = new Map<string, ScrapeCounts>();
  for (const [key, counts] of listed) {
    if (key.length !== 20 || !(counts instanceof Map)) continue;
    files.set(hexOf(key), {
      complete: numberOf(counts.get('complete')) ?? 0,
      incomplete: numberOf(counts.get('incomplete')) ?? 0,
      downloaded: numberOf(counts.get('downloaded')) ?? 0,
      downloaders: numberOf(counts.get('downloaders')),
    });
  }
  const flags = dictionary.get('flags');
  const minRequestInterval = flags instanceof Map ? numberOf(flags.get('min_request_interval')) : undefined;
  return { files, minRequestInterval };
}

/** Lower-case hex of an info-hash: the key of `ScrapeReply.files`. */
export function infoHashHex(infoHash: Uint8Array): string {
  return hexOf(latin1(infoHash));
}

function hexOf(bytes: string): string {
  let hex = '';
  for (let at = 0; at < bytes.length; at++) hex += bytes.charCodeAt(at).toString(16).padStart(2, '0');
  return hex;
}

function bytesOfHex(hex: string): Uint8Array {
  if (!/^[0-9a-f]{40}$/.test(hex)) throw new RangeError('A key of a scrape is 40 lower-case hex digits');
  return Uint8Array.from({ length: 20 }, (_, at) => Number.parseInt(hex.slice(2 * at, 2 * at + 2), 16));
}
