// One GET to a tracker over HTTP or HTTPS: explicit headers only, a lenient parser, capped sizes, followed redirects.
// Not fetch: it adds headers that private sites refuse, cannot bind an address and blocks ports. Knows no bencode.
import type { IncomingMessage, RequestOptions } from 'node:http';
import { isIPv6 } from 'node:net';
import type { LookupFunction } from 'node:net';
import { isPublicIp } from '@shoal/tracker-protocol';
import { permittedAddresses } from './address-policy.ts';
import { TrackerError } from './errors.ts';
import { inflated } from './inflate.ts';
import { defaults } from './options.ts';
import type { TrackerRequestOptions } from './options.ts';
import { resolveHost } from './resolve.ts';
import type { ResolvedAddress } from './resolve.ts';
import { parseTrackerUrl, withQuery } from './tracker-url.ts';
import type { TrackerUrl } from './tracker-url.ts';

export interface HttpAnswer {
  readonly status: number;
  readonly body: Uint8Array;
  /** From `Retry-After` in seconds, as milliseconds. */
  readonly retryInMs: number | undefined;
}

/** Asks `url` with `query` added to its own. Follows redirects to the places that `assertRedirect` allows. */
export async function httpGet(
  url: string,
  query: string,
  options: TrackerRequestOptions,
  signal: AbortSignal,
): Promise<HttpAnswer> {
  const first = parseTrackerUrl(url);
  let hop: TrackerUrl = { ...first, pathAndQuery: withQuery(first.pathAndQuery, query) };
  let publicOrigin = false;
  for (let redirects = 0; ; redirects++) {
    const addresses = await addressesOf(url, hop, options, publicOrigin);
    const { response, remoteAddress } = await open(url, hop, addresses, options, signal);
    // Where the first answer came from, not where the name could have led; unknown counts as public.
    if (redirects === 0) publicOrigin = remoteAddress === undefined || isPublicIp(remoteAddress);
    const location = redirectStatuses.has(response.statusCode ?? 0) ? response.headers.location : undefined;
    if (location === undefined) return answerOf(url, response);
    response.destroy();
    if (redirects === defaults.redirects) throw new TrackerError('too-many-redirects', url);
    hop = redirected(url, hop, location);
  }
}

async function addressesOf(
  url: string,
  hop: TrackerUrl,
  options: TrackerRequestOptions,
  publicOrigin: boolean,
): Promise<readonly ResolvedAddress[]> {
  const { family, localAddress } = options;
  const wanted = localAddress === undefined ? family : isIPv6(localAddress) ? 6 : 4;
  const addresses = await resolveHost(url, hop.host, wanted, options.lookup);
  return permittedAddresses(url, addresses, { pathAndQuery: hop.pathAndQuery, publicOrigin });
}

function redirected(url: string, from: TrackerUrl, location: string): TrackerUrl {
  // Trackers send Latin-1 or UTF-8 here; Node hands over Latin-1, which the parser then escapes.
  const base = `${from.protocol}//${from.authority}${from.pathAndQuery}`;
  if (!URL.canParse(location, base)) throw new TrackerError('refused-redirect', url);
  const text = new URL(location, base).href;
  const scheme = text.slice(0, text.indexOf(':') + 1);
  // A downgrade would show the passkey to everyone on the way.
  const allowed = scheme === 'https:' || (scheme === 'http:' && from.protocol === 'http:');
  if (!allowed) throw new TrackerError('refused-redirect', url);
  return parseRedirect(text);
}

// Here `info_hash` in the query is our own.
function parseRedirect(text: string): TrackerUrl {
  const parsed = new URL(text);
  const query = parsed.search;
  parsed.search = '';
  const target = parseTrackerUrl(parsed.href);
  return { ...target, pathAndQuery: `${target.pathAndQuery}${query}` };
}

interface Opened {
  readonly response: IncomingMessage;
  readonly remoteAddress: string | undefined;
}

function open(
  url: string,
  hop: TrackerUrl,
  addresses: readonly ResolvedAddress[],
  options: TrackerRequestOptions,
  signal: AbortSignal,
): Promise<Opened> {
  const settings: RequestOptions = {
    host: hop.host,
    port: hop.port,
    path: hop.pathAndQuery,
    method: 'GET',
    // In the order that clients send them; nothing that a browser would add.
    headers: {
      Host: hop.authority,
      'User-Agent': options.userAgent ?? defaults.userAgent,
      'Accept-Encoding': 'gzip',
      Connection: 'close',
    },
    setHost: false,
    agent: false,
    // Bare line feeds, a length and chunks together: seen from real trackers.
    insecureHTTPParser: true,
    maxHeaderSize: defaults.headerLimitBytes,
    lookup: answerWith(addresses),
    localAddress: options.localAddress,
    signal,
  };
  if (hop.auth !== undefined) settings.auth = hop.auth;
  return new Promise((resolve, reject) => {
    let remoteAddress: string | undefined;
    // Only who asks an HTTP tracker pays for it, and less than by `import`, which reads every export, the web sockets of undici
    // among them (measured on Node 26: 20 MB and 60 ms, this way 4 and 5).
    const answered = (response: IncomingMessage): void => resolve({ response, remoteAddress });
    const request =
      hop.protocol === 'https:'
        ? process
            .getBuiltinModule('node:https')
            .request({ ...settings, ...(options.ca === undefined ? {} : { ca: [options.ca].flat() }) }, answered)
        : process.getBuiltinModule('node:http').request(settings, answered);
    request.once('socket', (socket) => socket.once('connect', () => (remoteAddress = socket.remoteAddress)));
    request.on('error', (cause) => reject(failure(url, cause)));
    request.end();
  });
}

function answerWith(addresses: readonly ResolvedAddress[]): LookupFunction {
  return (_host, { all }, callback) => {
    if (all === true)
      callback(
        null,
        addresses.map(({ address, family }) => ({ address, family })),
      );
    else callback(null, addresses[0]!.address, addresses[0]!.family);
  };
}

async function answerOf(url: string, response: IncomingMessage): Promise<HttpAnswer> {
  const body = await bodyOf(url, response);
  const seconds = /^\d{1,7}$/.exec(response.headers['retry-after'] ?? '');
  return {
    status: response.statusCode ?? 0,
    body: await inflated(url, body, response.headers['content-encoding'] ?? '', defaults.bodyLimitBytes),
    retryInMs: seconds === null ? undefined : Number(seconds[0]) * 1_000,
  };
}

function bodyOf(url: string, response: IncomingMessage): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  return new Promise((resolve, reject) => {
    response.on('data', (chunk: Uint8Array) => {
      chunks.push(chunk);
      length += chunk.length;
      if (length <= defaults.bodyLimitBytes) return;
      reject(new TrackerError('too-large', url));
      response.destroy();
    });
    response.on('end', () => resolve(Buffer.concat(chunks)));
    response.on('error', (cause) => {
      // A length that promises more than was sent is common; whether the body is whole, the decoder knows.
      if (length > 0) resolve(Buffer.concat(chunks));
      else reject(failure(url, cause));
    });
  });
}

function failure(url: string, cause: Error): TrackerError {
  const code = (cause as NodeJS.ErrnoException).code ?? '';
  return new TrackerError(code.startsWith('HPE_') ? 'malformed' : 'unreachable', url, { cause });
}

const redirectStatuses: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);
