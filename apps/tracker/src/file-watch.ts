// Notices that somebody changed a file while we run: written over in one step or several, replaced by another file, or
// swapped together with its folder. Knows nothing of what is in it.
import { type FSWatcher, watch } from 'node:fs';
import { stat } from 'node:fs/promises';
import { dirname } from 'node:path';

/** Editors and copies write in several steps; a file is read when its folder has been quiet for this long. */
const quietMs = 200;

/** A folder that is never quiet, such as one of logs, is not waited for any longer. */
const patienceMs = 2000;

/** A watch over a file; disposing ends it. */
export class FileWatch implements Disposable {
  readonly #path: string;
  readonly #changed: () => void;
  /** The file as its owner knows it. */
  #print: string | undefined;
  #watcher: FSWatcher | undefined;
  #timer: NodeJS.Timeout | undefined;
  /** Since when the folder has not been quiet. */
  #unquietSince = 0;
  #isOver = false;

  /** `changed` is called when the file is another one than was marked. */
  constructor(path: string, changed: () => void) {
    this.#path = path;
    this.#changed = changed;
    this.#watch();
  }

  /** Takes the file as it is now for known. To be called before it is read: a change in between is then seen as one. */
  async mark(): Promise<void> {
    this.#print = await fingerprint(this.#path);
  }

  /** Calls `changed` if the file is another one now. */
  async look(): Promise<void> {
    const print = await fingerprint(this.#path);
    if (print !== this.#print && !this.#isOver) this.#changed();
  }

  [Symbol.dispose](): void {
    this.#isOver = true;
    clearTimeout(this.#timer);
    this.#watcher?.close();
  }

  /** The folder, not the file: editors put a new file in the old one's place, and mounted volumes swap whole folders. */
  #watch(): void {
    try {
      this.#watcher = watch(dirname(this.#path), { persistent: false }, () => this.#await());
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
      void this.look();
    }, waitMs).unref();
  }
}

/** Empty where there is no such file. */
async function fingerprint(path: string): Promise<string> {
  try {
    const { mtimeMs, size, ino } = await stat(path);
    return `${mtimeMs}:${size}:${ino}`;
  } catch {
    return '';
  }
}
