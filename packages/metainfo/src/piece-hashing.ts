/**
 * Hashes files, one after the other as if they were one, into SHA-1 piece hashes. Reads in big sequential runs and hashes on
 * libuv's threads (WebCrypto), so the caller's thread stays free; memory is bounded whatever the content. BEP 3, "pieces".
 */
import { open, type FileHandle } from 'node:fs/promises';
import { webcrypto } from 'node:crypto';
import type { Geometry } from '@shoal/pieces';
import { MetainfoError } from './errors.ts';
import { reading, type SourceFile } from './source-files.ts';
import { quoted } from './warnings.ts';

/** Bytes read at once when pieces are shorter: measured, longer runs gain nothing. */
const runBytes = 1_048_576;
/** Runs in memory at once: one being read while the others are hashed on libuv's four threads. */
const mostRuns = 4;
/** Bytes in runs at once, unless two runs need more: reading must not wait for hashing. */
const runsBytes = 67_108_864;
const hashLength = 20;

export interface HashingProgress {
  /** Bytes hashed so far, never less than before; equal to `totalBytes` in the last call. */
  readonly hashedBytes: number;
  readonly totalBytes: number;
  /** The file being read, as its path below the shared folder with `/`, or its name. */
  readonly currentFile: string;
}

export interface HashingOptions {
  readonly onProgress: ((progress: HashingProgress) => void) | undefined;
  readonly signal: AbortSignal | undefined;
}

/**
 * 20 bytes for each piece of the files' content.
 * @throws MetainfoError unreadable, changed; the signal's reason; whatever `onProgress` throws.
 */
export async function hashPieces(
  files: readonly SourceFile[],
  geometry: Geometry,
  options: HashingOptions,
): Promise<Uint8Array> {
  const hasher = new PieceHasher(geometry, options);
  try {
    for (const file of files) await hasher.read(file);
    await hasher.finish();
  } finally {
    // Nothing may still run when the caller is told that it failed.
    await hasher.settle();
  }
  return hasher.hashes;
}

class PieceHasher {
  readonly hashes: Uint8Array;
  readonly #geometry: Geometry;
  readonly #options: HashingOptions;
  readonly #runLength: number;
  readonly #idle: Uint8Array<ArrayBuffer>[] = [];
  readonly #hashing = new Set<Promise<void>>();
  readonly #runCount: number;
  #failure: { readonly error: unknown } | undefined;
  #runs = 0;
  #run: Uint8Array<ArrayBuffer> | undefined;
  #filled = 0;
  #nextPiece = 0;
  #hashedBytes = 0;
  #currentFile = '';

  constructor(geometry: Geometry, options: HashingOptions) {
    this.#geometry = geometry;
    this.#options = options;
    this.#runLength = geometry.pieceLength * Math.max(1, Math.floor(runBytes / geometry.pieceLength));
    this.#runCount = Math.min(mostRuns, Math.max(2, Math.floor(runsBytes / this.#runLength)));
    this.hashes = new Uint8Array(geometry.pieceCount * hashLength);
  }

  async read(file: SourceFile): Promise<void> {
    this.#currentFile = file.path.join('/') || file.location;
    const handle = await reading(file.location, () => open(file.location, 'r'));
    try {
      for (let left = file.length; left > 0;) {
        const read = await this.#readSome(handle, file, left);
        left -= read;
      }
      const { size, mtimeMs } = await reading(file.location, () => handle.stat());
      if (size !== file.length || mtimeMs !== file.modifiedMs) throw changed(file);
    } finally {
      await handle.close();
    }
  }

  /** Hashes the last, shorter run. */
  async finish(): Promise<void> {
    if (this.#filled > 0) this.#hashRun();
    await this.settle();
    this.#throwFailure();
  }

  async settle(): Promise<void> {
    while (this.#hashing.size > 0) await Promise.all(this.#hashing);
  }

  async #readSome(handle: FileHandle, file: SourceFile, limit: number): Promise<number> {
    this.#options.signal?.throwIfAborted();
    const run = (this.#run ??= await this.#idleRun());
    this.#throwFailure();
    const length = Math.min(limit, run.length - this.#filled);
    const { bytesRead } = await reading(file.location, () => handle.read(run, this.#filled, length));
    if (bytesRead === 0) throw changed(file);
    this.#filled += bytesRead;
    if (this.#filled === run.length) this.#hashRun();
    return bytesRead;
  }

  async #idleRun(): Promise<Uint8Array<ArrayBuffer>> {
    while (this.#idle.length === 0 && this.#runs === this.#runCount) await Promise.race(this.#hashing);
    const idle = this.#idle.pop();
    if (idle !== undefined) return idle;
    this.#runs++;
    return new Uint8Array(Math.min(this.#runLength, this.#geometry.totalLength));
  }

  /** Starts hashing what is filled; the run is idle again afterwards. */
  #hashRun(): void {
    const run = this.#run;
    if (run === undefined) return;
    const { pieceLength } = this.#geometry;
    const filled = this.#filled;
    const first = this.#nextPiece;
    const digests: Promise<void>[] = [];
    for (let begin = 0; begin < filled; begin += pieceLength) {
      const piece = run.subarray(begin, Math.min(begin + pieceLength, filled));
      digests.push(this.#hashPiece(piece, first + digests.length));
    }
    this.#nextPiece += digests.length;
    this.#run = undefined;
    this.#filled = 0;
    const hashing: Promise<void> = this.#finishRun(run, digests).finally(() => this.#hashing.delete(hashing));
    this.#hashing.add(hashing);
  }

  async #hashPiece(bytes: Uint8Array<ArrayBuffer>, piece: number): Promise<void> {
    this.hashes.set(new Uint8Array(await webcrypto.subtle.digest('SHA-1', bytes)), piece * hashLength);
    this.#hashedBytes += bytes.length;
  }

  /** Never rejects: a failure is thrown to the caller at its next read. */
  async #finishRun(run: Uint8Array<ArrayBuffer>, digests: readonly Promise<void>[]): Promise<void> {
    try {
      await Promise.all(digests);
      const { totalLength } = this.#geometry;
      this.#options.onProgress?.({
        hashedBytes: this.#hashedBytes,
        totalBytes: totalLength,
        currentFile: this.#currentFile,
      });
    } catch (error) {
      this.#failure ??= { error };
    }
    this.#idle.push(run);
  }

  #throwFailure(): void {
    if (this.#failure !== undefined) throw this.#failure.error;
  }
}

function changed(file: SourceFile): MetainfoError {
  return new MetainfoError(
    'changed',
    `${quoted(file.location)} changed while it was hashed; start again when it is at rest`,
    {
      path: file.location,
    },
  );
}
