// Swarms to a file and back, while others get their turns. A file is written beside the one before and takes its place when
// it is whole. What is in a block is decided in @shoal/tracker; WebTorrent peers, who are connections, are not in it.
import { type FileHandle, open, rename, rm } from 'node:fs/promises';
import type { MemoryStore } from '@shoal/tracker';
import {
  blockHeadBytes,
  headBytes,
  openBlock,
  readBlockHead,
  readHead,
  sealBlock,
  sliceBytes,
  version,
  writeHead,
} from './blocks.ts';

export interface SnapshotOptions {
  /** Monotonic ms, that of the tracker. */
  readonly clock: () => number;
  /** Ends the writing; the file of before stays. */
  readonly signal?: AbortSignal;
}

/** What was written. */
export interface SavedSnapshot {
  /** Entries: peers, more than once those who were heard of meanwhile, and goodbyes. */
  readonly entries: number;
  readonly bytes: number;
  readonly durationMs: number;
}

/** What was read. */
export interface LoadedSnapshot {
  /** Entries of peers that were taken in. */
  readonly peers: number;
  /** Peers that had been silent for too long. */
  readonly expired: number;
  /** Peers for which there was no room. */
  readonly unlisted: number;
  /** Where the file is damaged; what stood before it was taken in. */
  readonly problem: string | undefined;
}

/** Writes all peers of a store. @throws what the file system or `signal` says; the file of before is untouched then */
export async function saveSnapshot(store: MemoryStore, file: string, options: SnapshotOptions): Promise<SavedSnapshot> {
  const { clock, signal } = options;
  const begun = clock();
  const unfinished = `${file}.${process.pid}.new`;
  const walk = store.walk();
  try {
    const handle = await open(unfinished, 'w', 0o600);
    let bytes = headBytes;
    try {
      await handle.writeFile(writeHead());
      const block = new Uint8Array(blockHeadBytes + sliceBytes);
      for (let length = 1; length > 0;) {
        signal?.throwIfAborted();
        length = walk.write(block.subarray(blockHeadBytes), clock());
        const sealed = sealBlock(block, length, Date.now());
        // Others have their turn while it is written.
        await handle.writeFile(sealed);
        bytes += sealed.length;
      }
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(unfinished, file);
    return { entries: walk.entries, bytes, durationMs: clock() - begun };
  } catch (error) {
    await rm(unfinished, { force: true });
    throw error;
  } finally {
    walk.end();
  }
}

/**
 * Takes in the peers of a file, but for those silent for `lifetimeMs`. `clock` must be past that: see
 * `MemoryStore.restore`. A text where the file is no snapshot, or one of another version: then nothing was taken in.
 * @throws what the file system says
 */
export async function loadSnapshot(
  store: MemoryStore,
  file: string,
  lifetimeMs: number,
  clock: () => number,
): Promise<LoadedSnapshot | string> {
  const handle = await open(file, 'r');
  try {
    const found = readHead(await readBytes(handle, new Uint8Array(headBytes)));
    if (found === undefined) return 'is no snapshot of swarms';
    if (found !== version) return `is a snapshot of version ${found}, and this program reads version ${version}`;
    return await loadBlocks(store, handle, lifetimeMs, clock);
  } finally {
    await handle.close();
  }
}

async function loadBlocks(
  store: MemoryStore,
  handle: FileHandle,
  lifetimeMs: number,
  clock: () => number,
): Promise<LoadedSnapshot> {
  let [peers, expired, unlisted] = [0, 0, 0];
  const room = new Uint8Array(blockHeadBytes + sliceBytes);
  for (let number = 1; ; number++) {
    const ending = (problem: string | undefined): LoadedSnapshot => ({ peers, expired, unlisted, problem });
    const start = await readBytes(handle, room.subarray(0, blockHeadBytes));
    if (start.length < blockHeadBytes) return ending(`is cut off at block ${number}`);
    const head = readBlockHead(start);
    if (head === undefined) return ending(`is damaged at block ${number}`);
    const length = blockHeadBytes + head.length;
    const rest = await readBytes(handle, room.subarray(blockHeadBytes, length));
    if (rest.length < head.length) return ending(`is cut off at block ${number}`);
    const timeOfDay = openBlock(room.subarray(0, length), head);
    if (timeOfDay === undefined) return ending(`is damaged at block ${number}`);
    if (head.length === 0) return ending(undefined);
    // The clock on the wall may have been set back.
    const silence = Math.max(0, Date.now() - timeOfDay);
    const report = store.restore(rest, silence, lifetimeMs, clock());
    peers += report.restored;
    expired += report.expired;
    unlisted += report.unlisted;
    if (!report.whole) return ending(`has an entry that is none in block ${number}`);
  }
}

/** Fills `into` as far as the file goes. */
async function readBytes(handle: FileHandle, into: Uint8Array): Promise<Uint8Array> {
  let filled = 0;
  while (filled < into.length) {
    const { bytesRead } = await handle.read(into, filled, into.length - filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return into.subarray(0, filled);
}
