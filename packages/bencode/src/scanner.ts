// Scanner: reads integers and string lengths, the two tokens with digits (BEP 3, "bencoding"), and counts tokens.
// Decides what is a well-formed token and where it ends; must not know dictionaries, nor build lists or maps.
import { BencodeError, type BencodeErrorCode } from './errors.ts';
import { type DecodeOptions, maxIntegerDigits } from './limits.ts';
import { latin1Slice } from './text.ts';

/** Something lenient decoding accepted and strict decoding refuses. */
export interface Deviation {
  readonly code: BencodeErrorCode;
  /** In bytes from the start of the input. */
  readonly offset: number;
}

/** The bytes that give the grammar its form. */
export const token = { colon: 0x3a, dictionary: 0x64, end: 0x65, integer: 0x69, list: 0x6c } as const;

/** A cursor over bencoded bytes. Invariant: `position` never passes `end`. */
export class Scanner {
  readonly bytes: Uint8Array;
  readonly end: number;
  readonly lenient: boolean;
  readonly maxDepth: number;
  position = 0;
  /** The first thing that only lenient decoding accepts. */
  deviation: Deviation | undefined;
  tokensLeft: number;

  constructor(bytes: Uint8Array, options: Required<DecodeOptions>) {
    // A plain array would be read without complaint and give strings without `subarray`.
    if (!(bytes instanceof Uint8Array)) throw new TypeError('bencode is decoded from a Uint8Array');
    // A subclass would be handed on in every view, and one common subclass has a `slice` that does not copy.
    this.bytes =
      bytes.constructor === Uint8Array ? bytes : new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length);
    this.end = bytes.length;
    this.lenient = options.lenient;
    this.maxDepth = options.maxDepth;
    this.tokensLeft = options.maxTokens;
    if (bytes.length > options.maxBytes) throw new BencodeError('too-many-bytes', options.maxBytes);
  }

  /** Counts one value or key. */
  countToken(): void {
    this.tokensLeft -= 1;
    if (this.tokensLeft < 0) throw new BencodeError('too-many-tokens', this.position);
  }

  /** Notes a deviation, or refuses it when strict. */
  deviate(code: BencodeErrorCode, offset: number): void {
    if (!this.lenient) throw new BencodeError(code, offset);
    this.deviation ??= { code, offset };
  }

  /** Reads a key's length and colon, leaves `position` at its first byte and returns where it ends. */
  keyEnd(): number {
    const byte = this.bytes[this.position];
    if (byte === undefined) throw new BencodeError('truncated', this.position);
    if (!isDigit(byte)) throw new BencodeError('key-not-string', this.position);
    this.countToken();
    return this.stringEnd();
  }

  /** Refuses what stands where a value must begin; `isInside` tells whether a list or dictionary is open. */
  refuseValue(isInside: boolean): never {
    const byte = this.bytes[this.position];
    if (byte === undefined) throw new BencodeError('truncated', this.position);
    // Only after a key can `e` be met here: an open list's is taken before, and outside there is nothing to end.
    if (byte === token.end && isInside) throw new BencodeError('missing-value', this.position);
    throw new BencodeError('unexpected-byte', this.position);
  }

  /** Reads a string's length and colon, leaves `position` at its first byte and returns where it ends. */
  stringEnd(): number {
    const { bytes, end } = this;
    const start = this.position;
    let position = start;
    let length = 0;
    let digit = bytes[position]! - 0x30;
    do {
      // However many digits: what a double cannot hold exactly is longer than any input, as is Infinity.
      length = length * 10 + digit;
      position += 1;
      // Past the end there is undefined, which becomes NaN and is no digit.
      digit = bytes[position]! - 0x30;
    } while (digit >= 0 && digit <= 9);
    if (position >= end) throw new BencodeError('truncated', start);
    if (bytes[position] !== token.colon) throw new BencodeError('bad-length', position);
    if (position - start > 1 && bytes[start] === 0x30) this.deviate('leading-zero', start);
    position += 1;
    if (length > end - position) throw new BencodeError('truncated', start);
    this.position = position;
    return position + length;
  }

  /** Reads an integer whose `i` stands at `position`, and leaves `position` after its `e`. */
  integer(): number | bigint {
    const { bytes } = this;
    const start = this.position;
    const negative = bytes[start + 1] === 0x2d;
    const first = negative ? start + 2 : start + 1;
    let position = first;
    let magnitude = 0;
    let digit = bytes[position]! - 0x30;
    while (digit >= 0 && digit <= 9) {
      magnitude = magnitude * 10 + digit;
      position += 1;
      // Past the end there is undefined, which becomes NaN and is no digit.
      digit = bytes[position]! - 0x30;
    }
    const digits = position - first;
    // What is short and begins with no zero needs no closer look, and 15 digits are exact in a double.
    const isPlain = digits > 0 && digits <= 15 && bytes[first] !== 0x30 && bytes[position] === token.end;
    if (!isPlain) this.#requireInteger(start, first, position);
    this.position = position + 1;
    if (digits > 15) return exactInteger(latin1Slice(bytes, start + 1, position));
    return negative && magnitude !== 0 ? -magnitude : magnitude;
  }

  #requireInteger(start: number, first: number, last: number): void {
    if (last >= this.end) throw new BencodeError('truncated', start);
    if (last === first || this.bytes[last] !== token.end) throw new BencodeError('bad-integer', last);
    const digits = last - first;
    if (digits > maxIntegerDigits) throw new BencodeError('too-many-digits', start);
    if (this.bytes[first] !== 0x30) return;
    if (digits > 1) this.deviate('leading-zero', start);
    else if (first === start + 2) this.deviate('negative-zero', start);
  }
}

export function isDigit(byte: number | undefined): boolean {
  return byte !== undefined && byte >= 0x30 && byte <= 0x39;
}

/** Digits as a number when that is exact, else as a bigint. */
function exactInteger(digits: string): number | bigint {
  const rounded = Number(digits);
  if (!Number.isSafeInteger(rounded)) return BigInt(digits);
  // Only leading zeros make -0 this long.
  return rounded === 0 ? 0 : rounded;
}
