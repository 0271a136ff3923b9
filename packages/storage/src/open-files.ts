// Which files are open. Decides whom to close when another is needed: the one idle longest. Never more than `limit`
// are open or being opened; whoever comes then waits. Must not know paths, torrents or what a file is used for.
// Invariant: #taken = entries that hold a place = opening, open or closing; a place passes straight to who waits.
import { defaults } from './defaults.ts';
import type { OpenedFile } from './file-system.ts';
import { requirePositive } from './operation-queue.ts';

export interface OpenFilesOptions {
  /** Handles open at once; default 64. */
  readonly limit?: number;
}

export type FileMode = 'read' | 'write';

/** A file that can be opened again and again; the object itself is its identity. */
export interface Openable {
  /** Opens for reading, or for reading and writing. */
  open(mode: FileMode): Promise<OpenedFile>;
  /** Hears of a failed close, the last chance of some systems to say that a write was lost. */
  closeFailed(cause: unknown): void;
}

/** A bounded set of open files that all torrents share, the least recently used closed first. */
export class OpenFiles {
  readonly limit: number;
  #taken = 0;
  #closing = 0;
  readonly #waiting: (() => void)[] = [];
  /** Least recently used first. A file open for writing serves its readers too. */
  readonly #entries: Map<Openable, Entry> = new Map();
  /** Replaced or released, but still in use or being closed. */
  readonly #retired: Set<Entry> = new Set();

  /** @throws RangeError when `limit` is no positive whole number. */
  constructor(options: OpenFilesOptions = {}) {
    this.limit = options.limit ?? defaults.openFileLimit;
    requirePositive('limit', this.limit);
  }

  /** Files open now, those being opened or closed included; at most `limit`. */
  get size(): number {
    return this.#taken;
  }

  /** Runs `task` with the file open, and keeps it open after that for as long as there is room. */
  async use<Result>(file: Openable, mode: FileMode, task: (opened: OpenedFile) => Promise<Result>): Promise<Result> {
    const entry = this.#entryOf(file, mode);
    entry.users += 1;
    try {
      return await task(await entry.opened);
    } finally {
      entry.users -= 1;
      if (entry.users === 0) this.#becameIdle(entry);
    }
  }

  /** Lets no later use have the handle that this file has now: it closes when its last user is done. */
  retire(file: Openable): void {
    const entry = this.#entries.get(file);
    if (entry !== undefined) this.#retire(entry);
  }

  /** Closes these files as soon as nobody uses them, and resolves when all are closed. */
  async release(files: Iterable<Openable>): Promise<void> {
    const released = new Set(files);
    for (const file of released) {
      const entry = this.#entries.get(file);
      if (entry !== undefined) this.#retire(entry);
    }
    const retired = [...this.#retired].filter((entry) => released.has(entry.file));
    await Promise.all(retired.map((entry) => entry.closed));
  }

  #entryOf(file: Openable, mode: FileMode): Entry {
    const existing = this.#entries.get(file);
    if (existing !== undefined) {
      if (mode === 'read' || existing.mode === 'write') {
        this.#entries.delete(file);
        this.#entries.set(file, existing);
        return existing;
      }
      this.#retire(existing);
    }
    const entry = new Entry(file, mode, this.#place());
    this.#entries.set(file, entry);
    return entry;
  }

  /** A place under the limit: at once, or when one becomes free, for which the file idle longest is closed. */
  #place(): Promise<void> {
    if (this.#taken < this.limit) {
      this.#taken += 1;
      return Promise.resolve();
    }
    const place = new Promise<void>((resolve) => void this.#waiting.push(resolve));
    for (const entry of this.#entries.values()) {
      if (entry.users > 0) continue;
      this.#retire(entry);
      break;
    }
    return place;
  }

  #becameIdle(entry: Entry): void {
    if (this.#retired.has(entry)) void this.#close(entry);
    else if (entry.failed || this.#waiting.length > this.#closing) this.#retire(entry);
  }

  /** Takes an entry out of service; it closes now or when its last user is done. */
  #retire(entry: Entry): void {
    this.#entries.delete(entry.file);
    this.#retired.add(entry);
    if (entry.users === 0) void this.#close(entry);
  }

  async #close(entry: Entry): Promise<void> {
    this.#closing += 1;
    await entry.close();
    this.#closing -= 1;
    this.#retired.delete(entry);
    const passPlace = this.#waiting.shift();
    if (passPlace === undefined) this.#taken -= 1;
    else passPlace();
  }
}

/** One opening of a file, from asking for a place until it is closed. */
class Entry {
  readonly file: Openable;
  readonly mode: FileMode;
  readonly opened: Promise<OpenedFile>;
  /** Resolves when the file is closed; never rejects. */
  readonly closed: Promise<void>;
  users = 0;
  failed = false;
  #markClosed: () => void = () => undefined;

  constructor(file: Openable, mode: FileMode, place: Promise<void>) {
    this.file = file;
    this.mode = mode;
    this.opened = place.then(() => file.open(mode));
    this.opened.catch(() => {
      this.failed = true;
    });
    this.closed = new Promise((resolve) => {
      this.#markClosed = resolve;
    });
  }

  /** Never rejects: a failed opening needs no closing, a failed closing goes to the file's owner. */
  async close(): Promise<void> {
    try {
      if (!this.failed) await (await this.opened).close();
    } catch (error) {
      this.file.closeFailed(error);
    }
    this.#markClosed();
  }
}
