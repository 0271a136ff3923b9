// SHA-1 of a piece, or of each of several pieces in a row, wherever it is computed. Must not know threads.
import { hash } from 'node:crypto';

/** Bytes of a SHA-1 (BEP 3, "pieces"). */
export const digestLength = 20;

/** The SHA-1 of each part of `bytes`, one after another; parts have `partLength` bytes, the last one may be shorter. */
export function digestsOf(bytes: Uint8Array, partLength: number): Uint8Array {
  if (bytes.length <= partLength) return new Uint8Array(hash('sha1', bytes, 'buffer'));
  const digests = new Uint8Array(Math.ceil(bytes.length / partLength) * digestLength);
  let at = 0;
  for (let begin = 0; begin < bytes.length; begin += partLength) {
    digests.set(hash('sha1', bytes.subarray(begin, begin + partLength), 'buffer'), at);
    at += digestLength;
  }
  return digests;
}
