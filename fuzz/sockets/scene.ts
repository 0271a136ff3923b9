// Whole HTTP connections over real sockets, and what must come of them. Who forwards them may say for whom. RFC 9112.
import { type Socket, connect } from 'node:net';
import { gunzipSync } from 'node:zlib';
import { type HttpOptions, type HttpServer, serveHttp } from '@shoal/tracker-server';
import { judgeAnnounce, judgeScrape } from '../http/judge.ts';
import { type Scene, Mismatch, expectEqual, expectThat } from '../target.ts';
import { World, type WorldSettings, sources } from '../world.ts';
import type { GoodRequest, SocketInput } from './inputs.ts';

const scrapeLimit = 74;

export class SocketScene implements Scene<SocketInput> {
  readonly seen: Record<string, number> = {};
  readonly #world: World;
  readonly #server: HttpServer;
  readonly #clock: { now: number };
  readonly #errors: unknown[];

  private constructor(world: World, server: HttpServer, clock: { now: number }, errors: unknown[]) {
    this.#world = world;
    this.#server = server;
    this.#clock = clock;
    this.#errors = errors;
  }

  static async open(settings: WorldSettings, options: HttpOptions = {}): Promise<SocketScene> {
    const world = new World(settings);
    const clock = { now: 0 };
    const errors: unknown[] = [];
    const server = await serveHttp(world.tracker, {
      host: '127.0.0.1',
      port: 0,
      trustedProxies: ['127.0.0.1'],
      scrapeLimit,
      clock: () => clock.now,
      onError: (error) => void errors.push(error),
      ...options,
    });
    return new SocketScene(world, server, clock, errors);
  }

  async feed({ at, requests, rest, cuts, proxy }: SocketInput): Promise<void> {
    this.#clock.now = at;
    const stream = await this.#exchange(requests, rest, cuts, proxy);
    expectThat(this.#errors.length === 0, `the server failed: ${String(this.#errors[0])}`);
    if (proxy?.source === 'refused') {
      expectEqual('bytes for a proxy that does not say whom it forwards', stream.length, 0);
      this.#count(`proxy: ${proxy.kind}`);
      return;
    }
    let left = stream;
    for (const request of requests) {
      const { body, end } = responseIn(left);
      const from = typeof proxy?.source === 'number' ? proxy.source : request.from;
      this.#count((proxy === undefined ? '' : `${proxy.kind}: `) + this.#judge({ ...request, from }, body));
      left = left.subarray(end);
    }
    if (rest === '') expectEqual('bytes after the last answer', left.length, 0);
    else this.#count(`rest: ${judgeRest(left.toString('latin1'))}`);
  }

  /** Nobody is where only hidden requests lead. */
  inspect(): void {
    this.#world.inspect();
  }

  async close(): Promise<void> {
    await this.#server[Symbol.asyncDispose]();
  }

  #count(kind: string): void {
    this.seen[kind] = (this.seen[kind] ?? 0) + 1;
  }

  #judge({ verb, query, from }: GoodRequest, body: string): string {
    const source = sources[from];
    if (source === undefined) throw new RangeError('no such source');
    return verb === 'announce'
      ? judgeAnnounce(this.#world, query, source, this.#clock.now, body)
      : judgeScrape(this.#world, query, scrapeLimit, body);
  }

  /**
   * Writes the requests in pieces, each when the one before has been taken, and the rest when all are answered: what is
   * wrong there may end the connection at once. Then says that no more comes, and reads to the end.
   */
  async #exchange(
    requests: readonly GoodRequest[],
    rest: string,
    cuts: readonly number[],
    proxy: SocketInput['proxy'],
  ): Promise<Buffer> {
    const socket = connect(this.#server.address.port, '127.0.0.1');
    // The server may cut whoever breaks the protocol.
    socket.on('error', () => {});
    const closed = new Promise<void>((resolve) => socket.on('close', () => resolve()));
    let stream: Buffer = Buffer.alloc(0);
    const answered = new Promise<void>((resolve) => {
      socket.on('data', (chunk: Buffer) => {
        stream = Buffer.concat([stream, chunk]);
        if (responsesIn(stream) >= requests.length) resolve();
      });
    });
    const text = (proxy?.header ?? '') + requests.map((request) => request.text).join('');
    await writePieces(socket, text, cuts);
    if (rest !== '' && requests.length > 0) await Promise.race([answered, closed]);
    await writePieces(
      socket,
      rest,
      cuts.map((cut) => cut - text.length),
    );
    socket.end();
    await closed;
    return stream;
  }
}

async function writePieces(socket: Socket, text: string, cuts: readonly number[]): Promise<void> {
  const bytes = Buffer.from(text, 'latin1');
  let from = 0;
  for (const to of [...cuts.filter((cut) => cut > 0 && cut < bytes.length), bytes.length]) {
    if (to > from) socket.write(bytes.subarray(from, to));
    from = to;
    // The server, in this very process, has its turn.
    if (cuts.length > 0) for (let turn = 0; turn < 4; turn++) await new Promise(setImmediate);
  }
}

/** How many complete responses a stream begins with. */
function responsesIn(stream: Buffer): number {
  let count = 0;
  for (let at = 0; ; count++) {
    const headEnd = stream.indexOf('\r\n\r\n', at);
    const length = /\r\ncontent-length: (\d+)/i.exec(stream.toString('latin1', at, Math.max(at, headEnd)))?.[1];
    if (headEnd < 0 || length === undefined || headEnd + 4 + Number(length) > stream.length) return count;
    at = headEnd + 4 + Number(length);
  }
}

/** The first response of a stream: its body, and where it ends. */
function responseIn(stream: Buffer): { readonly body: string; readonly end: number } {
  const headEnd = stream.indexOf('\r\n\r\n');
  if (headEnd < 0) throw new Mismatch(`no response where one must be: ${stream.toString('latin1').slice(0, 100)}`);
  const head = stream.toString('latin1', 0, headEnd);
  expectThat(head.startsWith('HTTP/1.1 200 '), `a good request got ${head.slice(0, 40)}`);
  const length = Number(/\r\ncontent-length: (\d+)/i.exec(head)?.[1]);
  const end = headEnd + 4 + length;
  expectThat(end <= stream.length, 'a response is not complete');
  const body = stream.subarray(headEnd + 4, end);
  const isPacked = /\r\ncontent-encoding: gzip/i.test(head);
  return { body: (isPacked ? gunzipSync(body) : body).toString('latin1'), end };
}

/** What is answered to what is no good request: nothing, or a status that puts it right. */
function judgeRest(text: string): string {
  if (text === '') return 'cut';
  const status = /^HTTP\/1\.1 (\d{3}) /.exec(text)?.[1] ?? '';
  expectThat(statuses.has(status), `something else than a refusal: ${text.slice(0, 80)}`);
  return status;
}

const statuses: ReadonlySet<string> = new Set([
  '100',
  '200',
  '400',
  '403',
  '404',
  '405',
  '408',
  '413',
  '414',
  '415',
  '417',
  '426',
  '431',
  '501',
  '505',
]);
