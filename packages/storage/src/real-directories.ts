// The folders between a storage's directory and its files. Decides that each is a real folder, never a link that
// would lead a write elsewhere (clients 62), and makes those that are missing. The directory itself is the user's
// choice and may be a link; it is made once only: when it is gone later, a disk is, and no other is to be filled.
// Each is looked at once: against links that were there, not against a local attacker.
import path from 'node:path';
import { StorageError, errnoOf } from './errors.ts';
import type { FileFacts, FileSystem } from './file-system.ts';

export class RealDirectories {
  #root: string;
  /** Whether it was there once. */
  #isRootKnown = false;
  readonly #fileSystem: FileSystem;
  /** Absolute paths seen to be real folders; bounded by the folders that the torrent names. */
  readonly #verified: Set<string> = new Set();
  /** Folders that this object made, in that order, the root among them; bounded like the others. */
  readonly #made: Set<string> = new Set();

  constructor(root: string, fileSystem: FileSystem) {
    this.#root = root;
    this.#fileSystem = fileSystem;
  }

  /** @throws StorageError `unsafe-path` when an element below the root is no real folder; what the system says. */
  async require(elements: readonly string[]): Promise<void> {
    await this.#walk(elements, (folder) => this.#fileSystem.lstat(folder));
  }

  /** Like `require`, and makes what is missing, the root too unless that was there before. */
  async create(elements: readonly string[]): Promise<void> {
    if (!this.#verified.has(this.#root)) await this.#requireRoot();
    await this.#walk(elements, (folder) => this.#lookOrMake(folder));
  }

  /** Looks below another directory from now on. */
  moveTo(root: string): void {
    this.#root = root;
    this.#isRootKnown = false;
    this.#made.clear();
    this.forget();
  }

  /** Removes the folders that this object made, as far as they are empty. */
  async removeMade(): Promise<void> {
    for (const folder of [...this.#made].toReversed()) await this.#removeFolder(folder);
  }

  /** Removes the folders that `elements` name, the innermost first, as far as they are empty. */
  async removeEmpty(elements: readonly string[]): Promise<void> {
    for (let depth = elements.length; depth > 0; depth -= 1) {
      if (!(await this.#removeFolder(path.join(this.#root, ...elements.slice(0, depth))))) return;
    }
  }

  /** Looks again next time: something has gone that was there. */
  forget(): void {
    this.#verified.clear();
  }

  async #walk(elements: readonly string[], look: (folder: string) => Promise<FileFacts>): Promise<void> {
    let folder = this.#root;
    for (const element of elements) {
      folder = path.join(folder, element);
      if (this.#verified.has(folder)) continue;
      if (!(await look(folder)).isDirectory) {
        throw new StorageError(
          'unsafe-path',
          `cannot use ${folder}: it is a link or a file, not a folder; move it away`,
          {
            path: folder,
          },
        );
      }
      this.#verified.add(folder);
    }
  }

  async #requireRoot(): Promise<void> {
    try {
      await this.#fileSystem.lstat(this.#root);
    } catch (error) {
      if (errnoOf(error) !== 'ENOENT' || this.#isRootKnown) throw error;
      await this.#fileSystem.mkdir(this.#root, { recursive: true });
      this.#made.add(this.#root);
    }
    this.#isRootKnown = true;
    this.#verified.add(this.#root);
  }

  /** False when it stays: something else is in it, or it cannot be removed, and an empty folder does no harm. */
  async #removeFolder(folder: string): Promise<boolean> {
    this.#verified.delete(folder);
    try {
      await this.#fileSystem.rmdir(folder);
      this.#made.delete(folder);
      return true;
    } catch {
      return false;
    }
  }

  async #lookOrMake(folder: string): Promise<FileFacts> {
    try {
      return await this.#fileSystem.lstat(folder);
    } catch (error) {
      if (errnoOf(error) !== 'ENOENT') throw error;
    }
    try {
      await this.#fileSystem.mkdir(folder, { recursive: false });
      this.#made.add(folder);
    } catch (error) {
      // Another file of the same folder may have made it meanwhile; what it is, the next look says.
      if (errnoOf(error) !== 'EEXIST') throw error;
    }
    return this.#fileSystem.lstat(folder);
  }
}
