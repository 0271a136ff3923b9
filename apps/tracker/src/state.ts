// The folder that keeps what a restart would lose: the swarms, written every few minutes and at the end, and the key behind
// tracker ids. WebTorrent peers are connections, and come back by themselves.
import { randomBytes } from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type MemoryStore, trackerIdKeyBytes } from '@shoal/tracker';
import { type SavedSnapshot, loadSnapshot, saveSnapshot } from '@shoal/tracker-server';
import { ConfigurationError } from './errors.ts';
import type { Log } from './log.ts';

/** What is kept, of whom, and how often. */
export interface StateParts {
  readonly folder: string;
  readonly store: MemoryStore;
  /** Monotonic ms, that of the tracker. */
  readonly clock: () => number;
  /** Seconds between snapshots, as it is now. */
  readonly everySeconds: () => number;
  readonly log: Log;
}

/** The last snapshot, for who watches. */
export interface SnapshotView extends SavedSnapshot {
  readonly ageSeconds: number;
}

/** Writes swarms into a folder until it is disposed, and then once more. */
export class State implements AsyncDisposable {
  readonly #parts: StateParts;
  readonly #file: string;
  #timer: NodeJS.Timeout | undefined;
  #saving: Promise<void> = Promise.resolve();
  #abort = new AbortController();
  #last: { readonly saved: SavedSnapshot; readonly at: number } | undefined;

  /** Writes nothing before `resume`. */
  constructor(parts: StateParts) {
    this.#parts = parts;
    this.#file = join(parts.folder, 'swarms');
  }

  get last(): SnapshotView | undefined {
    if (this.#last === undefined) return undefined;
    return { ...this.#last.saved, ageSeconds: (this.#parts.clock() - this.#last.at) / 1000 };
  }

  /** Takes in the swarms that were written before, if any. @throws ConfigurationError when the file cannot be read */
  async load(lifetimeMs: number): Promise<void> {
    const { store, clock, log } = this.#parts;
    const begun = clock();
    const loaded = await loadSnapshot(store, this.#file, lifetimeMs, clock).catch(unlessAbsent(this.#file));
    if (loaded === undefined) return;
    if (typeof loaded === 'string') throw new ConfigurationError(`${this.#file} ${loaded}`);
    const { problem, ...counts } = loaded;
    if (problem !== undefined) log.warn(`${this.#file} ${problem}; what stands before that was taken in`);
    log.info('swarms read', { ...counts, ms: Math.round(clock() - begun) });
  }

  /** Writes from now on. */
  resume(): void {
    clearTimeout(this.#timer);
    this.#abort = new AbortController();
    this.#timer = setTimeout(() => void this.#round(), this.#parts.everySeconds() * 1000).unref();
  }

  /** Writes no more, not even at the end: somebody else does. */
  async pause(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#abort.abort();
    await this.#saving;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#timer === undefined) return;
    await this.pause();
    this.#abort = new AbortController();
    await this.#save();
  }

  async #round(): Promise<void> {
    this.#saving = this.#save();
    await this.#saving;
    if (!this.#abort.signal.aborted) this.resume();
  }

  /** A disk that is full is no reason to end: it is told, and the next time may be better. */
  async #save(): Promise<void> {
    const { store, clock, log } = this.#parts;
    const { signal } = this.#abort;
    try {
      const saved = await saveSnapshot(store, this.#file, { clock, signal });
      this.#last = { saved, at: clock() };
      log.debug('swarms written', { ...saved });
    } catch (error) {
      if (!signal.aborted)
        log.error(`the swarms cannot be written: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
}

/** Makes the folder where there is none, and reads the key in it, or makes one. @throws ConfigurationError naming the file */
export async function trackerIdKeyIn(folder: string): Promise<Uint8Array> {
  const file = join(folder, 'tracker-id.key');
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const known = await readFile(file).catch(unlessAbsent(file));
    if (known?.length === trackerIdKeyBytes) return known;
    const key = randomBytes(trackerIdKeyBytes);
    await writeFile(`${file}.new`, key, { mode: 0o600 });
    await rename(`${file}.new`, file);
    return key;
  } catch (cause) {
    if (cause instanceof ConfigurationError) throw cause;
    throw unusable(folder, cause);
  }
}

/** A file that is not there yet is none. */
function unlessAbsent(file: string): (cause: unknown) => undefined {
  return (cause) => {
    if (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT') return undefined;
    throw unusable(file, cause);
  };
}

function unusable(path: string, cause: unknown): ConfigurationError {
  return new ConfigurationError(`cannot use ${path}: ${cause instanceof Error ? cause.message : String(cause)}`, {
    cause,
  });
}
