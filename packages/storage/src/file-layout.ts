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
  readonly isPadding: boolean;
  /** What the link says, when the file is one. */
  readonly linkText: string | undefined;
}

/**
 * Places of all files; padding has one too, never used.
 * @throws StorageError `unsafe-path` for a name that could lead elsewhere, or two files in one place.
 */
export function placesOf(directory: string, files: readonly StorageFile[]): FilePlace[] {
  const places = files.map((file) => placeOf(directory, file));
  const taken = new Set<string>();
  for (const place of places) {
    if (place.isPadding) continue;
    if (taken.has(place.path)) throw unsafe(place.path, 'two files of the torrent have this path');
    taken.add(place.path);
  }
  for (const place of places) {
    if (place.isPadding) continue;
    for (let depth = place.parents.length; depth > 0; depth -= 1) {
      const folder = path.join(directory, ...place.parents.slice(0, depth));
      if (taken.has(folder)) throw unsafe(folder, 'the torrent has both a file and a folder of this path');
    }
  }
  return places;
}

function placeOf(directory: string, file: StorageFile): FilePlace {
  const isPadding = file.isPadding ?? false;
  const absolute = isPadding ? directory : safeJoin(directory, file.path);
  let linkText: string | undefined;
  // A link has no content of its own (BEP 47); an entry that has some needs a place for it, so it is a file.
  if (file.symlinkTarget !== undefined && file.length === 0 && !isPadding) {
    linkText = path.relative(path.dirname(absolute), safeJoin(directory, file.symlinkTarget));
  }
  return { path: absolute, parents: file.path.slice(0, -1), length: file.length, isPadding, linkText };
}

/** An absolute path that lies below `directory`, whatever the elements say. */
function safeJoin(directory: string, elements: readonly string[]): string {
  const joined = path.join(directory, ...elements);
  const shown = JSON.stringify(elements);
  if (elements.length === 0) throw unsafe(directory, 'a file of the torrent has no name');
  if (elements.some(isUnsafeElement)) throw unsafe(joined, `${shown} has an element that is no plain name`);
  const relative = path.relative(directory, joined);
  if (relative.split(path.sep).length !== elements.length) throw unsafe(joined, `${shown} leads elsewhere`);
  return joined;
}

function isUnsafeElement(element: string): boolean {
  if (element === '' || element === '.' || element === '..') return true;
  // ':' names drives and alternate streams on Windows only.
  return /[/\\\0]/.test(element) || (process.platform === 'win32' && element.includes(':'));
}

function unsafe(at: string, reason: string): StorageError {
  return new StorageError('unsafe-path', `cannot use ${at}: ${reason}`, { path: at });
}
