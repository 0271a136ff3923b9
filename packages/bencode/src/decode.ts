// Decode: bytes to values (BEP 3, "bencoding"), strict unless told otherwise, without recursion and within limits.
// Invariant: memory grows only with tokens read, never with a length claimed. Must not know what a value means.
import { BencodeError } from './errors.ts';
import { keyText } from './known-keys.ts';
import { completeOptions, type DecodeOptions, type ItemTaker, type PrefixOptions } from './limits.ts';
import { type Deviation, isDigit, Scanner, token } from './scanner.ts';
import type { BencodeDictionary, BencodeList, BencodeValue } from './value.ts';

export type { ItemTaker, PrefixOptions } from './limits.ts';
export type { Deviation } from './scanner.ts';

/** A value and where it ends. */
export interface Prefix {
  readonly value: BencodeValue;
  /** Offset of the first byte after the value. */
  readonly end: number;
  /** Of the value asked for with `rangeOf`: its bytes as received. Not there when the key is not. */
  readonly raw?: Uint8Array;
  /** The first thing that strict decoding would have refused; never there when strict. */
  readonly deviation?: Deviation;
}

/**
 * The value that the bytes are. Byte strings in it are views into `bytes`: they share its memory and keep it alive.
 * @throws BencodeError when the bytes are no bencode, are not in its one canonical form, or exceed a limit.
 */
export function decode(bytes: Uint8Array, options: DecodeOptions = {}): BencodeValue {
  const scanner = new Scanner(bytes, completeOptions(options));
  const value = new Decoder(scanner, {}).value();
  if (scanner.position !== bytes.length && !scanner.lenient) {
    throw new BencodeError('trailing-bytes', scanner.position);
  }
  return value;
}

/**
 * The value that the bytes begin with, and where it ends: `ut_metadata` puts payload after a dictionary (BEP 9).
 * @throws BencodeError as {@link decode}, but never `trailing-bytes`; what `items` throws.
 */
export function decodePrefix(bytes: Uint8Array, options: PrefixOptions = {}): Prefix {
  const scanner = new Scanner(bytes, completeOptions(options));
  const decoder = new Decoder(scanner, options);
  const value = decoder.value();
  const { position: end, deviation } = scanner;
  const { raw } = decoder;
  return { value, end, ...(raw === undefined ? {} : { raw }), ...(deviation === undefined ? {} : { deviation }) };
}

/** A list or dictionary that is not closed yet. One frame per depth is made, and used again for every sibling. */
class Frame {
  /** The open dictionary; undefined in a list. */
  dictionary: BencodeDictionary | undefined;
  /** In a list: where its values begin among those gathered. */
  listStart = 0;
  /** In a list that is handed over: who takes its values. */
  taker: ItemTaker | undefined;
  /** In a dictionary: the key in front of the value now read, and its place in the bytes. */
  key = '';
  keyStart = 0;
  keyEnd = -1;
}

class Decoder {
  readonly #scanner: Scanner;
  readonly #frames: Frame[] = [];
  #depth = 0;
  /** Values of the open lists; cut off as a list of exact size when one closes. */
  readonly #gathered: BencodeValue[] = [];
  #gatheredCount = 0;
  readonly #rangeOf: string | undefined;
  readonly #items: ItemTaker | undefined;
  /** The last value of the key `rangeOf`, as received. */
  raw: Uint8Array | undefined;

  constructor(scanner: Scanner, { rangeOf, items }: PrefixOptions) {
    this.#scanner = scanner;
    this.#rangeOf = rangeOf;
    this.#items = items;
  }

  value(): BencodeValue {
    const scanner = this.#scanner;
    let frame: Frame | undefined;
    for (;;) {
      let value: BencodeValue;
      if (frame !== undefined && scanner.bytes[scanner.position] === token.end) {
        scanner.position += 1;
        value = frame.dictionary ?? this.#cutList(frame);
        this.#depth -= 1;
        frame = this.#depth === 0 ? undefined : this.#frames[this.#depth - 1]!;
      } else {
        if (frame?.dictionary !== undefined) this.#readKey(frame);
        scanner.countToken();
        const byte = scanner.bytes[scanner.position];
        if (byte === token.list || byte === token.dictionary) {
          frame = this.#open(byte);
          continue;
        }
        value = this.#scalar(byte);
      }
      if (frame === undefined) return value;
      if (frame.dictionary !== undefined) {
        frame.dictionary.set(frame.key, value);
        if (this.#depth === 1 && frame.key === this.#rangeOf)
          this.raw = scanner.bytes.subarray(frame.keyEnd, scanner.position);
      } else if (frame.taker !== undefined) frame.taker.item(value);
      else this.#gathered[this.#gatheredCount++] = value;
    }
  }

  #scalar(byte: number | undefined): BencodeValue {
    const scanner = this.#scanner;
    if (byte === token.integer) return scanner.integer();
    if (isDigit(byte)) {
      const end = scanner.stringEnd();
      const { bytes, position } = scanner;
      // As `subarray`, at two thirds of its cost.
      const string = new Uint8Array(bytes.buffer, bytes.byteOffset + position, end - position);
      scanner.position = end;
      return string;
    }
    return scanner.refuseValue(this.#depth > 0);
  }

  #open(byte: number): Frame {
    const scanner = this.#scanner;
    if (this.#depth >= scanner.maxDepth) throw new BencodeError('too-deep', scanner.position);
    const frame = (this.#frames[this.#depth] ??= new Frame());
    this.#depth += 1;
    scanner.position += 1;
    frame.dictionary = byte === token.dictionary ? new Map() : undefined;
    frame.listStart = this.#gatheredCount;
    frame.keyEnd = -1;
    frame.taker = byte === token.list && this.#isAtItems() ? this.#items : undefined;
    frame.taker?.opened();
    return frame;
  }

  /** Whether the container just opened stands at the path of `items`. */
  #isAtItems(): boolean {
    const path = this.#items?.path;
    if (path === undefined || this.#depth !== path.length + 1) return false;
    return path.every((key, depth) => {
      const { dictionary, key: current } = this.#frames[depth]!;
      return dictionary !== undefined && current === key;
    });
  }

  #cutList(frame: Frame): BencodeList {
    const list = this.#gathered.slice(frame.listStart, this.#gatheredCount);
    this.#gatheredCount = frame.listStart;
    return list;
  }

  #readKey(frame: Frame): void {
    const scanner = this.#scanner;
    const at = scanner.position;
    const end = scanner.keyEnd();
    const start = scanner.position;
    const key = keyText(scanner.bytes, start, end);
    if (frame.keyEnd >= 0) {
      const order = compareRanges(scanner.bytes, frame.keyStart, frame.keyEnd, start, end);
      if (order === 0) scanner.deviate('duplicate-key', at);
      else if (order > 0) scanner.deviate(frame.dictionary!.has(key) ? 'duplicate-key' : 'unsorted-keys', at);
    }
    frame.key = key;
    frame.keyStart = start;
    frame.keyEnd = end;
    scanner.position = end;
  }
}

/** Raw byte order (BEP 3): negative when the first range sorts in front, 0 when the bytes are equal. */
function compareRanges(bytes: Uint8Array, start1: number, end1: number, start2: number, end2: number): number {
  const length1 = end1 - start1;
  const length2 = end2 - start2;
  const shared = Math.min(length1, length2);
  for (let position = 0; position < shared; position += 1) {
    const difference = bytes[start1 + position]! - bytes[start2 + position]!;
    if (difference !== 0) return difference;
  }
  return length1 - length2;
}
