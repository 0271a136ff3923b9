// Failures that end the command, each with the exit code that scripts rely on (README.md lists them).

/** Exit codes, the same for all shoal commands. */
export const exitCodes = {
  ok: 0,
  other: 1,
  usage: 2,
  configuration: 3,
  network: 8,
  interrupted: 130,
  terminated: 143,
} as const;

/** The name of an exit code, printed with the message. */
export type ExitName = keyof typeof exitCodes;

/** A file or folder named on the command line that cannot be used as it is. */
export class ConfigurationError extends Error {
  constructor(message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = 'ConfigurationError';
  }
}
