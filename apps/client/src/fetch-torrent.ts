// Fetches a .torrent file from a web server: bounded in bytes, redirects and time, never to anything but http and https.
import http from 'node:http';
import https from 'node:https';
import { CommandError } from './exit-codes.ts';
import { version } from './version.ts';

const idleTimeoutMs = 30_000;
/** For all of it, redirects included: a server that drips a byte now and then is not waited for. */
const totalTimeoutMs = 120_000;
const maxRedirects = 5;

/** @throws CommandError `network`, `input` when it is longer than `maxBytes`; the signal's reason. */
export async function fetchTorrent(
  address: string,
  maxBytes: number,
  signal?: AbortSignal,
  limitMs: number = totalTimeoutMs,
): Promise<Uint8Array> {
  const limit = AbortSignal.timeout(limitMs);
  const either = signal === undefined ? limit : AbortSignal.any([signal, limit]);
  try {
    return await fetchWithin(address, maxBytes, either);
  } catch (error) {
    if (!limit.aborted || signal?.aborted === true) throw error;
    throw new CommandError('network', `cannot fetch ${address}: not complete within ${limitMs / 1000} s`, {
      cause: error,
    });
  }
}

async function fetchWithin(address: string, maxBytes: number, signal: AbortSignal): Promise<Uint8Array> {
  let url = URL.parse(address);
  if (url === null) throw new CommandError('input', `${address} is not a URL`);
  for (let redirects = 0; ; redirects++) {
    const response = await get(url, signal);
    const { statusCode = 0, statusMessage = '', headers } = response;
    if (statusCode === 200) return readBody(url, response, maxBytes);
    response.resume();
    if (statusCode < 300 || statusCode >= 400 || headers.location === undefined)
      throw failure(url, `the server answered ${statusCode} ${statusMessage}`.trimEnd());
    if (redirects === maxRedirects) throw failure(url, `it redirects more than ${maxRedirects} times`);
    const next: URL | null = URL.parse(headers.location, url);
    if (next === null || !/^https?:$/.test(next.protocol))
      throw failure(url, `it redirects to ${headers.location}, which is not followed`);
    url = next;
  }
}

function get(url: URL, signal: AbortSignal | undefined): Promise<http.IncomingMessage> {
  const { promise, resolve, reject } = Promise.withResolvers<http.IncomingMessage>();
  const headers = { 'user-agent': `Shoal/${version()}`, accept: 'application/x-bittorrent, */*;q=0.1' };
  const options = { headers, timeout: idleTimeoutMs, ...(signal === undefined ? {} : { signal }) };
  const request = (url.protocol === 'https:' ? https : http).get(url, options, resolve);
  request.on('error', (error) => reject(signal?.aborted === true ? error : failure(url, reasonOf(error), error)));
  request.on('timeout', () => request.destroy(new Error(`no answer within ${idleTimeoutMs / 1000} s`)));
  return promise;
}

async function readBody(url: URL, response: http.IncomingMessage, maxBytes: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  try {
    for await (const chunk of response as AsyncIterable<Uint8Array>) {
      length += chunk.length;
      if (length > maxBytes)
        throw new CommandError('input', `${url.href} is longer than ${maxBytes} bytes: that is not a .torrent file`);
      chunks.push(chunk);
    }
  } catch (error) {
    throw error instanceof CommandError ? error : failure(url, `the answer broke off: ${reasonOf(error)}`, error);
  }
  return Buffer.concat(chunks);
}

const failure = (url: URL, reason: string, cause?: unknown): CommandError =>
  new CommandError('network', `cannot fetch ${url.href}: ${reason}`, { cause });

/** Of several addresses that were tried, each failure has its own words. */
function reasonOf(error: unknown): string {
  if (error instanceof AggregateError) return error.errors.map(reasonOf).join('; ');
  return error instanceof Error ? error.message : String(error);
}
