// What is moved: one file, or a folder of files with odd sizes; and whether a copy of it is the same.
import { createHash, randomFillSync } from 'node:crypto';
import {
  closeSync,
  createReadStream,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  rmSync,
  statfsSync,
  statSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createMetainfo } from '@shoal/metainfo';

export interface Content {
  /** Holds the torrent's name. */
  readonly directory: string;
  readonly bytes: number;
  /** Relative to `directory`. */
  readonly files: readonly string[];
  readonly digest: string;
  readonly metainfo: Uint8Array;
  readonly infoBytes: Uint8Array;
  readonly infoHash: Uint8Array;
}

/** The size most torrents of a GiB have, and a power of two that all clients take. */
const pieceLength = 1024 * 1024;
const chunk = Buffer.alloc(1024 * 1024);
/** `f_type` of tmpfs in statfs(2). */
const tmpfsMagic = 0x0102_1994;

/** Random content of `fileCount` files in `directory`, which it makes. */
export async function makeContent(directory: string, bytes: number, fileCount: number): Promise<Content> {
  const source = path.join(directory, fileCount === 1 ? 'content.bin' : 'content');
  mkdirSync(directory, { recursive: true });
  if (fileCount === 1) fill(source, bytes);
  else {
    mkdirSync(source);
    for (const [index, length] of oddLengths(bytes, fileCount).entries())
      fill(path.join(source, `file-${String(index).padStart(3, '0')}.bin`), length);
  }
  const { bytes: metainfo, metainfo: parsed } = await createMetainfo(source, { pieceLength });
  return {
    directory,
    bytes,
    files: parsed.files.map((file) => path.join(...file.path)),
    digest: await digestOf(directory),
    metainfo,
    infoBytes: parsed.infoBytes,
    infoHash: parsed.infoHashBytes,
  };
}

/** SHA-256 over the names and bytes of all files below a folder. */
export async function digestOf(directory: string): Promise<string> {
  const hash = createHash('sha256');
  const names = readdirSync(directory, { recursive: true, encoding: 'utf8' });
  for (const name of names.toSorted()) {
    const file = path.join(directory, name);
    if (!statSync(file).isFile()) continue;
    hash.update(`${name}\n`);
    for await (const part of createReadStream(file, { highWaterMark: chunk.length })) hash.update(part as Buffer);
  }
  return hash.digest('hex');
}

/** Lengths that add up to `bytes`, from a few hundred bytes to a few times the mean, none of them round. */
function oddLengths(bytes: number, count: number): number[] {
  // Steps of the golden section are spread evenly and never repeat; cubed they make many small files and few large ones.
  const weights = Array.from({ length: count }, (_, index) => ((index * 0.618_034) % 1) ** 3 + 0.000_5);
  const sum = weights.reduce((total, weight) => total + weight, 0);
  const lengths = weights.map((weight) => Math.floor((bytes * weight) / sum) | 1);
  const rest = bytes - lengths.reduce((total, length) => total + length, 0);
  return lengths.with(-1, (lengths.at(-1) ?? 0) + rest);
}

function fill(file: string, bytes: number): void {
  const descriptor = openSync(file, 'w');
  for (let written = 0; written < bytes; written += chunk.length)
    writeSync(descriptor, randomFillSync(chunk), 0, Math.min(chunk.length, bytes - written));
  closeSync(descriptor);
}

/** A folder in memory; the ordinary temporary one where there is none. */
export const memoryFolder = (): string => (existsSync('/dev/shm') ? '/dev/shm' : tmpdir());

/** A folder on a disk: the first of the usual ones that is not in memory. */
export function diskFolder(): string | undefined {
  return ['/var/tmp', tmpdir(), import.meta.dirname].find(
    (folder) => existsSync(folder) && statfsSync(folder).type !== tmpfsMagic,
  );
}

/** Ends what is below with the process, whatever ends it. */
export function removeAtExit(folder: string): void {
  process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
}
