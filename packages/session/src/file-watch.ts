// Notices when files of a running torrent are deleted, replaced or cut by others. Looks at those lately written first and
// at a few of the others in turn, so that it costs the same for a torrent of any number of files. Decides what changed;
// what follows from it is the torrent run's affair.
import type { FileStamp, Storage } from '@shoal/storage';

/** What has become of a file since it was last seen. */
export type FileChange = 'deleted' | 'replaced' | 'cut';

export interface ChangedFile {
  readonly file: number;
  readonly change: FileChange;
}

/** Files of no news that are looked at each time: all of an ordinary torrent, within a minute those of a large one. */
const filesPerLook = 64;

export class FileWatch {
  readonly #storage: Storage;
  readonly #fileCount: number;
  readonly #known = new Map<number, FileStamp>();
  readonly #written = new Set<number>();
  #next = 0;

  constructor(storage: Storage, fileCount: number) {
    this.#storage = storage;
    this.#fileCount = fileCount;
  }

  /** We have written to the file. */
  wrote(file: number): void {
    this.#written.add(file);
  }

  /** The storage itself made, moved or renamed files: what is found next is what is right. */
  forget(): void {
    this.#known.clear();
  }

  /** What has changed since files were last looked at. @throws StorageError. */
  async look(): Promise<ChangedFile[]> {
    const files = this.#take();
    const stamps = await this.#storage.stamps(files);
    const changed: ChangedFile[] = [];
    for (const file of files) {
      const before = this.#known.get(file);
      const now = stamps[file];
      const change = before === undefined ? undefined : changeOf(before, now);
      if (change !== undefined) changed.push({ file, change });
      if (now === undefined) this.#known.delete(file);
      else this.#known.set(file, now);
    }
    return changed;
  }

  #take(): Set<number> {
    const files = new Set(this.#written);
    this.#written.clear();
    const rest = Math.min(filesPerLook, this.#fileCount);
    for (let count = 0; count < rest; count++) {
      files.add(this.#next);
      this.#next = (this.#next + 1) % this.#fileCount;
    }
    return files;
  }
}

function changeOf(before: FileStamp, now: FileStamp | undefined): FileChange | undefined {
  if (now === undefined) return 'deleted';
  if (now.inode !== before.inode) return 'replaced';
  return now.length < before.length ? 'cut' : undefined;
}
