// The query of an announce as clients write it nowadays, read straight from the bytes of a request: no text is made of
// it. Whatever is not exactly that is left to query.ts, so it knows what is plain and never what is wrong. BEP 3, 7, 23.
import { latin1 } from '@shoal/bencode';
import type { AnnounceEvent, AnnounceRequest } from '../types.ts';

/**
 * Reads the query in `bytes` from `from` to `to`, still percent-encoded: the same request as `parseAnnounceQuery` reads
 * from its text, or undefined where that has to be asked. The info-hash and peer id are fresh arrays.
 */
export function parsePlainAnnounceQuery(bytes: Uint8Array, from: number, to: number): AnnounceRequest | undefined {
  const draft = emptyDraft();
  for (let at = from; at < to;) {
    const equals = nameEnd(bytes, at, to);
    const stop = equals < 0 ? -1 : valueEnd(bytes, equals + 1, to);
    if (stop < 0) return undefined;
    // A parameter without a value is none.
    if (stop > equals + 1 && !readValue(draft, fieldAt(bytes, at, equals), bytes, equals + 1, stop)) return undefined;
    at = stop + 1;
  }
  return isWhole(draft) ? draft : undefined;
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
  readonly ip: undefined;
  readonly ipv4: undefined;
  readonly ipv6: undefined;
}

/** All fields at once, in the order of the other parser: requests of one shape are faster to read. */
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

type Whole = Draft & { infoHash: Uint8Array; peerId: Uint8Array };

function isWhole(draft: Draft): draft is Whole {
  const { infoHash, peerId, port, event } = draft;
  // Only who leaves needs no port to be found at.
  return infoHash !== undefined && peerId !== undefined && (port > 0 || (port === 0 && event === 'stopped'));
}

type Field = Exclude<keyof Draft, 'ip' | 'ipv4' | 'ipv6'> | 'address';

/** False when the value is not plain. */
function readValue(draft: Draft, field: Field | undefined, bytes: Uint8Array, from: number, to: number): boolean {
  switch (field) {
    case undefined:
      return true;
    case 'infoHash':
      return draft.infoHash === undefined && (draft.infoHash = twentyBytes(bytes, from, to)) !== undefined;
    case 'peerId':
      return (draft.peerId = twentyBytes(bytes, from, to)) !== undefined;
    case 'compact':
      draft.compact = bytes[from] !== zero;
      return true;
    case 'noPeerId':
      draft.noPeerId = bytes[from] !== zero;
      return true;
    case 'event':
      return readEvent(draft, bytes, from, to);
    case 'key':
      return (draft.key = plainText(bytes, from, to)) !== undefined;
    case 'trackerId':
      return (draft.trackerId = plainText(bytes, from, to)) !== undefined;
    case 'address':
      return false;
    default:
      return readNumber(draft, field, digits(bytes, from, to));
  }
}

type NumberField = 'port' | 'uploaded' | 'downloaded' | 'left' | 'numWant' | 'last';

function readNumber(draft: Draft, field: NumberField, value: number): boolean {
  switch (field) {
    case 'port':
      draft.port = value;
      return value >= 0 && value <= 65_535;
    case 'uploaded':
      draft.uploaded = value;
      break;
    case 'downloaded':
      draft.downloaded = value;
      break;
    case 'left':
      draft.left = value;
      break;
    case 'numWant':
      draft.numWant = value;
      break;
    case 'last':
      draft.last = value;
      break;
  }
  return value >= 0;
}

function readEvent(draft: Draft, bytes: Uint8Array, from: number, to: number): boolean {
  for (const name of events) {
    if (!isName(bytes, from, to, name.bytes)) continue;
    draft.event = name.event;
    return true;
  }
  return false;
}

/** Where the name that begins at `at` ends, which is at its `=`; -1 when it is not plain or there is none. */
function nameEnd(bytes: Uint8Array, at: number, to: number): number {
  let end = at;
  while (end < to && isNameByte[bytes[end]!] === 1) end++;
  return end > at && end < to && bytes[end] === 0x3d ? end : -1;
}

