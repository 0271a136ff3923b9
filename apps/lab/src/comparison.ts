// Whether a copy is the original: every name, every length, every byte by SHA-256. Looks at both trees itself and
// believes nobody about them, but for what the torrent was said to leave out and to rename.
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { lstat, readdir } from 'node:fs/promises';
import path from 'node:path';

export interface Difference {
  /** Below the shared folder, with `/`; empty for the shared file itself. */
  readonly path: string;
  readonly what: 'missing' | 'added' | 'length' | 'content';
}

/** What stands at a path of a tree. */
interface Entry {
  /** Bytes; undefined for an empty folder. */
  readonly length: number | undefined;
  readonly location: string;
}

export type Tree = ReadonlyMap<string, Entry>;

/** As much of a file is read at a time: measured, larger reads hash no faster. */
const readBytes = 1024 * 1024;

/**
 * The original, or a copy: its files and empty folders by path. Neither follows links nor takes what is neither file
 * nor folder.
 */
export async function treeOf(root: string): Promise<Tree> {
  const tree = new Map<string, Entry>();
  const facts = await lstat(root);
  if (facts.isFile()) return tree.set('', { length: facts.size, location: root });
  const folders = [''];
  for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
    const names = await readdir(path.join(root, folder));
    if (names.length === 0) tree.set(folder, { length: undefined, location: path.join(root, folder) });
    for (const name of names) {
      const below = folder === '' ? name : `${folder}/${name}`;
      const location = path.join(root, below);
      const found = await lstat(location);
      if (found.isDirectory()) folders.push(below);
      else if (found.isFile()) tree.set(below, { length: found.size, location });
      else tree.set(below, { length: -1, location });
    }
  }
  return tree;
}

/** What copies shall hold: the original without what the torrent leaves out, under the names it gives. */
export function expectedTree(original: Tree, leftOut: Iterable<string>, renamed: ReadonlyMap<string, string>): Tree {
  const out = new Set(leftOut);
  const isOut = (place: string): boolean => {
    for (let end = place.length; end > 0; end = place.lastIndexOf('/', end - 1))
      if (out.has(place.slice(0, end))) return true;
    return false;
  };
  return new Map(
    [...original].filter(([place]) => !isOut(place)).map(([place, entry]) => [renamed.get(place) ?? place, entry]),
  );
}

/** Compares copies with one original, which is read once. */
export class Comparison {
  readonly #expected: Tree;
  readonly #hashes = new Map<string, Promise<string>>();
  readonly #signal: AbortSignal;

  constructor(expected: Tree, signal: AbortSignal) {
    this.#expected = expected;
    this.#signal = signal;
  }

  /** At most `limit` differences, by path; none when the copy is equal. */
  async differences(copy: Tree, limit: number): Promise<Difference[]> {
    const found: Difference[] = [];
    for (const place of copy.keys()) if (!this.#expected.has(place)) found.push({ path: place, what: 'added' });
    for (const [place, original] of this.#expected) {
      if (found.length >= limit) break;
      const what = await this.#difference(place, original, copy.get(place));
      if (what !== undefined) found.push({ path: place, what });
    }
    return found.slice(0, limit).toSorted((one, other) => (one.path < other.path ? -1 : 1));
  }

  async #difference(place: string, original: Entry, copy: Entry | undefined): Promise<Difference['what'] | undefined> {
    if (copy === undefined) return 'missing';
    if (copy.length !== original.length) return 'length';
    if (original.length === undefined) return undefined;
    let hash = this.#hashes.get(place);
    if (hash === undefined) this.#hashes.set(place, (hash = sha256(original.location, this.#signal)));
    return (await hash) === (await sha256(copy.location, this.#signal)) ? undefined : 'content';
  }
}

async function sha256(file: string, signal: AbortSignal): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(file, { highWaterMark: readBytes, signal }))
    hash.update(chunk as Uint8Array);
  return hash.digest('hex');
}
