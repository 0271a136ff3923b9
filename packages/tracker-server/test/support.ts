import { once } from 'node:events';
import { connect } from 'node:net';
import { gunzipSync } from 'node:zlib';
import { type BencodeDictionary, decode, latin1 } from '@shoal/bencode';
import { Tracker, type TrackerOptions } from '@shoal/tracker';
import { percentEncode } from '@shoal/tracker-protocol';
import { type HttpOptions, type HttpServer, serveHttp } from '../src/index.ts';

export function mulberry32(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b_79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 0x1_0000_0000;
  };
}

export function trackerOf(options: Partial<TrackerOptions> = {}): Tracker {
  return new Tracker({ random: mulberry32(1), ...options });
}

export function httpOn(tracker: Tracker, options: HttpOptions = {}): Promise<HttpServer> {
  return serveHttp(tracker, { host: '127.0.0.1', port: 0, ...options });
}

export interface RawResponse {
  readonly statusLine: string;
  readonly status: number;
  readonly headers: ReadonlyMap<string, string>;
  /** As sent, perhaps compressed. */
  readonly body: Buffer;
}

/** Sends bytes over a connection of its own and reads everything until the server closes it. */
export async function exchange(port: number, bytes: string | Uint8Array, host = '127.0.0.1'): Promise<Buffer> {
  const socket = connect(port, host);
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  socket.write(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes);
  await once(socket, 'close');
  return Buffer.concat(chunks);
}

/** Splits a stream of responses that all have a Content-Length. */
export function responsesIn(stream: Buffer): RawResponse[] {
  const responses: RawResponse[] = [];
  for (let at = 0; at < stream.length;) {
    const end = stream.indexOf('\r\n\r\n', at);
    const [statusLine = '', ...lines] = stream.subarray(at, end).toString('latin1').split('\r\n');
    const headers = new Map(
      lines.map((line) => [line.split(':', 1)[0]!.toLowerCase(), line.slice(line.indexOf(':') + 1).trim()]),
    );
    const length = Number(headers.get('content-length') ?? 0);
    responses.push({
      statusLine,
      status: Number(statusLine.split(' ')[1]),
      headers,
      body: stream.subarray(end + 4, end + 4 + length),
    });
    at = end + 4 + length;
  }
  return responses;
}

/** One GET over HTTP/1.1 with `Connection: close`, its target taken literally. */
export async function get(
  server: HttpServer,
  target: string,
  headers: Record<string, string> = {},
  method = 'GET',
): Promise<RawResponse> {
  const lines = Object.entries({ Host: 'tracker', Connection: 'close', ...headers }).map(
    ([name, value]) => `${name}: ${value}\r\n`,
  );
  const stream = await exchange(
    server.address.port,
    `${method} ${target} HTTP/1.1\r\n${lines.join('')}\r\n`,
    server.address.ip,
  );
  return responsesIn(stream)[0]!;
}

/** The body of a response as a dictionary, decoded strictly: sorted keys, no rest. */
export function dictionaryIn(response: RawResponse): BencodeDictionary {
  const body = response.headers.get('content-encoding') === 'gzip' ? gunzipSync(response.body) : response.body;
  const value = decode(body);
  if (!(value instanceof Map)) throw new Error('not a dictionary');
  return value;
}

export async function ask(
  server: HttpServer,
  target: string,
  headers: Record<string, string> = {},
): Promise<BencodeDictionary> {
  return dictionaryIn(await get(server, target, headers));
}

export function textOf(value: unknown): string | undefined {
  return value instanceof Uint8Array ? latin1(value) : undefined;
}

export const someHash: Uint8Array = Uint8Array.from({ length: 20 }, (_, at) => at * 13 + 1);
export const somePeer: Uint8Array = Uint8Array.from({ length: 20 }, (_, at) => 0xf0 - at);

/** An announce target; parameters set to undefined are left out. Values are taken as they are, already encoded. */
export function announceTarget(
  parameters: Record<string, string | number | undefined> = {},
  path = '/announce',
): string {
  const all = {
    info_hash: percentEncode(someHash),
    peer_id: percentEncode(somePeer),
    port: 6881,
    uploaded: 0,
    downloaded: 0,
    left: 100,
    ...parameters,
  };
  const pairs = Object.entries(all).filter(([, value]) => value !== undefined);
  return `${path}?${pairs.map(([name, value]) => `${name}=${value}`).join('&')}`;
}

/** Endpoints in a compact list, as `a.b.c.d:port`. */
export function compactIn(value: unknown): string[] {
  if (!(value instanceof Uint8Array)) throw new Error('not a compact list');
  return Array.from({ length: value.length / 6 }, (_, at) => {
    const record = value.subarray(at * 6, at * 6 + 6);
    return `${record.subarray(0, 4).join('.')}:${record[4]! * 256 + record[5]!}`;
  }).toSorted();
}
