// The shoal-lab command: the only place that reads the process's arguments and decides how it ends.
import { CommanderError } from 'commander';
import { exitCodes, LabError, type ExitName } from './exit-codes.ts';
import { createProgram } from './program.ts';

/** The process's exit code. */
export async function main(argv: readonly string[]): Promise<number> {
  return exitCodes[await run(argv)];
}

async function run(argv: readonly string[]): Promise<ExitName> {
  let exit: ExitName = 'ok';
  const program = createProgram((ended) => (exit = ended));
  for (const command of [program, ...program.commands]) command.exitOverride();
  try {
    await program.parseAsync(argv);
    return exit;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 'ok' : 'usage';
    const known =
      error instanceof LabError
        ? error
        : new LabError('other', error instanceof Error ? (error.stack ?? error.message) : String(error));
    process.stderr.write(`shoal-lab: ${known.exit} (${exitCodes[known.exit]}): ${known.message}\n`);
    return known.exit;
  }
}
