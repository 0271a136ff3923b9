// Query in, bencoded body out, for announce and scrape over HTTP. Refusals are bodies too, for status 200: several
// clients hide the reason of any other status. Knows no sockets. BEP 3, 7, 21, 23, 24, 31, 48.
import { type PackedReply, downloadersIn, peersIn } from '@shoal/tracker';
import {
  type AnnounceFailure,
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
  replyDefaults,
} from '@shoal/tracker-protocol';
import type { PeersWanted, SwarmService } from '../swarm-service.ts';

/** A body, and whether it is worth trying to compress: only lists of dictionaries ever shrink. */
export interface Answer {
  readonly body: Uint8Array;
  readonly compressible: boolean;
  readonly failed: boolean;
}

/** Finds the address an announce speaks for, 4 or 16 bytes; undefined when it cannot be told. */
export type FindSource = (request: AnnounceRequest) => Uint8Array | undefined;

/** Takes the answer, at once or later: whenever the service has one. */
export type TakeAnswer = (answer: Answer) => void;

/** Both families; the ids of peers only for dictionaries (BEP 3, 23). */
export const inCompactLists: PeersWanted = { families: 'both', withPeerIds: false };
const inDictionaries: PeersWanted = { families: 'both', withPeerIds: true };

/** Answers an announce. */
export function answerAnnounce(
  service: SwarmService,
  rawQuery: string,
  findSource: FindSource,
  now: number,
  take: TakeAnswer,
): void {
  let request: AnnounceRequest;
  try {
    request = parseAnnounceQuery(rawQuery);
  } catch (error) {
    take(refusal(error));
    return;
  }
  const address = findSource(request);
  if (address === undefined) {
    take(failure('the proxy in front of this tracker does not say who you are'));
    return;
  }
  // The first clients know no `compact` and need dictionaries (BEP 3), so compact is what is asked for (BEP 23).
  const wanted = request.compact === true ? inCompactLists : inDictionaries;
  service.announce(request, address, wanted, now, (reply) => {
    take(answerOf(reply, request, address));
  });
}

/** Answers a scrape; `limit` is how many torrents one may ask for. */
export function answerScrape(
  service: SwarmService,
  rawQuery: string,
  limit: number,
  now: number,
  take: TakeAnswer,
): void {
  let infoHashes: Uint8Array[];
  try {
    infoHashes = parseScrapeQuery(rawQuery, { maxInfoHashes: limit });
  } catch (error) {
    take(refusal(error));
    return;
  }
  // A scrape of everything discloses every torrent and costs what its sender likes.
  if (infoHashes.length === 0) {
    take(failure('a scrape must name its torrents'));
    return;
  }
  service.scrape(infoHashes, now, (found) => {
    take(isFailure(found) ? failing(found) : counting(infoHashes, found));
  });
}

/** The answer to an announce, in the form that it asked for. */
export function answerOf(reply: PackedReply | AnnounceFailure, request: AnnounceRequest, address: Uint8Array): Answer {
  return isFailure(reply) ? failing(reply) : listing(reply, request, address);
}

/** A refusal for a reason that may pass: to be asked again after the usual time. */
export function failure(failureReason: string): Answer {
  const { interval } = replyDefaults;
  return failing({ failureReason, retryIn: interval / 60, interval });
}

function failing(reply: AnnounceFailure): Answer {
  return { body: encodeAnnounceFailure(reply), compressible: false, failed: true };
}

function listing(reply: PackedReply, { compact, noPeerId }: AnnounceRequest, address: Uint8Array): Answer {
  const { sample, interval, minInterval, warning, trackerId, last, numPeers } = reply;
  const head = {
    interval,
    minInterval,
    warning,
    trackerId,
    last,
    numPeers,
    complete: sample.seeders,
    incomplete: sample.leechers,
    downloaded: sample.completed,
    downloaders: downloadersIn(sample),
  };
  if (compact === true) {
    const peers = { v4: sample.ipv4.packed(), v6: sample.ipv6.packed() };
    return { body: encodeAnnounceReply({ ...head, externalIp: address, peers }), compressible: false, failed: false };
  }
  const dictionaries = { ...head, externalIp: formatIp(address), peers: peersIn(sample) };
  const body = encodeAnnounceReply(dictionaries, { compact: false, noPeerId });
  return { body, compressible: true, failed: false };
}

function counting(infoHashes: readonly Uint8Array[], found: readonly (ScrapeCounts | undefined)[]): Answer {
  const files = new Map<string, ScrapeCounts>();
  for (const [index, counts] of found.entries()) {
    if (counts !== undefined) files.set(infoHashHex(infoHashes[index]!), counts);
  }
  return { body: encodeScrapeReply({ files }), compressible: false, failed: false };
}

function refusal(error: unknown): Answer {
  if (!(error instanceof TrackerProtocolError)) throw error;
  const { code, sendable } = error;
  // A client may have no port yet. Whatever else is wrong with a request is wrong with it the next time too.
  if (code === 'missing-port' || code === 'invalid-port') return failure(sendable);
  return failing({ failureReason: sendable, retryIn: 'never', interval: replyDefaults.maximumInterval });
}
