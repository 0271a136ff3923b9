// Errors: the one class for bytes that are not bencode or are more than the caller allows. Codes are part of semver.

/** Why bytes were refused. */
export type BencodeErrorCode =
  /** The input ends inside a value, or a string's length reaches past the end. */
  | 'truncated'
  /** A byte that begins no value, or ends what is not open. */
  | 'unexpected-byte'
  /** An integer without digits, or with a byte among them that is no digit. */
  | 'bad-integer'
  /** A string's length that has a byte other than a digit before its colon. */
  | 'bad-length'
  /** An integer or a string's length that begins with a needless zero. Lenient: accepted. */
  | 'leading-zero'
  /** `i-0e`. Lenient: 0. */
  | 'negative-zero'
  /** A dictionary key that is no string. */
  | 'key-not-string'
  /** A dictionary that ends after a key. */
  | 'missing-value'
  /** A key that sorts before the one in front of it. Lenient: accepted. */
  | 'unsorted-keys'
  /** A key that is already in the dictionary. Lenient: the last one wins. */
  | 'duplicate-key'
  /** Bytes after the value. Lenient: ignored. */
  | 'trailing-bytes'
  /** More digits in one integer than {@link maxIntegerDigits}. */
  | 'too-many-digits'
  /** More containers inside each other than `maxDepth`. */
  | 'too-deep'
  /** More values and keys than `maxTokens`. */
  | 'too-many-tokens'
  /** A longer input than `maxBytes`. */
  | 'too-many-bytes';

/** Bytes that are no bencode, or more of it than allowed. The fault of whoever sent them, never of the caller. */
export class BencodeError extends Error {
  override readonly name = 'BencodeError';
  readonly code: BencodeErrorCode;
  /** Where in the input, in bytes from its start, the value, key or byte at fault stands. */
  readonly offset: number;

  constructor(code: BencodeErrorCode, offset: number) {
    super(`bencode: ${code} at byte ${offset}`);
    this.code = code;
    this.offset = offset;
  }
}
