/**
 * Gives every file of a torrent the path it has on disk: safe elements, no two files in one place, no file where a folder must
 * be. Linear in the elements of all paths. Must not know the disk. Clients' corner cases 60, 61 and 64; BEP 3, 47.
 */
import { MetainfoError } from './errors.ts';
import type { FileEntry } from './file-entries.ts';
import type { MetainfoFile } from './metainfo.ts';
import { foldedElement, numberedElement, safeElement } from './safe-path.ts';
import { resolveSymlinks, type Folder } from './symlinks.ts';
import { quoted, quotedFile, type Warnings } from './warnings.ts';

/** Deeper than any real tree; a path of a million elements is an attack. */
export const maxPathElements = 128;
/** Files wanting one name, after which it is an attack on the search for free names. Precedent: libtorrent. */
const maxNamesakes = 500;
/** How BitComet names padding that it does not mark. */
const bitCometPadding = '_____padding_file_';

export interface PathRules {
  readonly replaceWindowsCharacters: boolean;
}

/** The files of a folder called `name`, in the order given. */
export function layOutFiles(
  name: string,
  originalName: string,
  entries: readonly FileEntry[],
  rules: PathRules,
  warnings: Warnings,
): MetainfoFile[] {
  const layout = new Layout(name, originalName, rules, warnings);
  const files = entries.map((entry, index) => layout.file(entry, index));
  layout.settle(files);
  const targets = new Map<number, readonly string[]>();
  for (const [index, { symlinkPath }] of entries.entries())
    if (symlinkPath !== undefined) targets.set(index, layout.elements(symlinkPath));
  resolveSymlinks(files, targets, layout.root, name, warnings);
  return files;
}

/** The folder part of a path, worked out once for all the files that follow each other in it. */
interface Directory {
  /** As the torrent has it, without the torrent's name. */
  readonly folders: readonly string[];
  /** Both with the torrent's name first. */
  readonly path: readonly string[];
  readonly original: readonly string[];
  readonly isSame: boolean;
  readonly folder: Folder;
}

class Layout {
  readonly root: Folder = { entries: new Map() };
  readonly #rules: PathRules;
  readonly #warnings: Warnings;
  readonly #top: Directory;
  readonly #parents: Folder[] = [];
  /** Files whose path could not be kept. */
  readonly #cleaned: number[] = [];
  #directory: Directory;
  /** Last number given, by folder and folded name: the search for a free one never starts again. */
  readonly #numbers = new Map<Folder, Map<string, number>>();

  constructor(name: string, originalName: string, rules: PathRules, warnings: Warnings) {
    this.#rules = rules;
    this.#warnings = warnings;
    const path = [name];
    const isSame = originalName === name;
    this.#top = { folders: [], path, original: isSame ? path : [originalName], isSame: true, folder: this.root };
    this.#directory = this.#top;
  }

  /** Safe elements below the torrent's folder; `.` and `..` are left out, and what has no name is called `_`. */
  elements(raw: readonly string[]): string[] {
    const safe: string[] = [];
    for (const text of raw) {
      const element = safeElement(text, this.#rules.replaceWindowsCharacters);
      if (element !== undefined) safe.push(element === '' ? '_' : element);
    }
    return safe;
  }

  /** The file with its safe path, which another may still want too; its folders now exist. */
  file(entry: FileEntry, index: number): MetainfoFile {
    const { attributes, length, folders, element: originalElement } = entry;
    // Unlike a folder, a file cannot be left out of its path.
    const element = safeElement(originalElement, this.#rules.replaceWindowsCharacters) || '_';
    const isPadding = (attributes?.includes('p') ?? false) || element.startsWith(bitCometPadding);
    const directory = this.#directoryOf(folders, isPadding, index);
    this.#parents[index] = directory.folder;
    const path = [...directory.path, element];
    if (!directory.isSame || originalElement !== element) this.#cleaned.push(index);
    const isWhollySame = directory.original === directory.path && originalElement === element;
    const originalPath = isWhollySame ? path : [...directory.original, originalElement];
    const file = { path, originalPath, length, isPadding, isSkipped: isPadding };
    return attributes === undefined ? file : { ...file, attributes };
  }

  /** Gives each file a place of its own; where a folder or an earlier file has it already, the later file is renamed. */
  settle(files: MetainfoFile[]): void {
    for (const index of this.#cleaned) {
      const file = files[index];
      if (file === undefined || file.isPadding) continue;
      const [, ...elements] = file.path;
      this.#warnings.add(
        () =>
          `${quotedFile(index, file.originalPath)} is kept as ${quoted(elements.join('/'))}: its name is not safe everywhere`,
      );
    }
    for (let index = 0; index < files.length; index++) {
      const file = files[index];
      const folder = this.#parents[index];
      if (file === undefined || folder === undefined || file.isPadding) continue;
      const element = file.path.at(-1) ?? '';
      const key = foldedElement(element);
      if (!folder.entries.has(key)) {
        folder.entries.set(key, index);
        continue;
      }
      const free = this.#freeElement(folder, key, element, index);
      folder.entries.set(foldedElement(free), index);
      files[index] = { ...file, path: [...file.path.slice(0, -1), free] };
      this.#warnings.add(
        () => `${quotedFile(index, file.originalPath)} is kept as ${quoted(free)}: its place is taken`,
      );
    }
  }

  #directoryOf(folders: readonly string[], isPadding: boolean, index: number): Directory {
    if (folders.length === 0) return this.#top;
    // Files of one folder come one after another, and then with the same array.
    if (folders === this.#directory.folders) return this.#directory;
    if (folders.length >= maxPathElements) {
      throw new MetainfoError(
        'bad-path',
        `file ${index} lies ${folders.length + 1} folders deep; at most ${maxPathElements} are possible`,
        { key: 'path', file: index },
      );
    }
    const safe = this.elements(folders);
    const path = [...this.#top.path, ...safe];
    const original = [...this.#top.original, ...folders];
    // The torrent's own name is warned of where it is read.
    const isSame = safe.length === folders.length && safe.every((element, i) => element === original[i + 1]);
    const directory = {
      folders,
      path,
      original: isSame && this.#top.original === this.#top.path ? path : original,
      isSame,
    };
    // Padding is never written, so it neither makes folders nor gets in anyone's way.
    if (isPadding) return { ...directory, folder: this.root };
    this.#directory = { ...directory, folder: this.#folderAt(safe) };
    return this.#directory;
  }

  #folderAt(elements: readonly string[]): Folder {
    let folder = this.root;
    for (const element of elements) {
      const key = foldedElement(element);
      let child = folder.entries.get(key);
      // No file has a place before every folder does (`settle`), so a folder never has to move.
      if (typeof child !== 'object') {
        child = { entries: new Map() };
        folder.entries.set(key, child);
      }
      folder = child;
    }
    return folder;
  }

  #freeElement(folder: Folder, key: string, element: string, index: number): string {
    const numbers = this.#numbers.get(folder) ?? new Map<string, number>();
    this.#numbers.set(folder, numbers);
    for (let n = (numbers.get(key) ?? 0) + 1; n <= maxNamesakes; n++) {
      const candidate = numberedElement(element, n);
      if (folder.entries.has(foldedElement(candidate))) continue;
      numbers.set(key, n);
      return candidate;
    }
    throw new MetainfoError(
      'collisions',
      `more than ${maxNamesakes} files want to be called ${quoted(element)}; no honest torrent does that`,
      { key: 'path', file: index },
    );
  }
}
