/**
 * Reads a .torrent file: the root dictionary here, the info dictionary in info-dictionary.ts. Lenient where bytes are only out of
 * order, strict where a wrong guess would cost data. Clients' corner cases 58, 59; BEP 3, 12, 19, 27.
 */
import { BencodeError, decodePrefix, type BencodeDictionary, type BencodeValue } from '@shoal/bencode';
import { cleanTiers, cleanWebSeeds } from './addresses.ts';
import { MetainfoError } from './errors.ts';
import { FileEntries, textOf } from './file-entries.ts';
import { readInfo } from './info-dictionary.ts';
import { infoHashOf } from './info-hash.ts';
import type { Metainfo } from './metainfo.ts';
import { Warnings } from './warnings.ts';

/** What a .torrent file may cost, and how its names are treated. */
export interface ParseOptions {
  /** Longest file in bytes. Default 10,000,000: what libtorrent accepts; 10,000 files with 40,000 pieces are 2 MB. */
  readonly maxBytes?: number;
  /** Most pieces. Default 2,097,152: what libtorrent accepts. */
  readonly maxPieces?: number;
  /** Deepest nesting of lists and dictionaries. Default 100, as libtorrent. */
  readonly maxDepth?: number;
  /** Most bencoded values. Default 3,000,000, as libtorrent. */
  readonly maxTokens?: number;
  /** Also put `_` for the characters that only Windows refuses, `<>:"|?*`. Default: true on Windows. */
  readonly replaceWindowsCharacters?: boolean;
}

export const parseDefaults: Required<ParseOptions> = {
  maxBytes: 10_000_000,
  maxPieces: 2_097_152,
  maxDepth: 100,
  maxTokens: 3_000_000,
  replaceWindowsCharacters: process.platform === 'win32',
};

/** Root keys that become fields; all others are `unknown`. */
const knownKeys: ReadonlySet<string> = new Set([
  'announce',
  'announce-list',
  'comment',
  'comment.utf-8',
  'created by',
  'created by.utf-8',
  'creation date',
  'encoding',
  'info',
  'url-list',
]);

/**
 * A .torrent file, checked. The result holds views into `bytes`.
 * @throws MetainfoError for whatever is wrong with the bytes, and nothing else; TypeError when they are no Uint8Array.
 * @example const { name, infoHash, files } = parseMetainfo(await readFile('debian.torrent'));
 */
export function parseMetainfo(bytes: Uint8Array, options: ParseOptions = {}): Metainfo {
  if (!(bytes instanceof Uint8Array)) throw new TypeError('a torrent is parsed from a Uint8Array');
  const settings = { ...parseDefaults, ...options };
  const warnings = new Warnings();
  // A Buffer's views would be Buffers too, and slower to make.
  const plain = new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const { root, files, infoBytes } = decodeRoot(plain, settings, warnings);
  const info = root.get('info');
  if (!(info instanceof Map) || infoBytes === undefined) {
    throw new MetainfoError('no-info', 'this is no .torrent file: it has no info dictionary', { key: 'info' });
  }
  const infoHashBytes = infoHashOf(infoBytes);
  const infoHash = Buffer.from(infoHashBytes).toString('hex');
  return {
    infoHash,
    infoHashBytes,
    infoBytes,
    ...readInfo(info, files, infoHash, settings, warnings),
    announceTiers: announceTiersOf(root, warnings),
    webSeeds: cleanWebSeeds(urlsOf(root, warnings), warnings),
    ...textField(root, 'comment', 'comment', warnings),
    ...textField(root, 'created by', 'createdBy', warnings),
    ...textField(root, 'encoding', 'encoding', warnings),
    ...creationDateOf(root, warnings),
    warnings: warnings.list(),
    unknown: new Map([...root].filter(([key]) => !knownKeys.has(key))),
  };
}

interface Root {
  readonly root: BencodeDictionary;
  /** What `info` holds under `files`. */
  readonly files: FileEntries;
  /** `info` as received. */
  readonly infoBytes: Uint8Array | undefined;
}

