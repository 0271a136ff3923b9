// Where each file of a torrent lies below the storage's directory. Decides which paths are refused (clients 60–62):
// names are checked again here although metainfo cleans them, since one slip would write outside. No I/O.
import path from 'node:path';
import { StorageError } from './errors.ts';
import type { StorageFile } from './storage.ts';

/** The place of one file. */
export interface FilePlace {
  /** Absolute. */
  readonly path: string;
  /** Elements of the folder that holds it, below the directory. */
  readonly parents: readonly string[];
  /** Bytes. */
  readonly length: number;
  /** Only a `file` ever has content on disk, and only a `link` else is made. */
  readonly kind: 'file' | 'link' | 'padding' | 'skipped';
  /** What a link says; empty for all else. */
  readonly linkText: string;
  /** Permissions of a new file, before the process's umask. */
  readonly mode: number;
}

/** Where everything of a torrent lies: its files by number, and the file for parts of unwanted ones. */
export interface FileLayout {
  /** Absolute. */
  readonly directory: string;
  readonly files: readonly StorageFile[];
  readonly partName: string;
  readonly places: readonly FilePlace[];
  readonly partPlace: FilePlace;
}

/**
 * The layout of files below `directory`, absolute.
 * @throws StorageError `unsafe-path` for a name that could lead elsewhere, or two files in one place.
 */
export function layoutOf(directory: string, files: readonly StorageFile[], partName: string): FileLayout {
  const places = files.map((file) => placeOf(directory, file));
  const partPlace: FilePlace = {
    path: safeJoin(directory, [partName]),
    parents: [],
    length: 0,
    kind: 'file',
    linkText: '',
    mode: 0o666,
  };
  requireDistinct([...places, partPlace]);
  return { directory, files, partName, places, partPlace };
}

/**
 * The same with another path for file number `index`.
 * @throws StorageError `unsafe-path`; `exists` when another file has this path.
 */
export function withPath(layout: FileLayout, index: number, elements: readonly string[]): FileLayout {
  const file = { ...layout.files[index]!, path: elements };
  const place = placeOf(layout.directory, file);
  const others = [...layout.places.filter((_, other) => other !== index), layout.partPlace];
  if (others.some((other) => isSomewhere(other) && other.path === place.path)) {
    throw new StorageError('exists', `cannot use ${place.path}: another file of the torrent has this path`, {
      path: place.path,
    });
  }
  requireDistinct([...others, place]);
  return { ...layout, files: layout.files.with(index, file), places: layout.places.with(index, place) };
}

/** A hidden name that says which torrent it belongs to: `.NAME.parts`, of the first element of the first path. */
export function partNameOf(files: readonly StorageFile[]): string {
  const name = files.find((file) => file.isPadding !== true)?.path[0] ?? '';
  // File systems take names of 255 bytes; what is cut off a long one leaves room for the rest of ours.
  const bytes = new TextEncoder().encode(name).subarray(0, 240);
  return `.${new TextDecoder().decode(bytes).replace(/\uFFFD+$/, '')}.parts`;
}

/** Whether anything is ever made at the place. */
export function isSomewhere(place: FilePlace): boolean {
  return place.kind === 'file' || place.kind === 'link';
}

/**
 * For storages that keep no paths, so that they refuse what all refuse.
 * @throws RangeError unless `file` is the number of one that is no padding; StorageError `unsafe-path`.
 */
export function requireNameable(isPadding: readonly boolean[], file: number, elements: readonly string[]): void {
  if (isPadding[file] !== false) throw new RangeError(`file ${file} is not one that could have a path`);
  if (isSafePath(elements)) return;
  throw new StorageError('unsafe-path', `${JSON.stringify(elements)} has an element that is no plain name, or none`);
}

/** Whether `elements` name a place below any directory: plain names, at least one. */
function isSafePath(elements: readonly string[]): boolean {
  return elements.length > 0 && !elements.some(isUnsafeElement);
}

/** @throws StorageError `unsafe-path` for two files in one place, or a file in the place of a folder. */
function requireDistinct(places: readonly FilePlace[]): void {
  const taken = new Set<string>();
  for (const place of places) {
    if (!isSomewhere(place)) continue;
    if (taken.has(place.path)) throw unsafe(place.path, 'two files of the torrent have this path');
    taken.add(place.path);
  }
  for (const folder of foldersOf(places)) {
    if (taken.has(folder)) throw unsafe(folder, 'the torrent has both a file and a folder of this path');
  }
}

/** All folders that the places need, each once: a torrent of many files has few. */
function foldersOf(places: readonly FilePlace[]): Set<string> {
  const folders = new Set<string>();
  for (const place of places) {
    if (!isSomewhere(place)) continue;
    let folder = above(place.path);
    for (let depth = place.parents.length; depth > 0 && !folders.has(folder); depth -= 1) {
      folders.add(folder);
      folder = above(folder);
    }
  }
  return folders;
}

/** As `path.dirname` of what lies below a folder and was joined by us, at a tenth of its cost: 20,000 files ask for it. */
function above(at: string): string {
  return at.slice(0, at.lastIndexOf(path.sep));
}

/** Padding has a place too, never used. @throws StorageError `unsafe-path` for a name that could lead elsewhere. */
function placeOf(directory: string, file: StorageFile): FilePlace {
  const { length } = file;
  const kind = kindOf(file);
  const isMade = kind === 'file' || kind === 'link';
  const at = isMade ? safeJoin(directory, file.path) : directory;
  const linkText = kind === 'link' ? linkTextOf(directory, at, file.symlinkTarget ?? []) : '';
  const mode = file.attributes?.includes('x') === true ? 0o777 : 0o666;
  return { path: at, parents: file.path.slice(0, -1), length, kind, linkText, mode };
}

/** Relative, so that the folder can be moved. */
function linkTextOf(directory: string, at: string, target: readonly string[]): string {
  return path.relative(path.dirname(at), safeJoin(directory, target));
}

/** A link has no content of its own (BEP 47), nor has what is skipped; an entry that has some needs a place for it. */
function kindOf(file: StorageFile): FilePlace['kind'] {
  if (file.isPadding === true) return 'padding';
  if (file.length > 0) return 'file';
  if (file.isSkipped === true) return 'skipped';
  return file.symlinkTarget === undefined ? 'file' : 'link';
}

/** An absolute path below `directory`, which is absolute and resolved: plain names lead nowhere else. */
function safeJoin(directory: string, elements: readonly string[]): string {
  if (elements.length === 0) throw unsafe(directory, 'a file of the torrent has no name');
  if (!elements.some(isUnsafeElement)) return withSeparator(directory) + elements.join(path.sep);
  const shown = JSON.stringify(elements);
  throw unsafe(path.join(directory, ...elements), `${shown} has an element that is no plain name`);
}

/** The root of a file system ends with one already. */
function withSeparator(directory: string): string {
  return directory.endsWith(path.sep) ? directory : directory + path.sep;
}

function isUnsafeElement(element: string): boolean {
  if (element === '' || element === '.' || element === '..') return true;
  // ':' names drives and alternate streams on Windows only.
  return /[/\\\0]/.test(element) || (process.platform === 'win32' && element.includes(':'));
}

function unsafe(at: string, reason: string): StorageError {
  return new StorageError('unsafe-path', `cannot use ${at}: ${reason}`, { path: at });
}
