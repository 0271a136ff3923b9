// Every option of `serve`: what it is called, what it takes, what it is when nobody says. The one list behind the
// flags, the configuration file, the printed configuration and the table of the README.
import {
  type ListenAddress,
  type Setting,
  checkOrigin,
  checkRange,
  checkStore,
  listenSetting,
  numberSetting,
  pathSetting,
  switchSetting,
  textSetting,
  textsSetting,
  wordSetting,
} from './setting.ts';

/** What a run of `serve` goes by. */
export interface ServeOptions {
  readonly http: ListenAddress | 'off';
  readonly udp: ListenAddress | 'off';
  readonly workers: number;
  readonly connectionIds: 'strict' | 'lenient' | 'off';
  readonly webSocket: boolean;
  readonly webSocketOrigin: readonly string[];
  readonly admin: ListenAddress | 'off';
  readonly adminToken: string | undefined;
  readonly metrics: 'admin' | 'public';
  readonly tlsCert: string | undefined;
  readonly tlsKey: string | undefined;
  readonly trustedProxy: readonly string[];
  readonly proxyProtocol: boolean;
  readonly trustIp: boolean;
  readonly allow: string | undefined;
  readonly deny: string | undefined;
  readonly allowClients: string | undefined;
  readonly denyClients: string | undefined;
  readonly allowAddresses: string | undefined;
  readonly ban: string | undefined;
  readonly privateAddresses: 'listed' | 'apart' | 'refused';
  readonly natCheck: 'off' | 'warn' | 'require';
  readonly announceRate: number | undefined;
  readonly announceBurst: number;
  readonly interval: number;
  readonly jitter: number;
  readonly minInterval: number | undefined;
  readonly maxInterval: number | undefined;
  readonly targetRate: number | undefined;
  readonly numwantDefault: number;
  readonly numwantLimit: number;
  readonly fullScrape: number | undefined;
  readonly torrents: string | undefined;
  readonly store: string | undefined;
  readonly state: string | undefined;
  readonly snapshotEvery: number;
  readonly json: boolean;
  readonly logLevel: LogLevel;
  readonly logFormat: 'text' | 'json';
  readonly logAddresses: AddressStyle;
}

export type LogLevel = 'silent' | 'error' | 'warn' | 'info' | 'debug';

/** How much of an address a log shows. */
export type AddressStyle = 'off' | 'truncated' | 'full';

export type SettingName = keyof ServeOptions;

type Settings = { readonly [Name in SettingName]: Setting<ServeOptions[Name]> };

/** opentracker's port and that of most trackers since, for both protocols. */
const defaultAddress: ListenAddress = { host: '0.0.0.0', port: 6969 };

/** Seconds: a day, as in @shoal/tracker. */
const longestInterval = 86_400;

const listSetting = (about: string): Setting<string | undefined> =>
  pathSetting('<file>', { about, default: undefined, live: true });

