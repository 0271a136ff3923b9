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

/**
 * Places of all files; padding has one too, never used.
 * @throws StorageError `unsafe-path` for a name that could lead elsewhere, or two files in one place.
 */
export function placesOf(directory: string, files: readonly StorageFile[]): FilePlace[] {
  const places = files.map((file) => placeOf(directory, file));
  const taken = new Set<string>();
  for (const place of places) {
    if (isNowhere(place)) continue;
    if (taken.has(place.path)) throw unsafe(place.path, 'two files of the torrent have this path');
    taken.add(place.path);
  }
  for (const place of places) {
    if (isNowhere(place)) continue;
    for (let depth = place.parents.length; depth > 0; depth -= 1) {
      const folder = path.join(directory, ...place.parents.slice(0, depth));
      if (taken.has(folder)) throw unsafe(folder, 'the torrent has both a file and a folder of this path');
    }
  }
  return places;
}

function placeOf(directory: string, file: StorageFile): FilePlace {
  const kind = kindOf(file);
  const mode = file.attributes?.includes('x') === true ? 0o777 : 0o666;
  const place = { path: directory, parents: file.path.slice(0, -1), length: file.length, kind, linkText: '', mode };
  if (isNowhere(place)) return place;
  const absolute = safeJoin(directory, file.path);
  if (kind === 'file' || file.symlinkTarget === undefined) return { ...place, path: absolute };
  const linkText = path.relative(path.dirname(absolute), safeJoin(directory, file.symlinkTarget));
  return { ...place, path: absolute, linkText };
}

/** A link has no content of its own (BEP 47), nor has what is skipped; an entry that has some needs a place for it. */
function kindOf(file: StorageFile): FilePlace['kind'] {
  if (file.isPadding === true) return 'padding';
  if (file.length > 0) return 'file';
  if (file.isSkipped === true) return 'skipped';
  return file.symlinkTarget === undefined ? 'file' : 'link';
}

function isNowhere(place: FilePlace): boolean {
  return place.kind === 'padding' || place.kind === 'skipped';
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
