// What a peer sends to a tracker over a WebSocket, both ends. Reads strictly: no field of a wrong type is repaired.
import { TrackerProtocolError } from '../errors.ts';
import type { AnnounceEvent } from '../types.ts';
import { type Fields, amountField, idField, isFields, parseFields, sdpField } from './fields.ts';
import {
  type IdText,
  type SignalAnnounce,
  type SignalAnswer,
  type SignalOffer,
  type SignalRequest,
  isIdText,
  signalLimits,
} from './messages.ts';

/**
 * Reads a message of a peer. Offers beyond `signalLimits.offers` are ignored.
 * @throws TrackerProtocolError with a text to send back: malformed-json, unknown-action, invalid-…, missing-info-hash
 */
export function decodeSignalRequest(text: string): SignalRequest {
  const fields = parseFields(text);
  switch (fields['action']) {
    case 'announce':
      return isAnswer(fields) ? answerIn(fields) : announceIn(fields, offersIn);
    case 'scrape':
      return { action: 'scrape', infoHashes: scrapedIn(fields['info_hash']) };
    default:
      throw new TrackerProtocolError('unknown-action', 'action must be announce or scrape');
  }
}

/** A message of a peer as text. */
export function encodeSignalRequest(request: SignalRequest): string {
  if (request.action === 'scrape') return JSON.stringify({ action: 'scrape', info_hash: request.infoHashes });
  return JSON.stringify(request.action === 'answer' ? answerFields(request) : announceFields(request));
}

const events: ReadonlyMap<unknown, AnnounceEvent> = new Map([
  ['started', 'started'],
  ['completed', 'completed'],
  ['stopped', 'stopped'],
  ['paused', 'paused'],
]);

/** Absent and null are the same to clients that build their messages field by field. */
export function isAnswer(fields: Fields): boolean {
  return (fields['answer'] ?? undefined) !== undefined;
}

/** The announce that fields are; `readOffers` reads its offers. @throws TrackerProtocolError invalid-… */
export function announceIn<Sdp>(
  fields: Fields,
  readOffers: (value: unknown) => readonly SignalOffer<Sdp>[],
): SignalAnnounce<Sdp> {
  return {
    action: 'announce',
    infoHash: idField(fields, 'info_hash', 'invalid-info-hash'),
    peerId: idField(fields, 'peer_id', 'invalid-peer-id'),
    uploaded: amountField(fields, 'uploaded') ?? 0,
    downloaded: amountField(fields, 'downloaded') ?? 0,
    // Clients that do not know yet write Infinity, which JSON makes null.
    left: amountField(fields, 'left'),
    // `update` is what clients call a regular announce; an unknown event is one too, as over HTTP.
    event: events.get(fields['event']) ?? 'none',
    offers: readOffers(fields['offers'] ?? []),
  };
}

function answerIn(fields: Fields): SignalAnswer {
  return {
    action: 'answer',
    infoHash: idField(fields, 'info_hash', 'invalid-info-hash'),
    peerId: idField(fields, 'peer_id', 'invalid-peer-id'),
    toPeerId: idField(fields, 'to_peer_id', 'invalid-peer-id'),
    offerId: idField(fields, 'offer_id', 'invalid-offer-id'),
    sdp: sdpField(fields, 'answer', 'answer'),
  };
}

function offersIn(value: unknown): SignalOffer[] {
  if (!Array.isArray(value)) throw invalidOffers();
  const offers: SignalOffer[] = [];
  for (let at = 0; at < value.length && at < signalLimits.offers; at++) {
    const offer: unknown = value[at];
    if (!isFields(offer)) throw invalidOffers();
    offers.push({ offerId: idField(offer, 'offer_id', 'invalid-offer-id'), sdp: sdpField(offer, 'offer', 'offer') });
  }
  return offers;
}

function scrapedIn(value: unknown): IdText[] {
  const infoHashes: readonly unknown[] = Array.isArray(value) ? value : [value];
  // A scrape of everything discloses every torrent and costs what its sender likes.
  if (value === undefined || infoHashes.length === 0) {
    throw new TrackerProtocolError('missing-info-hash', 'a scrape must name its torrents');
  }
  if (infoHashes.length > signalLimits.scrapedTorrents) {
    throw new TrackerProtocolError('too-many-info-hashes', 'too many torrents in one scrape');
  }
  if (infoHashes.every(isIdText)) return [...new Set(infoHashes)];
  throw new TrackerProtocolError('invalid-info-hash', 'info_hash must be strings of 20 characters up to U+00FF');
}

function announceFields(announce: SignalAnnounce): object {
  const { infoHash, peerId, uploaded, downloaded, left, event, offers } = announce;
  return {
    action: 'announce',
    info_hash: infoHash,
    peer_id: peerId,
    uploaded,
    downloaded,
    left: left ?? null,
    event: event === 'none' ? undefined : event,
    numwant: offers.length,
    offers: offers.map(({ offerId, sdp }) => ({ offer: { type: 'offer', sdp }, offer_id: offerId })),
  };
}

function answerFields({ infoHash, peerId, toPeerId, offerId, sdp }: SignalAnswer): object {
  return {
    action: 'announce',
    info_hash: infoHash,
    peer_id: peerId,
    to_peer_id: toPeerId,
    answer: { type: 'answer', sdp },
    offer_id: offerId,
  };
}

function invalidOffers(): TrackerProtocolError {
  return new TrackerProtocolError('invalid-offers', 'offers must be a list of { offer, offer_id }');
}
