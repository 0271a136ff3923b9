// `serve`: puts tracker, servers and pages together, says where it listens, and runs until it is told to stop.
import { Tracker } from '@shoal/tracker';
import { createTraffic, serveHttp, serveUdp } from '@shoal/tracker-server';
import { readAllowList } from './allow-list.ts';
import type { ServeOptions } from './arguments.ts';
import { ConfigurationError } from './errors.ts';
import { pagesOf } from './index-page.ts';
import type { Output } from './output.ts';
import { TorrentFolder } from './torrent-folder.ts';

/** What ends and changes a run from the outside. */
export interface Signals {
  /** Settles with the name of the signal that asks to stop. */
  readonly stop: Promise<string>;
  /** Calls back each time the configuration shall be read again. */
  onReload(reload: () => void): void;
}

/** Serves until told to stop. @throws ConfigurationError, TrackerServerError */
export async function serve(options: ServeOptions, output: Output, signals: Signals): Promise<void> {
  const clock = (): number => performance.now();
  const tracker = await createTracker(options, output, signals);
  const folder = options.torrents === undefined ? undefined : await TorrentFolder.open(options.torrents, output.log);
  await folder?.list(clock());
  const traffic = createTraffic();
  const { trustedProxy: trustedProxies, trustIp: trustIpParameter = false } = options;
  const onError = (error: unknown): void =>
    output.log(error instanceof Error ? (error.stack ?? error.message) : String(error));
  const page = pagesOf(tracker, folder, clock);
  const settings = { traffic, clock, trustedProxies, trustIpParameter, page, onError };
  const servers: AsyncDisposable[] = [];
  try {
    const http = options.http === 'off' ? undefined : await serveHttp(tracker, { ...options.http, ...settings });
    if (http !== undefined) servers.push(http);
    const udp = options.udp === 'off' ? undefined : await serveUdp(tracker, { ...options.udp, traffic, clock });
    if (udp !== undefined) servers.push(udp);
    output.listening(http?.url, udp?.url);
    const signal = await signals.stop;
    output.stopped(signal, tracker.counts, traffic);
  } finally {
    await Promise.all(servers.map((server) => server[Symbol.asyncDispose]()));
  }
}

async function createTracker(options: ServeOptions, output: Output, signals: Signals): Promise<Tracker> {
  const { allow: file, interval } = options;
  const policy = { random: Math.random, interval, allowPrivateAddresses: options.privateAddresses };
  if (file === undefined) return new Tracker(policy);
  let allowed = await readAllowList(file);
  output.log(`serving ${allowed.size} torrents of ${file}`);
  const reload = async (): Promise<void> => {
    try {
      allowed = await readAllowList(file);
      output.log(`serving ${allowed.size} torrents of ${file}`);
    } catch (error) {
      if (!(error instanceof ConfigurationError)) throw error;
      output.log(`${error.message}; keeping the list read before`);
    }
  };
  signals.onReload(() => void reload());
  return new Tracker({ ...policy, allow: (infoHash) => allowed.has(infoHash) });
}
