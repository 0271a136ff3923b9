// `serve`: puts policy, tracker, servers and administration together, says where it listens, and runs until it is told
// to stop.
import {
  type Descriptors,
  type Handle,
  type HttpChanges,
  type HttpServer,
  type Legacy,
  type Predecessor,
  type SocketName,
  type Successor,
  type UdpServer,
  type WebSocketOptions,
  serveHttp,
  serveUdp,
} from '@shoal/tracker-server';
import { type AdminServer, serveAdmin } from './admin/admin-server.ts';
import { administrationRoutes } from './admin/administration.ts';
import type { ConfigurationSources } from './configuration/configuration.ts';
import type { ServeOptions } from './configuration/settings.ts';
import { type Health, type Urls, health } from './health.ts';
import { pagesOf } from './index-page.ts';
import type { Log } from './log.ts';
import type { Output } from './output.ts';
import { publicPages } from './public-pages.ts';
import {
  Restarts,
  drainMs,
  inheritedAdmin,
  inheritedHttp,
  inheritedUdp,
  isSameListener,
  startSuccessor,
} from './restart.ts';
import { RunningTracker } from './running-tracker.ts';
import { TorrentFolder } from './torrent-folder.ts';

/** What ends and changes a run from the outside. */
export interface Signals {
  /** Settles with the name of the signal that asks to stop. */
  readonly stop: Promise<string>;
  /** Calls back each time the configuration shall be read again. */
  onReload(reload: () => void): void;
  /** Calls back each time a new process shall take over. */
  onRestart(restart: () => void): void;
  /** The tracker whose place this process is to take. */
  readonly predecessor: Predecessor | undefined;
  /** Tells whoever started us that we serve. */
  ready(): Promise<void>;
}

/** Serves until told to stop. @throws ConfigurationError, TrackerServerError */
export async function serve(
  sources: ConfigurationSources,
  options: ServeOptions,
  log: Log,
  output: Output,
  signals: Signals,
): Promise<void> {
  const { predecessor, stop } = signals;
  const running = await RunningTracker.open(sources, options, log, predecessor);
  const servers: Servers = {};
  const restarts = new Restarts({
    start: startSuccessor,
    legacy: () => legacyOf(running, options, servers),
    pause: async () => running.state?.pause(),
    resume: () => running.state?.resume(),
    log,
  });
  try {
    signals.onReload(() => void running.configuration.reload().catch(running.tellError));
    const urls = await listen(running, options, servers, { predecessor, restarts });
    await running.configuration.watch(running.tellError);
    running.state?.resume();
    await signals.ready();
    predecessor?.serving();
    output.listening(urls);
    signals.onRestart(() => void restarts.restart());
    const end = await Promise.race([stop, restarts.done]);
    if (typeof end === 'string') await restarts.stop();
    else await handOver(end, servers, stop);
    output.stopped(typeof end === 'string' ? end : 'restart', running.tracker.counts, running.traffic);
  } finally {
    await Promise.all(
      [servers.http, servers.udp, servers.admin].map(async (server) => server?.[Symbol.asyncDispose]()),
    );
    await running[Symbol.asyncDispose]();
    predecessor?.[Symbol.dispose]();
  }
}

/** What listens. */
interface Servers {
  http?: HttpServer;
  udp?: UdpServer;
  admin?: AdminServer;
}

/** Who was here before, and what lets somebody be here afterwards. */
interface Generations {
  readonly predecessor: Predecessor | undefined;
  readonly restarts: Restarts;
}

/** What a process that takes over is given. */
async function legacyOf(
  { swarms, shared: state, clock }: RunningTracker,
  options: ServeOptions,
  { http, udp, admin }: Servers,
): Promise<Legacy> {
  const [ofHttp, ofUdp] = await Promise.all([http?.descriptors() ?? [], udp?.descriptors() ?? []]);
  const sockets: Readonly<Record<SocketName, Handle | Descriptors | undefined>> = {
    http: http?.listener ?? { descriptors: ofHttp },
    udp: udp?.socket ?? { descriptors: ofUdp },
    admin: admin?.listener,
  };
  return {
    state,
    store: swarms.memory,
    clock,
    descriptors: [...ofHttp, ...ofUdp],
    socket: (name, host, port) => (isSameListener(options[name], host, port) ? sockets[name] : undefined),
  };
}

