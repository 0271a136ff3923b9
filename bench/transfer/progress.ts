// When how much was there, by the blocks that the files have on their file system: the same yardstick for everybody, and
// nobody has to be asked.
import { statSync } from 'node:fs';

/** Often enough for a second at a GB/s. */
const shortestPollMs = 5;
/** A stat costs up to 5 µs: 500 files are looked at every 50 ms, so that looking takes a twentieth of a core at most. */
const pollMsPerFile = 0.1;

const firstBytes = 1024 * 1024;

export interface Moments {
  /** `performance.now()` of the first MiB, of a tenth and of nine tenths of all bytes. */
  readonly firstAt: number;
  readonly tenthAt: number;
  readonly ninetiethAt: number;
}

export class Progress {
  readonly #marks: { readonly bytes: number; at: number }[];
  readonly #timer: NodeJS.Timeout;
  #files: readonly string[];
  #lastBytes = 0;
  #lastAt = performance.now();
  #told = false;
  readonly #onFirst: () => void;

  constructor(files: readonly string[], bytes: number, onFirst: () => void) {
    this.#files = files;
    this.#onFirst = onFirst;
    this.#marks = [firstBytes, bytes * 0.1, bytes * 0.9].map((mark) => ({ bytes: mark, at: NaN }));
    const pollMs = Math.max(shortestPollMs, files.length * pollMsPerFile);
    this.#timer = setInterval(() => this.#look(), pollMs);
  }

  stop(): Moments {
    this.#look();
    clearInterval(this.#timer);
    const [first, tenth, ninetieth] = this.#marks.map(({ at }) => at);
    return { firstAt: first ?? NaN, tenthAt: tenth ?? NaN, ninetiethAt: ninetieth ?? NaN };
  }

  #look(): void {
    let bytes = 0;
    for (const file of this.#files) bytes += (statSync(file, { throwIfNoEntry: false })?.blocks ?? 0) * 512;
    const now = performance.now();
    for (const mark of this.#marks) {
      if (!Number.isNaN(mark.at) || bytes < mark.bytes) continue;
      // Between two looks it grew evenly.
      const share = (mark.bytes - this.#lastBytes) / (bytes - this.#lastBytes);
      mark.at = this.#lastAt + (now - this.#lastAt) * share;
    }
    this.#lastBytes = bytes;
    this.#lastAt = now;
    if (bytes < firstBytes || this.#told) return;
    this.#told = true;
    this.#onFirst();
  }
}
