// The .torrent files of one folder: what each is called, how large its content is, its info-hash. Only regular files
// directly in the folder, by their exact name: a path from the outside is never joined to anything.
import { createHash } from 'node:crypto';
import { readFile, readdir, realpath, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type BencodeValue, BencodeError, decode, rawValue, utf8 } from '@shoal/bencode';
import { ConfigurationError } from './errors.ts';

/** A .torrent file that can be served. */
export interface OfferedTorrent {
  /** Its file name, which ends in `.torrent`. */
  readonly file: string;
  /** What it calls its content. */
  readonly name: string;
  /** Bytes of content. */
  readonly size: number;
  /** 20 bytes. */
  readonly infoHash: Uint8Array;
}

/** A larger file is no torrent anybody made: 32 MiB hold a million and a half piece hashes. */
const fileLimitBytes = 32 * 1024 * 1024;

/** More files than this are not listed. */
const fileCountLimit = 10_000;

/** How long a listing stays good, so that visitors cannot keep the disk busy. */
const listingMs = 2000;

interface Known {
  readonly changed: string;
  readonly torrent: OfferedTorrent | undefined;
}

/** A folder whose torrents are offered. */
export class TorrentFolder {
  readonly #path: string;
  readonly #log: (message: string) => void;
  /** By file name; files that are no torrents are remembered too, so each is read and complained of once. */
  #known = new Map<string, Known>();
  #listing: Promise<readonly OfferedTorrent[]> = Promise.resolve([]);
  #listedAt = -Infinity;

  private constructor(path: string, log: (message: string) => void) {
    this.#path = path;
    this.#log = log;
  }

  /** @throws ConfigurationError when there is no such folder */
  static async open(path: string, log: (message: string) => void): Promise<TorrentFolder> {
    try {
      const resolved = await realpath(path);
      await readdir(resolved);
      return new TorrentFolder(resolved, log);
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause);
      throw new ConfigurationError(`cannot read the folder of torrents ${path}: ${reason}`, { cause });
    }
  }

  /** What is there now, sorted by name; at most two seconds old. */
  list(now: number): Promise<readonly OfferedTorrent[]> {
    if (now - this.#listedAt >= listingMs) {
      this.#listedAt = now;
      this.#listing = this.#scan();
    }
    return this.#listing;
  }

  /** The bytes of one file, undefined when it is none of the listed ones. */
  async read(file: string, now: number): Promise<Uint8Array | undefined> {
    const offered = (await this.list(now)).some((torrent) => torrent.file === file);
    return offered ? await this.#bytesOf(file) : undefined;
  }

  async #scan(): Promise<readonly OfferedTorrent[]> {
    const names = await readdir(this.#path).catch(() => []);
    const files = names.filter((name) => name.endsWith('.torrent')).toSorted();
    if (files.length > fileCountLimit)
      this.#log(`${this.#path}: only the first ${fileCountLimit} of ${files.length} torrents are offered`);
    const known = new Map<string, Known>();
    for (const file of files.slice(0, fileCountLimit)) {
      const entry = await this.#look(file);
      if (entry !== undefined) known.set(file, entry);
    }
    this.#known = known;
    return [...known.values()]
      .flatMap(({ torrent }) => torrent ?? [])
      .toSorted((one, other) => one.name.localeCompare(other.name));
  }

  async #look(file: string): Promise<Known | undefined> {
    const facts = await stat(join(this.#path, file)).catch(() => undefined);
    // Gone between listing and looking, or a link to nothing.
    if (facts === undefined) return undefined;
    const changed = `${facts.mtimeMs}:${facts.size}:${facts.ino}`;
    const known = this.#known.get(file);
    if (known?.changed === changed) return known;
    return { changed, torrent: this.#parse(file, await this.#bytesOf(file)) };
  }

  /** Bytes of a regular file that really lies in this folder: a link to elsewhere is not followed. */
  async #bytesOf(file: string): Promise<Uint8Array | undefined> {
    try {
      const path = await realpath(join(this.#path, file));
      if (dirname(path) !== this.#path) return undefined;
      // Asked before opening, because opening a pipe would wait for its writer.
      const facts = await stat(path);
      return facts.isFile() && facts.size <= fileLimitBytes ? await readFile(path) : undefined;
    } catch {
      // Gone, or not ours to read: as good as not there.
      return undefined;
    }
  }

  #parse(file: string, bytes: Uint8Array | undefined): OfferedTorrent | undefined {
    const torrent = bytes && parseTorrent(file, bytes);
    if (torrent === undefined)
      this.#log(`${join(this.#path, file)}: not offered, as it is no torrent file of this folder`);
    return torrent;
  }
}

/** Name, size and info-hash of a torrent; undefined when it is none. The hash is of the bytes as they are (BEP 3). */
export function parseTorrent(file: string, bytes: Uint8Array): OfferedTorrent | undefined {
  try {
    const info = rawValue(bytes, 'info');
    const content = info && decode(info, { lenient: true });
    if (info === undefined || !(content instanceof Map)) return undefined;
    const name = content.get('name');
    const infoHash = createHash('sha1').update(info).digest();
    return { file, name: name instanceof Uint8Array ? utf8(name) : file, size: sizeOf(content), infoHash };
  } catch (error) {
    if (error instanceof BencodeError) return undefined;
    throw error;
  }
}

function sizeOf(info: Map<string, BencodeValue>): number {
  const files = info.get('files');
  if (!Array.isArray(files)) return lengthOf(info);
  return files.reduce<number>((sum, file) => sum + (file instanceof Map ? lengthOf(file) : 0), 0);
}

function lengthOf(entry: Map<string, BencodeValue>): number {
  const length = entry.get('length');
  return typeof length === 'number' && length >= 0 ? length : 0;
}
