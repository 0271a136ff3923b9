// What a tracker sends to peers over a WebSocket, both ends.
import { TrackerProtocolError } from '../errors.ts';
import type { ScrapeCounts } from '../types.ts';
import { type Fields, amountField, idField, isFields, parseFields, sdpField } from './fields.ts';
import {
  type AnnounceSignal,
  type FailureSignal,
  type HeldSdp,
  type IdText,
  type PeerSignal,
  type SignalReply,
  isIdText,
  signalLimits,
} from './messages.ts';

/** A message of a tracker as text. */
export function encodeSignalReply(reply: SignalReply<HeldSdp>): string {
  switch (reply.action) {
    case 'announce':
      return JSON.stringify(announceFields(reply));
    case 'offer':
    case 'answer':
      return encodePeerSignal(reply, encodeSignalIds(reply));
    case 'scrape':
      return JSON.stringify({ action: 'scrape', files: Object.fromEntries(reply.files) });
    case 'failure':
      return JSON.stringify(failureFields(reply));
  }
}

/** Reads a message of a tracker. @throws TrackerProtocolError malformed-json, malformed-reply, invalid-… */
export function decodeSignalReply(text: string): SignalReply {
  const fields = parseFields(text);
  const { action } = fields;
  if (typeof fields['failure reason'] === 'string') return failureIn(fields, fields['failure reason']);
  if (action === 'scrape') return { action: 'scrape', files: filesIn(fields['files']) };
  if (action !== 'announce') throw malformed();
  if (isFields(fields['offer'])) return peerIn(fields, 'offer');
  if (isFields(fields['answer'])) return peerIn(fields, 'answer');
  return announceIn(fields);
}

function announceFields({ infoHash, interval, minInterval, complete, incomplete, warning }: AnnounceSignal): object {
  return {
    action: 'announce',
    info_hash: infoHash,
    interval,
    'min interval': minInterval,
    complete,
    incomplete,
    'warning message': warning,
  };
}

/** What is the same in all offers that an announce brings, for `encodePeerSignal`. */
export function encodeSignalIds({ infoHash, peerId }: Pick<PeerSignal, 'infoHash' | 'peerId'>): string {
  return `{"action":"announce","info_hash":${JSON.stringify(infoHash)},"peer_id":${JSON.stringify(peerId)}`;
}

/** As `encodeSignalReply`, with the ids that were written before. */
export function encodePeerSignal({ action, offerId, sdp }: PeerSignal<HeldSdp>, ids: string): string {
  const written = typeof sdp === 'string' ? JSON.stringify(sdp) : sdp.json;
  return `${ids},"offer_id":${JSON.stringify(offerId)},"${action}":{"type":"${action}","sdp":${written}}}`;
}

function failureFields({ of, infoHash, failureReason, retryIn, interval }: FailureSignal): object {
  return { action: of, info_hash: infoHash, 'failure reason': failureReason, 'retry in': retryIn, interval };
}

function announceIn(fields: Fields): AnnounceSignal {
  const { 'warning message': warning } = fields;
  const interval = amountField(fields, 'interval');
  if (interval === undefined) throw malformed();
  return {
    action: 'announce',
    infoHash: idField(fields, 'info_hash', 'invalid-info-hash'),
    interval,
    minInterval: amountField(fields, 'min interval'),
    complete: amountField(fields, 'complete') ?? 0,
    incomplete: amountField(fields, 'incomplete') ?? 0,
    warning: typeof warning === 'string' ? warning : undefined,
  };
}

function peerIn(fields: Fields, action: 'offer' | 'answer'): PeerSignal {
  return {
    action,
    infoHash: idField(fields, 'info_hash', 'invalid-info-hash'),
    peerId: idField(fields, 'peer_id', 'invalid-peer-id'),
    offerId: idField(fields, 'offer_id', 'invalid-offer-id'),
    sdp: sdpField(fields, action, action),
  };
}

function filesIn(value: unknown): Map<IdText, ScrapeCounts> {
  if (!isFields(value)) throw malformed();
  const files = new Map<IdText, ScrapeCounts>();
  for (const [infoHash, counts] of Object.entries(value).slice(0, signalLimits.scrapedTorrents)) {
    if (!isIdText(infoHash) || !isFields(counts)) throw malformed();
    const [complete = 0, incomplete = 0, downloaded = 0] = ['complete', 'incomplete', 'downloaded'].map((name) =>
      amountField(counts, name),
    );
    files.set(infoHash, { complete, incomplete, downloaded });
  }
  return files;
}

function failureIn(fields: Fields, failureReason: string): FailureSignal {
  const { action, info_hash: infoHash, 'retry in': retryIn } = fields;
  return {
    action: 'failure',
    of: action === 'announce' || action === 'scrape' ? action : undefined,
    infoHash: isIdText(infoHash) ? infoHash : undefined,
    failureReason,
    retryIn: retryIn === 'never' ? 'never' : amountField(fields, 'retry in'),
    interval: amountField(fields, 'interval'),
  };
}

function malformed(): TrackerProtocolError {
  return new TrackerProtocolError('malformed-reply', 'The message of the tracker is not one');
}
