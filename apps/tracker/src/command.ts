// The shoal-tracker command: the only place that reads the process and decides how it ends.
import { readFileSync } from 'node:fs';
import { TrackerServerError } from '@shoal/tracker-server';
import { type ServeOptions, createProgram, isUsageEnd } from './arguments.ts';
import { ConfigurationError, type ExitName, exitCodes } from './errors.ts';
import { jsonOutput, textOutput } from './output.ts';
import { type Signals, serve } from './serve.ts';

/** Whatever still hangs by then is left behind. */
const stopLimitMs = 5000;

/** The process's exit code. */
export async function main(argv: readonly string[]): Promise<number> {
  // Who reads our lines may go away (`shoal-tracker serve | head -1`): the swarms are served all the same.
  process.stdout.on('error', () => {});
  process.stderr.on('error', () => {});
  try {
    await createProgram(version(), run).parseAsync(argv);
    return exitCodes.ok;
  } catch (error) {
    // Commander has printed the help or said what is wrong.
    if (isUsageEnd(error)) return error.exitCode === 0 ? exitCodes.ok : exitCodes.usage;
    const name = foreseen(error);
    if (name === undefined || !(error instanceof Error)) throw error;
    process.stderr.write(`shoal-tracker: ${name}: ${error.message}\n`);
    const failed = { event: 'failed', error: { code: name, message: error.message } };
    if (argv.includes('--json')) process.stdout.write(`${JSON.stringify(failed)}\n`);
    return exitCodes[name];
  }
}

function foreseen(error: unknown): ExitName | undefined {
  if (error instanceof ConfigurationError) return 'configuration';
  return error instanceof TrackerServerError ? 'network' : undefined;
}

async function run(options: ServeOptions): Promise<void> {
  const output = (options.json ? jsonOutput : textOutput)(process.stdout, process.stderr);
  await serve(options, output, signalsOfProcess());
}

function signalsOfProcess(): Signals {
  const { promise: stop, resolve } = Promise.withResolvers<string>();
  for (const [signal, code] of [
    ['SIGINT', exitCodes.interrupted],
    ['SIGTERM', exitCodes.terminated],
  ] as const) {
    process.once(signal, () => {
      resolve(signal);
      // Asked twice, or too slow: end at once.
      process.once(signal, () => process.exit(code));
      setTimeout(() => process.exit(exitCodes.other), stopLimitMs).unref();
    });
  }
  return { stop, onReload: (reload) => void process.on('SIGHUP', reload) };
}

function version(): string {
  const manifest: unknown = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
  const found =
    typeof manifest === 'object' && manifest !== null && 'version' in manifest ? manifest.version : undefined;
  return typeof found === 'string' ? found : 'unknown';
}
