// How much of the device a file takes before it has content. Decides how holes become real zeros: Node has no
// fallocate, so zeros are written where only zeros are read. Must not know torrents; one stretch at a time, so that
// its caller can put other operations between.
import type { FileMap } from '@shoal/pieces';
import { defaults } from './defaults.ts';
import { StorageError } from './errors.ts';
import type { StoredFile } from './stored-file.ts';

/**
 * How files take their room. `sparse`: they have their length from the start, and holes where nothing was written.
 * `full`: like that, and `prepare` fills the holes, so that a full disk shows before a download. `none`: they grow.
 */
export type Preallocation = 'sparse' | 'full' | 'none';

/** A run of bytes of file number `index`. */
export interface Stretch {
  readonly index: number;
  /** From the start of the file. */
  readonly offset: number;
  readonly length: number;
}

/** Files in stretches short enough that nobody waits long for one. */
export function* stretchesOf(indexes: Iterable<number>, map: FileMap): Generator<Stretch, void, undefined> {
  for (const index of indexes) {
    const total = map.lengthOf(index);
    for (let offset = 0; offset < total; offset += defaults.copyBytes) {
      yield { index, offset, length: Math.min(defaults.copyBytes, total - offset) };
    }
  }
}

/** Also true where the file system compresses content: then stretches of zeros are written again each time. */
export async function hasHoles(file: StoredFile): Promise<boolean> {
  const facts = await file.facts();
  return facts !== undefined && facts.allocated < facts.length;
}

/** Bytes at a time for which file systems keep holes; also those of a page. */
const blockLength = 4096;

/** Writes zeros to the holes of `length` bytes from `offset`, where nobody else may be writing meanwhile. */
export async function fillHoles(file: StoredFile, offset: number, length: number): Promise<void> {
  const content = Buffer.alloc(length);
  const zeros = Buffer.alloc(length);
  try {
    await file.read(offset, [content]);
  } catch (error) {
    // Somebody cut the file: what is missing is a hole too.
    if (!(error instanceof StorageError) || error.code !== 'short') throw error;
  }
  let begin = 0;
  const writeUpTo = async (end: number): Promise<void> => {
    if (end > begin) await file.write(offset + begin, zeros.subarray(0, end - begin));
  };
  for (let at = 0; at < length; at += blockLength) {
    const end = Math.min(length, at + blockLength);
    if (zeros.compare(content, at, end, at, end) === 0) continue;
    await writeUpTo(at);
    begin = end;
  }
  await writeUpTo(length);
}
