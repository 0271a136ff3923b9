// What is moved: one large file, and a folder whose file sizes fall on and beside every border that matters. The bytes
// are the same in every run. Also the comparison, by SHA-256 of every file.
import { createCipheriv, createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { pipeline } from 'node:stream/promises';

export interface Content {
  readonly name: 'file' | 'folder';
  /** The torrent's name: that of the file or folder inside the parent. */
  readonly entry: string;
  readonly pieceLength: string;
}

const kib = 1024;
const fileBytes = 24 * kib * kib + 12_345;
const folderFiles = 320;
const folderPieceLength = 64 * kib;

const file: Content = { name: 'file', entry: 'single.bin', pieceLength: '256KiB' };
const folder: Content = { name: 'folder', entry: 'many files', pieceLength: '64KiB' };

export const contents: readonly Content[] = [file, folder];

const digestOfNothing = createHash('sha256').digest('hex');

/** Sizes on and beside the borders of a block (16 KiB) and of a piece. */
const borderSizes = [16 * kib, folderPieceLength, 3 * folderPieceLength].flatMap((size) => [size - 1, size, size + 1]);

/** Writes the originals of both below `originals`, as `originalOf` finds them. They are only ever copied. */
export async function writeOriginals(originals: string): Promise<void> {
  await write(join(originalOf(file, originals), file.entry), fileBytes, 1);
  const parent = join(originalOf(folder, originals), folder.entry);
  const paths = Array.from({ length: folderFiles }, (_, i) => join(parent, folderPath(i)));
  await Promise.all(paths.map((path, i) => write(path, folderSize(i), i + 2)));
}

/** The folder that holds the content's entry. */
export function originalOf(content: Content, originals: string): string {
  return join(originals, content.name);
}

/** What differs between a client's folder and the original's, as sentences; empty when nothing does. */
export async function differences(original: string, directory: string, emptyMayMiss = false): Promise<string[]> {
  const [wanted, found] = await Promise.all([digestsOf(original), digestsOf(directory)]);
  const wrong: string[] = [];
  for (const [path, digest] of wanted) {
    const theirs = found.get(path);
    if (theirs === undefined && emptyMayMiss && digest === digestOfNothing) continue;
    if (theirs === undefined) wrong.push(`${path} is missing`);
    else if (theirs !== digest) wrong.push(`${path} differs`);
  }
  for (const path of found.keys()) if (!wanted.has(path)) wrong.push(`${path} should not be there`);
  return wrong;
}

function folderPath(index: number): string {
  const name = `${String(index).padStart(3, '0')} ${['a', 'naïve', '日本', "it's", 'x.tar.gz'][index % 5]}`;
  const parents = [[], ['one'], ['one', 'two words'], ['one', 'two words', 'three'], ['älter', 'deep', 'er', 'est']];
  return join(...(parents[index % parents.length] ?? []), name);
}

/** Every ninth file is empty, runs of empty ones and the last included; most are small and odd, a few span many pieces. */
function folderSize(index: number): number {
  if (index % 9 === 0 || (index >= 100 && index < 105) || index === folderFiles - 1) return 0;
  const border = borderSizes[index % 31];
  if (border !== undefined) return border;
  return index % 53 === 7 ? 700_001 + index : 1 + ((index * 7919) % 65_521);
}

/** `size` bytes that look random and are the same for the same `seed`. */
async function write(path: string, size: number, seed: number): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const key = createHash('sha256').update(String(seed)).digest().subarray(0, 16);
  await writeFile(path, createCipheriv('aes-128-ctr', key, Buffer.alloc(16)).update(Buffer.alloc(size)));
}

/** Path relative to the parent → SHA-256. */
async function digestsOf(parent: string): Promise<Map<string, string>> {
  const digests = new Map<string, string>();
  for (const entry of await readdir(parent, { recursive: true, withFileTypes: true })) {
    if (entry.isDirectory()) continue;
    const path = join(entry.parentPath, entry.name);
    const hash = createHash('sha256');
    await pipeline(createReadStream(path), hash);
    digests.set(relative(parent, path), hash.digest('hex'));
  }
  return digests;
}
