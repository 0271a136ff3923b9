// The HTTP side of a tracker, through fastify: settings, listening, closing. What is answered is decided in http/.
// BEP 3, 7, 23, 48.
import type { IncomingMessage, RequestListener, Server } from 'node:http';
import { Server as SecureServer, createServer as createSecureServer } from 'node:https';
import type { Server as NetServer, Socket } from 'node:net';
import type { Tracker } from '@shoal/tracker';
import { type Endpoint, formatEndpoint } from '@shoal/tracker-protocol';
import { type FastifyInstance, fastify } from 'fastify';
import { TrackerServerError, isOpenSslError } from './errors.ts';
import { startExpiry } from './expiry.ts';
import { FullScrapes } from './http/full-scrape.ts';
import { type Page, addPages } from './http/pages.ts';
import { Pipelines } from './http/pipelines.ts';
import { takePlainPath } from './http/plain-path.ts';
import { answerPlain } from './http/plain-requests.ts';
import type { TrackerStats } from './http/stats-page.ts';
import { refuseRaw, sendRefusal } from './http/refusals.ts';
import { SourceAddress, type SourceOptions } from './http/source-address.ts';
import { addTrackerRoutes, finderOf } from './http/tracker-routes.ts';
import { expectProxyHeaders } from './proxy-protocol/connections.ts';
import { listeningDescriptors } from './restart/descriptors.ts';
import { type Closing, type Inherit, closeAll, descriptorsIn, drained, listenOn } from './restart/listening.ts';
import { type SwarmService, localService } from './swarm-service.ts';
import { type Traffic, createTraffic } from './traffic.ts';
import { serveInThreads } from './workers/http-threads.ts';
import { type SwarmThreads, checkedWorkers } from './workers/swarm-thread.ts';
import { type WebSocketOptions, serveWebSocket, webSocketDefaults } from './websocket.ts';

/** An import of node:http would read all that it exports, among which is a whole HTTP client: 4 MB in memory. */
const { createServer } = process.getBuiltinModule('node:http');

/** What proves who we are, as PEM text. */
export interface Certificate {
  /** The certificate and those between it and its authority. */
  readonly cert: string;
  /** The private key. */
  readonly key: string;
}

export interface HttpOptions extends SourceOptions {
  /** Address to bind. Default 0.0.0.0. `::` serves both families. */
  readonly host?: string;
  /** Default 6969; 0 takes any free port. */
  readonly port?: number;
  /** Monotonic milliseconds. Default `performance.now`. */
  readonly clock?: () => number;
  /** `smaller`: dictionary lists go compressed to clients that accept it, where that makes them smaller. Default `smaller`. */
  readonly gzip?: 'smaller' | 'off';
  /** Torrents one scrape may name. Default 74, as many as a UDP scrape (BEP 15). */
  readonly scrapeLimit?: number;
  /**
   * Torrents in the answer to a scrape that names none, 1 to 100,000; one is answered a second, over all clients. Who
   * serves it discloses every torrent. Default `off`: such scrapes are refused.
   */
  readonly fullScrape?: number | 'off';
  /** How long an idle connection stays open, in ms. Default 5000: announces mostly come one per connection. */
  readonly keepAliveMs?: number;
  /** How long a client may take to send its request, in ms; checked every half of it. Default 10,000. */
  readonly requestTimeoutMs?: number;
  /** Connections at once; further ones are closed. Default 10,000. */
  readonly maxConnections?: number;
  /** Whom requests speak for, where what is trusted shall change meanwhile; it replaces the three options of that kind. */
  readonly source?: SourceAddress;
  /** Who answers. Default: the tracker itself, from memory in this thread. */
  readonly service?: SwarmService;
  /**
   * Threads that accept connections on the same port and answer plain announces and scrapes, at most 64; everything else,
   * and the swarms, stay in this thread. Default 1: this thread does everything, as with `tls` in any case. More need Linux.
   */
  readonly workers?: number;
  /** Serve WebTorrent peers on the same port; the tracker needs `signalling`. Default: no. */
  readonly webSocket?: WebSocketOptions | undefined;
  /** Serve HTTPS, and only that. Default: HTTP. */
  readonly tls?: Certificate | undefined;
  /** Counters to count in, where several servers share them. */
  readonly traffic?: Traffic;
  /** What /stats shows, where others show it too. Default: its own. */
  readonly stats?: TrackerStats;
  /** Hears of failures of our own or of `page`, which clients see as status 500. */
  readonly onError?: (error: unknown) => void;
  /** Asked for a socket that listens already, or the numbers of such, in place of `host` and `port`, which are bound where there is none. Workers take only numbers. */
  readonly inherit?: Inherit<NetServer>;
  /** Serves further paths: called with the raw path of a GET, still percent-encoded; undefined is a 404. */
  readonly page?: (path: string) => Promise<Page | undefined>;
}

