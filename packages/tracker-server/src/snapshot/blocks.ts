// How a snapshot stands in a file: a head with the version, then blocks of entries, each with its length, a checksum and
// the time of day at which it was written; an empty block ends it. Whatever is damaged is found at its block.
import { crc32 } from 'node:zlib';

/** The head: a name, and the version as a number of four bytes. */
export const headBytes = 12;
const name = 'shoalpee';
export const version = 1;

/** Before the entries of a block: length, CRC-32 of what follows it, milliseconds since 1970 as a double. */
export const blockHeadBytes = 16;

/** Entries of one block: a thousand peers and a turn of the event loop, about a millisecond. */
export const sliceBytes: number = 64 * 1024;

export interface BlockHead {
  /** Bytes of entries; 0 at the end of the snapshot. */
  readonly length: number;
  readonly checksum: number;
}

export function writeHead(): Uint8Array {
  const bytes = new Uint8Array(headBytes);
  bytes.set(new TextEncoder().encode(name));
  viewOf(bytes).setUint32(name.length, version);
  return bytes;
}

/** The version that a head tells; undefined where it is the head of something else. */
export function readHead(bytes: Uint8Array): number | undefined {
  if (bytes.length < headBytes || new TextDecoder('latin1').decode(bytes.subarray(0, name.length)) !== name)
    return undefined;
  return viewOf(bytes).getUint32(name.length);
}

/** Fills in the head of a block whose entries, `length` bytes, stand behind the room for it; the whole block. */
export function sealBlock(block: Uint8Array, length: number, timeOfDay: number): Uint8Array {
  const view = viewOf(block);
  const end = blockHeadBytes + length;
  view.setUint32(0, length);
  view.setFloat64(8, timeOfDay);
  view.setUint32(4, crc32(block.subarray(8, end)));
  return block.subarray(0, end);
}

/** The head of a block; undefined for a length that no block has. */
export function readBlockHead(bytes: Uint8Array): BlockHead | undefined {
  const view = viewOf(bytes);
  const length = view.getUint32(0);
  return length > sliceBytes ? undefined : { length, checksum: view.getUint32(4) };
}

/** When a block was written, by the clock on the wall; undefined when it is damaged. */
export function openBlock(block: Uint8Array, { checksum }: BlockHead): number | undefined {
  if (crc32(block.subarray(8)) !== checksum) return undefined;
  const timeOfDay = viewOf(block).getFloat64(8);
  return Number.isFinite(timeOfDay) ? timeOfDay : undefined;
}

function viewOf({ buffer, byteOffset, byteLength }: Uint8Array): DataView {
  return new DataView(buffer, byteOffset, byteLength);
}
