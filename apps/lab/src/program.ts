// The command line of `shoal-lab`: what can be asked, with which words, and the help for it. What is done is in commands/.
import { Command, Option } from 'commander';
import { parsePeers, parseScenario, parseSeconds, parseSeed, parseSize } from './arguments.ts';
import { run } from './commands/run.ts';
import { simulate, type SimulateOptions } from './commands/simulate.ts';
import { exitCodes, exitMeanings, type ExitName } from './exit-codes.ts';
import { Output, type OutputOptions } from './output.ts';
import { scenarios } from './scenarios.ts';
import { version } from './version.ts';

interface RunFlags extends OutputOptions {
  readonly peers: number;
  readonly pieceLength?: number;
  readonly keep?: string;
  readonly timeout: number;
}

const runExamples = `
Examples:
  shoal-lab run                              4 downloaders of the running Node executable
  shoal-lab run ~/Pictures --peers 8
  shoal-lab run big.iso --keep /tmp/lab      copies, torrent, events.jsonl and run.json stay there
  shoal-lab run --json | jq '.peers[].fromPeersBytes'`;

/** `ended` is called once, with how the command wants to end. */
export function createProgram(ended: (exit: ExitName) => void): Command {
  const program = new Command('shoal-lab')
    .description('Complete swarms on one machine: real processes on loopback, or simulated ones.')
    .version(version())
    .showHelpAfterError('(shoal-lab --help lists the commands, shoal-lab COMMAND --help their options)')
    .addHelpText(
      'after',
      `\nExit codes:\n${exitMeanings.map(([name, meaning]) => `  ${String(exitCodes[name]).padStart(3)}  ${name.padEnd(20)} ${meaning}`).join('\n')}`,
    );
  addRun(program, ended);
  addSimulate(program, ended);
  return program;
}

function addRun(program: Command, ended: (exit: ExitName) => void): void {
  program
    .command('run [path]')
    .description(
      'Share a file or folder (default: the running Node executable) from an origin to downloaders, each a process of the real apps, watch it, and compare every copy with the original.',
    )
    .option('--peers <number>', 'downloaders', parsePeers, 4)
    .option('--piece-length <size>', 'a power of two such as 256KiB (default: chosen from the size)', parseSize)
    .option('--keep <dir>', 'keep the copies, the torrent and what happened here (default: a temporary folder)')
    .option('--timeout <seconds>', 'give up when not all are complete by then', parseSeconds, 600)
    .addOption(new Option('--json', 'one JSON object on standard output at the end').conflicts('jsonl'))
    .option('--jsonl', 'one JSON object per event of any process on standard output; the last is the result')
    .option('-q, --quiet', 'no picture and no messages, only the result')
    .option('-v, --verbose', 'what the processes write to standard error too')
    .option('--no-progress', 'no live picture and no lines of progress')
    .addHelpText('after', runExamples)
    .action(async (place: string | undefined, flags: RunFlags) => {
      const { peers, pieceLength, keep, timeout } = flags;
      ended(await run(place, { peers, pieceLength, keep, timeout }, new Output(flags)));
    });
}

function addSimulate(program: Command, ended: (exit: ExitName) => void): void {
  const names = Object.entries(scenarios).map(([name, { about }]) => `  ${name.padEnd(16)} ${about}`);
  program
    .command('simulate')
    .description(
      'Run the same torrent and tracker code in simulated time, on links of 200 kB/s up and 800 kB/s down. The same seed gives the same run, event by event.',
    )
    .option('--scenario <name>', 'what happens', parseScenario, 'flash-crowd')
    .option('--seed <number>', 'all chance comes from it', parseSeed, 1)
    .option('--peers <number>', 'downloaders', parsePeers, 8)
    .option('--json', 'one JSON object on standard output')
    .option('-q, --quiet', 'only the result')
    .addHelpText(
      'after',
      `\nScenarios:\n${names.join('\n')}\n\nExample:\n  shoal-lab simulate --scenario corrupter --seed 7`,
    )
    .action((flags: SimulateOptions & OutputOptions) => ended(simulate(flags, new Output(flags))));
}
