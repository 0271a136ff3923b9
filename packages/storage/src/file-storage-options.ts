// What a storage in files is told and what it tells. Decides no defaults: those are in defaults.ts and file-storage.ts.
import type { FileSystem } from './file-system.ts';
import type { OpenFiles } from './open-files.ts';
import type { OperationQueue } from './operation-queue.ts';
import type { Preallocation } from './preallocation.ts';
import type { Presence, StorageFile } from './storage.ts';

export interface FileStorageOptions {
  /** Folder that holds the torrent's file or folder; made at the first write. Relative ones are resolved at `open`. */
  readonly directory: string;
  /** The torrent's files in the order of the metainfo. */
  readonly files: readonly StorageFile[];
  /** Other paths for some of them, by number, as `rename` gave them in an earlier run. */
  readonly paths?: ReadonlyMap<number, readonly string[]>;
  /** One flag for each file; default all true. */
  readonly wanted?: readonly boolean[];
  /**
   * Name, right below the directory, of the file for the bytes of files that are not wanted; default `.NAME.parts`, of
   * the first element of the first path.
   */
  readonly partFile?: string;
  /** How files take their room; default `sparse`. */
  readonly preallocation?: Preallocation;
  /** The process's budget of open files; default a set of its own of 64. */
  readonly openFiles?: OpenFiles;
  /** The process's budget of disk operations; default a queue of its own. */
  readonly queue?: OperationQueue;
  /** Disk operations under way at once when no `queue` is given; default 8. */
  readonly concurrency?: number;
  /** Default the machine's. */
  readonly fileSystem?: FileSystem;
}

/** What files held at one moment. */
export interface FilePresence extends Presence {
  /** Bytes on disk of each file of the torrent; undefined = missing. All that is no file counts as whole. */
  readonly lengths: readonly (number | undefined)[];
}
