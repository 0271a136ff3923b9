// What announce and scrape answers have in common: reading a bencoded dictionary leniently, refusals, joining parts.
// BEP 3, 31.
import { BencodeError, decodePrefix, latin1, utf8 } from '@shoal/bencode';
import type { BencodeDictionary, BencodeValue } from '@shoal/bencode';
import { TrackerProtocolError } from '../errors.ts';
import type { AnnounceFailure } from '../types.ts';

/** Reads a dictionary at the start of a body; bytes after it (a newline, a stray HTML comment) are ignored. */
export function decodeDictionary(body: Uint8Array): BencodeDictionary {
  const value = decodeValue(body);
  if (value instanceof Map) return value;
  throw new TrackerProtocolError('malformed-reply', 'The answer is not a bencoded dictionary');
}

function decodeValue(body: Uint8Array): BencodeValue {
  try {
    // An answer is three levels deep, and its largest honest list is a scrape of thousands of torrents.
    return decodePrefix(body, { lenient: true, maxDepth: 16, maxTokens: 500_000 }).value;
  } catch (error) {
    if (!(error instanceof BencodeError)) throw error;
    throw new TrackerProtocolError('malformed-reply', 'The answer is not bencoded', { cause: error });
  }
}

/** The refusal in an answer, if it is one. Some scrapes spell the key with an underscore (BEP 48). */
export function failureOf(dictionary: BencodeDictionary): AnnounceFailure | undefined {
  const reason = dictionary.get('failure reason') ?? dictionary.get('failure_reason');
  if (reason === undefined) return undefined;
  return {
    // Anything that is not text still is a refusal.
    failureReason: reason instanceof Uint8Array ? utf8(reason).slice(0, reasonLimit) : 'Refused without a reason',
    retryIn: retryOf(dictionary.get('retry in')),
    interval: numberOf(dictionary.get('interval')),
  };
}

/** A number that is not negative; integers past 2^53 are clamped; text of digits counts, as some trackers send it. */
export function numberOf(value: BencodeValue | undefined): number | undefined {
  if (typeof value === 'bigint') return value > 0n ? Number.MAX_SAFE_INTEGER : undefined;
  if (typeof value === 'number') return value >= 0 ? value : undefined;
  if (!(value instanceof Uint8Array) || value.length === 0 || value.length > 15) return undefined;
  const text = latin1(value);
  return /^\d+$/.test(text) ? Number(text) : undefined;
}

/** UTF-8 bytes of a text. */
export function textBytes(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

/** Joins Latin-1 text and bytes. */
export function concat(parts: readonly (string | Uint8Array)[]): Uint8Array {
  let length = 0;
  for (const part of parts) length += part.length;
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    if (typeof part === 'string')
      for (let index = 0; index < part.length; index++) bytes[at + index] = part.charCodeAt(index);
    else bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

// BEP 31: a whole number of minutes, or the word `never`; written as integer or as text.
function retryOf(value: BencodeValue | undefined): number | 'never' | undefined {
  return value instanceof Uint8Array && latin1(value) === 'never' ? 'never' : numberOf(value);
}

// A reason is shown to a person; opentracker's longest is 52 characters, UNIT3D's under 200.
const reasonLimit = 1_000;
