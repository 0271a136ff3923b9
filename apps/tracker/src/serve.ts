// `serve`: puts policy, tracker, servers and administration together, says where it listens, and runs until it is told
// to stop.
import { type HttpServer, type WebSocketOptions, serveHttp, serveUdp } from '@shoal/tracker-server';
import { serveAdmin } from './admin/admin-server.ts';
import { administrationRoutes } from './admin/administration.ts';
import type { ConfigurationSources } from './configuration/configuration.ts';
import type { ServeOptions } from './configuration/settings.ts';
import { type Urls, health } from './health.ts';
import { pagesOf } from './index-page.ts';
import type { Log } from './log.ts';
import type { Output } from './output.ts';
import { publicPages } from './public-pages.ts';
import { RunningTracker } from './running-tracker.ts';
import { TorrentFolder } from './torrent-folder.ts';

/** What ends and changes a run from the outside. */
export interface Signals {
  /** Settles with the name of the signal that asks to stop. */
  readonly stop: Promise<string>;
  /** Calls back each time the configuration shall be read again. */
  onReload(reload: () => void): void;
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
  const running = await RunningTracker.open(sources, options, log);
  const servers: AsyncDisposable[] = [];
  try {
    signals.onReload(() => void running.configuration.reload());
    const urls = await listen(running, options, servers);
    await signals.ready();
    output.listening(urls);
    const signal = await signals.stop;
    output.stopped(signal, running.tracker.counts, running.traffic);
  } finally {
    await Promise.all(servers.map((server) => server[Symbol.asyncDispose]()));
    await running[Symbol.asyncDispose]();
  }
}

/** Opens what is not off; each server goes to `servers` once it is up. */
async function listen(running: RunningTracker, options: ServeOptions, servers: AsyncDisposable[]): Promise<Urls> {
  const urls: { -readonly [Name in keyof Urls]: Urls[Name] } = {};
  const { tracker, traffic, clock } = running;
  const ready = (): ReturnType<typeof health> => health(urls, options, running.swarms.shared?.available ?? true);
  if (options.http !== 'off') {
    const http = await listenHttp(running, options, ready);
    servers.push(http);
    urls.http = http.url;
    if (options.webSocket) urls.websocket = http.url.replace(/^http/, 'ws');
  }
  if (options.udp !== 'off') {
    const { workers, connectionIds, proxyProtocol } = options;
    const udp = await serveUdp(tracker, {
      ...options.udp,
      source: running.configuration.source,
      workers,
      connectionIds,
      proxyProtocol,
      service: running.service('udp'),
      traffic,
      clock,
    });
    servers.push(udp);
    urls.udp = udp.url;
  }
  if (options.admin !== 'off') {
    const routes = administrationRoutes(running, ready);
    const token = (): ReturnType<typeof running.configuration.token> => running.configuration.token();
    const admin = await serveAdmin({ listen: options.admin, routes, token, onError: running.tellError });
    servers.push(admin);
    urls.admin = admin.url;
  }
  return urls;
}

async function listenHttp(
  running: RunningTracker,
  options: ServeOptions,
  ready: () => ReturnType<typeof health>,
): Promise<HttpServer> {
  const { tracker, traffic, stats, clock, configuration, log } = running;
  const tell = (message: string): void => log.warn(message);
  const folder = options.torrents === undefined ? undefined : await TorrentFolder.open(options.torrents, tell);
  await folder?.list(clock());
  const metrics = (): (() => Promise<string>) | undefined =>
    configuration.options.metrics === 'public' ? running.metrics : undefined;
  const http = await serveHttp(tracker, {
    ...(options.http !== 'off' && options.http),
    service: running.service('http'),
    fullScrape: options.fullScrape ?? 'off',
    webSocket: options.webSocket ? webSocketOptions(running, options) : undefined,
    tls: configuration.certificate,
    source: configuration.source,
    workers: options.workers,
    proxyProtocol: options.proxyProtocol,
    page: publicPages(pagesOf(running.swarms.service, folder, clock), metrics, ready),
    onError: running.tellError,
    traffic,
    stats,
    clock,
  });
  configuration.onCertificate((certificate) => http.renew(certificate));
  return http;
}

/** A tracker with its own swarms counts its peers itself: asking it through HTTP's service would count a scrape. */
function webSocketOptions(
  { swarms, measureWebSocket: onAnnounce }: RunningTracker,
  { webSocketOrigin }: ServeOptions,
): WebSocketOptions {
  return { service: swarms.shared, onAnnounce, ...(webSocketOrigin.length > 0 && { allowedOrigins: webSocketOrigin }) };
}