function decodeRoot(bytes: Uint8Array, limits: Required<ParseOptions>, warnings: Warnings): Root {
  if (bytes.length > limits.maxBytes) {
    throw new MetainfoError('too-large', `the file has ${bytes.length} bytes; at most ${limits.maxBytes} are read`);
  }
  const { maxBytes, maxDepth, maxTokens } = limits;
  const files = new FileEntries();
  const { value, end, deviation, raw } = bencoded(() =>
    decodePrefix(bytes, { lenient: true, maxBytes, maxDepth, maxTokens, rangeOf: 'info', items: files }),
  );
  if (end !== bytes.length) {
    throw new MetainfoError(
      'not-bencoded',
      `${bytes.length - end} bytes follow the end of the torrent at byte ${end}: the file is damaged, get it again`,
      { offset: end },
    );
  }
  if (deviation !== undefined) {
    // The others could make two readers see two torrents; order cannot, since the hash is of the bytes received.
    if (deviation.code !== 'unsorted-keys' && deviation.code !== 'duplicate-key') {
      throw notBencoded(deviation.code, deviation.offset, undefined);
    }
    warnings.add(
      () =>
        `the creator left dictionary keys unsorted or repeated (from byte ${deviation.offset}); the last of a repeated key counts`,
    );
  }
  if (!(value instanceof Map)) {
    throw new MetainfoError('no-info', 'this is no .torrent file: it holds a value that is no dictionary', {
      offset: 0,
    });
  }
  return { root: value, files, infoBytes: raw };
}

/** What `read` returns; its BencodeError as a MetainfoError. */
function bencoded<Result>(read: () => Result): Result {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof BencodeError)) throw error;
    if (error.code === 'too-deep' || error.code === 'too-many-tokens') {
      throw new MetainfoError('too-large', `the file exceeds a limit of what is read: ${error.message}`, {
        offset: error.offset,
        cause: error,
      });
    }
    throw notBencoded(error.code, error.offset, error);
  }
}

function notBencoded(fault: string, offset: number, cause: unknown): MetainfoError {
  return new MetainfoError(
    'not-bencoded',
    `this is no .torrent file, or a damaged one (${fault} at byte ${offset}); check that it is not a web page or a partial download`,
    { offset, ...(cause === undefined ? {} : { cause }) },
  );
}

/** BEP 12: the list replaces `announce`, unless nothing in it can be used. */
function announceTiersOf(root: BencodeDictionary, warnings: Warnings): string[][] {
  const list = root.get('announce-list');
  const tiers = Array.isArray(list) ? list.map((tier) => textsOf(tier, 'announce-list', warnings)) : [];
  if (list !== undefined && !Array.isArray(list)) warnings.add(() => 'announce-list is no list; it is left out');
  const cleaned = cleanTiers(tiers, warnings);
  if (cleaned.length > 0) return cleaned;
  const announce = root.get('announce');
  return announce === undefined ? [] : cleanTiers([textsOf(announce, 'announce', warnings)], warnings);
}

function urlsOf(root: BencodeDictionary, warnings: Warnings): string[] {
  const urls = root.get('url-list');
  return urls === undefined ? [] : textsOf(urls, 'url-list', warnings);
}

/** The strings of a list, or the one string that stands in its place: some creators write that. */
function textsOf(value: BencodeValue, key: string, warnings: Warnings): string[] {
  const texts: string[] = [];
  for (const item of Array.isArray(value) ? value : [value]) {
    if (item instanceof Uint8Array) texts.push(textOf(item));
    else warnings.add(() => `${key} holds something that is no text; it is left out`);
  }
  return texts;
}

/** An optional text under a field's name, its `.utf-8` form first; a wrong type is no reason to refuse a torrent. */
function textField<Field extends string>(
  root: BencodeDictionary,
  key: string,
  field: Field,
  warnings: Warnings,
): { [K in Field]?: string } {
  const value = root.get(`${key}.utf-8`) ?? root.get(key);
  const fields: { [K in Field]?: string } = {};
  if (value instanceof Uint8Array) fields[field] = textOf(value);
  else if (value !== undefined) warnings.add(() => `${key} is no text; it is left out`);
  return fields;
}

function creationDateOf(root: BencodeDictionary, warnings: Warnings): { creationDate?: number } {
  const value = root.get('creation date');
  if (value === undefined) return {};
  if (typeof value === 'number' && value >= 0) return { creationDate: value };
  warnings.add(() => 'creation date is no time in seconds; it is left out');
  return {};
}
