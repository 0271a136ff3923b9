// The command line: what may be written, what it means, what is left out. Knows nothing of trackers.
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import { parseInfoHash, PolicyListError } from '@shoal/tracker';
import type { CheckOptions } from './check/check.ts';
import { type StatedOptions, defaultText } from './configuration/configuration-file.ts';
import { SettingError } from './configuration/setting.ts';
import { type SettingName, settingGroups, settings, writtenName } from './configuration/settings.ts';
import { exitTable } from './errors.ts';

/** What `serve` was asked. */
export interface ServeArguments {
  /** What flags say; the rest is up to the file and the defaults. */
  readonly flags: StatedOptions;
  /** The configuration file. */
  readonly config: string | undefined;
  readonly printConfig: boolean;
}

/** What each command does once the command line is understood. */
export interface Commands {
  serve(asked: ServeArguments): Promise<void>;
  check(asked: CheckArguments): Promise<void>;
}

/** What `check` was asked. */
export interface CheckArguments extends CheckOptions {
  readonly json: boolean;
}

const serveExample = `
Precedence: a flag, then the configuration file (--config), then the default. Every option has its name as a key there.
Configuration and lists are read again when they change. Signals: SIGTERM or SIGINT stops, SIGHUP reads them and certificates
again, SIGUSR2 lets a new process take over without refusing an announce.

Example:
  $ shoal-tracker serve --http 0.0.0.0:6969 --udp 0.0.0.0:6969 --torrents ./torrents
  announce  http://0.0.0.0:6969/announce
  announce  udp://0.0.0.0:6969/announce
  announce  ws://0.0.0.0:6969/announce
  stats     http://0.0.0.0:6969/stats
  $ shoal-tracker serve --interval 900 --print-config > tracker.toml
  $ shoal-tracker serve --config tracker.toml

Exit codes:
${exitTable}`;

const checkExample = `
Two peers announce a torrent that nobody else has, the second looks for the first, both leave. Beside the protocol that
the URL names, those are tried that trackers serve on the same port; what they lack is no problem.

Example:
  $ shoal-tracker check udp://tracker.example:6969

Exit codes: 0 all is well, 6 it answers but not as it should, 8 it cannot be reached or refuses`;

/** The program. */
export function createProgram(version: string, commands: Commands): Command {
  const program = new Command('shoal-tracker')
    .description('A BitTorrent tracker over HTTP, UDP and WebSocket')
    .version(version, '-V, --version')
    .exitOverride()
    .addHelpText('after', '\nExample:\n  $ shoal-tracker serve --http 127.0.0.1:6969 --udp off');
  addServe(program, commands);
  addCheck(program, commands);
  return program;
}

function addServe(program: Command, commands: Commands): void {
  const serve = program
    .command('serve')
    .description('Run a tracker until SIGINT or SIGTERM')
    .optionsGroup('Configuration:')
    .option('--config <file>', 'read options from this TOML file; flags win over it')
    .option('--print-config', 'print what would hold, as a commented file for --config, and exit');
  for (const [heading, names] of Object.entries(settingGroups)) {
    for (const option of names.flatMap(optionsOf)) serve.addOption(option.helpGroup(`${heading}:`));
  }
  serve
    .addHelpText('after', serveExample)
    .exitOverride()
    .action(async ({ config, printConfig, ...flags }: Partial<ServeArguments> & StatedOptions) => {
      await commands.serve({ flags, config, printConfig: printConfig ?? false });
    });
}

function addCheck(program: Command, commands: Commands): void {
  program
    .command('check')
    .description('Look at a tracker as a client would, over every transport and address family')
    .argument('<url...>', 'announce URLs: http, https, udp, ws or wss')
    .option('--only', 'leave out transports that no URL names', false)
    .option('--info-hash <hex>', 'a torrent that a closed tracker serves (default: one made up)', parsedInfoHash)
    .option('--timeout <seconds>', 'how long to wait for each answer', parsedTimeout, 5)
    .option('--json', 'print one JSON object', false)
    .addHelpText('after', checkExample)
    .exitOverride()
    .action(async (urls: string[], flags: CheckFlags) => {
      const { only, json, timeout, infoHash } = flags;
      await commands.check({ urls, only, json, infoHash, timeoutMs: timeout * 1000 });
    });
}

interface CheckFlags {
  readonly only: boolean;
  readonly json: boolean;
  readonly timeout: number;
  readonly infoHash?: Uint8Array;
}

function parsedInfoHash(text: string): Uint8Array {
  try {
    return parseInfoHash(text);
  } catch (error) {
    if (!(error instanceof PolicyListError)) throw error;
    throw new InvalidArgumentError('It must be 40 hexadecimal digits.');
  }
}

function parsedTimeout(text: string): number {
  const seconds = /^\d{1,3}$/.test(text) ? Number(text) : 0;
  if (seconds < 1) throw new InvalidArgumentError('It must be 1 to 999 seconds.');
  return seconds;
}

/** Whether commander ended the run, and whether because of a mistake on the command line. */
export function isUsageEnd(error: unknown): error is CommanderError {
  return error instanceof CommanderError;
}

/** The flag of a setting; a switch has one for no as well. */
function optionsOf(name: SettingName): Option[] {
  const { about, argument, repeatable } = settings[name];
  const flag = writtenName(name);
  const fallback = defaultText(name).replaceAll('"', '');
  const isTold = argument !== undefined && fallback !== 'none' && fallback !== '[]';
  const hints = [repeatable ? 'repeatable' : '', isTold ? `default: ${fallback}` : ''].filter((hint) => hint !== '');
  const text = hints.length === 0 ? about : `${about} (${hints.join(', ')})`;
  if (argument === undefined) {
    const [yes, no] = [new Option(`--${flag}`, text), new Option(`--no-${flag}`, `not: ${about}`)];
    // Shown is what changes something.
    return settings[name].default === true ? [yes.hideHelp(), no] : [yes, no.hideHelp()];
  }
  return [new Option(`--${flag} ${argument}`, text).argParser((value, before) => parsed(name, value, before))];
}

function parsed(name: SettingName, text: string, before: unknown): unknown {
  try {
    const value = settings[name].fromText(text, process.cwd());
    return Array.isArray(before) && Array.isArray(value) ? [...before, ...value] : value;
  } catch (error) {
    if (!(error instanceof SettingError)) throw error;
    throw new InvalidArgumentError(`${error.message.replace(/^./, (first) => first.toUpperCase())}.`);
  }
}
