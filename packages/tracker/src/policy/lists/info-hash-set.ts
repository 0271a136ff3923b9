// Info-hashes to serve or to deny, compactly: an open-addressed table of 20-byte keys, filled once. The place of a hash
// follows from its first word alone: who could choose hashes that crowd together would crowd his own entries.
import { PolicyListError } from '../../errors.ts';
import { countLineEnds, entriesOf, listError } from './list-lines.ts';

/** Whether a torrent is among those listed. */
export interface InfoHashes {
  has(infoHash: Uint8Array): boolean;
}

/** BEP 3. */
const hashBytes = 20;
const words = 5;

/** Of the table's places, at most this share is taken: 30 bytes a hash, and three to five places looked at. */
const fill = 2 / 3;

/** A set of info-hashes that is built once. */
export class InfoHashSet implements InfoHashes {
  readonly #table: Uint32Array;
  readonly #places: number;
  readonly #limit: number;
  /** Zeros mark an empty place, so the hash of zeros is kept beside. */
  #hasZeros = false;
  #size = 0;

  /** An empty set with room for `capacity` hashes. @throws RangeError for a capacity that is no such number */
  constructor(capacity: number) {
    if (!(Number.isInteger(capacity) && capacity >= 0 && capacity <= mostHashes)) {
      throw new RangeError(`capacity must be 0 to ${mostHashes}`);
    }
    this.#limit = capacity;
    this.#places = Math.ceil(capacity / fill) + 1;
    this.#table = new Uint32Array(this.#places * words);
  }

  /** The set of these hashes, of 20 bytes each. @throws RangeError for another length */
  static of(infoHashes: readonly Uint8Array[]): InfoHashSet {
    const set = new InfoHashSet(infoHashes.length);
    for (const infoHash of infoHashes) {
      if (infoHash.length !== hashBytes) throw new RangeError('an info-hash has 20 bytes');
      set.add(infoHash);
    }
    return set;
  }

  get size(): number {
    return this.#size;
  }

  /** Bytes of memory. */
  get byteLength(): number {
    return this.#table.byteLength;
  }

  /** Adds the 20 bytes at `offset`. @throws RangeError when there is no room */
  add(bytes: Uint8Array, offset = 0): void {
    const place = this.#find(bytes, offset);
    if (place < 0) return;
    if (this.#size === this.#limit) throw new RangeError('the set is full');
    this.#size++;
    const at = place * words;
    for (let word = 0; word < words; word++) this.#table[at + word] = wordAt(bytes, offset + word * 4);
    if (this.#isEmpty(at)) this.#hasZeros = true;
  }

  has(infoHash: Uint8Array): boolean {
    return infoHash.length === hashBytes && this.#find(infoHash, 0) < 0;
  }

  /** The empty place where the hash belongs; -1 when it is there already. */
  #find(bytes: Uint8Array, offset: number): number {
    const [a, b, c] = [wordAt(bytes, offset), wordAt(bytes, offset + 4), wordAt(bytes, offset + 8)];
    const [d, e] = [wordAt(bytes, offset + 12), wordAt(bytes, offset + 16)];
    if ((a | b | c | d | e) === 0 && this.#hasZeros) return -1;
    const table = this.#table;
    let place = Math.floor((a / 0x1_0000_0000) * this.#places);
    for (;;) {
      const at = place * words;
      if (this.#isEmpty(at)) return place;
      if (table[at] === a && table[at + 1] === b && table[at + 2] === c && table[at + 3] === d && table[at + 4] === e) {
        return -1;
      }
      place = place + 1 === this.#places ? 0 : place + 1;
    }
  }

  #isEmpty(at: number): boolean {
    const table = this.#table;
    return (table[at]! | table[at + 1]! | table[at + 2]! | table[at + 3]! | table[at + 4]!) === 0;
  }
}

/** The most that a Uint32Array of 2^32 - 1 elements holds, rounded down. */
const mostHashes = 500_000_000;

/**
 * Reads a list of info-hashes, each of 40 hexadecimal digits; see list-lines.ts for the form.
 * @throws PolicyListError for the first entry that is none
 */
export function parseInfoHashList(content: Uint8Array): InfoHashSet {
  const steps = readInfoHashList(content);
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
  }
}

/**
 * The same in steps of about a millisecond, for a process that serves meanwhile: ten million hashes take ten seconds.
 * The content must not change until the end. @throws PolicyListError as above
 */
export function* readInfoHashList(content: Uint8Array): Generator<void, InfoHashSet> {
  let lines = 1;
  for (let at = 0; at < content.length; at += countedAtOnce) {
    lines += countLineEnds(content.subarray(at, at + countedAtOnce));
    yield;
  }
  const set = new InfoHashSet(lines);
  const bytes = new Uint8Array(hashBytes);
  let read = 0;
  for (const entry of entriesOf(content)) {
    if (!readHex(content, entry.start, entry.end, bytes)) throw listError('not-an-info-hash', entry);
    set.add(bytes);
    if (++read % readAtOnce === 0) yield;
  }
  return set;
}

/** Bytes looked through, and entries read, in a millisecond. */
const countedAtOnce = 1 << 19;
const readAtOnce = 1000;

/** The 20 bytes of an info-hash written as text. @throws PolicyListError */
export function parseInfoHash(text: string): Uint8Array {
  const content = Uint8Array.from(text, (character) => character.charCodeAt(0));
  const bytes = new Uint8Array(hashBytes);
  if (readHex(content, 0, text.length, bytes)) return bytes;
  throw new PolicyListError('not-an-info-hash', 1, 1, text.slice(0, 80));
}

/** A list with single entries added and taken out, where neither is worth building the list again. */
export function amendedInfoHashes(
  list: InfoHashes,
  added: readonly Uint8Array[],
  removed: readonly Uint8Array[],
): InfoHashes {
  const [more, less] = [InfoHashSet.of(added), InfoHashSet.of(removed)];
  return { has: (infoHash) => more.has(infoHash) || (list.has(infoHash) && !less.has(infoHash)) };
}

function readHex(content: Uint8Array, start: number, end: number, target: Uint8Array): boolean {
  if (end - start !== 2 * hashBytes) return false;
  for (let at = 0; at < hashBytes; at++) {
    const [high, low] = [digit(content[start + 2 * at]!), digit(content[start + 2 * at + 1]!)];
    if (high < 0 || low < 0) return false;
    target[at] = (high << 4) | low;
  }
  return true;
}

function digit(code: number): number {
  if (code >= 0x30 && code <= 0x39) return code - 0x30;
  const lower = code | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1;
}

function wordAt(bytes: Uint8Array, at: number): number {
  return ((bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!) >>> 0;
}
