// The shoal-tracker command: the only place that reads the process and decides how it ends.
import { TrackerServerError } from '@shoal/tracker-server';
import { type CheckArguments, type ServeArguments, createProgram, isUsageEnd } from './arguments.ts';
import { TargetError } from './check/targets.ts';
import { readConfiguration } from './configuration/configuration.ts';
import { printConfiguration } from './configuration/configuration-file.ts';
import { ConfigurationError, type ExitName, exitCodes } from './errors.ts';
import { type Log, createLog } from './log.ts';
import { jsonOutput, textOutput } from './output.ts';
import { predecessorOf } from './restart.ts';
import { type Signals, serve } from './serve.ts';
import { tellServiceManager } from './service-manager.ts';
import { version } from './version.ts';

/** Whatever still hangs by then is left behind. */
const stopLimitMs = 5000;

/** The process's exit code. */
export async function main(argv: readonly string[]): Promise<number> {
  // Who reads our lines may go away (`shoal-tracker serve | head -1`): the swarms are served all the same.
  process.stdout.on('error', () => {});
  process.stderr.on('error', () => {});
  let exit: ExitName = 'ok';
  const commands = {
    serve: runServe,
    check: async (asked: CheckArguments) => {
      exit = await runCheck(asked);
    },
  };
  try {
    await createProgram(version(), commands).parseAsync(argv);
    return exitCodes[exit];
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
  if (error instanceof TargetError) return error.reason === 'url' ? 'usage' : 'network';
  if (!(error instanceof TrackerServerError)) return undefined;
  return error.code === 'bad-certificate' ? 'configuration' : 'network';
}

async function runServe({ flags, config, printConfig }: ServeArguments): Promise<void> {
  const sources = { flags, config };
  const options = await readConfiguration(sources);
  if (printConfig) {
    process.stdout.write(printConfiguration(options));
    return;
  }
  const { logLevel: level, logFormat: format, logAddresses: addresses } = options;
  // systemd's journal writes the time itself.
  const timeless = process.env['JOURNAL_STREAM'] !== undefined;
  const log = createLog({ level, format, addresses, timeless }, process.stderr);
  const output = (options.json ? jsonOutput : textOutput)(process.stdout);
  await serve(sources, options, log, output, signalsOfProcess(log));
}

async function runCheck({ json, ...options }: CheckArguments): Promise<ExitName> {
  // Clients are nothing that a tracker needs in memory.
  const [{ check }, { reportJson, reportText }] = await Promise.all([
    import('./check/check.ts'),
    import('./check/report.ts'),
  ]);
  const report = await check(options);
  const text = json ? `${JSON.stringify(reportJson(report))}\n` : reportText(report, process.stdout.isTTY);
  process.stdout.write(text);
  return report.exit;
}

/**
 * Lets somebody listen for a signal later. From the beginning we do, because it ends a process that does not; whoever sends it
 * while we start is heard then.
 */
function laterOn(signal: NodeJS.Signals): (hear: () => void) => void {
  let isHeard = false;
  let hear = (): void => void (isHeard = true);
  process.on(signal, () => hear());
  return (listen) => {
    hear = listen;
    if (isHeard) listen();
  };
}

function signalsOfProcess(log: Log): Signals {
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
  const predecessor = predecessorOf(process.env, process);
  return {
    stop,
    predecessor,
    onReload: laterOn('SIGHUP'),
    onRestart: laterOn('SIGUSR2'),
    ready: async () => {
      const failure = await tellServiceManager(process.env, predecessor && process.pid);
      if (failure !== undefined) log.warn(`systemd cannot be told that the tracker is ready: ${failure}`);
    },
  };
}
