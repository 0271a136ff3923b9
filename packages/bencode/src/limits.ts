// Limits: how much a decoder accepts and how strictly, and what it tells beside the value. Decides the defaults; must not
// know what is being decoded.
import type { BencodeValue } from './value.ts';

/** How strictly and how far to decode. */
export interface DecodeOptions {
  /**
   * Accept what others write against BEP 3: unsorted keys, duplicate keys (the last wins), needless leading zeros,
   * `i-0e`, and bytes after the value. All else stays refused. Default false.
   */
  readonly lenient?: boolean;
  /** Most lists and dictionaries inside each other. Default 100, as libtorrent's `max_decode_depth`. */
  readonly maxDepth?: number;
  /** Most values and keys together: bounds the memory of what is built. Default 3 000 000, as libtorrent's. */
  readonly maxTokens?: number;
  /** Longest input in bytes. Default 64 MiB: the hashes of 2^21 pieces (libtorrent's most) are 40 MiB. */
  readonly maxBytes?: number;
}

/** What to tell of a value that {@link decodePrefix} reads, beside it and without a second pass. */
export interface PrefixOptions extends DecodeOptions {
  /** A key of the outermost dictionary, as latin1 text: the bytes of its value are reported, of the last one of duplicates. */
  readonly rangeOf?: string;
  /** Takes the items of one list, which is left empty in the value. */
  readonly items?: ItemTaker;
}

/**
 * Takes the items of a list one by one, as each is complete, so that a long list never exists as a whole. What it is
 * given belongs to a document that may yet turn out to be no bencode.
 */
export interface ItemTaker {
  /** Dictionary keys that lead to the list, from the outermost, as latin1 text. */
  readonly path: readonly string[];
  /** A list at `path` begins. Called again for a duplicate of a key, of which the last counts, as everywhere. */
  opened(): void;
  item(value: BencodeValue): void;
}

/** The limits that hold when an option is left out. */
export const defaults: Required<DecodeOptions> = {
  lenient: false,
  maxDepth: 100,
  maxTokens: 3_000_000,
  maxBytes: 64 * 1024 * 1024,
};

/** Most digits of one integer. Reading n digits costs O(n²), so a remote must not choose n; 2^64 has 20. */
export const maxIntegerDigits = 1024;

/**
 * The options with every default filled in.
 * @throws RangeError when a limit is no number or negative.
 */
export function completeOptions(options: DecodeOptions): Required<DecodeOptions> {
  const { lenient = defaults.lenient, maxDepth = defaults.maxDepth } = options;
  const { maxTokens = defaults.maxTokens, maxBytes = defaults.maxBytes } = options;
  // Written so that NaN is refused too; Infinity is a way to say "no limit".
  if (!(maxDepth >= 0 && maxTokens >= 0 && maxBytes >= 0)) {
    throw new RangeError(`limits must not be negative: ${maxDepth}, ${maxTokens}, ${maxBytes}`);
  }
  return { lenient, maxDepth, maxTokens, maxBytes };
}
