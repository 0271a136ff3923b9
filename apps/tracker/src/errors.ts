// Failures that end the command, each with the exit code that scripts rely on (README.md lists them).

/** Exit codes, the same for all shoal commands. */
export const exitCodes = {
  ok: 0,
  other: 1,
  usage: 2,
  configuration: 3,
  'verification-failed': 6,
  network: 8,
  interrupted: 130,
  terminated: 143,
} as const;

/** The name of an exit code, printed with the message. */
export type ExitName = keyof typeof exitCodes;

/** What each exit code means, as the help and the README say it. */
export const exitMeanings: Readonly<Record<ExitName, string>> = {
  ok: 'stopped by SIGINT or SIGTERM; check: all is well; --help, --version, --print-config',
  other: 'something unforeseen',
  usage: 'an unknown option, a value that is none',
  configuration: 'the configuration, a list, a certificate or a folder cannot be used; the file and line are named',
  'verification-failed': 'check: the tracker answers, but not as it should',
  network: 'an address cannot be bound; check: the tracker cannot be reached, or refuses',
  interrupted: 'a second SIGINT, while stopping',
  terminated: 'a second SIGTERM, while stopping',
};

/** Code, name and meaning, a line each. */
export const exitTable: string = Object.entries(exitMeanings)
  .map(([name, meaning]) => {
    const code = exitCodes[name as ExitName];
    return `  ${String(code).padStart(3)}  ${name.padEnd(19)}  ${meaning}`;
  })
  .join('\n');

/** Something named on the command line or in the configuration that cannot be used as it is. */
export class ConfigurationError extends Error {
  constructor(message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = 'ConfigurationError';
  }
}
