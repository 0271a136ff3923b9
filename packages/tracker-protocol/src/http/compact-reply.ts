// The answer that trackers give most, counts and packed peers, written straight into bytes: joined from parts it
// would cost three times as much. Says the same as reply.ts does, to the byte. BEP 3, 7, 21, 23, 24.
import { textBytes } from './dictionary.ts';

/** What such an answer says; undefined is left out. */
export interface CompactReply {
  readonly interval: number;
  readonly minInterval?: number | undefined;
  readonly complete?: number | undefined;
  readonly incomplete?: number | undefined;
  readonly downloaded?: number | undefined;
  readonly downloaders?: number | undefined;
  readonly last?: number | undefined;
  readonly numPeers?: number | undefined;
  /** At most 100 characters of Latin-1. */
  readonly trackerId?: string | undefined;
}

/** Longest list of a family that is written here: four times what one answer has. Longer ones are joined from parts. */
export const compactReplyLimit = 8192;

/** The body; `external` and the lists are written as they are. */
export function writeCompactReply(
  reply: CompactReply,
  external: Uint8Array | undefined,
  v4: Uint8Array,
  v6: Uint8Array,
): Uint8Array {
  scratch[0] = letter.d;
  let at = putCount(1, key.complete, reply.complete);
  at = putCount(at, key.downloaded, reply.downloaded);
  at = putCount(at, key.downloaders, reply.downloaders);
  if (external !== undefined) at = putBytes(at, key.external, external);
  at = putCount(at, key.incomplete, reply.incomplete);
  at = putCount(at, key.interval, reply.interval);
  at = putCount(at, key.last, reply.last);
  at = putCount(at, key.minInterval, reply.minInterval);
  at = putCount(at, key.numPeers, reply.numPeers);
  at = putBytes(at, key.peers, v4);
  if (v6.length > 0) at = putBytes(at, key.peers6, v6);
  if (reply.trackerId !== undefined) at = putText(at, key.trackerId, reply.trackerId);
  scratch[at] = letter.e;
  return scratch.slice(0, at + 1);
}

const letter = { d: 0x64, e: 0x65, colon: 0x3a } as const;

/** Up to where the value begins. */
const key = {
  complete: textBytes('8:completei'),
  downloaded: textBytes('10:downloadedi'),
  downloaders: textBytes('11:downloadersi'),
  external: textBytes('11:external ip'),
  incomplete: textBytes('10:incompletei'),
  interval: textBytes('8:intervali'),
  last: textBytes('4:lasti'),
  minInterval: textBytes('12:min intervali'),
  numPeers: textBytes('9:num peersi'),
  peers: textBytes('5:peers'),
  peers6: textBytes('6:peers6'),
  trackerId: textBytes('10:tracker id'),
} as const;

/** Room for both lists; everything else has less than 500 bytes. Nothing survives between two calls. */
const scratch = new Uint8Array(2 * compactReplyLimit + 500);

function putCount(at: number, name: Uint8Array, value: number | undefined): number {
  if (value === undefined) return at;
  const end = putDigits(putShort(at, name), value);
  scratch[end] = letter.e;
  return end + 1;
}

function putBytes(at: number, name: Uint8Array, bytes: Uint8Array): number {
  const start = putDigits(putShort(at, name), bytes.length);
  scratch[start] = letter.colon;
  scratch.set(bytes, start + 1);
  return start + 1 + bytes.length;
}

function putText(at: number, name: Uint8Array, text: string): number {
  const start = putDigits(putShort(at, name), text.length);
  scratch[start] = letter.colon;
  for (let index = 0; index < text.length; index++) scratch[start + 1 + index] = text.charCodeAt(index);
  return start + 1 + text.length;
}

/** A loop: for a dozen bytes it is faster than `set`. */
function putShort(at: number, bytes: Uint8Array): number {
  for (let index = 0; index < bytes.length; index++) scratch[at + index] = bytes[index]!;
  return at + bytes.length;
}

function putDigits(at: number, value: number): number {
  const text = String(value);
  for (let index = 0; index < text.length; index++) scratch[at + index] = text.charCodeAt(index);
  return at + text.length;
}
