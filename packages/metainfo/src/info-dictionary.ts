/**
 * Reads and checks an info dictionary: name, files, pieces. What contradicts itself is refused, because content could never be
 * verified against it. Must not know the root dictionary. Clients' corner cases 60–64; BEP 3, 27, 47, 52 (only to refuse it).
 */
import type { BencodeDictionary } from '@shoal/bencode';
import { geometryOf, type Geometry } from '@shoal/pieces';
import { MetainfoError } from './errors.ts';
import { attributesOf, lengthOf, textOf, type FileEntries, type FileEntry } from './file-entries.ts';
import { layOutFiles, type PathRules } from './file-layout.ts';
import type { Metainfo } from './metainfo.ts';
import { safeElement } from './safe-path.ts';
import { quoted, type Warnings } from './warnings.ts';

/** 512 MiB: a piece is verified, and often held, as a whole; no creator makes longer ones. Precedent: libtorrent. */
const maxPieceLength = 536_870_912;
const hashLength = 20;

type InfoFields = Pick<
  Metainfo,
  'name' | 'files' | 'isMultiFile' | 'geometry' | 'pieceHashes' | 'isPrivate' | 'source'
>;

export interface InfoRules extends PathRules {
  readonly maxPieces: number;
}

/**
 * The fields of the dictionary, whose list of files is in `listed`.
 * @throws MetainfoError for whatever is wrong with it.
 */
export function readInfo(
  info: BencodeDictionary,
  listed: FileEntries,
  infoHash: string,
  rules: InfoRules,
  warnings: Warnings,
): InfoFields {
  refuseVersion2(info, warnings);
  const originalName = originalNameOf(info);
  // A name of which nothing can be kept must still be unique among torrents in one folder.
  const name = safeElement(originalName, rules.replaceWindowsCharacters) || infoHash;
  if (name !== originalName) {
    warnings.add(() => `the name ${quoted(originalName)} is kept as ${quoted(name)}: it is not safe everywhere`);
  }
  const entries = entriesOf(info, listed, warnings);
  const geometry = geometryOfEntries(info, entries ?? [singleEntry(info)], rules.maxPieces);
  const pieceHashes = pieceHashesOf(info, geometry);
  const files =
    entries === undefined
      ? [singleFile(info, name, originalName, geometry.totalLength)]
      : layOutFiles(name, originalName, entries, rules, warnings);
  const source = info.get('source');
  return {
    name,
    files,
    isMultiFile: entries !== undefined,
    geometry,
    pieceHashes,
    isPrivate: isPrivate(info, warnings),
    ...(source instanceof Uint8Array ? { source: textOf(source) } : {}),
  };
}

function refuseVersion2(info: BencodeDictionary, warnings: Warnings): void {
  const version = info.get('meta version');
  if (version === undefined && !info.has('file tree')) return;
  if (!info.has('pieces')) {
    throw new MetainfoError(
      'v2-only',
      'this is a BitTorrent v2 torrent, which is not supported yet; ask for a v1 or hybrid one',
      { key: 'meta version' },
    );
  }
  warnings.add(() => 'this is a hybrid torrent; its v1 part is used and its v2 part (BEP 52) is not checked');
}

function originalNameOf(info: BencodeDictionary): string {
  const utf8Name = info.get('name.utf-8');
  const name = utf8Name instanceof Uint8Array ? utf8Name : info.get('name');
  if (name === undefined) throw new MetainfoError('no-name', 'the torrent has no name', { key: 'name' });
  if (!(name instanceof Uint8Array)) {
    throw new MetainfoError('bad-name', "the torrent's name is no text", { key: 'name' });
  }
  return textOf(name);
}

/** The files of a folder, or undefined for a single file. */
function entriesOf(info: BencodeDictionary, listed: FileEntries, warnings: Warnings): readonly FileEntry[] | undefined {
  const list = info.get('files');
  if (list === undefined) return undefined;
  const entries = Array.isArray(list) ? listed.all() : [];
  if (entries.length === 0) {
    throw new MetainfoError('no-files', 'the list of files is empty or no list', { key: 'files' });
  }
  if (info.has('length')) warnings.add(() => 'the torrent says that it is a file and a folder; it is read as a folder');
  return entries;
}

function singleEntry(info: BencodeDictionary): { readonly length: number } {
  if (!info.has('length')) {
    throw new MetainfoError('no-files', 'the torrent has neither a length nor a list of files', { key: 'files' });
  }
  return { length: lengthOf(info.get('length')) };
}

function singleFile(
  info: BencodeDictionary,
  name: string,
  originalName: string,
  length: number,
): Metainfo['files'][number] {
  const path = [name];
  const attributes = attributesOf(info);
  return {
    path,
    originalPath: originalName === name ? path : [originalName],
    length,
    isPadding: false,
    isSkipped: false,
    ...(attributes === undefined ? {} : { attributes }),
  };
}

function geometryOfEntries(
  info: BencodeDictionary,
  entries: readonly { readonly length: number }[],
  maxPieces: number,
): Geometry {
  const pieceLength = info.get('piece length');
  if (typeof pieceLength !== 'number' || pieceLength <= 0 || pieceLength > maxPieceLength) {
    throw new MetainfoError('piece-length', `the piece length is missing or not from 1 to ${maxPieceLength} bytes`, {
      key: 'piece length',
    });
  }
  let totalLength = 0;
  for (const { length } of entries) totalLength += length;
  if (!Number.isSafeInteger(totalLength)) {
    throw new MetainfoError('bad-length', 'the lengths of the files add up to more than 2^53 bytes', { key: 'length' });
  }
  if (totalLength === 0) {
    throw new MetainfoError('empty', 'the torrent has no content: all its files are empty', { key: 'length' });
  }
  const pieceCount = Math.ceil(totalLength / pieceLength);
  if (pieceCount > maxPieces) {
    throw new MetainfoError('too-large', `the torrent has ${pieceCount} pieces; at most ${maxPieces} are possible`, {
      key: 'pieces',
    });
  }
  return geometryOf(totalLength, pieceLength);
}

function pieceHashesOf(info: BencodeDictionary, geometry: Geometry): Uint8Array {
  const pieces = info.get('pieces');
  if (!(pieces instanceof Uint8Array)) {
    throw new MetainfoError('pieces', 'the torrent has no piece hashes', { key: 'pieces' });
  }
  if (pieces.length !== geometry.pieceCount * hashLength) {
    throw new MetainfoError(
      'pieces',
      `the piece hashes are ${pieces.length} bytes long, but ${geometry.pieceCount} pieces need ${geometry.pieceCount * hashLength}`,
      { key: 'pieces' },
    );
  }
  return pieces;
}

/** BEP 27 says 1. Anything else but 0 is taken for it too: being too discreet loses peers, the opposite breaks a promise. */
function isPrivate(info: BencodeDictionary, warnings: Warnings): boolean {
  const value = info.get('private');
  if (value !== undefined && value !== 0 && value !== 1) {
    warnings.add(() => 'private is neither 0 nor 1; the torrent is treated as private');
  }
  return value !== undefined && value !== 0;
}
