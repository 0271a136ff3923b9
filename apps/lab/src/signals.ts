// The ways a person ends a run: asked once everything says goodbye, asked twice everything is killed.
import { exitCodes } from './exit-codes.ts';

export interface Stop {
  /** Aborted by the first signal. */
  readonly signal: AbortSignal;
  readonly by: () => 'interrupted' | 'terminated' | undefined;
}

export function onStop(): Stop {
  const controller = new AbortController();
  let by: 'interrupted' | 'terminated' | undefined;
  const stop = (name: 'interrupted' | 'terminated') => (): void => {
    // The end of this process kills the others: swarm-processes.ts.
    if (by !== undefined) process.exit(exitCodes[name]);
    by = name;
    controller.abort(new Error(`the run was ${name}`));
  };
  process.on('SIGINT', stop('interrupted'));
  process.on('SIGTERM', stop('terminated'));
  // The terminal was closed.
  process.on('SIGHUP', stop('terminated'));
  // Nobody reads any more, as with `| head`.
  process.stdout.on('error', () => controller.signal.aborted || stop('terminated')());
  process.stderr.on('error', () => {});
  return { signal: controller.signal, by: () => by };
}
