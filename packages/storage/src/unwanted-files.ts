// Which files are wanted, and where the bytes of the others are: in the file where one exists, else in the part file.
// Decides when bytes move from there into files. Its caller sees to it that nothing else runs while that happens.
import type { FileMap } from '@shoal/pieces';
import { type ByteRange, ByteRanges } from './byte-ranges.ts';
import { defaults } from './defaults.ts';
import { StorageError } from './errors.ts';
import type { PartFile } from './part-file.ts';
import { type FileStamp, requireFlags } from './storage.ts';
import type { StoredFile } from './stored-file.ts';

export interface UnwantedFilesParts {
  readonly files: readonly StoredFile[];
  readonly map: FileMap;
  readonly part: PartFile;
  /** Runs a disk operation when it is its turn. */
  readonly run: (operation: () => Promise<void>) => Promise<void>;
}

export class UnwantedFiles {
  readonly #parts: UnwantedFilesParts;
  /** Of unwanted files that were looked for: whether they are not on disk, so that the part file stands in. */
  readonly #isApart: Map<StoredFile, boolean> = new Map();

  /** @throws RangeError unless `wanted` has one flag for each file. */
  constructor(parts: UnwantedFilesParts, wanted?: readonly boolean[]) {
    this.#parts = parts;
    if (wanted !== undefined) this.#mark(wanted);
  }

  /** Whether the part file stands in for file number `index`. */
  async isApart(index: number): Promise<boolean> {
    const file = this.#parts.files[index]!;
    if (file.isWanted) return false;
    const known = this.#isApart.get(file);
    if (known !== undefined) return known;
    const isApart = (await file.lengthOnDisk()) === undefined;
    this.#isApart.set(file, isApart);
    return isApart;
  }

  /** Like `read` of the file, for one that is not wanted. */
  async read(index: number, offset: number, targets: readonly Uint8Array[]): Promise<void> {
    if (await this.isApart(index)) await this.#parts.part.read(this.#parts.map.offsetOf(index) + offset, targets);
    else await this.#orLookAgain(index, (file) => file.read(offset, targets));
  }

  /** Like `write` of the file, for one that is not wanted; says what was written to. */
  async write(index: number, offset: number, bytes: Uint8Array): Promise<StoredFile> {
    const { part, map, files } = this.#parts;
    if (await this.isApart(index)) {
      await part.write(map.offsetOf(index) + offset, bytes);
      return part.file;
    }
    await this.#orLookAgain(index, (file) => file.write(offset, bytes));
    return files[index]!;
  }

  /**
   * What the part file holds: nothing when somebody else's file is in its place, which is in nobody's way until bytes
   * have to go there.
   */
  async held(): Promise<ByteRanges> {
    try {
      return await this.#parts.part.held();
    } catch (error) {
      if (error instanceof StorageError && error.code === 'exists') return new ByteRanges();
      throw error;
    }
  }

  /** What the stamp of an unwanted file is: that of what holds its bytes, and how many of them that can be. */
  async stamp(index: number): Promise<FileStamp | undefined> {
    const { files, part, map } = this.#parts;
    this.#isApart.delete(files[index]!);
    const stamp = await files[index]!.stamp();
    if (stamp !== undefined) return stamp;
    const begin = map.offsetOf(index);
    const end = begin + map.lengthOf(index);
    const held = (await this.held()).within(begin, end).at(-1);
    const partStamp = held === undefined ? undefined : await part.stamp();
    return held === undefined || partStamp === undefined ? undefined : { ...partStamp, length: held.end - begin };
  }

  /** Wants exactly the files that have a true flag. Nothing has changed when it fails. */
  async setWanted(wanted: readonly boolean[]): Promise<void> {
    requireFlags(this.#parts.files.length, wanted);
    await this.#moveIn((index) => wanted[index] === true);
    this.#mark(wanted);
    this.#isApart.clear();
  }

  /** Brings what an earlier storage left in the part file to the files that are wanted now. */
  async settle(): Promise<void> {
    const { files, part } = this.#parts;
    if ((await part.file.lengthOnDisk()) === undefined) return;
    await this.#moveIn((index) => files[index]!.isWanted);
  }

  #mark(wanted: readonly boolean[]): void {
    requireFlags(this.#parts.files.length, wanted);
    for (const [index, file] of this.#parts.files.entries()) file.isWanted = wanted[index] === true;
  }

  async #moveIn(isWanted: (index: number) => boolean): Promise<void> {
    const { map, part, files } = this.#parts;
    const held = await this.held();
    if (held.isEmpty) return;
    const moved: ByteRange[] = [];
    for (const index of files.keys()) {
      if (!isWanted(index)) continue;
      const begin = map.offsetOf(index);
      const ranges = held.within(begin, begin + map.lengthOf(index));
      await this.#fill(index, ranges);
      moved.push(...ranges);
    }
    if (moved.length > 0) await part.drop(moved);
  }

  /** Makes the file of these ranges, unless there is one: then that is what counts. */
  async #fill(index: number, ranges: readonly ByteRange[]): Promise<void> {
    const file = this.#parts.files[index]!;
    if (ranges.length === 0 || (await file.lengthOnDisk()) !== undefined) return;
    const { isWanted } = file;
    file.isWanted = true;
    try {
      for (const range of ranges) await this.#copy(index, range);
      await this.#parts.run(() => file.flush());
    } catch (error) {
      // What made this fail says more than a file that cannot be removed either.
      await file.remove().catch(() => undefined);
      throw error;
    } finally {
      file.isWanted = isWanted;
    }
  }

  async #copy(index: number, range: ByteRange): Promise<void> {
    const { part, map, files, run } = this.#parts;
    const buffer = new Uint8Array(Math.min(defaults.copyBytes, range.end - range.begin));
    for (let at = range.begin; at < range.end; at += buffer.length) {
      const bytes = buffer.subarray(0, Math.min(buffer.length, range.end - at));
      await run(() => part.read(at, [bytes]));
      await run(() => files[index]!.write(at - map.offsetOf(index), bytes));
    }
  }

  async #orLookAgain(index: number, perform: (file: StoredFile) => Promise<void>): Promise<void> {
    const file = this.#parts.files[index]!;
    try {
      await perform(file);
    } catch (error) {
      this.#isApart.delete(file);
      throw error;
    }
  }
}
