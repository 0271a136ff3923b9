// Folders, content and torrents for the tests; gone when the test ends.
import { createHash, randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createMetainfo, type Metainfo } from '@shoal/metainfo';
import { onTestFinished } from 'vitest';

export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), 'shoal-client-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

export interface Content {
  /** Holds `name`. */
  readonly folder: string;
  readonly name: string;
  /** Path of the .torrent file. */
  readonly torrent: string;
  readonly metainfo: Metainfo;
}

export interface ContentOptions {
  readonly pieceLength?: number;
  readonly trackers?: readonly (readonly string[])[];
}

/** A file of random bytes and its torrent. */
export async function randomFile(length: number, options: ContentOptions = {}): Promise<Content> {
  const folder = await temporaryFolder();
  await writeFile(path.join(folder, 'content.bin'), randomBytes(length));
  return torrentOf(folder, 'content.bin', options);
}

/** A folder of the files given by length, and its torrent. */
export async function randomFolder(
  files: Readonly<Record<string, number>>,
  options: ContentOptions = {},
): Promise<Content> {
  const folder = await temporaryFolder();
  for (const [name, length] of Object.entries(files)) {
    const file = path.join(folder, 'content', name);
    await mkdir(path.dirname(file), { recursive: true });
    await writeFile(file, randomBytes(length));
  }
  return torrentOf(folder, 'content', options);
}

async function torrentOf(folder: string, name: string, options: ContentOptions): Promise<Content> {
  const { pieceLength = 65_536, trackers = [] } = options;
  const made = await createMetainfo(path.join(folder, name), { pieceLength, announceTiers: trackers });
  const torrent = path.join(await temporaryFolder(), 'content.torrent');
  await writeFile(torrent, made.bytes);
  return { folder, name, torrent, metainfo: made.metainfo };
}

/** Every path below a folder, links not followed, with a slash after folders. */
export async function listing(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .map((entry) => path.relative(folder, path.join(entry.parentPath, entry.name)) + (entry.isDirectory() ? '/' : ''))
    .toSorted();
}

/** SHA-256 of every file below a folder. */
export async function digests(folder: string): Promise<Readonly<Record<string, string>>> {
  const found: Record<string, string> = {};
  for (const name of await listing(folder)) {
    if (name.endsWith('/')) continue;
    found[name] = createHash('sha256')
      .update(await readFile(path.join(folder, name)))
      .digest('hex');
  }
  return found;
}
