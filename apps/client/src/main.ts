#!/usr/bin/env node
// The shoal command: the only place that reads the process's arguments and decides how it ends.
import { CommanderError } from 'commander';
import { CommandError, exitCodes, type ExitName } from './exit-codes.ts';
import { Output } from './output.ts';
import { createProgram } from './program.ts';
import { commandErrorOf } from './transfer.ts';

process.exitCode = exitCodes[await main(process.argv)];

async function main(argv: readonly string[]): Promise<ExitName> {
  let exit: ExitName = 'ok';
  const program = createProgram((ended) => (exit = ended));
  for (const command of [program, ...program.commands]) command.exitOverride();
  try {
    await program.parseAsync(argv);
    return exit;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 'ok' : 'usage';
    const known =
      commandErrorOf(error) ??
      new CommandError('other', error instanceof Error ? (error.stack ?? error.message) : String(error));
    new Output({}).fail(known.exit, known.message);
    return known.exit;
  }
}
