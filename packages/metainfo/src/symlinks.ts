/**
 * Decides where each symbolic link of a torrent leads, once all files are known: to a file or folder of this torrent, through
 * other links if need be, or nowhere, and then nothing is written for it. Clients' corner case 62; BEP 47.
 */
import type { MetainfoFile } from './metainfo.ts';
import { foldedElement } from './safe-path.ts';
import { quoted, quotedFile, type Warnings } from './warnings.ts';

/** Links that follow each other: what Linux follows (`path_resolution(7)`, ELOOP). It is also what ends a circle. */
const maxHops = 40;

/** A folder of the torrent: what it holds by folded name, a file as its index. */
export interface Folder {
  readonly entries: Map<string, Folder | number>;
}

/** A place in the torrent: a file by index, or a folder with the names it was reached by. */
type Place = { readonly file: number } | { readonly folder: Folder; readonly path: readonly string[] };

/**
 * Replaces, in `files`, each that has a target (elements below the torrent's folder) by one that says where it leads, or that
 * it is skipped.
 */
export function resolveSymlinks(
  files: MetainfoFile[],
  targets: ReadonlyMap<number, readonly string[]>,
  root: Folder,
  name: string,
  warnings: Warnings,
): void {
  const resolver = new Resolver(targets, root);
  for (const [index, target] of targets) {
    const file = files[index];
    if (file === undefined || file.isPadding) continue;
    const place = resolver.placeOf(index, 0);
    const path = place === null ? undefined : 'file' in place ? files[place.file]?.path : [name, ...place.path];
    if (path !== undefined && !isAncestor(path, file.path)) {
      files[index] = { ...file, symlinkTarget: path };
      continue;
    }
    files[index] = { ...file, isSkipped: true };
    warnings.add(
      () =>
        `${quotedFile(index, file.originalPath)} is a link to ${quoted(target.join('/'))}, which leads nowhere in this torrent; it is left out`,
    );
  }
}

/** A link to a folder that holds it makes a tree without end. */
function isAncestor(folder: readonly string[], path: readonly string[]): boolean {
  return (
    folder.length < path.length && folder.every((element, i) => foldedElement(element) === foldedElement(path[i] ?? ''))
  );
}

class Resolver {
  readonly #targets: ReadonlyMap<number, readonly string[]>;
  readonly #root: Folder;
  /** Where each link ends; `null` when nowhere. */
  readonly #places = new Map<number, Place | null>();

  constructor(targets: ReadonlyMap<number, readonly string[]>, root: Folder) {
    this.#targets = targets;
    this.#root = root;
  }

  placeOf(link: number, hops: number): Place | null {
    const known = this.#places.get(link);
    if (known !== undefined) return known;
    const target = this.#targets.get(link);
    const place = target === undefined || hops >= maxHops ? null : this.#follow(target, hops);
    this.#places.set(link, place);
    return place;
  }

  #follow(target: readonly string[], hops: number): Place | null {
    let folder = this.#root;
    let path: string[] = [];
    for (const [position, element] of target.entries()) {
      const entry = folder.entries.get(foldedElement(element));
      if (entry === undefined) return null;
      if (typeof entry === 'object') {
        folder = entry;
        path.push(element);
        continue;
      }
      const place = !this.#targets.has(entry) ? { file: entry } : this.placeOf(entry, hops + 1);
      if (place === null) return null;
      // Nothing lies below a file.
      if ('file' in place) return position === target.length - 1 ? place : null;
      folder = place.folder;
      path = [...place.path];
    }
    return { folder, path };
  }
}
