// The ways a running command is ended from outside: asked once it says goodbye, asked twice it goes at once.
import { CommandError, exitCodes } from './exit-codes.ts';

/** `unread`: who read standard output is gone, so nobody is served by going on. */
export type StopReason = 'interrupted' | 'terminated' | 'unread';

export interface Stop {
  /** Aborted by the first SIGINT, SIGTERM or SIGHUP, or when standard output is closed. */
  readonly signal: AbortSignal;
  /** Resolves with it. */
  readonly asked: Promise<StopReason>;
  readonly by: () => StopReason | undefined;
  /** What a command that cannot end well in the middle ends with; undefined when nobody asked it to stop. */
  readonly failure: (state: string) => CommandError | undefined;
}

/** Trackers and peers get 5 s to hear of our end, the disk the rest; then the process ends whatever hangs. */
const goodbyeMs = 7000;

export function onStop(): Stop {
  const controller = new AbortController();
  let by: StopReason | undefined;
  const { promise: asked, resolve } = Promise.withResolvers<StopReason>();
  const stop = (reason: StopReason): void => {
    const code = reason === 'unread' ? exitCodes.other : exitCodes[reason];
    // More than one write may fail; only a person's second signal means "now".
    if (by !== undefined) return reason === 'unread' ? undefined : process.exit(code);
    by = reason;
    setTimeout(() => process.exit(code), goodbyeMs).unref();
    controller.abort(new Error(`the command was ${reason}`));
    resolve(reason);
  };
  process.on('SIGINT', () => stop('interrupted'));
  process.on('SIGTERM', () => stop('terminated'));
  process.on('SIGHUP', () => stop('terminated'));
  process.stdout.on('error', () => stop('unread'));
  const failure = (state: string): CommandError | undefined => {
    if (by === undefined) return undefined;
    if (by === 'unread') return new CommandError('other', `nobody reads standard output any more; ${state}`);
    return new CommandError(by, state);
  };
  return { signal: controller.signal, asked, by: () => by, failure };
}