/** What a server may be told while it runs. What is left out stays. */
export interface HttpChanges {
  /** As the option of that name. */
  readonly fullScrape?: number | 'off';
  /** As the option of WebSockets. Pages that are connected stay. Nothing where no WebSockets are served. */
  readonly allowedOrigins?: readonly string[] | 'all';
}

/** An HTTP tracker that is listening; disposing closes it and its connections. */
export interface HttpServer extends AsyncDisposable {
  /** `http://host:port` or `https://host:port` as bound. */
  readonly url: string;
  readonly address: Endpoint;
  readonly traffic: Traffic;
  /** What listens, to be given to another process; undefined where workers do. */
  readonly listener: NetServer | undefined;
  /** Numbers of the sockets of workers in this process, for a process to inherit; none without workers, or where the system is not Linux. */
  descriptors(): Promise<readonly number[]>;
  /**
   * Takes no more connections, answers those that are open once more, and resolves when they have ended, or after `limitMs`.
   * WebSockets that are left are closed with code 1012: they are to connect again.
   */
  drain(limitMs: number): Promise<void>;
  /** Goes by this from the next request or connection on. @throws RangeError for a bad number; then nothing changes */
  configure(changes: HttpChanges): void;
  /** Shows another certificate to whoever connects from now on. @throws TrackerServerError bad-certificate; the old one stays */
  renew(certificate: Certificate): void;
}

const defaults = {
  host: '0.0.0.0',
  port: 6969,
  gzip: 'smaller',
  scrapeLimit: 74,
  fullScrape: 'off',
  keepAliveMs: 5000,
  requestTimeoutMs: 10_000,
  maxConnections: 10_000,
} satisfies HttpOptions;

/** As Node's default: an announce has 300 to 500 bytes, a scrape of 74 torrents 5,500. */
const maxHeaderBytes = 16_384;

/** Passkeys and the like in a path; fastify's 100 is short for some sites. */
const maxParamLength = 200;

