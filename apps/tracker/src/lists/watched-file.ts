// A file that somebody edits while we run: its content as last understood. A bad edit changes nothing and is told.
import { readFile } from 'node:fs/promises';
import { ConfigurationError } from '../errors.ts';
import { FileWatch } from '../file-watch.ts';

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
  readonly #watch: FileWatch;
  #content: Content;
  #readAt = new Date();
  #problem: string | undefined;
  /** Readings happen one after the other, so that the last one is of the latest content. */
  #reading: Promise<unknown> = Promise.resolve();

  private constructor(path: string, use: FileUse<Content>, watch: FileWatch, content: Content) {
    this.path = path;
    this.#use = use;
    this.#watch = watch;
    this.#content = content;
  }

  /** Reads `path` and watches it. @throws ConfigurationError when it cannot be used as it is */
  static async open<Content>(path: string, use: FileUse<Content>): Promise<WatchedFile<Content>> {
    let file: WatchedFile<Content> | undefined;
    const watch = new FileWatch(path, () => void file?.reload());
    try {
      await watch.mark();
      file = new WatchedFile(path, use, watch, await readAs(path, use));
    } catch (error) {
      watch[Symbol.dispose]();
      throw error;
    }
    // It may have changed while it was read.
    await watch.look();
    await file.#reading;
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
    const reading = this.#reading.then(() => this.#read());
    // A failure of our own is of one reading.
    this.#reading = reading.catch(() => {});
    await reading;
    return this.#problem === undefined;
  }

  [Symbol.dispose](): void {
    this.#watch[Symbol.dispose]();
  }

  async #read(): Promise<void> {
    try {
      // Whatever comes of it: what is wrong is told once for each state that the file is in.
      await this.#watch.mark();
      const content = await readAs(this.path, this.#use);
      this.#content = content;
      this.#readAt = new Date();
      this.#problem = undefined;
      this.#use.changed(content);
    } catch (error) {
      if (!(error instanceof ConfigurationError)) throw error;
      this.#problem = error.message;
      this.#use.failed(error);
    }
  }
}

async function readAs<Content>(path: string, use: FileUse<Content>): Promise<Content> {
  try {
    return await use.read(await readFile(path));
  } catch (cause) {
    if (cause instanceof ConfigurationError) throw cause;
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new ConfigurationError(`cannot use ${use.name} ${path}: ${reason}`, { cause });
  }
}
