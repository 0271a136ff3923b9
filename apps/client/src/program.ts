// The command line of `shoal`: what can be asked, with which words, and the help for it. What is done is in commands/,
// of which only the one that is asked for is loaded: who asks for help need not wait for sockets and disks.
import path from 'node:path';
import { Command } from 'commander';
import { parseSize } from './arguments.ts';
import type { CreateFlags } from './commands/create.ts';
import { exitTable, type ExitName } from './exit-codes.ts';
import { Output, type OutputOptions } from './output.ts';
import {
  asGiven,
  downloadOptions,
  downloadRequest,
  outputOptions,
  repeatable,
  seedOptions,
  transferRequest,
  type DownloadFlags,
  type TransferFlags,
} from './transfer-flags.ts';
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
  const command = program
    .command('create <path>')
    .description('Make a .torrent file of a file or folder.')
    .requiredOption('-o, --output <file>', 'the .torrent file to write; - for standard output')
    .addOption(repeatable('-a, --announce <url>', 'tracker, each a tier; a comma separates those of one tier', asGiven))
    .option('--piece-length <size>', 'a power of two such as 256KiB, or auto', parsePieceLength, 'auto')
    .option('--private', 'peers may come from the trackers only', false)
    .option('--source <text>', 'makes the info-hash another one; private trackers ask for it')
    .option('--comment <text>', 'free text for people')
    .option('--name <name>', 'name that downloaders get (default: that of PATH)')
    .addOption(repeatable('--web-seed <url>', 'HTTP address of the same content', asGiven))
    .option('--no-date', 'leave out when it was made: the same content gives the same file')
    .option('-f, --force', 'overwrite FILE', false);
  outputOptions(command)
    .addHelpText('after', '\nExample:\n  shoal create holiday/ -o holiday.torrent -a https://tracker.example/announce')
    .action(async (source: string, flags: CreateFlags & OutputOptions) => {
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

const parsePieceLength = (text: string): number | 'auto' => (text === 'auto' ? 'auto' : parseSize(text));

function addDownload(program: Command, begin: Begin, ended: ProgramEvents['ended']): void {
  downloadOptions(program.command('download [source...]'))
    .description(
      'Download torrents (a path, - or an http(s) URL each); ends when all are complete. Started again, it continues.',
    )
    .addHelpText(
      'after',
      '\nExamples:\n  shoal download debian.torrent -d ~/Downloads --seed-until ratio=1,time=2h\n  shoal download film.torrent --stdout film.mkv | mpv -',
    )
    .action(async (words: string[], flags: DownloadFlags, command: Command) => {
      const { sources, request } = downloadRequest(words, flags, command);
      if (flags.list === true) {
        const { list } = await import('./commands/list.ts');
        return ended(await list(sources, request.choice, await begin(flags)));
      }
      const { download } = await import('./commands/download.ts');
      ended(await download(sources, request, await begin(flags)));
    });
}

function addSeed(program: Command, begin: Begin, ended: ProgramEvents['ended']): void {
  seedOptions(program.command('seed <source...>'))
    .description(
      "Seed torrents whose content is complete in DIR, the folder that holds the torrent's name; checks it first.",
    )
    .addHelpText('after', '\nExample:\n  shoal seed holiday.torrent -d ~/Pictures --upload-limit 2MiB')
    .action(async (sources: string[], flags: TransferFlags & { readonly directory: string }, command: Command) => {
      const { seed } = await import('./commands/seed.ts');
      ended(await seed(sources, transferRequest(flags, path.resolve(flags.directory), command), await begin(flags)));
    });
}
