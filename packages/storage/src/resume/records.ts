// The bytes of a resume journal: one header, then records, each with its own CRC-32. Decides what is a whole record and
// where a replay has to stop; must not know files, pieces' meaning or trust. All numbers big-endian.
import { crc32 } from 'node:zlib';
import type { Geometry } from '@shoal/pieces';
import type { FileStamp } from '../storage.ts';

/** What a journal belongs to; a header that says otherwise is another torrent's. */
export interface JournalSubject {
  /** 20 bytes. */
  readonly infoHash: Uint8Array;
  readonly geometry: Geometry;
  readonly fileCount: number;
}

/** A file and what it was; `stamp` undefined = it was not there. */
export interface StampEntry {
  readonly file: number;
  readonly stamp: FileStamp | undefined;
}

/** Runs of pieces, flat: first piece, number of pieces, first piece, … */
export type PieceRuns = readonly number[];

/** One step of the journal. */
export type JournalRecord =
  /** A process begins to write; the stamps recorded before it are those it found. */
  | { readonly type: 'session'; readonly bootId: string; readonly wallMs: number }
  /** Pieces in the wire form of a bitfield: `have` in place of all known before, then `doubt`. */
  | { readonly type: 'have' | 'doubt'; readonly bits: Uint8Array }
  | { readonly type: 'verified' | 'lost' | 'doubted'; readonly runs: PieceRuns }
  | { readonly type: 'stamps'; readonly entries: readonly StampEntry[] }
  /** The writer was alive at this time of the wall clock. */
  | { readonly type: 'alive'; readonly wallMs: number }
  /** `synced`: what was verified before the last `syncing` has reached the device. `clean`: all was at rest. */
  | { readonly type: 'syncing' | 'synced' | 'clean' };

/** What bytes of a journal hold. */
export interface DecodedJournal {
  /** Up to the first that is not whole. */
  readonly records: readonly JournalRecord[];
  /** `torn`: an append did not end. `damaged`: whole records follow the bad one, or the header is not ours. */
  readonly end: 'whole' | 'torn' | 'damaged';
}

/** Bytes of a header. */
export const headerLength = 60;

/** Bytes around the payload of a record: length, type, CRC-32. */
const frameLength = 9;
/** Bytes of one entry of a `stamps` record: file, whether it is there, length, time, inode. */
const entryLength = 29;
/** "shoalRJ" and the version of the format. */
const magic: Uint8Array = Uint8Array.of(0x73, 0x68, 0x6f, 0x61, 0x6c, 0x52, 0x4a, 1);
/** Types by their byte, never 0, so that a tail of zeros, as a power loss leaves it, is no record. */
const types: readonly (JournalRecord['type'] | undefined)[] = [
  undefined,
  'session',
  'have',
  'doubt',
  'verified',
  'lost',
  'doubted',
  'stamps',
  'alive',
  'syncing',
  'synced',
  'clean',
];

/** The header of a journal; `writer`, 8 bytes, tells one writer's file from another's. */
export function encodeHeader(subject: JournalSubject, writer: Uint8Array): Uint8Array {
  const { infoHash, geometry, fileCount } = subject;
  const bytes = new Uint8Array(headerLength);
  const view = new DataView(bytes.buffer);
  bytes.set(magic, 0);
  bytes.set(infoHash, 8);
  view.setUint32(28, geometry.pieceCount);
  view.setUint32(32, geometry.pieceLength);
  view.setBigUint64(36, BigInt(geometry.totalLength));
  view.setUint32(44, fileCount);
  bytes.set(writer, 48);
  view.setUint32(56, crc32(bytes.subarray(0, 56)));
  return bytes;
}

/** Records one after another, as they are appended. */
export function encodeRecords(records: readonly JournalRecord[]): Uint8Array {
  const payloads = records.map(encodePayload);
  const bytes = new Uint8Array(payloads.reduce((sum, payload) => sum + payload.length + frameLength, 0));
  const view = new DataView(bytes.buffer);
  let at = 0;
  for (const [index, payload] of payloads.entries()) {
    const end = at + 5 + payload.length;
    view.setUint32(at, payload.length);
    bytes[at + 4] = types.indexOf(records[index]!.type);
    bytes.set(payload, at + 5);
    view.setUint32(end, crc32(bytes.subarray(at, end)));
    at = end + 4;
  }
  return bytes;
}

/** Never throws, whatever the bytes are. */
export function decodeJournal(bytes: Uint8Array, subject: JournalSubject): DecodedJournal {
  const records: JournalRecord[] = [];
  const expected = encodeHeader(subject, bytes.subarray(48, 56));
  if (bytes.length < headerLength || !startsWith(bytes, expected)) return { records, end: 'damaged' };
  let at = headerLength;
  while (at < bytes.length) {
    const record = recordAt(bytes, at, subject);
    if (record === undefined) return { records, end: holdsRecordAfter(bytes, at, subject) ? 'damaged' : 'torn' };
    records.push(record);
    at += frameLength + lengthAt(bytes, at);
  }
  return { records, end: 'whole' };
}

/** Pieces in rising order as runs. */
export function runsOf(pieces: Iterable<number>): number[] {
  const runs: number[] = [];
  let next = -1;
  for (const piece of pieces) {
    if (piece === next) runs[runs.length - 1]! += 1;
    else runs.push(piece, 1);
    next = piece + 1;
  }
  return runs;
}

