// What clients write into HTTP connections: good requests one behind the other, cut into pieces anywhere, and at the end
// perhaps one that is not good, with something behind it that must not be taken for a request.
import { queryFor } from '../http/inputs.ts';
import type { Dice } from '../random.ts';
import { type WorldSettings, sources } from '../world.ts';

/** A good request. */
export interface GoodRequest {
  readonly verb: 'announce' | 'scrape';
  readonly query: string;
  /** Index in `sources`: for whom a trusted proxy says to speak. */
  readonly from: number;
  readonly text: string;
}

export interface SocketInput {
  readonly at: number;
  readonly requests: readonly GoodRequest[];
  /** What follows them; none of it is a good request. */
  readonly rest: string;
  /** Where the bytes are cut into pieces. */
  readonly cuts: readonly number[];
  /** What stands before them, in Latin-1, where proxies say whom they forward. */
  readonly proxy?: {
    readonly header: string;
    readonly kind: string;
    /** Index in `sources`; `unknown`: the proxy speaks for itself; `refused`: it is no header. */
    readonly source: number | 'unknown' | 'refused';
  };
}

/** A torrent that only hidden requests ask for: if anybody is there, a body was read as a request. */
export const hiddenHash = '%C0'.repeat(20);

const hidden = `GET /announce?info_hash=${hiddenHash}&peer_id=${'h'.repeat(20)}&port=1&left=1 HTTP/1.1\r\nX-Forwarded-For: 11.1.2.3\r\n\r\n`;

export function socketInputs(_settings: WorldSettings, dice: Dice): () => SocketInput {
  let now = dice.below(10_000);
  return () => {
    now += dice.pick([0, 0, 1, 1000]);
    // Not more than are answered together.
    const requests = Array.from({ length: dice.chance(0.8) ? dice.below(5) : dice.below(16) }, () => good(dice));
    const rest = dice.chance(0.6) ? '' : bad(dice);
    const length = rest.length + requests.reduce((total, { text }) => total + text.length, 0);
    const cuts = Array.from({ length: dice.below(4) }, () => dice.below(length + 1)).toSorted((a, b) => a - b);
    return { at: now, requests, rest, cuts };
  };
}

function good(dice: Dice): GoodRequest {
  const verb = dice.chance(0.8) ? 'announce' : 'scrape';
  // What a target may hold; a mark of a fragment never gets as far as a tracker.
  const query = queryFor(verb, dice)
    .replaceAll(/[^\u0021\u0022\u0024-\u007e]/g, '')
    .slice(0, 8000);
  const from = dice.pick(proxied);
  const path = dice.chance(0.7)
    ? `/${verb}`
    : dice.pick([`/${verb}.php`, `/key/${verb}`, `/${verb}/`, `//${verb}`, `/${verb.toUpperCase()}`]);
  const headers = [`X-Forwarded-For: ${sources[from]?.text}`];
  if (dice.chance(0.8)) headers.push('Host: tracker');
  if (dice.chance(0.3))
    headers.push(dice.pick(['Accept-Encoding: gzip', 'accept-encoding: gzip;q=0', 'User-Agent: x', 'Accept: */*']));
  if (dice.chance(0.3))
    headers.push(dice.pick(['Connection: keep-alive', 'connection:Keep-Alive', 'X:', `X-A: ${'a'.repeat(500)}`]));
  const lines = headers.toSorted(() => dice.uniform() - 0.5);
  return { verb, query, from, text: `GET ${path}?${query} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n` };
}

/** Sources whose text a proxy would write; it is none itself. */
const proxied: readonly number[] = sources.flatMap(({ text }, index) =>
  text.includes('%') || text === '127.0.0.1' ? [] : [index],
);

/** Something is always wrong with it, or it hides a request in a body. */
function bad(dice: Dice): string {
  const body = dice.pick([hidden, 'x'.repeat(2000), `5\r\nhello\r\n0\r\n\r\n${hidden.slice(0, 9)}`]);
  // Never 0: what follows would be a request like others.
  const length = dice.pick([body.length, body.length + 1, body.length - 1, -1, 1e20, '0x10', '+5', '1, 1']);
  const framing = dice.pick([`Content-Length: ${length}`, 'Transfer-Encoding: chunked', 'Transfer-Encoding: xchunked']);
  const again = dice.pick([
    `Content-Length: ${length}`,
    'Transfer-Encoding : chunked',
    ' folded: x',
    'no colon',
    undefined,
  ]);
  const more = dice.pick(['Expect: 100-continue', 'Upgrade: websocket', 'Connection: close', undefined]);
  const headers = [framing, again, more].filter((header) => header !== undefined);
  const end = dice.pick(['\r\n', '\r\n', '\n', '\r']);
  const text = `${[dice.pick(lines), ...headers].join(end)}${end}${end}${body}`;
  return dice.chance(0.3) ? text.slice(0, dice.below(text.length)) : text;
}

/** Requests that ask for nothing which would change a swarm. */
const lines = [
  'POST /announce?x=1 HTTP/1.1',
  'PUT /scrape HTTP/1.1',
  'GET /announce?x=1 HTTP/1.1',
  'GET /announce HTTP/1.1',
  'GET /scrape?%zz HTTP/1.0',
  'GET /announce?\u00e4 HTTP/1.1',
  'GET /announce?x y HTTP/1.1',
  'GET  /announce?x=1 HTTP/1.1',
  'get /announce?x=1 HTTP/1.1',
  'GET /announce?x=1 HTTP/9.9',
  'GET /announce?x=1 HTTP/1.1 ',
  'GET /announce?x=1',
  'GET http://tracker/announce?x=1 HTTP/1.1',
  'OPTIONS * HTTP/1.1',
  'CONNECT tracker:80 HTTP/1.1',
  'GET /stats.json HTTP/1.1',
  'GET /%zz/%c0/../announce HTTP/1.1',
  `GET /announce?${'x'.repeat(20_000)} HTTP/1.1`,
  'PRI * HTTP/2.0',
  '\u0016\u0003\u0001\u0002\u0000\u0001\u0000\u0001\u00fc\u0003\u0003',
  'd1:ad2:id20:abcdefghij0123456789e1:q4:ping1:t2:aa1:y1:qe',
  '\u0013BitTorrent protocol\u0000\u0000\u0000\u0000\u0000\u0000\u0000\u0000',
  '',
  '\u0000',
] as const;
