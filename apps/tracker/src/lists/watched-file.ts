// A file that somebody edits while we run: its content as last understood. A bad edit changes nothing and is told.
import { type FSWatcher, watch } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { ConfigurationError } from '../errors.ts';

/** Editors and copies write in several steps; a file is read when its folder has been quiet for this long. */
const quietMs = 200;

/** A folder that is never quiet, such as one of logs, is not waited for any longer. */
const patienceMs = 2000;

/** What a file is read for. */
export interface FileUse<Content> {
  /** What it is called in messages, such as `the allow list`. */
  readonly name: string;
  /** @throws Error saying what is wrong and in which line */
  read(bytes: Uint8Array): Promise<Content>;
  /** Called with every new content after the first. */
  changed(content: Content): void;
  /** Called when the file cannot be used; what was read before holds. */
  failed(error: ConfigurationError): void;
}

/** The content of a file, kept up to date. */
export class WatchedFile<Content> implements Disposable {
  readonly path: string;
  readonly #use: FileUse<Content>;
  #content: Content;
  #print: string;
  #readAt = new Date();
  #problem: string | undefined;
  #watcher: FSWatcher | undefined;
  #timer: NodeJS.Timeout | undefined;
  /** Since when the folder has not been quiet. */
  #unquietSince = 0;
  /** Readings happen one after the other, so that the last one is of the latest content. */
  #reading: Promise<void> = Promise.resolve();

  private constructor(path: string, use: FileUse<Content>, { content, print }: Reading<Content>) {
    this.path = path;
    this.#use = use;
    this.#content = content;
    this.#print = print;
    this.#watch();
  }

  /** Reads `path` and watches it. @throws ConfigurationError when it cannot be used as it is */
  static async open<Content>(path: string, use: FileUse<Content>): Promise<WatchedFile<Content>> {
    const file = new WatchedFile(path, use, await readAs(path, use));
    // It may have changed while it was read and nobody watched.
    await file.#look();
    return file;
  }

  /** As last understood. */
  get content(): Content {
    return this.#content;
  }

  /** When `content` was read. */
  get readAt(): Date {
    return this.#readAt;
  }

  /** Why the file as it is now is not what `content` says. */
  get problem(): string | undefined {
    return this.#problem;
  }

  /** Reads the file again, changed or not; says whether it could be used. */
  async reload(): Promise<boolean> {
    this.#reading = this.#reading.then(() => this.#read());
    await this.#reading;
    return this.#problem === undefined;
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
    this.#watcher?.close();
  }

  /** The folder, not the file: editors put a new file in the old one's place, and mounted volumes swap whole folders. */
  #watch(): void {
    try {
      this.#watcher = watch(dirname(this.path), { persistent: false }, () => this.#await());
      // The folder is gone, or its system cannot watch: SIGHUP is left.
      this.#watcher.on('error', () => this.#watcher?.close());
    } catch {
      this.#watcher = undefined;
    }
  }

  #await(): void {
    const now = performance.now();
    if (this.#timer === undefined) this.#unquietSince = now;
    clearTimeout(this.#timer);
    const waitMs = Math.min(quietMs, Math.max(0, this.#unquietSince + patienceMs - now));
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      void this.#look();
    }, waitMs).unref();
  }

  async #look(): Promise<void> {
    const print = await fingerprint(this.path).catch(() => undefined);
    if (print !== this.#print) await this.reload();
  }

  async #read(): Promise<void> {
    try {
      const { content, print } = await readAs(this.path, this.#use);
      this.#content = content;
      this.#print = print;
      this.#readAt = new Date();
      this.#problem = undefined;
      this.#use.changed(content);
    } catch (error) {
      if (!(error instanceof ConfigurationError)) throw error;
      // Told once for each state that the file is in.
      this.#print = await fingerprint(this.path).catch(() => '');
      this.#problem = error.message;
      this.#use.failed(error);
    }
  }
}

interface Reading<Content> {
  readonly content: Content;
  readonly print: string;
}

async function readAs<Content>(path: string, use: FileUse<Content>): Promise<Reading<Content>> {
  try {
    // Before reading: a change in between is then seen as one.
    const print = await fingerprint(path);
    return { content: await use.read(await readFile(path)), print };
  } catch (cause) {
    if (cause instanceof ConfigurationError) throw cause;
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new ConfigurationError(`cannot use ${use.name} ${path}: ${reason}`, { cause });
  }
}

async function fingerprint(path: string): Promise<string> {
  const { mtimeMs, size, ino } = await stat(path);
  return `${mtimeMs}:${size}:${ino}`;
}