export function startsWith(bytes: Uint8Array, head: Uint8Array): boolean {
  return bytes.length >= head.length && head.every((byte, index) => bytes[index] === byte);
}

function encodePayload(record: JournalRecord): Uint8Array {
  switch (record.type) {
    case 'session':
      return Uint8Array.of(...encodeNumber(record.wallMs), ...new TextEncoder().encode(record.bootId));
    case 'have':
    case 'doubt':
      return record.bits;
    case 'verified':
    case 'lost':
    case 'doubted':
      return encodeRuns(record.runs);
    case 'stamps':
      return encodeStamps(record.entries);
    case 'alive':
      return encodeNumber(record.wallMs);
    default:
      return new Uint8Array(0);
  }
}

function encodeNumber(value: number): Uint8Array {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setFloat64(0, value);
  return bytes;
}

function encodeRuns(runs: PieceRuns): Uint8Array {
  const bytes = new Uint8Array(runs.length * 4);
  const view = new DataView(bytes.buffer);
  for (const [index, value] of runs.entries()) view.setUint32(index * 4, value);
  return bytes;
}

function encodeStamps(entries: readonly StampEntry[]): Uint8Array {
  const bytes = new Uint8Array(entries.length * entryLength);
  const view = new DataView(bytes.buffer);
  for (const [index, { file, stamp }] of entries.entries()) {
    const at = index * entryLength;
    view.setUint32(at, file);
    if (stamp === undefined) continue;
    bytes[at + 4] = 1;
    view.setBigUint64(at + 5, BigInt(stamp.length));
    view.setBigInt64(at + 13, stamp.modifiedNs);
    view.setBigUint64(at + 21, stamp.inode);
  }
  return bytes;
}

/** The record at `at`; undefined unless all of it is there and says what it can say of this torrent. */
function recordAt(bytes: Uint8Array, at: number, subject: JournalSubject): JournalRecord | undefined {
  if (bytes.length - at < frameLength) return undefined;
  const end = at + 5 + lengthAt(bytes, at);
  const type = types[bytes[at + 4]!];
  if (type === undefined || end + 4 > bytes.length) return undefined;
  if (crc32(bytes.subarray(at, end)) !== viewOf(bytes).getUint32(end)) return undefined;
  return decodePayload(type, bytes.subarray(at + 5, end), subject);
}

function decodePayload(
  type: JournalRecord['type'],
  payload: Uint8Array,
  { geometry, fileCount }: JournalSubject,
): JournalRecord | undefined {
  switch (type) {
    case 'session':
      return decodeSession(payload);
    case 'have':
    case 'doubt':
      return payload.length === Math.ceil(geometry.pieceCount / 8) ? { type, bits: payload } : undefined;
    case 'verified':
    case 'lost':
    case 'doubted':
      return decodeRuns(type, payload, geometry.pieceCount);
    case 'stamps':
      return decodeStamps(payload, fileCount);
    case 'alive':
      return payload.length === 8 ? { type, wallMs: viewOf(payload).getFloat64(0) } : undefined;
    default:
      return payload.length === 0 ? { type } : undefined;
  }
}

function decodeSession(payload: Uint8Array): JournalRecord | undefined {
  if (payload.length < 8) return undefined;
  const bootId = new TextDecoder().decode(payload.subarray(8));
  return { type: 'session', bootId, wallMs: viewOf(payload).getFloat64(0) };
}

function decodeRuns(
  type: 'verified' | 'lost' | 'doubted',
  payload: Uint8Array,
  pieceCount: number,
): JournalRecord | undefined {
  if (payload.length % 8 !== 0) return undefined;
  const view = viewOf(payload);
  const runs: number[] = [];
  for (let at = 0; at < payload.length; at += 8) {
    const first = view.getUint32(at);
    const count = view.getUint32(at + 4);
    if (first + count > pieceCount) return undefined;
    runs.push(first, count);
  }
  return { type, runs };
}

function decodeStamps(payload: Uint8Array, fileCount: number): JournalRecord | undefined {
  if (payload.length % entryLength !== 0) return undefined;
  const view = viewOf(payload);
  const entries: StampEntry[] = [];
  for (let at = 0; at < payload.length; at += entryLength) {
    const file = view.getUint32(at);
    if (file >= fileCount) return undefined;
    const length = Number(view.getBigUint64(at + 5));
    const stamp = { length, modifiedNs: view.getBigInt64(at + 13), inode: view.getBigUint64(at + 21) };
    entries.push({ file, stamp: payload[at + 4] === 0 ? undefined : stamp });
  }
  return { type: 'stamps', entries };
}

/** Tells a flipped bit from an append that did not end. Bounded: no more is summed than eight times what there is. */
function holdsRecordAfter(bytes: Uint8Array, start: number, subject: JournalSubject): boolean {
  let budget = (bytes.length - start) * 8;
  for (let at = start + 1; at + frameLength <= bytes.length && budget > 0; at += 1) {
    if (types[bytes[at + 4]!] === undefined) continue;
    const length = lengthAt(bytes, at);
    if (at + frameLength + length > bytes.length) continue;
    if (recordAt(bytes, at, subject) !== undefined) return true;
    budget -= frameLength + length;
  }
  return false;
}

function lengthAt(bytes: Uint8Array, at: number): number {
  return ((bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!) >>> 0;
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
