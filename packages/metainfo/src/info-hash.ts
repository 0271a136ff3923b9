/** Info-hashes: of the info dictionary's exact bytes (BEP 3), and from the two ways people write them (BEP 9). */
import { hash } from 'node:crypto';

const base32 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';

/** SHA-1 of an info dictionary as it was received: 20 bytes. */
export function infoHashOf(infoBytes: Uint8Array): Uint8Array {
  return new Uint8Array(hash('sha1', infoBytes, 'buffer'));
}

/** An info-hash written as 40 hex digits or 32 base32 letters (RFC 4648), in any case, as lower-case hex; else undefined. */
export function parseInfoHash(text: string): string | undefined {
  if (/^[0-9a-f]{40}$/i.test(text)) return text.toLowerCase();
  if (!/^[a-z2-7]{32}$/i.test(text)) return undefined;
  let bits = 0n;
  for (const letter of text.toUpperCase()) bits = (bits << 5n) | BigInt(base32.indexOf(letter));
  return bits.toString(16).padStart(40, '0');
}
