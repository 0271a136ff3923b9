// Reads the head of a plain announce or scrape: GET with a query, HTTP/1.0 or 1.1, headers without anything special.
// Whatever is not exactly that is left to node:http, so it only has to know what is plain, never what is wrong. Every
// byte is looked at once and no text is made of them, which would cost several times as much. RFC 9112.

/** A plain request. */
export interface RequestHead {
  readonly verb: 'announce' | 'scrape';
  /** What was received; it stays as it is. */
  readonly bytes: Buffer;
  /** Where in it the query behind the first question mark is, raw and visible ASCII. */
  readonly queryAt: number;
  readonly queryEnd: number;
  readonly keepsAlive: boolean;
  readonly acceptEncoding: string | undefined;
  /** All `X-Forwarded-For` headers, joined by commas. */
  readonly forwardedFor: string | undefined;
  /** Where what follows it begins. */
  readonly end: number;
}

/** As node:http here; what is longer is refused there. */
const longestHead = 16_384;

/** Reads the head that begins at `from`; undefined when it is not plain or not complete. */
export function readRequestHead(bytes: Buffer, from: number): RequestHead | undefined {
  const isAnnounce = startsWith(bytes, from, announceStart);
  if (!isAnnounce && !startsWith(bytes, from, scrapeStart)) return undefined;
  const queryAt = from + (isAnnounce ? announceStart.length : scrapeStart.length);
  const queryEnd = skip(bytes, queryAt, kind.visible);
  const minorAt = queryEnd + versionStart.length;
  if (!startsWith(bytes, queryEnd, versionStart) || !startsWith(bytes, minorAt + 1, lineEnd)) return undefined;
  const minor = bytes[minorAt]! - 0x30;
  if (minor !== 0 && minor !== 1) return undefined;
  const verb = isAnnounce ? 'announce' : 'scrape';
  const head: Draft = {
    verb,
    bytes,
    queryAt,
    queryEnd,
    keepsAlive: minor === 1,
    acceptEncoding: undefined,
    forwardedFor: undefined,
    end: minorAt + 1 + lineEnd.length,
  };
  if (!isAnnounce && !namesTorrents(queryText(head))) return undefined;
  return readHeaders(head) && head.end - from <= longestHead ? head : undefined;
}

/** The raw query. */
export function queryText({ bytes, queryAt, queryEnd }: RequestHead): string {
  return bytes.toString('latin1', queryAt, queryEnd);
}

/** Whether a scrape is of torrents that it names, as plain ones are, and not of everything. */
export function namesTorrents(query: string): boolean {
  return query.includes('info_hash=');
}

type Draft = { -readonly [Name in keyof RequestHead]: RequestHead[Name] };

/** Reads the headers from `end` on and moves it behind the empty line; false when one of them is not plain. */
function readHeaders(head: Draft): boolean {
  const { bytes } = head;
  for (;;) {
    const at = head.end;
    if (startsWith(bytes, at, lineEnd)) {
      head.end = at + lineEnd.length;
      return true;
    }
    const colon = skip(bytes, at, kind.token);
    const stop = skip(bytes, colon + 1, kind.value);
    if (colon === at || bytes[colon] !== 0x3a || !startsWith(bytes, stop, lineEnd)) return false;
    head.end = stop + lineEnd.length;
    if (telling[colon - at] !== undefined && !readHeader(head, at, colon, stop)) return false;
  }
}

/** Takes in a header; false when it is not plain. */
function readHeader(head: Draft, at: number, colon: number, stop: number): boolean {
  const { bytes } = head;
  for (const { word, meaning } of telling[colon - at]!) {
    if (!isWord(bytes, at, colon, word)) continue;
    if (meaning === 'foreign') return false;
    let from = colon + 1;
    let to = stop;
    while (from < to && isBlank(bytes[from]!)) from++;
    while (to > from && isBlank(bytes[to - 1]!)) to--;
    if (meaning === 'connection') {
      head.keepsAlive = isWord(bytes, from, to, keepAlive);
      return head.keepsAlive || isWord(bytes, from, to, close);
    }
    const value = bytes.toString('latin1', from, to);
    if (meaning === 'encoding') head.acceptEncoding = value;
    else head.forwardedFor = head.forwardedFor === undefined ? value : `${head.forwardedFor},${value}`;
  }
  return true;
}

function startsWith(bytes: Uint8Array, at: number, start: Uint8Array): boolean {
  // What lies behind the end is undefined, which no byte is.
  for (let index = 0; index < start.length; index++) if (bytes[at + index] !== start[index]) return false;
  return true;
}

/** The first place from `at` on where a byte is not of that kind. */
function skip(bytes: Uint8Array, at: number, wanted: number): number {
  let end = at;
  while (end < bytes.length && (kinds[bytes[end]!]! & wanted) !== 0) end++;
  return end;
}

/** Whether there is this word, which is written in small letters and perhaps `-`, in letters of any size. */
function isWord(bytes: Uint8Array, from: number, to: number, word: Uint8Array): boolean {
  if (to - from !== word.length) return false;
  // The bit makes letters small; of the bytes that heads may have it makes no other one a letter or `-`.
  for (let index = 0; index < word.length; index++) if ((bytes[from + index]! | 0x20) !== word[index]) return false;
  return true;
}

function isBlank(byte: number): boolean {
  return byte === 0x20 || byte === 0x09;
}

const announceStart = Buffer.from('GET /announce?');
const scrapeStart = Buffer.from('GET /scrape?');
const versionStart = Buffer.from(' HTTP/1.');
const lineEnd = Buffer.from('\r\n');
const keepAlive = Buffer.from('keep-alive');
const close = Buffer.from('close');

/** Bits: a byte may be of several kinds. */
const kind = { visible: 1, token: 2, value: 4 } as const;

const kinds: Uint8Array = Uint8Array.from({ length: 256 }, (_, byte) => {
  const character = String.fromCharCode(byte);
  const visible = /[!-~]/.test(character) ? kind.visible : 0;
  const token = /[!#$%&'*+\-.^_`|~0-9A-Za-z]/.test(character) ? kind.token : 0;
  const value = /[\t -~\x80-\xff]/.test(character) ? kind.value : 0;
  return visible | token | value;
});

type Meaning = 'connection' | 'encoding' | 'forwarded' | 'foreign';

const meanings: Readonly<Record<string, Meaning>> = {
  connection: 'connection',
  'accept-encoding': 'encoding',
  'x-forwarded-for': 'forwarded',
  'content-length': 'foreign',
  'transfer-encoding': 'foreign',
  upgrade: 'foreign',
  expect: 'foreign',
};

interface Telling {
  readonly word: Uint8Array;
  readonly meaning: Meaning;
}

/** Headers that mean something here, by the length of their names. */
const telling: readonly (readonly Telling[] | undefined)[] = Array.from({ length: 18 }, (_, length) => {
  const those = Object.entries(meanings).filter(([name]) => name.length === length);
  return those.length === 0 ? undefined : those.map(([name, meaning]) => ({ word: Buffer.from(name), meaning }));
});
