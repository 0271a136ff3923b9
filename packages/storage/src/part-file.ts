// Bytes of files that nobody wants, kept because a piece reaches into them. Decides the format of the one file that
// holds them: each byte at its offset in the torrent, with holes for all else, so that nothing is ever moved within
// it; behind that, records of what is held. A lost record costs the bytes it names, never a wrong one.
import { crc32 } from 'node:zlib';
import { type ByteRange, ByteRanges } from './byte-ranges.ts';
import { StorageError } from './errors.ts';
import type { FileStamp } from './storage.ts';
import type { StoredFile } from './stored-file.ts';
import { lengthOfAll } from './vectors.ts';

/** The part file of one torrent; it is there only while it holds something. */
export class PartFile {
  readonly file: StoredFile;
  /** Bytes of the torrent, behind which the records begin: the first names the format, each other a range. */
  readonly #totalLength: number;
  #loaded: Promise<Contents> | undefined;

  constructor(file: StoredFile, totalLength: number) {
    this.file = file;
    this.#totalLength = totalLength;
  }

  /** What is held now. @throws StorageError `exists` when the file in its place is none of ours; what reading throws. */
  async held(): Promise<ByteRanges> {
    return (await this.#contents()).held;
  }

  /** @throws StorageError `not-found` unless all bytes are held; what reading throws. */
  async read(offset: number, targets: readonly Uint8Array[]): Promise<void> {
    const { held } = await this.#contents();
    const length = lengthOfAll(targets);
    if (!held.covers(offset, offset + length)) {
      const { path } = this.file.place;
      throw new StorageError('not-found', `${length} bytes from ${offset} on are not in ${path}`, { path });
    }
    try {
      await this.file.read(offset, targets);
    } catch (error) {
      // Somebody removed or cut it: what is left is looked up again.
      if (error instanceof StorageError && (error.code === 'not-found' || error.code === 'short')) {
        this.#loaded = undefined;
      }
      throw error;
    }
  }

  async write(offset: number, bytes: Uint8Array): Promise<void> {
    const contents = await this.#contents();
    const end = offset + bytes.length;
    await this.#markAsOurs(contents);
    await this.file.write(offset, bytes);
    if (contents.held.covers(offset, end)) return;
    await this.#record(contents, { kind: 'held', begin: offset, end });
    contents.held.add(offset, end);
  }

  /** Holds these ranges no more; removes the file when nothing is left. */
  async drop(ranges: readonly ByteRange[]): Promise<void> {
    const contents = await this.#contents();
    const rest = contents.held.copy();
    for (const range of ranges) rest.remove(range.begin, range.end);
    if (rest.isEmpty) {
      this.#loaded = undefined;
      if (contents.exists) await this.file.remove();
      return;
    }
    for (const range of ranges) {
      await this.#record(contents, { kind: 'dropped', begin: range.begin, end: range.end });
      contents.held.remove(range.begin, range.end);
    }
  }

  /** Stamp of the whole file; what it holds is looked up again when it is no longer the one that was used. */
  async stamp(): Promise<FileStamp | undefined> {
    const contents = await this.#contents();
    const stamp = await this.file.stamp();
    const isOther = stamp === undefined ? contents.exists : (contents.inode ?? stamp.inode) !== stamp.inode;
    contents.inode = stamp?.inode;
    if (isOther) this.#loaded = undefined;
    return stamp;
  }

  #contents(): Promise<Contents> {
    this.#loaded ??= this.#load().catch((error: unknown) => {
      this.#loaded = undefined;
      throw error;
    });
    return this.#loaded;
  }

  async #load(): Promise<Contents> {
    const facts = await this.file.facts();
    const contents = new Contents(this.#totalLength, facts?.inode);
    if (facts === undefined) return contents;
    if (facts.length === 0) return contents;
    const length = Math.min(facts.length - this.#totalLength, recordsLimitBytes);
    if (length < recordLength) throw this.#foreign();
    const bytes = new Uint8Array(length - (length % recordLength));
    await this.file.read(this.#totalLength, [bytes]);
    for (let at = 0; at < bytes.length; at += recordLength) {
      const record = decodeRecord(bytes.subarray(at, at + recordLength));
      if (at === 0 && record?.kind !== 'format' && !isHole(bytes)) throw this.#foreign();
      if (record?.kind === 'format') contents.hasFormat = true;
      if (record?.kind === 'held') contents.held.add(record.begin, record.end);
      if (record?.kind === 'dropped') contents.held.remove(record.begin, record.end);
    }
    contents.tail = this.#totalLength + bytes.length;
    return contents;
  }

  /** Before anything else, so that a file without it is never one of ours. */
  async #markAsOurs(contents: Contents): Promise<void> {
    if (contents.hasFormat) return;
    const format = encodeRecord({ kind: 'format', begin: formatVersion, end: this.#totalLength });
    await this.file.write(this.#totalLength, format);
    contents.hasFormat = true;
    contents.exists = true;
  }

  /** A record that never arrives leaves zeros, which say nothing. */
  async #record(contents: Contents, record: PartRecord): Promise<void> {
    const at = contents.tail;
    contents.tail += recordLength;
    await this.file.write(at, encodeRecord(record));
  }

  #foreign(): StorageError {
    const { path } = this.file.place;
    const reason = 'it is there already and holds no parts of this torrent; move it away';
    return new StorageError('exists', `cannot use ${path}: ${reason}`, { path });
  }
}

/** What is known of a part file. */
class Contents {
  readonly held: ByteRanges = new ByteRanges();
  /** Where the next record goes. */
  tail: number;
  hasFormat = false;
  exists: boolean;
  inode: bigint | undefined;

  constructor(totalLength: number, inode: bigint | undefined) {
    this.tail = totalLength + recordLength;
    this.exists = inode !== undefined;
    this.inode = inode;
  }
}

/** For `held` and `dropped` a range of the torrent's bytes; for `format` the version and the torrent's length. */
interface PartRecord extends ByteRange {
  readonly kind: (typeof recordKinds)[number];
}

/** By their number in a record. Zero is none, so that a hole says nothing. */
const recordKinds = ['none', 'format', 'held', 'dropped'] as const;
const formatVersion = 1;
/** Two numbers of 8 bytes, the kind in 4, a CRC-32 of all that. */
const recordLength = 24;
/** 700,000 records; a torrent needs about two for each unwanted file. */
const recordsLimitBytes = 16_777_200;

function encodeRecord(record: PartRecord): Uint8Array {
  const view = new DataView(new ArrayBuffer(recordLength));
  view.setBigUint64(0, BigInt(record.begin));
  view.setBigUint64(8, BigInt(record.end));
  view.setUint32(16, recordKinds.indexOf(record.kind));
  const bytes = new Uint8Array(view.buffer);
  view.setUint32(20, crc32(bytes.subarray(0, 20)));
  return bytes;
}

/** Undefined for what is no record. */
function decodeRecord(bytes: Uint8Array): PartRecord | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, recordLength);
  const kind = recordKinds[view.getUint32(16)];
  if (kind === undefined || kind === 'none' || view.getUint32(20) !== crc32(bytes.subarray(0, 20))) return undefined;
  return { kind, begin: Number(view.getBigUint64(0)), end: Number(view.getBigUint64(8)) };
}

/** After a power cut the length may have reached the device and the content not. */
function isHole(bytes: Uint8Array): boolean {
  return bytes.subarray(0, recordLength).every((byte) => byte === 0);
}
