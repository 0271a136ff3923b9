// What a tracker sends to peers over a WebSocket, both ends. Written in ASCII, so that a frame's bytes are its characters,
// and without building objects: offers and answers are most of what a tracker of WebTorrent peers does.
import { TrackerProtocolError } from '../errors.ts';
import type { ScrapeCounts } from '../types.ts';
import { type Fields, amountField, idField, isFields, parseFields, sdpField } from './fields.ts';
import {
  type AnnounceSignal,
  type FailureSignal,
  type IdText,
  type PeerSignal,
  type SignalReply,
  isIdText,
  signalLimits,
} from './messages.ts';

/** A message of a tracker as JSON in ASCII. @throws RangeError for ids that are none */
export function encodeSignalReply(reply: SignalReply): string {
  switch (reply.action) {
    case 'announce':
      return announceText(reply);
    case 'offer':
    case 'answer':
      return peerText(reply);
    case 'scrape':
      return `{"action":"scrape","files":{${[...reply.files].map(fileText).join(',')}}}`;
    case 'failure':
      return inAscii(JSON.stringify(failureFields(reply)));
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

function announceText({ infoHash, interval, minInterval, complete, incomplete, warning }: AnnounceSignal): string {
  let text = `{"action":"announce","info_hash":${idJson(infoHash)},"complete":${complete},"incomplete":${incomplete}`;
  text += `,"interval":${interval}`;
  if (minInterval !== undefined) text += `,"min interval":${minInterval}`;
  if (warning !== undefined) text += `,"warning message":${inAscii(JSON.stringify(warning))}`;
  return `${text}}`;
}

function peerText({ action, infoHash, peerId, offerId, sdp }: PeerSignal): string {
  const ids = `"info_hash":${idJson(infoHash)},"peer_id":${idJson(peerId)},"offer_id":${idJson(offerId)}`;
  const description = `{"type":"${action}","sdp":${inAscii(JSON.stringify(sdp))}}`;
  return `{"action":"announce",${ids},"${action}":${description}}`;
}

function fileText([infoHash, { complete, incomplete, downloaded }]: readonly [IdText, ScrapeCounts]): string {
  return `${idJson(infoHash)}:{"complete":${complete},"incomplete":${incomplete},"downloaded":${downloaded}}`;
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

/** The characters of ids as JSON in ASCII. */
const idCharacters: readonly string[] = Array.from({ length: 256 }, (_, code) =>
  code < 0x7f ? JSON.stringify(String.fromCharCode(code)).slice(1, -1) : escaped(code),
);

function idJson(id: IdText): string {
  let text = '"';
  for (let at = 0; at < id.length; at++) {
    const character = idCharacters[id.charCodeAt(at)];
    if (character === undefined) throw new RangeError('An id has characters up to U+00FF');
    text += character;
  }
  return `${text}"`;
}

/** JSON with every character beyond ASCII escaped. */
function inAscii(json: string): string {
  // Descriptions have none, and to look is much cheaper than to replace.
  if (!beyondAscii.test(json)) return json;
  return json.replaceAll(everyBeyondAscii, (unit) => escaped(unit.charCodeAt(0)));
}

const beyondAscii = /[^\0-\x7e]/;
const everyBeyondAscii = /[^\0-\x7e]/g;

function escaped(code: number): string {
  return `\\u${code.toString(16).padStart(4, '0')}`;
}
