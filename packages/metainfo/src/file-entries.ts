/**
 * The `files` list of an info dictionary, checked for types one by one while the bytes are read: a torrent of 20,000 files never
 * exists as dictionaries all at once. Must not know safe names, nor the rest of the dictionary. BEP 3, 47.
 */
import { latin1, utf8, type BencodeDictionary, type BencodeValue, type ItemTaker } from '@shoal/bencode';
import { MetainfoError } from './errors.ts';

/** One entry of the `files` list, checked for types only. */
export interface FileEntry {
  /** The path but its last element; often the very array of the entry before. */
  readonly folders: readonly string[];
  /** The last element of the path; '' when it has none. */
  readonly element: string;
  readonly length: number;
  readonly attributes: string | undefined;
  readonly symlinkPath: readonly string[] | undefined;
}

/** Takes the list; what is wrong with it is told once the whole file is known to be bencode. */
export class FileEntries implements ItemTaker {
  readonly path: readonly string[] = ['info', 'files'];
  #entries: FileEntry[] = [];
  #fault: unknown;
  /** Of the entry before: most files lie where the one before them does. */
  #folders: Folders = none;

  opened(): void {
    this.#entries = [];
    this.#fault = undefined;
    this.#folders = none;
  }

  item(value: BencodeValue): void {
    if (this.#fault !== undefined) return;
    try {
      this.#entries.push(this.#entryOf(value, this.#entries.length));
    } catch (error) {
      this.#fault = error;
    }
  }

  /** @throws MetainfoError about the first entry that cannot be used. */
  all(): readonly FileEntry[] {
    if (this.#fault !== undefined) throw this.#fault;
    return this.#entries;
  }

  #entryOf(item: BencodeValue, index: number): FileEntry {
    if (!(item instanceof Map)) {
      throw new MetainfoError('no-files', `file ${index} is no dictionary`, { key: 'files', file: index });
    }
    const attributes = attributesOf(item);
    const isSymlink = attributes?.includes('l') ?? false;
    const isPadding = attributes?.includes('p') ?? false;
    const path = pathOf(item, index, isPadding);
    // BEP 47: a link has no content, whatever length is written.
    const length = isSymlink ? 0 : lengthOf(item.get('length'), index);
    const last = path?.at(-1);
    return {
      folders: path === undefined ? paddingFolders : this.#foldersOf(path, isPadding),
      element: path === undefined ? String(length) : last === undefined ? '' : textOf(last),
      length,
      attributes,
      symlinkPath: isSymlink
        ? elementsOf(item.get('symlink path') ?? [], 'symlink path', index).map(textOf)
        : undefined,
    };
  }

  #foldersOf(path: readonly Uint8Array[], isPadding: boolean): readonly string[] {
    if (path.length <= 1) return none.text;
    if (isWithin(path, this.#folders.raw)) return this.#folders.text;
    const raw = path.slice(0, -1);
    const text = raw.map(textOf);
    // Padding stands between files that have a folder in common, and has another one.
    if (!isPadding) this.#folders = { raw, text };
    return text;
  }
}

interface Folders {
  readonly raw: readonly Uint8Array[];
  readonly text: readonly string[];
}

const none: Folders = { raw: [], text: [] };
/** Where padding lies that does not say so (BEP 47). */
const paddingFolders: readonly string[] = ['.pad'];

/** Text of a remote's bytes: ASCII the quick way, U+FFFD where it is no UTF-8. */
export function textOf(bytes: Uint8Array): string {
  for (let i = 0; i < bytes.length; i++) if ((bytes[i] ?? 0) >= 0x80) return utf8(bytes);
  return latin1(bytes);
}

export function attributesOf(dictionary: BencodeDictionary): string | undefined {
  const attributes = dictionary.get('attr');
  return attributes instanceof Uint8Array ? textOf(attributes) : undefined;
}

/** @throws MetainfoError when it is no number of bytes; `index` names the file in a list. */
export function lengthOf(value: BencodeValue | undefined, index?: number): number {
  if (typeof value === 'number' && value >= 0) return value;
  const which = index === undefined ? 'the file' : `file ${index}`;
  throw new MetainfoError('bad-length', `the length of ${which} is missing or no number of bytes from 0 to 2^53`, {
    key: 'length',
    ...(index === undefined ? {} : { file: index }),
  });
}

/** Undefined where padding has none. */
function pathOf(item: BencodeDictionary, index: number, isPadding: boolean): Uint8Array[] | undefined {
  const utf8Path = item.get('path.utf-8');
  const path = Array.isArray(utf8Path) ? utf8Path : item.get('path');
  // BEP 47: padding need not say where it would be.
  if (path === undefined && isPadding) return undefined;
  return elementsOf(path, Array.isArray(utf8Path) ? 'path.utf-8' : 'path', index);
}

function elementsOf(value: BencodeValue | undefined, key: string, index: number): Uint8Array[] {
  if (Array.isArray(value) && value.every((element) => element instanceof Uint8Array)) return value;
  throw new MetainfoError('bad-path', `${key} of file ${index} is no list of names`, { key, file: index });
}

/** Whether a path's folders are exactly these. */
function isWithin(path: readonly Uint8Array[], folders: readonly Uint8Array[]): boolean {
  if (path.length !== folders.length + 1) return false;
  for (let i = 0; i < folders.length; i++) if (!isEqual(path[i]!, folders[i]!)) return false;
  return true;
}

function isEqual(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}
