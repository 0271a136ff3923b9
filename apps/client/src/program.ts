// The command line of `shoal`: what can be asked, with which words, and the help for it. What is done is in commands/.
import path from 'node:path';
import { Command } from 'commander';
import {
  parseAddress,
  parseHostPort,
  parsePort,
  parseSeedLimits,
  parseSize,
  type HostPort,
  type SeedLimits,
} from './arguments.ts';
import { create, type CreateFlags } from './commands/create.ts';
import { download } from './commands/download.ts';
import { seed } from './commands/seed.ts';
import { show } from './commands/show.ts';
import { verify } from './commands/verify.ts';
import { CommandError, exitCodes, exitMeanings, type ExitName } from './exit-codes.ts';
import { Output, type OutputOptions } from './output.ts';
import type { TransferOptions } from './transfer.ts';
import { version } from './version.ts';

interface TransferFlags extends OutputOptions {
  readonly directory: string;
  readonly port?: number;
  readonly bind?: string;
  readonly peer: readonly HostPort[];
  readonly tracker: readonly string[];
  readonly slots?: number;
  readonly intervalMs: number;
}

interface DownloadFlags extends TransferFlags {
  readonly seed?: boolean;
  readonly seedUntil?: SeedLimits;
  readonly onDone?: string;
}

/** `ended` is called once, with how the command wants to end. */
export function createProgram(ended: (exit: ExitName) => void): Command {
  const program = new Command('shoal')
    .description('Create, show, verify, download and seed torrents.')
    .version(version())
    .showHelpAfterError('(shoal --help lists the commands, shoal COMMAND --help their options)')
    .addHelpText(
      'after',
      `\nExit codes:\n${exitMeanings.map(([name, meaning]) => `  ${String(exitCodes[name]).padStart(3)}  ${name.padEnd(20)} ${meaning}`).join('\n')}`,
    );
  addCreate(program, ended);
  addShow(program, ended);
  addVerify(program, ended);
  addDownload(program, ended);
  addSeed(program, ended);
  return program;
}

function addCreate(program: Command, ended: (exit: ExitName) => void): void {
  outputOptions(program.command('create <path>'))
    .description('Make a .torrent file of a file or folder.')
    .requiredOption('-o, --output <file>', 'the .torrent file to write; - for standard output')
    .option(
      '-a, --announce <url>',
      'tracker; repeated, each is a tier; a comma separates those of one tier',
      append<string>,
      [],
    )
    .option('--piece-length <size>', 'a power of two such as 256KiB, or auto', parsePieceLength, 'auto')
    .option('--private', 'peers may come from the trackers only', false)
    .option('--source <text>', 'makes the info-hash another one; private trackers ask for it')
    .option('--comment <text>', 'free text for people')
    .option('--name <name>', 'name that downloaders get (default: that of PATH)')
    .option('--web-seed <url>', 'HTTP address of the same content; may be repeated', append<string>, [])
    .option('--no-date', 'leave out when it was made: the same content gives the same file')
    .option('-f, --force', 'overwrite FILE', false)
    .addHelpText('after', '\nExample:\n  shoal create holiday/ -o holiday.torrent -a https://tracker.example/announce')
    .action(async (source: string, flags: CreateFlags & OutputOptions) =>
      ended(await create(source, flags, new Output(flags))),
    );
}

function addShow(program: Command, ended: (exit: ExitName) => void): void {
  outputOptions(program.command('show <source>'))
    .description('Show what a torrent (a path, - or an http(s) URL) or a magnet link holds.')
    .addHelpText('after', '\nExample:\n  shoal show holiday.torrent\n  shoal show holiday.torrent --json | jq .files')
    .action(async (source: string, flags: OutputOptions) => ended(await show(source, new Output(flags))));
}

function addVerify(program: Command, ended: (exit: ExitName) => void): void {
  outputOptions(program.command('verify <torrent> <path>'))
    .description(
      "Compare content with a torrent. PATH is the folder that holds the torrent's name, or bears it itself.",
    )
    .addHelpText('after', '\nExample:\n  shoal verify holiday.torrent ~/Pictures')
    .action(async (source: string, place: string, flags: OutputOptions) =>
      ended(await verify(source, place, new Output(flags))),
    );
}

const append = <T>(value: T, previous: readonly T[]): T[] => [...previous, value];

const parsePieceLength = (text: string): number | 'auto' => (text === 'auto' ? 'auto' : parseSize(text));

function addDownload(program: Command, ended: (exit: ExitName) => void): void {
  transferOptions(program.command('download <source...>'))
    .description(
      'Download torrents (a path, - or an http(s) URL each); ends when all are complete. Started again, it continues.',
    )
    .option('--seed', 'go on seeding after completion until stopped')
    .option('--seed-until <limits>', 'seed until ratio=R, time=T or both with a comma', parseSeedLimits)
    .option(
      '--on-done <command>',
      'run this through the shell for each torrent that completes (TR_TORRENT_NAME, TR_TORRENT_DIR, …)',
    )
    .addHelpText('after', '\nExample:\n  shoal download debian.torrent -d ~/Downloads --seed-until ratio=1,time=2h')
    .action(async (sources: string[], flags: DownloadFlags) => {
      const { seed: forever, seedUntil, onDone } = flags;
      if (forever === true && seedUntil !== undefined)
        throw new CommandError('usage', '--seed and --seed-until exclude each other');
      const options = { ...transferOptionsOf(flags), seed: forever === true, seedUntil, onDone };
      ended(await download(sources, options, new Output(flags)));
    });
}

function addSeed(program: Command, ended: (exit: ExitName) => void): void {
  transferOptions(program.command('seed <source...>'))
    .description(
      "Seed torrents whose content is complete in DIR, the folder that holds the torrent's name; checks it first.",
    )
    .addHelpText('after', '\nExample:\n  shoal seed holiday.torrent -d ~/Pictures --port 51413')
    .action(async (sources: string[], flags: TransferFlags) => {
      ended(await seed(sources, transferOptionsOf(flags), new Output(flags)));
    });
}

function transferOptions(command: Command): Command {
  return outputOptions(command)
    .requiredOption('-d, --directory <dir>', "folder that holds, or will hold, the torrent's name")
    .option(
      '--port <number>',
      'TCP port for peers; 0 for any free one (default: the first free one of 6881 to 6889)',
      parsePort,
    )
    .option('--bind <address>', 'address to listen on, dial and announce from (default: all)', parseAddress)
    .option(
      '--peer <host:port>',
      'dial this peer too; may be repeated',
      (text, previous: readonly HostPort[]) => append(parseHostPort(text), previous),
      [],
    )
    .option(
      '--tracker <url>',
      "announce here instead of to the torrent's trackers; may be repeated, each a tier",
      append<string>,
      [],
    )
    .option('--slots <number>', 'upload slots per torrent (default: 4)', parseSize)
    .option('--interval-ms <number>', 'how often progress is told', parseSize, 250);
}

export function outputOptions(command: Command): Command {
  return command
    .option('--json', 'one JSON object on standard output at the end')
    .option('--jsonl', 'one JSON object per event on standard output')
    .option('-q, --quiet', 'warnings and errors only')
    .option('-v, --verbose', 'peers, announces and other details')
    .option('--no-progress', 'no live bar and no lines of progress');
}

function transferOptionsOf(flags: TransferFlags): TransferOptions {
  const { directory, port, bind, peer, tracker, slots, intervalMs } = flags;
  return {
    directory: path.resolve(directory),
    port,
    bind,
    peers: peer,
    trackers: tracker.length === 0 ? undefined : tracker.map((url) => [url]),
    slots,
    intervalMs,
  };
}
