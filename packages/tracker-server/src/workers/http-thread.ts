// A thread that answers plain requests, with swarms that another thread owns, and leads every other connection to that
// one. Others import only its types: loading it makes the thread that it runs in such a thread. BEP 3, 48.
import { type Server, type Socket, createServer } from 'node:net';
import { TrackerServerError } from '../errors.ts';
import { takePlainPath } from '../http/plain-path.ts';
import { answerPlain } from '../http/plain-requests.ts';
import type { SourceOptions } from '../http/source-address.ts';
import { expectProxyHeaders } from '../proxy-protocol/connections.ts';
import { type Closing, drained } from '../restart/listening.ts';
import { createTraffic } from '../traffic.ts';
import { type ThreadListener, type ThreadParts, runThread } from './thread-side.ts';
import { tunnel } from './tunnel.ts';

/** What a thread is started with. */
export interface HttpStart {
  readonly host: string;
  readonly port: number;
  readonly gzip: 'smaller' | 'off';
  readonly scrapeLimit: number;
  readonly keepAliveMs: number;
  readonly requestTimeoutMs: number;
  readonly maxConnections: number;
  readonly trust: SourceOptions;
  /** The number of a socket that listens already. */
  readonly descriptor: number | undefined;
  /** The path of the socket that everything else goes to. */
  readonly inner: string;
}

/** How long what was said last may take to whoever a connection leads to, in ms: it is a frame, and some read nothing. */
const goodbyeMs = 250;

const traffic = { ...createTraffic().http };

async function listen(start: HttpStart, { service, source, clock, onError }: ThreadParts): Promise<ThreadListener> {
  const server = createServer({ allowHalfOpen: true });
  server.maxConnections = start.maxConnections;
  const closing: Closing = { now: false };
  const tunnelled = new Set<Socket>();
  server.on('connection', (socket: Socket) => tunnel(socket, start.inner, tunnelled));
  const plain = takePlainPath(server, 'connection', {
    keepAliveMs: start.keepAliveMs,
    requestTimeoutMs: start.requestTimeoutMs,
    ...answerPlain(service, source, { ...start, clock, traffic, onError }),
    closing,
    onSilence: () => traffic.unknown++,
  });
  const proxied = expectProxyHeaders(server, source, start.requestTimeoutMs);
  await bind(server, start);
  const bound = server.address();
  // Listening on host and port always gives an address with both.
  if (bound === null || typeof bound === 'string') throw new TypeError('not listening on a port');
  return {
    address: { ip: bound.address, port: bound.port },
    async drain(limitMs) {
      closing.now = true;
      await drained(server, limitMs);
    },
    async [Symbol.asyncDispose](): Promise<void> {
      plain[Symbol.dispose]();
      proxied[Symbol.dispose]();
      // Their other end is closed, and with them when all has passed that was said there.
      const timer = setTimeout(() => {
        for (const socket of tunnelled) socket.destroy();
      }, goodbyeMs);
      await new Promise<void>((resolve) => server.close(() => resolve()));
      clearTimeout(timer);
    },
  };
}

async function bind(server: Server, { host, port, descriptor }: HttpStart): Promise<void> {
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      if (descriptor === undefined) server.listen({ host, port, reusePort: true }, resolve);
      else server.listen({ fd: descriptor }, resolve);
    });
  } catch (cause) {
    throw new TrackerServerError('http', host, port, cause);
  }
  server.removeAllListeners('error');
}

await runThread<HttpStart>(traffic, listen);