/** Listens and serves. @throws TrackerServerError when the address cannot be bound; RangeError for a bad proxy range or number of workers; TypeError for WebSockets without signalling */
export async function serveHttp(tracker: Tracker, options: HttpOptions = {}): Promise<HttpServer> {
  const { host, port, maxConnections, ...settings } = { ...defaults, ...options };
  const workers = checkedWorkers(options.workers);
  const clock = options.clock ?? ((): number => performance.now());
  const traffic = options.traffic ?? createTraffic();
  const source = options.source ?? new SourceAddress(options);
  const service = options.service ?? localService(tracker);
  const routing = { ...settings, onError: options.onError, clock, traffic: traffic.http };
  const closing: Closing = { now: false };
  const app = secured(host, port, () => createApp(settings, traffic, closing));
  const { webSocket, onError } = options;
  const findSource = finderOf.bind(undefined, source);
  const around = { tracker, service: options.service, closing, findSource, clock, traffic: traffic.websocket, onError };
  // First, because it may refuse its options, and nothing else would be closed then.
  const sockets = webSocket && serveWebSocket(app.server, webSocket, around);
  const fullScrapes = new FullScrapes(tracker, settings.fullScrape, clock);
  addTrackerRoutes(app, service, source, routing, fullScrapes);
  addPages(app, tracker, { page: options.page, clock, traffic, stats: options.stats });
  // WebSockets have a limit of their own; they shall not keep others out.
  app.server.maxConnections =
    maxConnections + (webSocket === undefined ? 0 : (webSocket.maxConnections ?? webSocketDefaults.maxConnections));
  const plain = takePlainPath(app.server, options.tls === undefined ? 'connection' : 'secureConnection', {
    ...settings,
    ...answerPlain(service, source, routing),
    closing,
    onSilence: () => traffic.http.unknown++,
  });
  const strangers = options.tls && knowSockets(app.server);
  const inThreads = workers > 1 && options.tls === undefined;
  // Threads say whose connections they lead here.
  const judge = inThreads ? { sendsHeader: (): boolean => true } : source;
  const proxied = expectProxyHeaders(app.server, judge, settings.requestTimeoutMs);
  let threads: SwarmThreads | undefined;
  try {
    if (inThreads) {
      const own = {
        host,
        port,
        maxConnections: Math.ceil(app.server.maxConnections / workers),
        source,
        clock,
      };
      const listenAt = (path: string): Promise<string> => app.listen({ path });
      const descriptors = descriptorsIn(await options.inherit?.());
      const shared = { traffic: traffic.http, listenAt, workers, descriptors };
      threads = await serveInThreads(service, { ...settings, ...own, ...shared });
    } else await listenOn(app, options.inherit, host, port);
  } catch (cause) {
    sockets?.[Symbol.dispose]();
    plain[Symbol.dispose]();
    strangers?.[Symbol.dispose]();
    await closeAll(app);
    throw cause instanceof TrackerServerError ? cause : new TrackerServerError('http', host, port, cause);
  }
  const expiry = startExpiry(tracker, clock);
  const address = threads?.address ?? boundAddress(app);
  return {
    url: `${options.tls === undefined ? 'http' : 'https'}://${formatEndpoint(address)}`,
    address,
    traffic,
    listener: threads === undefined ? app.server : undefined,
    descriptors: async () => (threads === undefined ? [] : listeningDescriptors('http', address)),
    async drain(limitMs): Promise<void> {
      closing.now = true;
      const endsAt = performance.now() + limitMs;
      // What threads lead here comes until they are done.
      await threads?.drain(limitMs);
      await drained(app.server, Math.max(0, endsAt - performance.now()));
    },
    configure({ fullScrape = fullScrapes.limit, allowedOrigins }) {
      fullScrapes.limit = fullScrape;
      if (allowedOrigins !== undefined) sockets?.allow(allowedOrigins);
    },
    renew: (certificate) =>
      secured(host, port, () => {
        if (app.server instanceof SecureServer) app.server.setSecureContext({ ...certificate });
      }),
    async [Symbol.asyncDispose](): Promise<void> {
      expiry[Symbol.dispose]();
      sockets?.[Symbol.dispose]();
      plain[Symbol.dispose]();
      proxied[Symbol.dispose]();
      strangers?.[Symbol.dispose]();
      await closeAll(app);
      // Goodbyes to WebSockets pass through them.
      await threads?.[Symbol.asyncDispose]();
    },
  };
}

type AppSettings = Required<Pick<HttpOptions, 'keepAliveMs' | 'requestTimeoutMs'>> &
  Pick<HttpOptions, 'onError' | 'tls'>;

/** Does what fails when a certificate is none. @throws TrackerServerError bad-certificate */
function secured<Result>(host: string, port: number, use: () => Result): Result {
  try {
    return use();
  } catch (cause) {
    if (isOpenSslError(cause)) throw new TrackerServerError('http', host, port, cause);
    throw cause;
  }
}