export const settings: Settings = {
  http: listenSetting({
    about: 'listen for HTTP; "[::]:6969" serves both families, port 0 takes a free one, "off" is none',
    default: defaultAddress,
  }),
  udp: listenSetting({ about: 'listen for UDP; as for HTTP', default: defaultAddress }),
  workers: numberSetting('<n>', 1, 64, {
    about:
      'threads that receive and answer UDP and plain HTTP on their ports, where there are four cores or more; more ' +
      'than one need Linux; HTTPS has one',
    default: 1,
  }),
  connectionIds: wordSetting(['strict', 'lenient', 'off'], {
    about:
      'UDP connection ids that are taken: 2 to 4 minutes old at most; an hour, for clients that keep them; ' +
      'any, where forged addresses do not matter',
    default: 'strict',
    live: true,
  }),
  webSocket: switchSetting({ about: 'serve WebTorrent peers by WebSockets on the port of HTTP', default: true }),
  webSocketOrigin: textsSetting('<origin>', checkOrigin, {
    about: 'let only web pages from there connect, such as https://example.org; none is from anywhere',
    default: [],
    live: true,
  }),
  tlsCert: pathSetting('<file>', {
    about: 'serve HTTPS instead of HTTP with this certificate chain (PEM); SIGHUP reads the file again',
    default: undefined,
  }),
  tlsKey: pathSetting('<file>', { about: 'the private key of --tls-cert (PEM)', default: undefined }),
  trustedProxy: textsSetting('<cidr>', checkRange, {
    about: 'believe X-Forwarded-For from this address or range',
    default: [],
    live: true,
  }),
  proxyProtocol: switchSetting({
    about:
      'trusted proxies begin every connection with a PROXY header, version 1 or 2, and every datagram with one of version 2',
    default: false,
    live: true,
  }),
  trustIp: switchSetting({
    about: 'believe the ip= parameter of announces from local networks',
    default: false,
    live: true,
  }),
  allow: listSetting('serve only the torrents of this list: an info-hash of 40 hex digits a line, # comments'),
  deny: listSetting('do not serve the torrents of this list'),
  allowClients: listSetting('serve only these clients: the beginning of a peer id a line, such as -TR4'),
  denyClients: listSetting('do not serve these clients'),
  allowAddresses: listSetting('serve only these addresses: an address, CIDR range or FIRST-LAST a line'),
  ban: listSetting('do not serve these addresses'),
  privateAddresses: wordSetting(['listed', 'apart', 'refused'], {
    about:
      'peers with private, loopback and link-local addresses: like others, given to each other alone, or refused; a tracker of the open internet does not list them',
    default: 'listed',
    live: true,
  }),
  natCheck: wordSetting(['off', 'warn', 'require'], {
    about:
      'connect back to the port that a peer announces; who cannot be reached is told so, or is told and not listed',
    default: 'off',
    live: true,
  }),
  announceRate: numberSetting('<n>', 1, 1_000_000, {
    about:
      'announces a minute that one address may make (IPv6: one /64), beyond that it is told to wait; none is no limit',
    default: undefined,
    live: true,
  }),
  announceBurst: numberSetting('<n>', 1, 1_000_000, {
    about: 'announces that one address may make at once, where --announce-rate limits them',
    default: 200,
    live: true,
  }),
  interval: numberSetting('<seconds>', 1, longestInterval, {
    about: 'time between announces of a peer',
    default: 1800,
    live: true,
  }),
  jitter: numberSetting('<percent>', 0, 50, {
    about: 'by how much each interval is shorter or longer, so that peers do not come in waves',
    default: 10,
    live: true,
  }),
  minInterval: numberSetting('<seconds>', 0, longestInterval, {
    about:
      'tell clients not to come back before; at most the interval; none is a minute, or the interval where that is less',
    default: undefined,
    live: true,
  }),
  maxInterval: numberSetting('<seconds>', 1, longestInterval, {
    about: 'how long intervals may grow under load; none is two intervals',
    default: undefined,
    live: true,
  }),
  targetRate: numberSetting('<n>', 1, 1_000_000_000, {
    about: 'announces a second above which intervals grow; none is never',
    default: undefined,
    live: true,
  }),
  numwantDefault: numberSetting('<n>', 0, 1000, {
    about: 'peers given to a client that does not say how many it wants',
    default: 50,
    live: true,
  }),
  numwantLimit: numberSetting('<n>', 0, 1000, { about: 'most peers in one answer', default: 200, live: true }),
  fullScrape: numberSetting('<n>', 1, 100_000, {
    about:
      'answer HTTP scrapes that name no torrents, with so many torrents at most, one a second over all clients; ' +
      'none is never; not with --store',
    default: undefined,
    live: true,
  }),
  torrents: pathSetting('<dir>', {
    about: 'offer the .torrent files of this folder on the page at /',
    default: undefined,
  }),
  store: textSetting('<url>', checkStore, {
    about:
      'keep swarms in Redis or Valkey, together with other trackers: redis://[user:password@]host:port, ' +
      'redis-cluster://host:port,host:port, rediss for TLS; none is memory',
    default: undefined,
  }),
  state: pathSetting('<dir>', {
    about:
      'keep the swarms of memory in this folder: read at the start, written at the end and every --snapshot-every seconds',
    default: undefined,
  }),
  snapshotEvery: numberSetting('<seconds>', 1, longestInterval, {
    about: 'time between two snapshots of the swarms, which is what a crash may lose',
    default: 300,
    live: true,
  }),
  admin: listenSetting({
    about: 'listen for administration over HTTP: policy, metrics, reload; not loopback needs --admin-token',
    default: 'off',
  }),
  adminToken: pathSetting('<file>', {
    about: 'who administrates must send the token in this file; at least 16 characters',
    default: undefined,
    live: true,
  }),
  metrics: wordSetting(['admin', 'public'], {
    about: 'where /metrics is served: to administrators, or to everybody over HTTP too',
    default: 'admin',
    live: true,
  }),
  json: switchSetting({ about: 'print events as JSON, one object a line', default: false }),
  logLevel: wordSetting(['silent', 'error', 'warn', 'info', 'debug'], {
    about: 'what is logged to stderr; debug tells of every refusal',
    default: 'info',
    live: true,
  }),
  logFormat: wordSetting(['text', 'json'], { about: 'how it is logged', default: 'text' }),
  logAddresses: wordSetting(['off', 'truncated', 'full'], {
    about: 'how addresses of clients are logged: not at all, their network (/24, /48), whole',
    default: 'off',
    live: true,
  }),
};