/** Where a value ends; -1 when there is a `?` in it, which may begin another query. */
function valueEnd(bytes: Uint8Array, from: number, to: number): number {
  for (let at = from; at < to; at++) {
    const byte = bytes[at]!;
    if (byte === 0x26) return at;
    if (byte === 0x3f) return -1;
  }
  return to;
}

/** A number of at most 15 digits, which all are exact; -1 for anything else. */
function digits(bytes: Uint8Array, from: number, to: number): number {
  if (to - from > 15) return -1;
  let value = 0;
  for (let at = from; at < to; at++) {
    const digit = bytes[at]! - zero;
    if (digit < 0 || digit > 9) return -1;
    value = value * 10 + digit;
  }
  return value;
}

/** Exactly 20 bytes, percent-encoded or not. */
function twentyBytes(bytes: Uint8Array, from: number, to: number): Uint8Array | undefined {
  const decoded = new Uint8Array(20);
  let at = from;
  for (let index = 0; index < 20; index++) {
    if (at >= to) return undefined;
    let byte = bytes[at++]!;
    if (byte === 0x25) {
      if (at + 1 >= to) return undefined;
      byte = (hexDigits[bytes[at]!]! << 4) | hexDigits[bytes[at + 1]!]!;
      // No digit is -1, and stays negative.
      if (byte < 0) return undefined;
      at += 2;
    }
    decoded[index] = byte;
  }
  return at === to ? decoded : undefined;
}

/** Text without an escape, as keys and tracker ids are. */
function plainText(bytes: Uint8Array, from: number, to: number): string | undefined {
  if (to - from > 40) return undefined;
  for (let at = from; at < to; at++) if (bytes[at] === 0x25) return undefined;
  return latin1(bytes.subarray(from, to));
}

function fieldAt(bytes: Uint8Array, from: number, to: number): Field | undefined {
  const candidates = names[to - from];
  if (candidates === undefined) return undefined;
  for (const name of candidates) if (isName(bytes, from, to, name.bytes)) return name.field;
  return undefined;
}

function isName(bytes: Uint8Array, from: number, to: number, name: Uint8Array): boolean {
  if (name.length !== to - from) return false;
  for (let at = 0; at < name.length; at++) if (bytes[from + at] !== name[at]) return false;
  return true;
}

const zero = 0x30;

function asciiBytes(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

const fields: Readonly<Record<string, Field>> = {
  info_hash: 'infoHash',
  peer_id: 'peerId',
  port: 'port',
  uploaded: 'uploaded',
  downloaded: 'downloaded',
  left: 'left',
  event: 'event',
  numwant: 'numWant',
  compact: 'compact',
  no_peer_id: 'noPeerId',
  key: 'key',
  trackerid: 'trackerId',
  last: 'last',
  ip: 'address',
  ipv4: 'address',
  ipv6: 'address',
};

interface Name {
  readonly bytes: Uint8Array;
  readonly field: Field;
}

/** By length. */
const names: readonly (readonly Name[])[] = Array.from({ length: 11 }, (_, length) =>
  Object.entries(fields)
    .filter(([name]) => name.length === length)
    .map(([name, field]) => ({ bytes: asciiBytes(name), field })),
);

const events = (['started', 'completed', 'stopped', 'paused'] as const).map((event) => ({
  event,
  bytes: asciiBytes(event),
}));

/** Names of anything else, such as those with an escape, are not plain. */
const isNameByte: Uint8Array = Uint8Array.from({ length: 256 }, (_, byte) =>
  /[A-Za-z0-9_]/.test(String.fromCharCode(byte)) ? 1 : 0,
);

const hexDigits: Int8Array = Int8Array.from({ length: 256 }, (_, byte) => {
  const character = String.fromCharCode(byte);
  return /[0-9A-Fa-f]/.test(character) ? Number.parseInt(character, 16) : -1;
});
