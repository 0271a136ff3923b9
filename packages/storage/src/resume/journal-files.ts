// The few calls on files that a resume journal needs, and Node's own. An interface so that a full disk or a torn write
// can stand in for it. Decides how a journal is replaced as a whole; must not know what is in it.
import { constants } from 'node:fs';
import { type FileHandle, open, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { errnoOf } from '../errors.ts';
import { nodeFileSystem } from '../file-system.ts';
import { startsWith } from './records.ts';

/** What a resume journal asks of a file system. Rejections carry an errno name in `code`, as Node's do. */
export interface JournalFiles {
  /** All bytes; undefined when there is no file. Rejects with EFBIG rather than read more than `limitBytes`. */
  read(at: string, limitBytes: number): Promise<Uint8Array | undefined>;
  /** Puts a new file in place of the old one, whole and on the device or not at all; makes the folder. */
  replace(at: string, bytes: Uint8Array): Promise<void>;
  /** Opens the file to add to it, unless it does not begin with `head`. */
  open(at: string, head: Uint8Array): Promise<OpenJournal | NoJournal>;
  /** Resolves when what was appended has reached the device; a file that is gone is no error. */
  sync(at: string): Promise<void>;
  /** Removes the file and what a replacement left behind. Nothing there is no error. */
  remove(at: string): Promise<void>;
}

/** Why a journal cannot be added to: it is gone, or another's is in its place. */
export type NoJournal = 'missing' | 'foreign';

/** A journal that stays open between appends: to open it and look at its head is three quarters of what one costs. */
export interface OpenJournal {
  /** Adds `bytes` at the end. False when the file is no longer at its path: then they are lost with it. */
  append(bytes: Uint8Array): Promise<boolean>;
  close(): Promise<void>;
}

/** The files of the machine, through `node:fs/promises`. */
export const nodeJournalFiles: JournalFiles = {
  async read(at, limitBytes) {
    const file = await openThere(at, constants.O_RDONLY);
    if (file === undefined) return undefined;
    return await closingAfter(file, async () => {
      const { size } = await file.stat();
      if (size > limitBytes) throw Object.assign(new Error(`EFBIG: ${size} bytes are too many`), { code: 'EFBIG' });
      return await file.readFile();
    });
  },
  async replace(at, bytes) {
    const folder = path.dirname(at);
    const fresh = freshNameOf(at);
    await nodeFileSystem.mkdir(folder, { recursive: true });
    await rm(fresh, { force: true });
    await writeWhole(fresh, bytes);
    await rename(fresh, at);
    await syncFolder(folder);
  },
  async open(at, head) {
    const file = await openThere(at, constants.O_RDWR | constants.O_APPEND);
    if (file === undefined) return 'missing';
    try {
      const { buffer, bytesRead } = await file.read(new Uint8Array(head.length), 0, head.length, 0);
      if (bytesRead === head.length && startsWith(buffer, head)) return new NodeJournal(file);
    } catch (error) {
      await file.close();
      throw error;
    }
    await file.close();
    return 'foreign';
  },
  async sync(at) {
    const file = await openThere(at, constants.O_RDWR);
    if (file !== undefined) await closingAfter(file, () => file.datasync());
  },
  async remove(at) {
    await rm(at, { force: true });
    await rm(freshNameOf(at), { force: true });
  },
};

class NodeJournal implements OpenJournal {
  readonly #file: FileHandle;

  constructor(file: FileHandle) {
    this.#file = file;
  }

  async append(bytes: Uint8Array): Promise<boolean> {
    for (let at = 0; at < bytes.length;) at += (await this.#file.write(bytes, at)).bytesWritten;
    // Whoever replaces or removes it takes its name away. A file on NFS keeps one: there the next opening tells.
    return (await this.#file.stat()).nlink > 0;
  }

  close(): Promise<void> {
    return this.#file.close();
  }
}

/** Only ever made anew: two that replace at once then disturb each other's rename, never each other's bytes. */
async function writeWhole(at: string, bytes: Uint8Array): Promise<void> {
  const file = await open(at, 'wx');
  await closingAfter(file, async () => {
    await file.writeFile(bytes);
    await file.datasync();
  });
}

/** Some systems sync no folder; then the rename is as safe as they make it. */
async function syncFolder(folder: string): Promise<void> {
  try {
    const handle = await open(folder, constants.O_RDONLY);
    await closingAfter(handle, () => handle.sync());
  } catch (error) {
    if (!unsyncableFolder.has(errnoOf(error) ?? '')) throw error;
  }
}

/** What Windows and some network file systems say. */
const unsyncableFolder: ReadonlySet<string> = new Set(['EISDIR', 'EPERM', 'EACCES', 'EINVAL', 'ENOTSUP']);

async function closingAfter<Result>(file: FileHandle, task: () => Promise<Result>): Promise<Result> {
  try {
    return await task();
  } finally {
    await file.close();
  }
}

async function openThere(at: string, flags: number): Promise<FileHandle | undefined> {
  try {
    return await open(at, flags);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

function freshNameOf(at: string): string {
  return `${at}.new`;
}
