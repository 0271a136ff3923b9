// The shape of a contract's case, and the files and bytes that cases are made of.
import type { Storage, StorageFile } from '../storage.ts';

/** Makes an empty storage of these files, closed by the case that asked for it. */
export type MakeStorage = (files: readonly StorageFile[]) => Promise<Storage>;

/**
 * What not every storage is for. `content`: what was written comes back, and what was not is known to be missing.
 * `zeros`: `prepare` makes everything readable, as zeros where nothing was written.
 */
export type StorageCapability = 'content' | 'zeros';

export interface StorageContractCase {
  /** A sentence in the present tense. */
  readonly name: string;
  /** A storage that lacks one of these need not keep this promise. */
  readonly needs: readonly StorageCapability[];
  /** Rejects when the promise is broken. `newDirectory` gives one that is there and empty, for storages that move to it. */
  run(make: MakeStorage, newDirectory: () => Promise<string>): Promise<void>;
}

export function fileOf(name: string, length: number): StorageFile {
  return { path: ['torrent', name], length };
}

export function padding(length: number): StorageFile {
  return { path: ['torrent', '.pad', String(length)], length, isPadding: true };
}

/** 300 files of odd lengths in nested folders, each seventh empty, each eleventh padding, and their content. */
export function manyFiles(): { files: StorageFile[]; content: Uint8Array } {
  const files: StorageFile[] = [];
  for (let index = 0; index < 300; index += 1) {
    const length = index % 7 === 0 ? 0 : ((index * 2657) % 4999) + 1;
    const isPadding = index % 11 === 0;
    files.push({
      path: ['torrent', `folder ${index % 13}`, `deeper ${index % 3}`, `file ${index}`],
      length,
      isPadding,
    });
  }
  const total = files.reduce((sum, file) => sum + file.length, 0);
  const content = patternOf(total, 12);
  let offset = 0;
  for (const file of files) {
    if (file.isPadding === true) content.fill(0, offset, offset + file.length);
    offset += file.length;
  }
  return { files, content };
}

/** Bytes that differ by place and by `seed` (Knuth's multiplier), so that a shifted or stale read shows. */
export function patternOf(length: number, seed: number): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let index = 0; index < length; index += 1) bytes[index] = Math.imul(index + seed * 65_537, 2_654_435_761) >>> 24;
  return bytes;
}

export async function readOf(storage: Storage, offset: number, length: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(length);
  await storage.read(offset, [bytes]);
  return bytes;
}

export function joined(parts: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    bytes.set(part, offset);
    offset += part.length;
  }
  return bytes;
}
