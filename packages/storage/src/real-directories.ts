// The folders between a storage's directory and its files. Decides that each is a real folder, never a link that
// would lead a write elsewhere (clients 62), and makes those that are missing. The directory itself is the user's
// choice and may be a link. Each is looked at once: against links that were there, not against a local attacker.
import path from 'node:path';
import { StorageError, errnoOf } from './errors.ts';
import type { FileFacts, FileSystem } from './file-system.ts';

export class RealDirectories {
  readonly #root: string;
  readonly #fileSystem: FileSystem;
  /** Absolute paths seen to be real folders; bounded by the folders that the torrent names. */
  readonly #verified: Set<string> = new Set();

  constructor(root: string, fileSystem: FileSystem) {
    this.#root = root;
    this.#fileSystem = fileSystem;
  }

  /** @throws StorageError `unsafe-path` when an element below the root is no real folder; what the system says. */
  async require(elements: readonly string[]): Promise<void> {
    await this.#walk(elements, (folder) => this.#fileSystem.lstat(folder));
  }

  /** Like `require`, and makes what is missing, the root included. */
  async create(elements: readonly string[]): Promise<void> {
    if (!this.#verified.has(this.#root)) {
      await this.#fileSystem.mkdir(this.#root, { recursive: true });
      this.#verified.add(this.#root);
    }
    await this.#walk(elements, (folder) => this.#lookOrMake(folder));
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

  async #lookOrMake(folder: string): Promise<FileFacts> {
    try {
      return await this.#fileSystem.lstat(folder);
    } catch (error) {
      if (errnoOf(error) !== 'ENOENT') throw error;
    }
    try {
      await this.#fileSystem.mkdir(folder, { recursive: false });
    } catch (error) {
      // Another file of the same folder may have made it meanwhile; what it is, the next look says.
      if (errnoOf(error) !== 'EEXIST') throw error;
    }
    return this.#fileSystem.lstat(folder);
  }
}