/** Headings over the settings, in the order of help and files. Each setting is under one of them. */
export const settingGroups: Readonly<Record<string, readonly SettingName[]>> = {
  'Where it listens': [
    'http',
    'udp',
    'workers',
    'connectionIds',
    'webSocket',
    'webSocketOrigin',
    'tlsCert',
    'tlsKey',
    'trustedProxy',
    'proxyProtocol',
    'trustIp',
  ],
  'Who is served': [
    'allow',
    'deny',
    'allowClients',
    'denyClients',
    'allowAddresses',
    'ban',
    'privateAddresses',
    'natCheck',
    'announceRate',
    'announceBurst',
  ],
  'What is answered': [
    'interval',
    'jitter',
    'minInterval',
    'maxInterval',
    'targetRate',
    'numwantDefault',
    'numwantLimit',
    'fullScrape',
    'torrents',
  ],
  Operation: ['store', 'state', 'snapshotEvery', 'admin', 'adminToken', 'metrics'],
  'What it prints': ['json', 'logLevel', 'logFormat', 'logAddresses'],
};

export const settingNames: readonly SettingName[] = Object.values(settingGroups).flat();

/** What holds where neither flag nor file says anything. */
export const defaults: ServeOptions = fromEach((name) => settings[name].default);

/** Options from what `valueOf` says for each name. It must be a value of that name's type. */
export function fromEach(valueOf: (name: SettingName) => unknown): ServeOptions {
  return Object.fromEntries(settingNames.map((name) => [name, valueOf(name)])) as unknown as ServeOptions;
}

/** `trustedProxy` as it is written: `trusted-proxy`. */
export function writtenName(name: SettingName): string {
  return name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

/** Settings that differ, each with whether it changes while running. */
export function differences(one: ServeOptions, other: ServeOptions): readonly SettingName[] {
  return settingNames.filter((name) => written(name, one) !== written(name, other));
}

/** The value of a setting as TOML; undefined when it is not set. */
export function written(name: SettingName, options: ServeOptions): string | undefined {
  // Name and value belong together, which the compiler cannot see through a union of settings.
  return (settings[name] as Setting<unknown>).toToml(options[name]);
}
