// The command line: what may be written, what it means, what is left out. Knows nothing of trackers.
import { isIPv4, isIPv6 } from 'node:net';
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';

/** Where to listen. */
export interface ListenAddress {
  readonly host: string;
  readonly port: number;
}

/** The options of `serve`. */
export interface ServeOptions {
  readonly http: ListenAddress | 'off';
  readonly udp: ListenAddress | 'off';
  readonly interval: number;
  readonly allow?: string;
  readonly torrents?: string;
  readonly trustedProxy: readonly string[];
  readonly trustIp?: boolean;
  readonly privateAddresses: boolean;
  readonly json?: boolean;
}

const example = `
Example:
  $ shoal-tracker serve --http 0.0.0.0:6969 --udp 0.0.0.0:6969 --torrents ./torrents
  announce  http://0.0.0.0:6969/announce
  announce  udp://0.0.0.0:6969/announce
  stats     http://0.0.0.0:6969/stats

Exit codes: 0 stopped by SIGINT or SIGTERM, 1 unforeseen, 2 usage, 3 configuration, 8 network (cannot listen)`;

/** The program; `serve` is called once the command line is understood. */
export function createProgram(version: string, serve: (options: ServeOptions) => Promise<void>): Command {
  const program = new Command('shoal-tracker')
    .description('A BitTorrent tracker over HTTP and UDP')
    .version(version, '-V, --version')
    .exitOverride()
    .addHelpText('after', '\nExample:\n  $ shoal-tracker serve --http 127.0.0.1:6969 --udp off');
  program
    .command('serve')
    .description('Run a tracker until SIGINT or SIGTERM')
    .addOption(listenOption('--http <host:port>', 'listen for HTTP; port 0 takes a free one, "off" is none'))
    .addOption(listenOption('--udp <host:port>', 'listen for UDP; port 0 takes a free one, "off" is none'))
    .option('--interval <seconds>', 'time between announces of a peer', parseInterval, 1800)
    .option(
      '--allow <file>',
      'serve only these torrents: an info-hash of 40 hex digits a line, # comments; read again on SIGHUP',
    )
    .option('--torrents <dir>', 'offer the .torrent files of this folder on the page at /')
    .addOption(
      new Option('--trusted-proxy <cidr>', 'believe X-Forwarded-For from this address or range (repeatable)')
        .default([], 'none')
        .argParser(collectRange),
    )
    .option('--trust-ip', 'believe the ip= parameter of announces from local networks')
    .option('--no-private-addresses', 'do not list peers with private or loopback addresses')
    .option('--json', 'print events as JSON, one object a line')
    .addHelpText('after', example)
    .exitOverride()
    .action(async (options: ServeOptions, command: Command) => {
      if (options.http === 'off' && options.udp === 'off') {
        command.error('error: with --http off and --udp off there is nothing to serve');
      }
      await serve(options);
    });
  return program;
}

/** Whether commander ended the run, and whether because of a mistake on the command line. */
export function isUsageEnd(error: unknown): error is CommanderError {
  return error instanceof CommanderError;
}

const defaultAddress: ListenAddress = { host: '0.0.0.0', port: 6969 };

function listenOption(flags: string, description: string): Option {
  return new Option(flags, description).default(defaultAddress, '0.0.0.0:6969').argParser(parseListenAddress);
}

/** `HOST:PORT`, `[HOST]:PORT`, `:PORT`, `PORT` or `off`. */
export function parseListenAddress(text: string): ListenAddress | 'off' {
  if (text === 'off') return 'off';
  const match = /^(?:(?:\[([^\]]+)\]|([^:[\]]*)):)?(\d{1,5})$/.exec(text);
  const port = Number(match?.[3]);
  const bracketed = match?.[1];
  if (match === null || port > 65_535 || (bracketed !== undefined && !isIPv6(bracketed))) {
    throw new InvalidArgumentError('It must be HOST:PORT, [IPV6]:PORT, PORT or off.');
  }
  return { host: bracketed ?? (match[2] || defaultAddress.host), port };
}

function parseInterval(text: string): number {
  const seconds = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (!(seconds >= 1 && seconds <= 86_400)) throw new InvalidArgumentError('It must be 1 to 86400 seconds.');
  return seconds;
}

function collectRange(range: string, previous: readonly string[]): string[] {
  const [address = '', bits = '0'] = range.split('/');
  const most = isIPv4(address) ? 32 : isIPv6(address) ? 128 : -1;
  if (!/^\d{1,3}$/.test(bits) || Number(bits) > most) {
    throw new InvalidArgumentError('It must be an address or a CIDR range.');
  }
  return [...previous, range];
}
