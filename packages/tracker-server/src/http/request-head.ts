// Reads the head of a plain announce or scrape: GET with a query, HTTP/1.0 or 1.1, headers without anything special.
// Whatever is not exactly that is left to node:http, so it only has to know what is plain, never what is wrong. RFC 9112.

/** A plain request. */
export interface RequestHead {
  readonly verb: 'announce' | 'scrape';
  /** The raw text behind the first question mark. */
  readonly query: string;
  readonly isHttp11: boolean;
  readonly keepsAlive: boolean;
  readonly acceptEncoding: string | undefined;
  /** All `X-Forwarded-For` headers, joined by commas. */
  readonly forwardedFor: string | undefined;
  /** Where what follows it begins. */
  readonly end: number;
}

/** As node:http here; what is longer is refused there. */
const longestHead = 16_384;

/** Reads the head that begins at `from` of Latin-1 `text`; undefined when it is not plain or not complete. */
export function readRequestHead(text: string, from: number): RequestHead | undefined {
  const verb = text.startsWith(announceStart, from)
    ? 'announce'
    : text.startsWith(scrapeStart, from)
      ? 'scrape'
      : undefined;
  if (verb === undefined) return undefined;
  const queryAt = from + (verb === 'announce' ? announceStart.length : scrapeStart.length);
  const lineEnd = text.indexOf('\r\n', queryAt);
  const versionAt = lineEnd - versionStart.length - 1;
  if (lineEnd < 0 || versionAt < queryAt || !text.startsWith(versionStart, versionAt)) return undefined;
  const minor = text.charCodeAt(lineEnd - 1) - 0x30;
  const query = text.slice(queryAt, versionAt);
  if ((minor !== 0 && minor !== 1) || !visible.test(query)) return undefined;
  if (verb === 'scrape' && !namesTorrents(query)) return undefined;
  return readHeaders(text, from, lineEnd + 2, { verb, query, isHttp11: minor === 1 });
}

/** Whether a scrape is of torrents that it names, as plain ones are, and not of everything. */
export function namesTorrents(query: string): boolean {
  return query.includes('info_hash=');
}

const announceStart = 'GET /announce?';
const scrapeStart = 'GET /scrape?';
const versionStart = ' HTTP/1.';
const visible = /^[!-~]*$/;

function readHeaders(
  text: string,
  from: number,
  first: number,
  line: Pick<RequestHead, 'verb' | 'query' | 'isHttp11'>,
): RequestHead | undefined {
  let keepsAlive = line.isHttp11;
  let acceptEncoding: string | undefined;
  let forwardedFor: string | undefined;
  for (let at = first; ;) {
    const stop = text.indexOf('\r\n', at);
    if (stop < 0 || stop + 2 - from > longestHead) return undefined;
    if (stop === at) return { ...line, keepsAlive, acceptEncoding, forwardedFor, end: stop + 2 };
    const header = text.slice(at, stop);
    if (!plainHeader.test(header)) return undefined;
    at = stop + 2;
    const colon = header.indexOf(':');
    if (!telling.has(colon)) continue;
    const value = header.slice(colon + 1).trim();
    switch (header.slice(0, colon).toLowerCase()) {
      case 'connection':
        keepsAlive = value.toLowerCase() === 'keep-alive';
        if (!keepsAlive && value.toLowerCase() !== 'close') return undefined;
        break;
      case 'accept-encoding':
        acceptEncoding = value;
        break;
      case 'x-forwarded-for':
        forwardedFor = forwardedFor === undefined ? value : `${forwardedFor},${value}`;
        break;
      case 'content-length':
      case 'transfer-encoding':
      case 'upgrade':
      case 'expect':
        return undefined;
    }
  }
}

/** A name of token characters, a colon, a value without control characters. */
const plainHeader = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+:[\t -~\x80-\xff]*$/;

/** Lengths of the names that mean something here. */
const telling: ReadonlySet<number> = new Set(
  ['connection', 'accept-encoding', 'x-forwarded-for', 'content-length', 'transfer-encoding', 'upgrade', 'expect'].map(
    (name) => name.length,
  ),
);
