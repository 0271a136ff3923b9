// The shoal command: the only place that reads the process's arguments and decides how it ends.
import { CommanderError } from 'commander';
import { CommandError, exitCodes, type ExitName } from './exit-codes.ts';
import { Output } from './output.ts';
import { createProgram } from './program.ts';

/** The process's exit code. */
export async function main(argv: readonly string[]): Promise<number> {
  // Who read our output may go away (`shoal show x | head -1`): then there is nobody to tell, and no reason to crash.
  process.stdout.on('error', () => {});
  process.stderr.on('error', () => {});
  return exitCodes[await runCommand(argv)];
}

async function runCommand(argv: readonly string[]): Promise<ExitName> {
  // Until the command line is understood, only this much of it is believed.
  const run: { exit: ExitName; output: Output } = {
    exit: 'ok',
    output: new Output({ json: argv.includes('--json'), jsonl: argv.includes('--jsonl') }),
  };
  const program = createProgram({
    begun: (output) => (run.output = output),
    ended: (exit) => (run.exit = exit),
    misused: (message) => run.output.failed(new CommandError('usage', message)),
  });
  try {
    await program.parseAsync(argv);
    return run.exit;
  } catch (error) {
    // Commander has printed the help or said what is wrong.
    if (error instanceof CommanderError) return error.exitCode === 0 ? 'ok' : 'usage';
    const { commandErrorOf, unforeseen } = await import('./failures.ts');
    const known = commandErrorOf(error) ?? unforeseen(error);
    run.output.failed(known);
    return known.exit;
  }
}
