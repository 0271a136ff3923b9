// The few calls of a file system that storage needs, and Node's own. An interface so that a full disk, a refused
// write or another file system can stand in for it. Decides nothing: errors pass as the system gave them.
import { type FileHandle, lstat, mkdir, open, rename, rmdir, stat, symlink, unlink } from 'node:fs/promises';
import { type BigIntStats, read, readv, write } from 'node:fs';
import { dirname } from 'node:path';
import { errnoOf } from './errors.ts';

/** What file storage asks of a file system. Rejections carry an errno name in `code`, as Node's do. */
export interface FileSystem {
  /** `flags` are those of `node:fs` `constants`; `mode` is that of a file made now, before the process's umask. */
  open(path: string, flags: number, mode: number): Promise<OpenedFile>;
  /** Facts of what is at `path` itself; a link is not followed. */
  lstat(path: string): Promise<FileFacts>;
  mkdir(path: string, options: { readonly recursive: boolean }): Promise<void>;
  /** Makes a link at `path` that says `target`. */
  symlink(target: string, path: string): Promise<void>;
  /** Gives what is at `from` the path `to`, whatever was there; EXDEV when they are on different devices. */
  rename(from: string, to: string): Promise<void>;
  /** Removes a file or a link. */
  unlink(path: string): Promise<void>;
  /** Removes an empty folder. */
  rmdir(path: string): Promise<void>;
}

/** An open file; positions and lengths in bytes. */
export interface OpenedFile {
  /** Fills `targets` in order and says how many bytes it read: fewer than asked at the end, or at the system's whim. */
  read(targets: readonly Uint8Array[], position: number): Promise<number>;
  /** Says how many of `bytes` it wrote, which can be fewer than all. */
  write(bytes: Uint8Array, position: number): Promise<number>;
  truncate(length: number): Promise<void>;
  facts(): Promise<FileFacts>;
  /** Resolves when content and length have reached the device. */
  sync(): Promise<void>;
  close(): Promise<void>;
}

export interface FileFacts {
  readonly isFile: boolean;
  readonly isDirectory: boolean;
  readonly isLink: boolean;
  /** Bytes. */
  readonly length: number;
  /** Bytes of the device that hold content; fewer than `length` when there are holes, or where content is compressed. */
  readonly allocated: number;
  /** Time of the last change of the content, in nanoseconds since 1970 as the file system tells it. */
  readonly modifiedNs: bigint;
  /** Number of the file on its device; another file has it only after this one is gone and closed. */
  readonly inode: bigint;
  readonly device: bigint;
}

/** The file system of the machine. */
export const nodeFileSystem: FileSystem = {
  async open(path, flags, mode) {
    return new NodeFile(await open(path, flags, mode));
  },
  async lstat(path) {
    return factsOf(await lstat(path, { bigint: true }));
  },
  async mkdir(path, { recursive }) {
    if (recursive) await makeFolders(path);
    else await mkdir(path);
  },
  symlink,
  rename,
  unlink,
  rmdir,
};

/** Not Node's own `recursive`, which tries for ever below a folder that takes no entries, such as /proc. */
async function makeFolders(path: string): Promise<void> {
  try {
    await makeFolder(path);
  } catch (error) {
    const parent = dirname(path);
    if (errnoOf(error) !== 'ENOENT' || parent === path) throw error;
    await makeFolders(parent);
    await makeFolder(path);
  }
}

/** What is there already may be a link to a folder: above and at the storage's directory, links are the user's choice. */
async function makeFolder(path: string): Promise<void> {
  try {
    await mkdir(path);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT' || !(await isFolder(path))) throw error;
  }
}

function isFolder(path: string): Promise<boolean> {
  return stat(path).then(
    (stats) => stats.isDirectory(),
    () => false,
  );
}

/** Reads and writes through callbacks: those of a `FileHandle` cost the main thread 5 to 13 % more (bench/README.md). */
class NodeFile implements OpenedFile {
  readonly #handle: FileHandle;

  constructor(handle: FileHandle) {
    this.#handle = handle;
  }

  read(targets: readonly Uint8Array[], position: number): Promise<number> {
    return new Promise((resolve, reject) => {
      const done = (error: Error | null, count: number): void => {
        if (error === null) resolve(count);
        else reject(error);
      };
      const [first] = targets;
      if (targets.length === 1 && first !== undefined) read(this.#handle.fd, first, 0, first.length, position, done);
      else readv(this.#handle.fd, targets, position, done);
    });
  }

  write(bytes: Uint8Array, position: number): Promise<number> {
    return new Promise((resolve, reject) => {
      write(this.#handle.fd, bytes, 0, bytes.length, position, (error, count) => {
        if (error === null) resolve(count);
        else reject(error);
      });
    });
  }

  truncate(length: number): Promise<void> {
    return this.#handle.truncate(length);
  }

  async facts(): Promise<FileFacts> {
    return factsOf(await this.#handle.stat({ bigint: true }));
  }

  /** fdatasync keeps the length too; it leaves out only times, which nothing here depends on. */
  sync(): Promise<void> {
    return this.#handle.datasync();
  }

  close(): Promise<void> {
    return this.#handle.close();
  }
}

function factsOf(stats: BigIntStats): FileFacts {
  return {
    isFile: stats.isFile(),
    isDirectory: stats.isDirectory(),
    isLink: stats.isSymbolicLink(),
    length: Number(stats.size),
    // POSIX leaves the unit open; Linux, macOS and the BSDs count 512 bytes, and so does libuv on Windows.
    allocated: Number(stats.blocks) * 512,
    modifiedNs: stats.mtimeNs,
    inode: stats.ino,
    device: stats.dev,
  };
}
