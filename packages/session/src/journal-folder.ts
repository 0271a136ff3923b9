// The folder of journals, which would otherwise grow for ever: a torrent that is never added again leaves one behind.
// Decides which go: those that nobody used for long, and the oldest of very many. What that can cost is a check, never
// content. Must not know what is in a journal.
import { readdir, stat, unlink, utimes } from 'node:fs/promises';
import path from 'node:path';

export interface JournalFolderOptions {
  readonly directory: string;
  /** Days without use after which a journal goes. */
  readonly keepDays: number;
  /** Milliseconds since 1970; default `Date.now`. */
  readonly wallClock?: () => number;
}

/** Fewer than these are in nobody's way, so nobody waits for a look at each. */
const fewJournals = 100;
/** The most that stay: of 4 KiB to 64 KiB each, as most are, they take tens to hundreds of MB. */
const mostJournals = 10_000;
const dayMs = 24 * 60 * 60 * 1000;
/** As `journalPath` names them, and what a crash left of a replacement. */
const journalName = /^[0-9a-f]{40}-[0-9a-f]{8}\.journal(\.new)?$/;

export class JournalFolder {
  readonly #options: JournalFolderOptions;
  readonly #inUse = new Set<string>();
  readonly #timer: NodeJS.Timeout;

  /** Tidies once a day while it is there. */
  constructor(options: JournalFolderOptions) {
    this.#options = options;
    this.#timer = setInterval(() => void this.tidy(), dayMs);
    this.#timer.unref();
  }

  /** The journal at this path is used from now on: call before it is read. */
  async use(at: string): Promise<void> {
    this.#inUse.add(at);
    await this.#touch(at);
  }

  /** It was used until now. */
  async release(at: string): Promise<void> {
    if (this.#inUse.delete(at)) await this.#touch(at);
  }

  /** Never rejects: a folder that cannot be tidied is tidied another time. */
  async tidy(): Promise<void> {
    const { directory } = this.#options;
    const names = (await readdir(directory).catch(() => [])).filter((name) => journalName.test(name));
    if (names.length <= fewJournals) return;
    // A seed writes nothing for months; other processes go by the time of the file.
    for (const at of this.#inUse) await this.#touch(at);
    for (const at of await this.#outdated(names)) if (!this.#inUse.has(at)) await unlink(at).catch(() => {});
  }

  /** Tidies for the last time. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.tidy();
  }

  /** Paths of those that go. One look after another: there is no hurry. */
  async #outdated(names: readonly string[]): Promise<string[]> {
    const { directory, keepDays } = this.#options;
    const journals: { readonly at: string; readonly usedMs: number }[] = [];
    for (const name of names) {
      const at = path.join(directory, name);
      const facts = await stat(at).catch(() => undefined);
      if (facts?.isFile() === true) journals.push({ at, usedMs: facts.mtimeMs });
    }
    journals.sort((one, other) => other.usedMs - one.usedMs);
    const oldestMs = this.#now() - keepDays * dayMs;
    return journals.filter(({ usedMs }, place) => usedMs < oldestMs || place >= mostJournals).map(({ at }) => at);
  }

  async #touch(at: string): Promise<void> {
    const seconds = this.#now() / 1000;
    // None yet, or not ours to touch.
    await utimes(at, seconds, seconds).catch(() => {});
  }

  #now(): number {
    return (this.#options.wallClock ?? Date.now)();
  }
}
