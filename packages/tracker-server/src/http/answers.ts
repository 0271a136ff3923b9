// Query in, bencoded body out, for announce and scrape over HTTP. Refusals are bodies too, for status 200: several
// clients hide the reason of any other status. Knows no sockets. BEP 3, 7, 23, 24, 48.
import type { Tracker } from '@shoal/tracker';
import {
  type AnnounceRequest,
  type ScrapeCounts,
  TrackerProtocolError,
  encodeAnnounceFailure,
  encodeAnnounceReply,
  encodeScrapeReply,
  formatIp,
  infoHashHex,
  isFailure,
  parseAnnounceQuery,
  parseScrapeQuery,
} from '@shoal/tracker-protocol';

/** A body, and whether it is worth trying to compress: only lists of dictionaries ever shrink. */
export interface Answer {
  readonly body: Uint8Array;
  readonly compressible: boolean;
  readonly failed: boolean;
}

/** Finds the address an announce speaks for, 4 or 16 bytes; undefined when it cannot be told. */
export type FindSource = (request: AnnounceRequest) => Uint8Array | undefined;

/** Answers an announce. */
export function answerAnnounce(tracker: Tracker, rawQuery: string, findSource: FindSource, now: number): Answer {
  try {
    const request = parseAnnounceQuery(rawQuery);
    const address = findSource(request);
    if (address === undefined) return failure('the proxy in front of this tracker does not say who you are');
    // The first clients know no `compact` and need dictionaries (BEP 3), so compact is what is asked for (BEP 23).
    return request.compact === true
      ? compact(tracker, request, address, now)
      : dictionaries(tracker, request, address, now);
  } catch (error) {
    return refusal(error);
  }
}

/** Answers a scrape; `limit` is how many torrents one may ask for. */
export function answerScrape(tracker: Tracker, rawQuery: string, limit: number, now: number): Answer {
  try {
    const infoHashes = parseScrapeQuery(rawQuery, { maxInfoHashes: limit });
    // A scrape of everything discloses every torrent and costs what its sender likes.
    if (infoHashes.length === 0) return failure('a scrape must name its torrents');
    const files = new Map<string, ScrapeCounts>();
    for (const [index, counts] of tracker.scrape(infoHashes, now).entries()) {
      if (counts !== undefined) files.set(infoHashHex(infoHashes[index]!), counts);
    }
    return { body: encodeScrapeReply({ files }), compressible: false, failed: false };
  } catch (error) {
    return refusal(error);
  }
}

/** A refusal. */
export function failure(failureReason: string): Answer {
  return { body: encodeAnnounceFailure({ failureReason }), compressible: false, failed: true };
}

function compact(tracker: Tracker, request: AnnounceRequest, address: Uint8Array, now: number): Answer {
  const reply = tracker.announcePacked(request, address, 'both', now);
  if (isFailure(reply)) return { body: encodeAnnounceFailure(reply), compressible: false, failed: true };
  const { sample, interval, minInterval, warning } = reply;
  const body = encodeAnnounceReply({
    interval,
    minInterval,
    warning,
    complete: sample.seeders,
    incomplete: sample.leechers,
    downloaded: sample.completed,
    externalIp: address,
    peers: { v4: sample.ipv4.packed(), v6: sample.ipv6.packed() },
  });
  return { body, compressible: false, failed: false };
}

function dictionaries(tracker: Tracker, request: AnnounceRequest, address: Uint8Array, now: number): Answer {
  const reply = tracker.announce(request, { ip: formatIp(address) }, now);
  if (isFailure(reply)) return { body: encodeAnnounceFailure(reply), compressible: false, failed: true };
  const body = encodeAnnounceReply(reply, { compact: false, noPeerId: request.noPeerId });
  return { body, compressible: true, failed: false };
}

function refusal(error: unknown): Answer {
  if (error instanceof TrackerProtocolError) return failure(error.sendable);
  throw error;
}
