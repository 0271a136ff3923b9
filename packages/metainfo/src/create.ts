/**
 * Makes a .torrent file from a file or folder. The same content, names and options give the same bytes: there is no clock in it.
 * What it makes is parsed again before it is returned. BEP 3, 12, 19, 27.
 */
import { encode, type BencodeInput } from '@shoal/bencode';
import { geometryOf, type Geometry } from '@shoal/pieces';
import { basename, resolve } from 'node:path';
import { trackerFault, webSeedFault } from './addresses.ts';
import { encodeMetainfo, type MetainfoFields } from './encode.ts';
import { MetainfoError } from './errors.ts';
import type { Metainfo } from './metainfo.ts';
import { parseDefaults, parseMetainfo } from './parse.ts';
import { hashPieces, type HashingProgress } from './piece-hashing.ts';
import { autoPieceLength } from './piece-length.ts';
import { safeElement } from './safe-path.ts';
import { findSourceFiles, type SkippedSource, type SourceFile, type SourceTree } from './source-files.ts';
import { quoted } from './warnings.ts';

/** Longer pieces are refused by clients, and two runs of pieces are held in memory while hashing. */
const longestPieceLength = 67_108_864;
const shortestPieceLength = 1024;

export interface CreateOptions extends MetainfoFields {
  /** Bytes, a power of two from 1 KiB to 64 MiB, or `auto` (default): at most 2000 pieces, 16 KiB to 16 MiB. */
  readonly pieceLength?: number | 'auto' | undefined;
  /** Peers may come from the trackers only (BEP 27). Default false. */
  readonly isPrivate?: boolean | undefined;
  /** Text that makes the info-hash another one; private trackers ask for it. Default none. */
  readonly source?: string | undefined;
  /** Name of the file or folder that downloaders get. Default: the source's own. */
  readonly name?: string | undefined;
  /** Take files and folders whose name begins with a dot. Default true. */
  readonly includeHidden?: boolean | undefined;
  /** Take what operating systems leave in folders (`.DS_Store`, `Thumbs.db`, …). Default false. */
  readonly includeJunk?: boolean | undefined;
  /** Called after each run of pieces (1 MiB, or one piece if longer). What it throws ends the work. */
  readonly onProgress?: ((progress: HashingProgress) => void) | undefined;
  /** Ends the work; the promise rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}

type DefinedCreateOptions = { [K in keyof CreateOptions]: Exclude<CreateOptions[K], undefined> };

export const createDefaults: Required<
  Pick<DefinedCreateOptions, 'pieceLength' | 'isPrivate' | 'includeHidden' | 'includeJunk'>
> = {
  pieceLength: 'auto',
  isPrivate: false,
  includeHidden: true,
  includeJunk: false,
};

export interface CreatedMetainfo {
  /** The .torrent file. */
  readonly bytes: Uint8Array;
  /** The same, parsed; its warnings name files that downloaders will get under another name. */
  readonly metainfo: Metainfo;
  /** What of the folder is not in the torrent, and why. */
  readonly skipped: readonly SkippedSource[];
}

/**
 * A torrent of the file or folder at `source`. Files are ordered by the bytes of their path; empty files are kept.
 * @throws MetainfoError unreadable, changed, empty, bad-source-name, bad-path, too-large, collisions; RangeError for options.
 * @example const { bytes, metainfo } = await createMetainfo('holiday', { announceTiers: [['https://tracker.example/announce']] });
 */
export async function createMetainfo(source: string, options: CreateOptions = {}): Promise<CreatedMetainfo> {
  const name = checkedOptions(source, options);
  const { signal, onProgress } = options;
  signal?.throwIfAborted();
  const tree = await findSourceFiles(source, {
    includeHidden: options.includeHidden ?? createDefaults.includeHidden,
    includeJunk: options.includeJunk ?? createDefaults.includeJunk,
    signal,
  });
  const geometry = geometryOfTree(tree, source, options.pieceLength ?? createDefaults.pieceLength);
  const pieces = await hashPieces(tree.files, geometry, { onProgress, signal });
  const infoBytes = encode({
    name,
    'piece length': geometry.pieceLength,
    pieces,
    ...contentOf(tree),
    ...(options.isPrivate === true ? { private: 1 } : {}),
    ...(options.source === undefined ? {} : { source: options.source }),
  });
  const bytes = encodeMetainfo(infoBytes, options);
  return { bytes, metainfo: parseMetainfo(bytes), skipped: tree.skipped };
}

/** The name to use; refuses what a reader would refuse or drop, before anything is hashed. */
function checkedOptions(source: string, options: CreateOptions): string {
  const { pieceLength, creationDate } = options;
  if (typeof pieceLength === 'number' && !isPieceLength(pieceLength)) {
    throw new RangeError(
      `piece length ${pieceLength} is no power of two from ${shortestPieceLength} to ${longestPieceLength}`,
    );
  }
  if (creationDate !== undefined && !(Number.isSafeInteger(creationDate) && creationDate >= 0)) {
    throw new RangeError(`creation date ${creationDate} is no whole number of seconds since 1970`);
  }
  for (const url of options.announceTiers?.flat() ?? []) requireAddress('tracker', url, trackerFault(url));
  for (const url of options.webSeeds ?? []) requireAddress('web seed', url, webSeedFault(url));
  const name = options.name ?? basename(resolve(source));
  if (name === '' || (options.name !== undefined && safeElement(name, false) !== name)) {
    throw new RangeError(`${quoted(name)} is no name that every system can give a file`);
  }
  return name;
}

function isPieceLength(pieceLength: number): boolean {
  return (
    Number.isInteger(Math.log2(pieceLength)) && pieceLength >= shortestPieceLength && pieceLength <= longestPieceLength
  );
}

function requireAddress(noun: string, url: string, fault: string | undefined): void {
  if (fault !== undefined) throw new RangeError(`${quoted(url)} is no address of a ${noun}: ${fault}`);
}

function geometryOfTree(tree: SourceTree, source: string, pieceLength: number | 'auto'): Geometry {
  let totalLength = 0;
  for (const { length } of tree.files) totalLength += length;
  if (totalLength === 0) {
    throw new MetainfoError('empty', `${quoted(source)} holds nothing to share: a torrent needs at least one byte`, {
      path: source,
    });
  }
  const geometry = geometryOf(totalLength, pieceLength === 'auto' ? autoPieceLength(totalLength) : pieceLength);
  // Before hours of hashing, not after.
  const hashesLength = geometry.pieceCount * 20;
  if (hashesLength > parseDefaults.maxBytes) {
    throw new MetainfoError(
      'too-large',
      `${geometry.pieceCount} pieces make a .torrent of more than ${parseDefaults.maxBytes} bytes; choose a greater piece length`,
      { key: 'piece length' },
    );
  }
  return geometry;
}

function contentOf(tree: SourceTree): Record<string, BencodeInput> {
  const [first] = tree.files;
  if (!tree.isFolder && first !== undefined) return { length: first.length };
  return { files: tree.files.map(({ length, path }: SourceFile) => ({ length, path })) };
}