/** Leaves everything that comes to the successor, and answers who is still connected here. */
async function handOver(successor: Successor, servers: Servers, stop: Promise<unknown>): Promise<void> {
  const { http, udp, admin } = servers;
  const asked = new Promise<void>((resolve) =>
    admin === undefined ? resolve() : admin.listener.close(() => resolve()),
  );
  const answered = udp?.drain(drainMs, (datagram) => successor.relay(datagram));
  await Promise.race([Promise.all([answered, http?.drain(drainMs), asked]), stop]);
  await successor.release();
}

/** Opens what is not off; each server goes to `servers` once it is up. */
async function listen(
  running: RunningTracker,
  options: ServeOptions,
  servers: Servers,
  { predecessor, restarts }: Generations,
): Promise<Urls> {
  const urls: { -readonly [Name in keyof Urls]: Urls[Name] } = {};
  const { tracker, traffic, clock } = running;
  const ready = (): Health =>
    health(urls, options, running.swarms.shared?.available ?? true, running.configuration.isCurrent);
  if (options.http !== 'off') {
    const http = await listenHttp(running, options, ready, predecessor);
    servers.http = http;
    urls.http = http.url;
    if (options.webSocket) urls.websocket = http.url.replace(/^http/, 'ws');
  }
  if (options.udp !== 'off') {
    const { workers, connectionIds } = options;
    const udp = await serveUdp(tracker, {
      ...options.udp,
      source: running.configuration.source,
      workers,
      ...(predecessor !== undefined && { inherit: inheritedUdp(predecessor, options.udp, workers) }),
      connectionIds,
      connectionSecret: running.shared.connectionSecret,
      onError: running.tellError,
      service: running.service('udp'),
      traffic,
      clock,
    });
    servers.udp = udp;
    predecessor?.onDatagram((datagram) => udp.send(datagram));
    running.configuration.onOptions(({ connectionIds }) => udp.configure({ connectionIds }));
    urls.udp = udp.url;
  }
  if (options.admin !== 'off') {
    const routes = administrationRoutes(running, ready, () => restarts.restart());
    const token = (): ReturnType<typeof running.configuration.token> => running.configuration.token();
    const inherit = predecessor && inheritedAdmin(predecessor, options.admin);
    const admin = await serveAdmin({ listen: options.admin, inherit, routes, token, onError: running.tellError });
    servers.admin = admin;
    urls.admin = admin.url;
  }
  return urls;
}

async function listenHttp(
  running: RunningTracker,
  options: ServeOptions,
  ready: () => Health,
  predecessor: Predecessor | undefined,
): Promise<HttpServer> {
  const { tracker, traffic, stats, clock, configuration, log } = running;
  const tell = (message: string): void => log.warn(message);
  const folder = options.torrents === undefined ? undefined : await TorrentFolder.open(options.torrents, tell);
  await folder?.list(clock());
  const metrics = (): (() => Promise<string>) | undefined =>
    configuration.options.metrics === 'public' ? running.metrics : undefined;
  const { fullScrape, allowedOrigins } = httpChanges(options);
  const http = await serveHttp(tracker, {
    ...(options.http !== 'off' && options.http),
    ...(options.http !== 'off' &&
      predecessor !== undefined && {
        inherit: inheritedHttp(predecessor, options.http, workersOf(options)),
      }),
    service: running.service('http'),
    fullScrape,
    webSocket: options.webSocket ? { ...webSocketOptions(running), allowedOrigins } : undefined,
    tls: configuration.certificate,
    source: configuration.source,
    workers: options.workers,
    page: publicPages(pagesOf(running.swarms.service, folder, clock), metrics, ready),
    onError: running.tellError,
    traffic,
    stats,
    clock,
  });
  configuration.onCertificate((certificate) => http.renew(certificate));
  configuration.onOptions((changed) => http.configure(httpChanges(changed)));
  return http;
}

/** TLS stays in one thread. */
function workersOf({ workers, tlsCert }: ServeOptions): number {
  return tlsCert === undefined ? workers : 1;
}

/** A tracker with its own swarms counts its peers itself: asking it through HTTP's service would count a scrape. */
function webSocketOptions({ swarms, measureWebSocket: onAnnounce }: RunningTracker): WebSocketOptions {
  return { service: swarms.shared, onAnnounce };
}

/** What an HTTP server goes by that may change. */
function httpChanges({ fullScrape, webSocketOrigin }: ServeOptions): Required<HttpChanges> {
  return { fullScrape: fullScrape ?? 'off', allowedOrigins: webSocketOrigin.length > 0 ? webSocketOrigin : 'all' };
}
