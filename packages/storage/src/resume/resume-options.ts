// What a resume journal is opened with. Decides defaults and refuses options that do not belong together.
import { FileMap, type Geometry } from '@shoal/pieces';
import type { StorageError } from '../errors.ts';
import { requirePositive } from '../operation-queue.ts';
import type { Storage } from '../storage.ts';
import type { JournalFiles } from './journal-files.ts';

export interface ResumeOptions {
  /** The journal file; its folder is made. */
  readonly path: string;
  /** 20 bytes. */
  readonly infoHash: Uint8Array;
  readonly geometry: Geometry;
  /** Bytes of each file, in the order of the metainfo, padding included. */
  readonly fileLengths: readonly number[];
  readonly storage: Pick<Storage, 'stamps' | 'flush' | 'presence'>;
  /** Names the running start of the system; default Linux's, elsewhere '' = not known, which trusts the least. */
  readonly bootId?: string;
  /** Milliseconds since 1970; default `Date.now`. */
  readonly wallClock?: () => number;
  /** Longest that something reported waits; default 1000. */
  readonly appendEveryMs?: number;
  /** Most bytes of pieces that wait before `writing` holds further ones back; default 4 MiB. */
  readonly appendEveryBytes?: number;
  /** How often what was verified is brought to the device; default 30,000. */
  readonly syncEveryMs?: number;
  /** The journal or the files cannot be read or written: told once until it works again, tried again by itself. */
  readonly onError?: (error: StorageError) => void;
  /** Default the machine's. */
  readonly files?: JournalFiles;
}

/** Options with every interval filled in. */
export type SettledResumeOptions = ResumeOptions & { readonly [Name in keyof typeof resumeDefaults]: number };

/** Intervals of the resume journal and why. */
export const resumeDefaults = {
  /** What a crash costs at most on a slow link. */
  appendEveryMs: 1000,
  /** What it costs at most on a fast one. */
  appendEveryBytes: 4_194_304,
  /** What a power loss puts in doubt: Linux itself begins to write after the same time (vm.dirty_expire_centisecs). */
  syncEveryMs: 30_000,
  /** How far file times and the wall clock may be apart: FAT counts in 2 s. */
  clockSlackMs: 2000,
  /** After this long without a report there are no more signs of life; most links bring a piece in less. */
  quietMs: 30_000,
  /** When content that another process wrote has reached the device by itself: twice what Linux waits with it. */
  writebackMs: 60_000,
} as const;

/** @throws RangeError when the options do not belong together. */
export function fileMapOf(options: SettledResumeOptions): FileMap {
  const { infoHash, geometry, fileLengths } = options;
  if (infoHash.length !== 20) throw new RangeError(`an info-hash has 20 bytes, not ${infoHash.length}`);
  const files = new FileMap(fileLengths);
  if (files.totalLength !== geometry.totalLength) {
    throw new RangeError(`the files have ${files.totalLength} bytes, the torrent ${geometry.totalLength}`);
  }
  requirePositive('appendEveryMs', options.appendEveryMs);
  requirePositive('appendEveryBytes', options.appendEveryBytes);
  requirePositive('syncEveryMs', options.syncEveryMs);
  return files;
}
