// What the crash test downloads, and whether it came out right.
import { createHash, randomFillSync } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, open, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { createMetainfo, type Metainfo } from '@shoal/metainfo';

export interface Subject {
  readonly what: string;
  /** Holds the torrent's name. */
  readonly folder: string;
  readonly torrent: string;
  readonly metainfo: Metainfo;
  /** SHA-256 by path. */
  readonly digests: ReadonlyMap<string, string>;
}

export async function singleFile(parent: string, bytes: number): Promise<Subject> {
  const folder = path.join(parent, 'single');
  await mkdir(folder);
  await writeRandom(path.join(folder, 'film.bin'), bytes);
  return subject(`one file of ${bytes >> 20} MiB`, folder, 'film.bin');
}

/** Files of odd sizes, from one byte to what leaves the sum near `bytes`; so most pieces touch several. */
export async function manyFiles(parent: string, bytes: number, count: number, random: () => number): Promise<Subject> {
  const folder = path.join(parent, 'many');
  for (let i = 0; i < count; i++) {
    // The square makes many small ones and a few large ones; its mean is a third.
    const length = 1 + Math.floor(random() ** 2 * 3 * (bytes / count));
    const file = path.join(folder, 'album', `disc ${i % 7}`, `${i}.bin`);
    await mkdir(path.dirname(file), { recursive: true });
    await writeRandom(file, length);
  }
  return subject(`${count} files, ${bytes >> 20} MiB`, folder, 'album');
}

/** The first file below `directory` that is not what was seeded; undefined when all are. */
export async function firstDifference({ digests }: Subject, directory: string): Promise<string | undefined> {
  for (const [name, digest] of digests)
    if ((await digestOf(path.join(directory, name)).catch(() => 'missing')) !== digest) return name;
  return undefined;
}

/** 1 MiB: what the acceptance names, and few enough that a crash in a piece is likely. */
const pieceLength = 1_048_576;

async function subject(what: string, folder: string, name: string): Promise<Subject> {
  const { bytes, metainfo } = await createMetainfo(path.join(folder, name), { pieceLength });
  const torrent = path.join(folder, '..', `${name}.torrent`);
  await writeFile(torrent, bytes);
  const digests = new Map<string, string>();
  for (const file of metainfo.files) {
    const place = file.path.join('/');
    digests.set(place, await digestOf(path.join(folder, place)));
  }
  return { what, folder, torrent, metainfo, digests };
}

async function writeRandom(file: string, length: number): Promise<void> {
  await using handle = await open(file, 'w');
  const chunk = new Uint8Array(4_194_304);
  for (let left = length; left > 0; left -= chunk.length) {
    randomFillSync(chunk);
    await handle.write(chunk, 0, Math.min(left, chunk.length));
  }
}

async function digestOf(file: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(file, { highWaterMark: 1_048_576 })) hash.update(chunk as Uint8Array);
  return hash.digest('hex');
}
