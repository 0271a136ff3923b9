// The words of `download` and `seed`, and what is asked for with them: how the session may behave, what of which torrents
// is wanted, how it ends. Who acts on it is in commands/.
import path from 'node:path';
import { type Command, Option } from 'commander';
import type { SessionOptions } from '@shoal/session';
import {
  parseAddress,
  parseCount,
  parseHostPort,
  parsePort,
  parseRate,
  parseSeedLimits,
  parseSize,
  parseThreads,
  parseTier,
  type HostPort,
  type SeedLimits,
} from './arguments.ts';
import type { DownloadRequest } from './commands/download.ts';
import type { FileChoice } from './file-choice.ts';
import type { OutputOptions } from './output.ts';
import { defaultResumeDirectory, type ResumeDirectory } from './state-directory.ts';
import type { TransferRequest } from './transfer-run.ts';

export interface TransferFlags extends OutputOptions {
  readonly directory?: string;
  readonly port?: number;
  readonly bind?: string;
  readonly peer: readonly HostPort[];
  readonly tracker: readonly string[][];
  readonly slots?: number;
  readonly intervalMs: number;
  readonly downloadLimit?: number;
  readonly uploadLimit?: number;
  readonly peerDownloadLimit?: number;
  readonly peerUploadLimit?: number;
  readonly memory?: number;
  readonly openFiles?: number;
  readonly connections?: number;
  readonly totalConnections?: number;
  readonly diskOperations?: number;
  readonly hashThreads?: number;
  readonly resumeDir?: string;
  /** Commander's `--no-resume`. */
  readonly resume: boolean;
  readonly onDiskError: 'stop' | 'wait';
}

export interface DownloadFlags extends TransferFlags, FileChoice {
  readonly seed?: boolean;
  readonly seedUntil?: SeedLimits;
  readonly onDone?: string;
  readonly list?: boolean;
  readonly sequential?: boolean;
  readonly finishFilesFirst?: boolean;
  readonly preallocate: 'none' | 'sparse' | 'full';
  /** True when it was given without a file. */
  readonly stdout?: string | true;
}

/** May be given several times. */
export function repeatable<T>(flags: string, description: string, parse: (text: string) => T): Option {
  return new Option(flags, `${description}; repeatable`)
    .argParser((text: string, previous: readonly T[]) => [...previous, parse(text)])
    .default([], 'none');
}

export const asGiven = (text: string): string => text;

export function outputOptions(command: Command): Command {
  return command
    .optionsGroup('Output:')
    .addOption(new Option('--json', 'one JSON object on standard output at the end').conflicts('jsonl'))
    .option('--jsonl', 'one JSON object per event on standard output')
    .addOption(new Option('-q, --quiet', 'warnings and errors only').conflicts('verbose'))
    .option('-v, --verbose', 'peers, announces and other details')
    .option('--no-progress', 'no live bar and no lines of progress');
}

export function seedOptions(command: Command): Command {
  command.requiredOption('-d, --directory <dir>', "folder that holds the torrent's name");
  return outputOptions(resourceOptions(swarmOptions(command)));
}

export function downloadOptions(command: Command): Command {
  command.option('-d, --directory <dir>', "folder that holds, or will hold, the torrent's name (required)");
  endOptions(command);
  fileOptions(command);
  command
    .optionsGroup('Disk:')
    .addOption(
      new Option('--preallocate <how>', 'full takes the space at once, sparse sets lengths, none lets files grow')
        .choices(['none', 'sparse', 'full'])
        .default('sparse'),
    );
  return outputOptions(resourceOptions(swarmOptions(command)));
}

function endOptions(command: Command): void {
  command
    .addOption(new Option('--seed', 'go on seeding after completion until stopped').conflicts('seedUntil'))
    .option('--seed-until <limits>', 'seed until ratio=R, time=T or both with a comma', parseSeedLimits)
    .option(
      '--on-done <command>',
      'run this through the shell for each torrent that is complete (TR_TORRENT_NAME, TR_TORRENT_DIR, …)',
    );
}

function fileOptions(command: Command): void {
  command
    .optionsGroup('Files (by number as --list prints them, such as 1-3,7, or by pattern, such as *.srt):')
    .option('--list', 'print the files with their numbers, and end')
    .addOption(repeatable('--select <pattern>', 'download these only', asGiven))
    .addOption(repeatable('--skip <pattern>', 'leave these out', asGiven))
    .addOption(repeatable('--prefer <pattern>', 'download these first', asGiven))
    .addOption(repeatable('--defer <pattern>', 'download these last', asGiven))
    .option('--sequential', 'fetch pieces in the order of the content')
    .option('--finish-files-first', 'prefer files that are nearly complete')
    .addOption(
      new Option(
        '--stdout [file]',
        'pipe this file (path, name or number; the only one) to standard output in order, and fetch no others',
      ).conflicts(['json', 'jsonl', 'list']),
    );
}

function swarmOptions(command: Command): Command {
  return command
    .optionsGroup('Swarm:')
    .option(
      '--port <number>',
      'TCP port for peers; 0 for any free one (default: the first free one of 6881 to 6889)',
      parsePort,
    )
    .option('--bind <address>', 'address to listen on, dial and announce from (default: all)', parseAddress)
    .addOption(repeatable('--peer <host:port>', 'dial this peer too', parseHostPort))
    .addOption(
      repeatable('--tracker <url>', "announce here instead of to the torrent's trackers, each a tier", parseTier),
    )
    .option(
      '--slots <number>',
      'upload slots per torrent (default: as many as the upload limit serves, or 4)',
      parseCount,
    )
    .option('--interval-ms <number>', 'how often progress is told', parseCount, 250);
}

