// What holds: a flag, else the file, else the default. Knows where each part came from only as long as it takes.
import { ConfigurationError } from '../errors.ts';
import { type StatedOptions, readConfigurationFile } from './configuration-file.ts';
import { type ServeOptions, defaults, differences, fromEach, settings, writtenName } from './settings.ts';

/** What may say how to serve. */
export interface ConfigurationSources {
  readonly flags: StatedOptions;
  /** A configuration file. */
  readonly config: string | undefined;
}

/** What two configurations differ in. */
export interface Changes {
  /** As they are written. */
  readonly applied: readonly string[];
  /** Those that hold only from the next start. */
  readonly later: readonly string[];
}

/**
 * Reads the file, if any, and settles what holds. While a tracker runs an empty one is a mistake: half written, it would say
 * that everybody is served by the defaults.
 * @throws ConfigurationError
 */
export async function readConfiguration(
  { flags, config }: ConfigurationSources,
  isRunning = false,
): Promise<ServeOptions> {
  const stated = config === undefined ? {} : await readConfigurationFile(config, !isRunning);
  return together(fromEach((name) => flags[name] ?? stated[name] ?? defaults[name]));
}

/**
 * What of `wanted` a running tracker takes over from `running`, and what it can not.
 * @throws ConfigurationError when the mixture does not go together: a listener that stays may need what is taken away
 */
export function reloaded(running: ServeOptions, wanted: ServeOptions): { options: ServeOptions; changes: Changes } {
  const changed = differences(running, wanted);
  const applied = changed.filter((name) => settings[name].live);
  const later = changed.filter((name) => !settings[name].live);
  const options = together(fromEach((name) => (applied.includes(name) ? wanted[name] : running[name])));
  return { options, changes: { applied: applied.map(writtenName), later: later.map(writtenName) } };
}

/** The same options. @throws ConfigurationError when they are good each by itself and not together */
export function together(options: ServeOptions): ServeOptions {
  const { http, udp, tlsCert, tlsKey, store, state, fullScrape, admin, adminToken, metrics } = options;
  if (http === 'off' && udp === 'off') {
    throw new ConfigurationError('with http off and udp off there is nothing to serve');
  }
  if ((tlsCert === undefined) !== (tlsKey === undefined)) {
    throw new ConfigurationError('tls-cert and tls-key belong together: name both files or neither');
  }
  if (admin !== 'off' && adminToken === undefined && !isLoopback(admin.host)) {
    throw new ConfigurationError(
      `admin ${admin.host} can be reached from elsewhere: name a file with --admin-token, or listen on 127.0.0.1`,
    );
  }
  if (store !== undefined && state !== undefined) {
    throw new ConfigurationError('with store the swarms are not in this process: there is no state to keep');
  }
  if (store !== undefined && fullScrape !== undefined) {
    throw new ConfigurationError(
      'full-scrape names every torrent in the memory of this process; with store they are elsewhere: leave one of the two out',
    );
  }
  if (metrics === 'public' && http === 'off') {
    throw new ConfigurationError('metrics are to be public, but http is off');
  }
  return options;
}

/** Only what is certain: a name may resolve to anything. */
function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(host);
}