function createApp(settings: AppSettings, traffic: Traffic, closing: Closing): FastifyInstance {
  const { onError } = settings;
  const app = fastify({
    serverFactory: (router) => serverFor(settings, closing, router),
    routerOptions: {
      // The query holds bytes: it is read from the raw target.
      querystringParser: () => ({}),
      caseSensitive: false,
      ignoreTrailingSlash: true,
      ignoreDuplicateSlashes: true,
      maxParamLength,
    },
    // A HEAD would register a peer.
    exposeHeadRoutes: false,
    return503OnClosing: false,
    forceCloseConnections: true,
    bodyLimit: 1024,
    // No route has a schema; the compilers that fastify would load for them take 3 MB.
    schemaController: { compilersFactory: { buildValidator: withoutSchemas, buildSerializer: withoutSchemas } },
    frameworkErrors: (_error, _request, reply) => {
      traffic.http.unknown++;
      sendRefusal(reply, 400, 'the request is not valid');
    },
    clientErrorHandler: (error, socket) => {
      traffic.http.unknown++;
      refuseRaw(error.code, socket);
    },
  });
  app.setErrorHandler((error: unknown, _request, reply) => {
    traffic.http.unknown++;
    const status = clientFault(error);
    if (status === undefined) onError?.(error);
    sendRefusal(
      reply,
      status ?? 500,
      status === undefined ? 'the tracker failed to answer' : 'the request is not valid',
    );
  });
  return app;
}

function withoutSchemas(): never {
  throw new TypeError('routes of this server have no schemas');
}

/** The server below the router, which hears only of what is not plain. */
function serverFor(
  { keepAliveMs, requestTimeoutMs, tls }: AppSettings,
  closing: Closing,
  router: RequestListener,
): Server {
  const settings = {
    keepAliveTimeout: keepAliveMs,
    requestTimeout: requestTimeoutMs,
    headersTimeout: requestTimeoutMs,
    connectionsCheckingInterval: requestTimeoutMs / 2,
    requireHostHeader: false,
    maxHeaderSize: maxHeaderBytes,
    // Whoever offers another protocol, such as HTTP/2, is answered over this one (RFC 9110 §7.8). Node 22.18 has no such option.
    shouldUpgradeCallback: ({ headers }: IncomingMessage): boolean =>
      headers.upgrade?.toLowerCase() === 'websocket' && server.listenerCount('upgrade') > 0,
  };
  const pipelines = new Pipelines();
  const answer: RequestListener = (request, response) => {
    if (closing.now) response.setHeader('connection', 'close');
    if (pipelines.admit(request, response)) router(request, response);
  };
  // Nagle's delay is turned off for those who stay connected: a connection for one announce costs a system call less.
  const server: Server =
    tls === undefined
      ? createServer({ ...settings, noDelay: false }, answer)
      : createSecureServer({ ...settings, ...tls, handshakeTimeout: requestTimeoutMs }, answer);
  // Who says at once that nothing more comes gets its answers nevertheless, also those of a store elsewhere.
  Object.assign(server, { httpAllowHalfOpen: true });
  // Who takes nothing of an answer for so long is not coming back for it.
  return server.setTimeout(3 * requestTimeoutMs);
}

/** Knows every socket before TLS makes one of HTTP out of it; disposing cuts those that are left. */
function knowSockets(server: NetServer): Disposable {
  const open = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    open.add(socket);
    socket.once('close', () => open.delete(socket));
  });
  return {
    [Symbol.dispose]: () => {
      for (const socket of open) socket.destroy();
    },
  };
}

/** The status of an error that fastify found in a request, such as a body of an unknown type. */
function clientFault(error: unknown): number | undefined {
  const status = error instanceof Error && 'statusCode' in error ? error.statusCode : undefined;
  return typeof status === 'number' && status >= 400 && status < 500 ? status : undefined;
}

function boundAddress(app: FastifyInstance): Endpoint {
  const address = app.server.address();
  // Listening on host and port always gives an address with both.
  if (address === null || typeof address === 'string') throw new TypeError('not listening on a port');
  return { ip: address.address, port: address.port };
}
