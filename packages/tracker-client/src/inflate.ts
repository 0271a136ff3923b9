// Compressed bodies: gzip, zlib or raw deflate, with a limit on what comes out.
import { promisify } from 'node:util';
import { gunzip, inflate, inflateRaw } from 'node:zlib';
import { TrackerError } from './errors.ts';

/**
 * The body as the tracker meant it. What it is decides, not only what the header says: trackers were seen to send
 * gzip unasked, and to claim gzip for plain text. A bencoded answer begins with `d`, compressed data does not.
 * @throws TrackerError too-large, malformed
 */
export async function inflated(
  url: string,
  body: Uint8Array,
  encoding: string,
  limitBytes: number,
): Promise<Uint8Array> {
  const gzip = body[0] === 0x1f && body[1] === 0x8b;
  if (!gzip && (body[0] === letterD || !/deflate|gzip/i.test(encoding))) return body;
  // The low four bits of a zlib stream's first byte are 8 (RFC 1950); some servers send raw deflate.
  const zlib = (body[0]! & 0x0f) === 8 && ((body[0]! << 8) | (body[1] ?? 0)) % 31 === 0;
  const run = gzip ? gunzipAsync : zlib ? inflateAsync : inflateRawAsync;
  try {
    return await run(body, { maxOutputLength: limitBytes });
  } catch (cause) {
    const tooLarge = (cause as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE';
    throw new TrackerError(tooLarge ? 'too-large' : 'malformed', url, { cause });
  }
}

const letterD = 0x64;
const gunzipAsync = promisify<Uint8Array, { maxOutputLength: number }, Uint8Array>(gunzip);
const inflateAsync = promisify<Uint8Array, { maxOutputLength: number }, Uint8Array>(inflate);
const inflateRawAsync = promisify<Uint8Array, { maxOutputLength: number }, Uint8Array>(inflateRaw);
