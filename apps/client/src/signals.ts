// The two ways a person ends a running command: asked once it says goodbye, asked twice it goes at once.
import { exitCodes } from './exit-codes.ts';

export interface Stop {
  /** Aborted by the first SIGINT or SIGTERM. */
  readonly signal: AbortSignal;
  /** Resolves with it. */
  readonly asked: Promise<'interrupted' | 'terminated'>;
  readonly by: () => 'interrupted' | 'terminated' | undefined;
}

/** Trackers and peers get this long to hear of our end; then the process ends whatever hangs. */
const goodbyeMs = 7000;

export function onStop(): Stop {
  const controller = new AbortController();
  let by: 'interrupted' | 'terminated' | undefined;
  const asked = new Promise<'interrupted' | 'terminated'>((resolve) => {
    const stop = (name: 'interrupted' | 'terminated') => (): void => {
      if (by !== undefined) process.exit(exitCodes[name]);
      by = name;
      setTimeout(() => process.exit(exitCodes[name]), goodbyeMs).unref();
      controller.abort(new Error(`the command was ${name}`));
      resolve(name);
    };
    process.on('SIGINT', stop('interrupted'));
    process.on('SIGTERM', stop('terminated'));
  });
  return { signal: controller.signal, asked, by: () => by };
}
