// The command line of `shoal`: what can be asked, with which words, and the help for it. What is done is in commands/,
// of which only the one that is asked for is loaded: who asks for help need not wait for sockets and disks.
import path from 'node:path';
import { Command, Option } from 'commander';
import {
  parseAddress,
  parseCount,
  parseHostPort,
  parsePort,
  parseSeedLimits,
  parseSize,
  parseTier,
} from './arguments.ts';
import type { HostPort, SeedLimits } from './arguments.ts';
import type { CreateFlags } from './commands/create.ts';
import { exitTable, type ExitName } from './exit-codes.ts';
import { Output, type OutputOptions } from './output.ts';
import type { TransferRequest } from './transfer-run.ts';
import { version } from './version.ts';

/** What who runs the program wants to hear of it. */
export interface ProgramEvents {
  /** The command line is understood; from now on this is where things are told. */
  readonly begun: (output: Output) => void;
  /** How the command wants to end. */
  readonly ended: (exit: ExitName) => void;
  /** The command line is wrong, and why. */
  readonly misused: (message: string) => void;
}

interface TransferFlags extends OutputOptions {
  readonly directory: string;
  readonly port?: number;
  readonly bind?: string;
  readonly peer: readonly HostPort[];
  readonly tracker: readonly string[][];
  readonly slots?: number;
  readonly intervalMs: number;
}

interface DownloadFlags extends TransferFlags {
  readonly seed?: boolean;
  readonly seedUntil?: SeedLimits;
  readonly onDone?: string;
}

/** Opens what a command prints to. */
type Begin = (flags: OutputOptions) => Promise<Output>;

/** Throws CommanderError instead of ending the process. */
export function createProgram({ begun, ended, misused }: ProgramEvents): Command {
  const begin: Begin = async (flags) => {
    const output = await Output.open(flags);
    begun(output);
    return output;
  };
  const program = new Command('shoal')
    .description('Create, show, verify, download and seed torrents.')
    .version(version())
    .addHelpText('after', `\nExample:\n  shoal download debian.torrent -d ~/Downloads\n`)
    .addHelpText('after', `Exit codes:\n${exitTable.join('\n')}`);
  addCreate(program, begin, ended);
  addShow(program, begin, ended);
  addVerify(program, begin, ended);
  addDownload(program, begin, ended);
  addSeed(program, begin, ended);
  for (const command of [program, ...program.commands]) {
    const help = command === program ? 'shoal --help lists the commands' : `shoal ${command.name()} --help shows how`;
    const outputError = (text: string): void => misused(`${text.replace(/^error: /, '').trimEnd()}; ${help}`);
    command.exitOverride().configureOutput({ outputError });
  }
  return program;
}

function addCreate(program: Command, begin: Begin, ended: ProgramEvents['ended']): void {
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
    .action(async (source: string, flags: CreateFlags & OutputOptions, command: Command) => {
      if (flags.output === '-' && (flags.json === true || flags.jsonl === true))
        command.error('-o - and JSON both want standard output: name a file, or leave JSON out');
      const { create } = await import('./commands/create.ts');
      ended(await create(source, flags, await begin(flags)));
    });
}

function addShow(program: Command, begin: Begin, ended: ProgramEvents['ended']): void {
  outputOptions(program.command('show <source>'))
    .description('Show what a torrent (a path, - or an http(s) URL) or a magnet link holds.')
    .addHelpText('after', '\nExample:\n  shoal show holiday.torrent\n  shoal show holiday.torrent --json | jq .files')
    .action(async (source: string, flags: OutputOptions) => {
      const { show } = await import('./commands/show.ts');
      ended(await show(source, await begin(flags)));
    });
}

function addVerify(program: Command, begin: Begin, ended: ProgramEvents['ended']): void {
  outputOptions(program.command('verify <torrent> <path>'))
    .description(
      "Compare content with a torrent. PATH is the folder that holds the torrent's name, or the file or folder itself.",
    )
    .addHelpText('after', '\nExample:\n  shoal verify holiday.torrent ~/Pictures')
    .action(async (source: string, place: string, flags: OutputOptions) => {
      const { verify } = await import('./commands/verify.ts');
      ended(await verify(source, place, await begin(flags)));
    });
}

const append = <T>(value: T, previous: readonly T[]): T[] => [...previous, value];

const parsePieceLength = (text: string): number | 'auto' => (text === 'auto' ? 'auto' : parseSize(text));

function addDownload(program: Command, begin: Begin, ended: ProgramEvents['ended']): void {
  transferOptions(program.command('download <source...>'))
    .description(
      'Download torrents (a path, - or an http(s) URL each); ends when all are complete. Started again, it continues.',
    )
    .addOption(new Option('--seed', 'go on seeding after completion until stopped').conflicts('seedUntil'))
    .option('--seed-until <limits>', 'seed until ratio=R, time=T or both with a comma', parseSeedLimits)
    .option(
      '--on-done <command>',
      'run this through the shell for each torrent that is complete (TR_TORRENT_NAME, TR_TORRENT_DIR, …)',
    )
    .addHelpText('after', '\nExample:\n  shoal download debian.torrent -d ~/Downloads --seed-until ratio=1,time=2h')
    .action(async (sources: string[], flags: DownloadFlags) => {
      const { seed: isSeeding = false, seedUntil, onDone } = flags;
      const { download } = await import('./commands/download.ts');
      const request = { ...requestOf(flags), seed: isSeeding, seedUntil, onDone };
      ended(await download(sources, request, await begin(flags)));
    });
}

function addSeed(program: Command, begin: Begin, ended: ProgramEvents['ended']): void {
  transferOptions(program.command('seed <source...>'))
    .description(
      "Seed torrents whose content is complete in DIR, the folder that holds the torrent's name; checks it first.",
    )
    .addHelpText('after', '\nExample:\n  shoal seed holiday.torrent -d ~/Pictures --port 51413')
    .action(async (sources: string[], flags: TransferFlags) => {
      const { seed } = await import('./commands/seed.ts');
      ended(await seed(sources, requestOf(flags), await begin(flags)));
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
      (text, previous: readonly string[][]) => append(parseTier(text), previous),
      [],
    )
    .option('--slots <number>', 'upload slots per torrent (default: 4)', parseCount)
    .option('--interval-ms <number>', 'how often progress is told', parseCount, 250);
}

function outputOptions(command: Command): Command {
  return command
    .addOption(new Option('--json', 'one JSON object on standard output at the end').conflicts('jsonl'))
    .option('--jsonl', 'one JSON object per event on standard output')
    .addOption(new Option('-q, --quiet', 'warnings and errors only').conflicts('verbose'))
    .option('-v, --verbose', 'peers, announces and other details')
    .option('--no-progress', 'no live bar and no lines of progress');
}

function requestOf(flags: TransferFlags): TransferRequest {
  const { directory, port, bind, peer, tracker, slots, intervalMs } = flags;
  return {
    directory: path.resolve(directory),
    port,
    bind,
    peers: peer,
    trackers: tracker.length === 0 ? undefined : tracker,
    slots,
    intervalMs,
  };
}
