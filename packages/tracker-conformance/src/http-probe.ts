// Asks an HTTP tracker over sockets of its own: every byte of a request is the caller's, nothing is repaired or
// retried. Speaks to the target's address alone.
import { type Socket, connect, isIP } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { type BencodeDictionary, utf8 } from '@shoal/bencode';
import { formatEndpoint, percentEncode } from '@shoal/tracker-protocol';
import type { Deadline } from './deadline.ts';
import { ConformanceError } from './errors.ts';
import { type HttpResponse, bodyDictionary, readResponses } from './http-response.ts';
import type { Target } from './target.ts';

/** What came back over one connection. */
export interface HttpExchange {
  readonly responses: readonly HttpResponse[];
  /** The tracker closed the connection. */
  readonly closed: boolean;
  /** Our own address, as this machine sees it. */
  readonly localAddress: string | undefined;
}

/** Values are sent as they are: encoded already, or broken on purpose. Undefined leaves a parameter out. */
export type Parameters = Readonly<Record<string, string | number | bigint | undefined>>;

/** A bencoded answer. */
export interface HttpAnswer {
  readonly response: HttpResponse;
  readonly dictionary: BencodeDictionary;
  readonly failure: string | undefined;
}

/** Nothing that a case asks for is larger; a scrape of everything may be. */
const maxReceivedBytes = 1024 * 1024;

/** HTTP as a case speaks it. */
export class HttpProbe {
  readonly #target: Target;
  readonly #deadline: Deadline;

  constructor(target: Target, deadline: Deadline) {
    this.#target = target;
    this.#deadline = deadline;
  }

  /** Path and query of announces. */
  get path(): string {
    return this.#target.path;
  }

  /** Path and query of scrapes: the last `announce` replaced (BEP 48); undefined when there is none. */
  get scrapePath(): string | undefined {
    const [, before, after] = /^(.*\/)announce([^/]*)$/.exec(this.path) ?? [];
    return before === undefined ? undefined : `${before}scrape${after}`;
  }

  /** `path` with a query added. */
  withQuery(path: string, query: string): string {
    return `${path}${path.includes('?') ? '&' : '?'}${query}`;
  }

  /** The target of an announce. */
  announceTarget(parameters: Parameters, path: string = this.path): string {
    return this.withQuery(path, queryOf(parameters));
  }

  /** A request's bytes, as latin1 text. */
  request(requestTarget: string, headers: Parameters = {}, method = 'GET'): string {
    const { host, port } = this.#target;
    const all: Parameters = {
      Host: formatEndpoint({ ip: host, port }),
      Connection: 'close',
      ...headers,
    };
    const lines = Object.entries(all).filter(([, value]) => value !== undefined);
    return `${method} ${requestTarget} HTTP/1.1\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n`;
  }

  /**
   * Sends latin1 text over a new connection and reads until `count` responses are there, the tracker closes, or
   * time is up; with `untilClosed` it reads on after the last response.
   * @throws ConformanceError no-connection, too-large, not-http
   */
  async exchange(text: string, count = 1, untilClosed = false): Promise<HttpExchange> {
    const socket = this.#connect();
    const chunks: Buffer[] = [];
    const method = text.slice(0, text.indexOf(' '));
    let responses: readonly HttpResponse[] = [];
    let localAddress: string | undefined;
    let size = 0;
    const { promise, resolve, reject } = Promise.withResolvers<boolean>();
    socket.on('data', (chunk: Buffer) => {
      localAddress = socket.localAddress;
      if ((size += chunk.length) > maxReceivedBytes)
        reject(new ConformanceError('too-large', 'the answer has over 1 MiB'));
      chunks.push(chunk);
      try {
        responses = readResponses(Buffer.concat(chunks), false, method);
      } catch (error) {
        reject(error);
      }
      if (responses.length >= count && !untilClosed) resolve(false);
    });
    socket.on('error', (cause: Error) => {
      if (chunks.length > 0) resolve(true);
      else reject(new ConformanceError('no-connection', `the connection failed: ${cause.message}`, cause));
    });
    socket.on('close', () => resolve(true));
    socket.write(Buffer.from(text, 'latin1'));
    try {
      const closed = (await this.#deadline.within(promise)) ?? false;
      if (closed) responses = readResponses(Buffer.concat(chunks), true, method);
      return { responses, closed, localAddress };
    } finally {
      socket.destroy();
    }
  }

  /** One response. @throws ConformanceError as `exchange`, and no-answer */
  async get(requestTarget: string, headers: Parameters = {}, method = 'GET'): Promise<HttpResponse> {
    const { responses, closed } = await this.exchange(this.request(requestTarget, headers, method));
    const [response] = responses;
    if (response !== undefined) return response;
    throw new ConformanceError(
      'no-answer',
      closed ? 'the connection was closed without an answer' : 'no answer in time',
    );
  }

  /** One bencoded answer, whatever its status. @throws ConformanceError as `get`, and not-bencoded */
  async ask(requestTarget: string, headers: Parameters = {}): Promise<HttpAnswer> {
    return answerIn(await this.get(requestTarget, headers));
  }

  /** The answer to an announce. */
  announce(parameters: Parameters, headers: Parameters = {}): Promise<HttpAnswer> {
    return this.ask(this.announceTarget(parameters), headers);
  }

  #connect(): Socket {
    const { transport, ip, port, host } = this.#target;
    // Whether the certificate is good is not what is judged here. RFC 6066 wants a name in SNI, never an address.
    const names = isIP(host) === 0 ? { servername: host } : {};
    if (transport === 'https') return connectTls({ host: ip, port, ...names, rejectUnauthorized: false });
    return connect(port, ip);
  }
}

/** A response as a bencoded answer. @throws ConformanceError not-bencoded */
export function answerIn(response: HttpResponse): HttpAnswer {
  const dictionary = bodyDictionary(response);
  const reason = dictionary.get('failure reason');
  return { response, dictionary, failure: reason instanceof Uint8Array ? utf8(reason) : undefined };
}

/** The bencoded answer of a refusal, or a text that says why there is none: many trackers refuse with a page. */
export function refusalIn(response: HttpResponse): HttpAnswer | string {
  try {
    return answerIn(response);
  } catch (error) {
    if (error instanceof ConformanceError && response.status >= 400)
      return `status ${response.status} without a bencoded reason`;
    throw error;
  }
}

/** An announce's parameters as every client sends them; change what a case is about. */
export function parametersFor(infoHash: Uint8Array, peerId: Uint8Array, port: number): Parameters {
  const ids = { info_hash: percentEncode(infoHash), peer_id: percentEncode(peerId) };
  return { ...ids, port, uploaded: 0, downloaded: 0, left: 1000, compact: 1 };
}

/** `name=value` joined; undefined values left out. */
export function queryOf(parameters: Parameters): string {
  const given = Object.entries(parameters).filter(([, value]) => value !== undefined);
  return given.map(([name, value]) => `${name}=${value}`).join('&');
}
