/**
 * Finds what a new torrent will hold: the files below a folder, in an order that depends on their names only, and the list of
 * what is left out, so that nothing is skipped in silence. Reads no content.
 */
import { isUtf8 } from 'node:buffer';
import type { Dirent, Stats } from 'node:fs';
import { lstat, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { MetainfoError } from './errors.ts';
import { maxPathElements } from './file-layout.ts';
import { quoted } from './warnings.ts';

/** A file to share as it was when it was found. */
export interface SourceFile {
  /** Where it is on this machine. */
  readonly location: string;
  /** Elements below the shared folder; empty when the file itself is shared. */
  readonly path: readonly string[];
  readonly length: number;
  /** Changes when the content does; compared after hashing. */
  readonly modifiedMs: number;
}

export interface SkippedSource {
  /** Path below the shared folder, with `/`. */
  readonly path: string;
  /** Links could lead out of the folder; v1 has no empty folders; the system rewrites its junk, which breaks the torrent. */
  readonly reason: 'symbolic-link' | 'special-file' | 'empty-folder' | 'system-junk' | 'hidden';
}

export interface SourceTree {
  readonly isFolder: boolean;
  readonly files: readonly SourceFile[];
  readonly skipped: readonly SkippedSource[];
}

export interface SourceRules {
  readonly includeHidden: boolean;
  readonly includeJunk: boolean;
  readonly signal: AbortSignal | undefined;
}

/** What macOS, Windows and Synology put into folders, and change whenever somebody looks. */
const junk =
  /^(?:\.DS_Store|\._.*|\.Spotlight-V100|\.Trashes|\.fseventsd|\.TemporaryItems|Thumbs\.db|ehthumbs\.db|desktop\.ini|\$RECYCLE\.BIN|System Volume Information|@eaDir)$/;
/** `lstat` calls under way at once: enough to hide latency, far from any limit. */
const statBatch = 32;

/**
 * The regular files at `source`, ordered by the bytes of their path. A link given as the source itself is followed.
 * @throws MetainfoError unreadable, bad-source-name, bad-path; the signal's reason.
 */
export async function findSourceFiles(source: string, rules: SourceRules): Promise<SourceTree> {
  const found = await reading(source, () => stat(source));
  if (found.isFile()) return { isFolder: false, files: [sourceFile(source, [], found)], skipped: [] };
  if (!found.isDirectory()) {
    throw new MetainfoError('unreadable', `${quoted(source)} is neither a file nor a folder`, { path: source });
  }
  const files: SourceFile[] = [];
  const skipped: SkippedSource[] = [];
  const folders: string[][] = [[]];
  for (let path = folders.pop(); path !== undefined; path = folders.pop()) {
    await readFolder(source, path, { files, skipped, folders }, rules);
  }
  return {
    isFolder: true,
    files: inByteOrder(files, (file) => file.path.join('/')),
    skipped: inByteOrder(skipped, (entry) => entry.path),
  };
}

interface Found {
  readonly files: SourceFile[];
  readonly skipped: SkippedSource[];
  readonly folders: string[][];
}

async function readFolder(source: string, path: readonly string[], found: Found, rules: SourceRules): Promise<void> {
  const location = join(source, ...path);
  const entries = await reading(location, () => readdir(location, { withFileTypes: true, encoding: 'buffer' }));
  if (entries.length === 0 && path.length > 0) found.skipped.push({ path: path.join('/'), reason: 'empty-folder' });
  for (let start = 0; start < entries.length; start += statBatch) {
    rules.signal?.throwIfAborted();
    const batch = entries.slice(start, start + statBatch);
    await Promise.all(batch.map((entry) => readEntry(source, path, entry, found, rules)));
  }
}

async function readEntry(
  source: string,
  parent: readonly string[],
  entry: Dirent<Buffer>,
  found: Found,
  rules: SourceRules,
): Promise<void> {
  const name = entry.name.toString();
  const path = [...parent, name];
  const location = join(source, ...path);
  if (!isUtf8(entry.name)) {
    throw new MetainfoError('bad-source-name', `the name of ${quoted(location)} is not UTF-8; rename it`, {
      path: location,
    });
  }
  const reason = skipReason(name, rules) ?? (entry.isSymbolicLink() ? 'symbolic-link' : undefined);
  if (reason !== undefined) return void found.skipped.push({ path: path.join('/'), reason });
  const stats = await reading(location, () => lstat(location));
  if (stats.isDirectory()) found.folders.push(requireShallow(path, location));
  else if (stats.isFile()) found.files.push(sourceFile(location, path, stats));
  else found.skipped.push({ path: path.join('/'), reason: stats.isSymbolicLink() ? 'symbolic-link' : 'special-file' });
}

function skipReason(name: string, rules: SourceRules): SkippedSource['reason'] | undefined {
  if (!rules.includeJunk && junk.test(name)) return 'system-junk';
  return !rules.includeHidden && name.startsWith('.') ? 'hidden' : undefined;
}

function requireShallow(path: string[], location: string): string[] {
  if (path.length < maxPathElements) return path;
  throw new MetainfoError('bad-path', `${quoted(location)} lies more than ${maxPathElements} folders deep`, {
    path: location,
  });
}

function sourceFile(location: string, path: readonly string[], stats: Stats): SourceFile {
  return { location, path, length: stats.size, modifiedMs: stats.mtimeMs };
}

/** By UTF-8 bytes: JavaScript's own order differs above U+FFFF, and locale order differs between machines. */
function inByteOrder<Item>(items: readonly Item[], pathOf: (item: Item) => string): Item[] {
  return items
    .map((item) => ({ item, key: Buffer.from(pathOf(item)) }))
    .sort((a, b) => Buffer.compare(a.key, b.key))
    .map(({ item }) => item);
}

/** What `read` gives; its failure as a MetainfoError that names the path. */
export async function reading<Result>(path: string, read: () => Promise<Result>): Promise<Result> {
  try {
    return await read();
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new MetainfoError('unreadable', `${quoted(path)} cannot be read: ${why}`, { path, cause });
  }
}