function resourceOptions(command: Command): Command {
  return command
    .optionsGroup('Limits (rates such as 500K or 2MiB are bytes per second, 0 is none):')
    .option('--download-limit <rate>', 'of all torrents together', parseRate)
    .option('--upload-limit <rate>', 'of all torrents together', parseRate)
    .option('--peer-download-limit <rate>', 'from each peer', parseRate)
    .option('--peer-upload-limit <rate>', 'to each peer', parseRate)
    .option('--memory <size>', 'for pieces in the making (default: 16MiB)', parseSize)
    .option('--connections <number>', 'per torrent (default: 100)', parseCount)
    .option('--total-connections <number>', 'of all torrents together (default: 300)', parseCount)
    .option('--open-files <number>', 'at once (default: 64)', parseCount)
    .option('--disk-operations <number>', 'reads and writes under way at once (default: 8)', parseCount)
    .option('--hash-threads <number>', 'for pieces that arrive (default: one less than cores, at most 4)', parseThreads)
    .optionsGroup('Disk:')
    .option(
      '--resume-dir <dir>',
      `where it is noted what is verified, so that no start checks it again (default: ${defaultResumeDirectory()})`,
    )
    .option('--no-resume', 'note nothing, trust no notes: check everything that is there')
    .addOption(
      new Option('--on-disk-error <what>', 'stop, or wait until the disk works again')
        .choices(['stop', 'wait'])
        .default('stop'),
    );
}

/** `directory`: absolute. */
export function transferRequest(flags: TransferFlags, directory: string, command: Command): TransferRequest {
  const { peer, tracker, peerDownloadLimit, peerUploadLimit, onDiskError, intervalMs } = flags;
  return {
    directory,
    session: sessionOptions(flags),
    peerLimits: given({ downloadBytesPerSecond: peerDownloadLimit, uploadBytesPerSecond: peerUploadLimit }),
    resume: resumeDirectory(flags, command),
    peers: peer,
    trackers: tracker.length === 0 ? undefined : tracker,
    onDiskError,
    intervalMs,
  };
}

/** What is to be downloaded, and how. Ends with a usage error when the words contradict each other. */
export function downloadRequest(
  words: readonly string[],
  flags: DownloadFlags,
  command: Command,
): {
  readonly sources: readonly string[];
  readonly request: DownloadRequest;
} {
  const { directory, stdout, resume, seed = false, seedUntil, onDone, preallocate, finishFilesFirst = false } = flags;
  // `--stdout x.torrent` takes the word that was meant as the torrent.
  const isSourceTaken = words.length === 0 && typeof stdout === 'string';
  const sources = isSourceTaken ? [stdout] : words;
  const isPiped = stdout !== undefined;
  const stdoutFile = typeof stdout === 'string' && !isSourceTaken ? stdout : undefined;
  if (sources.length === 0) command.error("missing required argument 'source'");
  if (isPiped && sources.length > 1) command.error('--stdout takes one torrent');
  if (isPiped && process.stdout.isTTY)
    command.error('--stdout writes content, which is not for a terminal: redirect it');
  if (directory === undefined && !isPiped && flags.list !== true)
    command.error("required option '-d, --directory <dir>' not specified");
  const isTemporary = directory === undefined;
  const { select, skip, prefer, defer } = flags;
  return {
    sources,
    request: {
      // A folder that goes away needs no notes.
      ...transferRequest({ ...flags, resume: resume && !isTemporary }, path.resolve(directory ?? '.'), command),
      isTemporary,
      choice: { select, skip, prefer, defer },
      sequential: flags.sequential ?? false,
      finishFilesFirst,
      preallocation: preallocate,
      piped: isPiped ? { file: stdoutFile } : undefined,
      seed,
      seedUntil,
      onDone,
    },
  };
}

function sessionOptions(flags: TransferFlags): SessionOptions {
  return given<SessionOptions>({
    port: flags.port,
    bind: flags.bind,
    uploadSlots: flags.slots,
    downloadBytesPerSecond: flags.downloadLimit,
    uploadBytesPerSecond: flags.uploadLimit,
    pieceBufferBytes: flags.memory,
    openFiles: flags.openFiles,
    maxConnections: flags.connections,
    maxTotalConnections: flags.totalConnections,
    diskOperations: flags.diskOperations,
    hashThreads: flags.hashThreads,
  });
}

function resumeDirectory({ resume, resumeDir }: TransferFlags, command: Command): ResumeDirectory | undefined {
  if (!resume) {
    if (resumeDir !== undefined) command.error('--resume-dir says where notes are kept and --no-resume wants none');
    return undefined;
  }
  if (resumeDir !== undefined) return { directory: path.resolve(resumeDir), isDefault: false };
  return { directory: defaultResumeDirectory(), isDefault: true };
}

/** Without what nobody gave: that is for the session to decide. */
function given<Options extends object>(options: {
  readonly [Name in keyof Options]?: Options[Name] | undefined;
}): Options {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as Options;
}
