// Takes a tracker's URL apart without rewriting it: path and query go out as the torrent's author wrote them, for a
// passkey is compared byte by byte. Decides which URLs are trackers at all.
import { TrackerError } from './errors.ts';

export interface TrackerUrl {
  readonly protocol: 'http:' | 'https:' | 'udp:';
  /** Without the brackets of an IPv6 address. */
  readonly host: string;
  readonly port: number;
  /** Value of the `Host` header. */
  readonly authority: string;
  /** Begins with a slash; ASCII. */
  readonly pathAndQuery: string;
  /** `user:password`, decoded. */
  readonly auth: string | undefined;
}

/** @throws TrackerError unsupported-url: another scheme, no host, or an `info_hash` already in the query */
export function parseTrackerUrl(url: string): TrackerUrl {
  const parsed = parse(url.trim());
  if (parsed === undefined) throw new TrackerError('unsupported-url', url);
  return parsed;
}

/**
 * The path has a segment that begins with `announce` or `scrape`, as that of any tracker has. No dot segments, with
 * which a server could end up elsewhere.
 */
export function namesTracker(pathAndQuery: string): boolean {
  const path = pathAndQuery.split('?', 1)[0]!;
  return /\/(?:announce|scrape)/i.test(path) && !/[/\\](?:\.|%2e){1,2}(?:[/\\]|$)/i.test(path);
}

/** Adds a query to a path that may have one. */
export function withQuery(pathAndQuery: string, query: string): string {
  return `${pathAndQuery}${pathAndQuery.includes('?') ? '&' : '?'}${query}`;
}

function parse(text: string): TrackerUrl | undefined {
  const rest = /^[a-z]+:\/\/[^/?#\\]+([^#]*)/i.exec(text)?.[1];
  if (rest === undefined || text.length > urlLimit || /[?&]info_hash=/i.test(rest)) return undefined;
  if (!URL.canParse(text)) return undefined;
  const url = new URL(text);
  const defaultPort = defaultPorts.get(url.protocol);
  const port = url.port === '' ? defaultPort : Number(url.port);
  if (port === undefined || defaultPort === undefined || port === 0 || url.hostname === '') return undefined;
  const pathAndQuery = ascii(rest.startsWith('/') ? rest : `/${rest}`);
  if (pathAndQuery.length > urlLimit) return undefined;
  return {
    protocol: url.protocol as TrackerUrl['protocol'],
    host: url.hostname.replace(/^\[(.*)\]$/, '$1'),
    port,
    authority: url.host,
    pathAndQuery,
    auth: url.username === '' ? undefined : decode(`${url.username}:${url.password}`),
  };
}

// HTTP allows neither blanks nor bytes beyond ASCII in a request line.
function ascii(text: string): string {
  return text.replaceAll(/[^\x21-\x7e]+/gu, (odd) => encodeURIComponent(odd.toWellFormed()));
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

// UDP has no default; libtorrent takes HTTP's.
const defaultPorts: ReadonlyMap<string, number> = new Map([
  ['http:', 80],
  ['https:', 443],
  ['udp:', 80],
]);
// Node refuses request lines beyond 16 KiB in its servers, and so do most.
const urlLimit = 8_192;
