// Takes HTTP responses out of a stream of bytes, as sent and without repairing anything. RFC 9112.
import { gunzipSync, inflateSync } from 'node:zlib';
import { type BencodeDictionary, type BencodeValue, decode, latin1 } from '@shoal/bencode';
import { ConformanceError } from './errors.ts';

/** One response. */
export interface HttpResponse {
  readonly status: number;
  /** Names in lower case; of repeated ones the last. */
  readonly headers: ReadonlyMap<string, string>;
  /** As sent, without the chunks' frames, perhaps compressed. */
  readonly body: Uint8Array;
}

/** A full answer of a million peers; nothing that a case asks for comes near. */
const maxBodyBytes = 1024 * 1024;

/** The responses that are complete in `bytes`; one of unknown length is complete when the stream `ended`. */
export function readResponses(bytes: Buffer, ended: boolean, method = 'GET'): HttpResponse[] {
  const responses: HttpResponse[] = [];
  for (let at = 0; at < bytes.length;) {
    const headEnd = bytes.indexOf('\r\n\r\n', at);
    if (headEnd < 0) break;
    const [statusLine = '', ...lines] = bytes.subarray(at, headEnd).toString('latin1').split('\r\n');
    const status = Number(/^HTTP\/1\.[01] (\d{3})/.exec(statusLine)?.[1] ?? Number.NaN);
    if (Number.isNaN(status))
      throw new ConformanceError('not-http', `not HTTP: ${JSON.stringify(statusLine.slice(0, 40))}`);
    const headers = new Map(
      lines.map((line) => [line.split(':', 1)[0]!.toLowerCase(), line.slice(line.indexOf(':') + 1).trim()]),
    );
    const found = readBody(bytes, headEnd + 4, headers, ended, method === 'HEAD' || status === 101);
    if (found === undefined) break;
    responses.push({ status, headers, body: found.body });
    at = found.end;
  }
  return responses;
}

function readBody(
  bytes: Buffer,
  start: number,
  headers: ReadonlyMap<string, string>,
  ended: boolean,
  empty: boolean,
): { body: Uint8Array; end: number } | undefined {
  if (empty) return { body: new Uint8Array(0), end: start };
  if (headers.get('transfer-encoding')?.toLowerCase() === 'chunked') return readChunks(bytes, start);
  const declared = headers.get('content-length');
  // Digits alone: what is negative would be read again and again.
  if (declared !== undefined && !/^\d{1,15}$/.test(declared))
    throw new ConformanceError('not-http', `Content-Length: ${declared}`);
  const length = declared === undefined ? (ended ? bytes.length - start : Infinity) : Number(declared);
  if (start + length > bytes.length) return undefined;
  return { body: bytes.subarray(start, start + length), end: start + length };
}

function readChunks(bytes: Buffer, start: number): { body: Uint8Array; end: number } | undefined {
  const parts: Buffer[] = [];
  for (let at = start; ;) {
    const lineEnd = bytes.indexOf('\r\n', at);
    if (lineEnd < 0) return undefined;
    const line = bytes.subarray(at, lineEnd).toString('latin1');
    if (!/^[0-9a-f]{1,8}(?:[; ]|$)/i.test(line)) throw new ConformanceError('not-http', 'a chunk without a size');
    const size = Number.parseInt(line, 16);
    const next = lineEnd + 2 + size + 2;
    if (!(next <= bytes.length)) return undefined;
    if (size === 0) return { body: Buffer.concat(parts), end: next };
    parts.push(bytes.subarray(lineEnd + 2, lineEnd + 2 + size));
    at = next;
  }
}

/** The body without its compression. @throws ConformanceError not-http */
export function plainBody({ headers, body }: HttpResponse): Uint8Array {
  const coding = headers.get('content-encoding') ?? 'identity';
  if (coding === 'identity') return body;
  try {
    return /gzip/.test(coding)
      ? gunzipSync(body, { maxOutputLength: maxBodyBytes })
      : inflateSync(body, { maxOutputLength: maxBodyBytes });
  } catch (cause) {
    throw new ConformanceError('not-http', `the body is not ${coding}`, cause);
  }
}

/** The body as a dictionary; `strict` demands the one canonical form (BEP 3). @throws ConformanceError not-bencoded */
export function bodyDictionary(response: HttpResponse, strict = false): BencodeDictionary {
  let value: BencodeValue;
  const body = plainBody(response);
  try {
    value = decode(body, { lenient: !strict });
  } catch (cause) {
    const start = JSON.stringify(latin1(body.subarray(0, 30)));
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new ConformanceError('not-bencoded', `status ${response.status}, not bencoded (${why}): ${start}`, cause);
  }
  if (value instanceof Map) return value;
  throw new ConformanceError('not-bencoded', `status ${response.status}, not a dictionary`);
}
