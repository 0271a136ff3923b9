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

/** Records of one family that are packed already: the first `count` of `stride` bytes. */
export interface CompactRecords {
  readonly records: Uint8Array;
  readonly count: number;
  readonly stride: number;
}

/** Most bytes of such an answer beside its lists. */
export const compactReplyHeadLimit = 500;

/**
 * Writes the body into `target` from `at` on, which has room for it, and returns where it ends. `external`, an address of
 * 4 or 16 bytes, and the lists are written as they are; a list of IPv6 without records is left out.
 */
export function writeCompactReply(
  target: Uint8Array,
  at: number,
  reply: CompactReply,
  external: Uint8Array | undefined,
  v4: CompactRecords,
  v6: CompactRecords,
): number {
  target[at] = letter.d;
  let end = putCount(target, at + 1, key.complete, reply.complete);
  end = putCount(target, end, key.downloaded, reply.downloaded);
  end = putCount(target, end, key.downloaders, reply.downloaders);
  if (external !== undefined) end = putBytes(target, end, key.external, external, external.length);
  end = putCount(target, end, key.incomplete, reply.incomplete);
  end = putCount(target, end, key.interval, reply.interval);
  end = putCount(target, end, key.last, reply.last);
  end = putCount(target, end, key.minInterval, reply.minInterval);
  end = putCount(target, end, key.numPeers, reply.numPeers);
  end = putBytes(target, end, key.peers, v4.records, v4.count * v4.stride);
  if (v6.count > 0) end = putBytes(target, end, key.peers6, v6.records, v6.count * v6.stride);
  if (reply.trackerId !== undefined) end = putText(target, end, key.trackerId, reply.trackerId);
  target[end] = letter.e;
  return end + 1;
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

function putCount(target: Uint8Array, at: number, name: Uint8Array, value: number | undefined): number {
  if (value === undefined) return at;
  const end = putDecimal(target, putShort(target, at, name, name.length), value);
  target[end] = letter.e;
  return end + 1;
}

function putBytes(target: Uint8Array, at: number, name: Uint8Array, bytes: Uint8Array, length: number): number {
  const start = putDecimal(target, putShort(target, at, name, name.length), length);
  target[start] = letter.colon;
  if (length <= loopLimit) return putShort(target, start + 1, bytes, length);
  target.set(bytes.subarray(0, length), start + 1);
  return start + 1 + length;
}

function putText(target: Uint8Array, at: number, name: Uint8Array, text: string): number {
  const start = putDecimal(target, putShort(target, at, name, name.length), text.length);
  target[start] = letter.colon;
  return putLetters(target, start + 1, text);
}

function putLetters(target: Uint8Array, at: number, text: string): number {
  for (let index = 0; index < text.length; index++) target[at + index] = text.charCodeAt(index);
  return at + text.length;
}

/** Up to here a loop is faster than `subarray` and `set`, which take 100 ns together. */
const loopLimit = 128;

function putShort(target: Uint8Array, at: number, bytes: Uint8Array, length: number): number {
  for (let index = 0; index < length; index++) target[at + index] = bytes[index]!;
  return at + length;
}

function putDecimal(target: Uint8Array, at: number, value: number): number {
  // What is no whole number of 31 bits is rare and may be as slow as it likes.
  if ((value | 0) !== value || value < 0) return putLetters(target, at, String(value));
  let end = at + 1;
  for (let rest = value; rest > 9; rest = (rest / 10) | 0) end++;
  for (let place = end - 1, rest = value; place >= at; place--) {
    const tenth = (rest / 10) | 0;
    target[place] = 0x30 + rest - tenth * 10;
    rest = tenth;
  }
  return end;
}
