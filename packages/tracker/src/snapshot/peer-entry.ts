// One peer as a snapshot says it, in bytes: where it is, what it is, how long it has been silent. Ages, not times: whoever
// reads it has another clock. Entries need nothing before or after them, so that any beginning of a snapshot is good.
import { peerIdBytes } from '../peer-sample.ts';
import { readWord, writeWord } from '../memory/torrent-table.ts';

/** What is said of a peer; filled anew for each entry that is read. */
export interface PeerEntry {
  family: 4 | 6;
  seeding: boolean;
  partial: boolean;
  /** It was counted as a completed download. */
  counted: boolean;
  listing: 'public' | 'private';
  /**
   * It has left: whatever was said of it before is void. Its partner goes on alone, in the role that is said. With port 0
   * nobody left, and only `completed` is news.
   */
  gone: boolean;
  /** Whole seconds since it was last heard of, of one that has left 0. */
  age: number;
  /** Downloads of its torrent that were completed. */
  completed: number;
  readonly infoHash: Uint8Array;
  /** 4 or 16 bytes, by family. */
  address: Uint8Array;
  port: number;
  /** Zeros where it is not kept. */
  readonly peerId: Uint8Array;
  /** The other address of the same participant (BEP 7). */
  partner: { address: Uint8Array; port: number; listing: 'public' | 'private' } | undefined;
}

/** The first byte of an entry. */
export const entryFlag = {
  ipv6: 1,
  seeding: 2,
  partial: 4,
  counted: 8,
  private: 16,
  gone: 32,
  paired: 64,
  withId: 128,
} as const;

/** Where an entry has what: flags, age, info-hash, completed, then address, port, and what the flags promise. */
export const entryOffset = { age: 1, infoHash: 5, completed: 25, address: 29 } as const;

/** In the word of the age: the partner is on the other listing. An age is of days, not of 68 years. */
export const besideBit = 0x8000_0000;

const infoHashBytes = 20;
const addressBytes: Readonly<Record<4 | 6, 4 | 16>> = { 4: 4, 6: 16 };
const portBytes = 2;

/** An IPv6 peer with its id and a partner: 29 + 18 + 20 + 6. */
export const longestEntry = 73;

/** An entry to read into. */
export function emptyEntry(): PeerEntry {
  return {
    family: 4,
    seeding: false,
    partial: false,
    counted: false,
    listing: 'public',
    gone: false,
    age: 0,
    completed: 0,
    infoHash: new Uint8Array(infoHashBytes),
    address: new Uint8Array(0),
    port: 0,
    peerId: new Uint8Array(peerIdBytes),
    partner: undefined,
  };
}

/** How long an entry is that has these flags. */
export function entryBytes(flags: number): number {
  const own = (flags & entryFlag.ipv6) === 0 ? 4 : 6;
  const id = (flags & entryFlag.withId) === 0 ? 0 : peerIdBytes;
  const partner = (flags & entryFlag.paired) === 0 ? 0 : addressBytes[own === 4 ? 6 : 4] + portBytes;
  return entryOffset.address + addressBytes[own] + portBytes + id + partner;
}

/** Reads the entry that begins at `at` into `entry`; where the next one begins, or -1 where this one is none. */
export function readPeerEntry(bytes: Uint8Array, at: number, entry: PeerEntry): number {
  const flags = bytes[at];
  if (flags === undefined) return -1;
  const has = (flag: number): boolean => (flags & flag) !== 0;
  const family = has(entryFlag.ipv6) ? 6 : 4;
  const other = family === 4 ? 6 : 4;
  const idAt = at + entryOffset.address + addressBytes[family] + portBytes;
  const partnerAt = idAt + (has(entryFlag.withId) ? peerIdBytes : 0);
  const end = at + entryBytes(flags);
  if (end > bytes.length) return -1;
  entry.family = family;
  entry.seeding = has(entryFlag.seeding);
  entry.partial = has(entryFlag.partial) && !entry.seeding;
  entry.counted = has(entryFlag.counted);
  entry.listing = has(entryFlag.private) ? 'private' : 'public';
  entry.gone = has(entryFlag.gone);
  const age = readWord(bytes, at + entryOffset.age);
  entry.age = age % besideBit;
  entry.completed = readWord(bytes, at + entryOffset.completed);
  entry.infoHash.set(bytes.subarray(at + entryOffset.infoHash, at + entryOffset.infoHash + infoHashBytes));
  const own = endpointAt(bytes, at + entryOffset.address, family);
  entry.address = own.address;
  entry.port = own.port;
  if (has(entryFlag.withId)) entry.peerId.set(bytes.subarray(idAt, partnerAt));
  else entry.peerId.fill(0);
  const listing = age >= besideBit === (entry.listing === 'public') ? 'private' : 'public';
  entry.partner = has(entryFlag.paired) ? { ...endpointAt(bytes, partnerAt, other), listing } : undefined;
  return own.port === 0 && !entry.gone ? -1 : end;
}

/** Writes the age and what is completed into the entry at `at`. */
export function writeNumbers(into: Uint8Array, at: number, age: number, completed: number): void {
  writeWord(into, at + entryOffset.age, age);
  writeWord(into, at + entryOffset.completed, completed);
}

/** Addresses are views into the bytes. */
function endpointAt(bytes: Uint8Array, at: number, family: 4 | 6): { address: Uint8Array; port: number } {
  const end = at + addressBytes[family];
  return { address: bytes.subarray(at, end), port: bytes[end]! * 256 + bytes[end + 1]! };
}
