// How the command ends. The names are printed with the message; the numbers are what scripts test.

export const exitCodes = {
  ok: 0,
  other: 1,
  usage: 2,
  configuration: 3,
  input: 4,
  disk: 5,
  'verification-failed': 6,
  unfinished: 7,
  network: 8,
  interrupted: 130,
  terminated: 143,
} as const;

export type ExitName = keyof typeof exitCodes;

export const exitMeanings: readonly (readonly [ExitName, string])[] = [
  ['ok', 'everything asked for was done'],
  ['other', 'an unexpected failure'],
  ['usage', 'the command line is wrong'],
  ['configuration', 'an option has an impossible value'],
  ['input', 'a torrent, magnet link or file cannot be read or is not valid'],
  ['disk', 'reading or writing content failed: no space, no permission, something in the way'],
  ['verification-failed', 'content is missing or wrong'],
  ['unfinished', 'stopped with unfinished downloads'],
  ['network', 'an address cannot be used or a URL cannot be fetched'],
  ['interrupted', 'ended by SIGINT (Ctrl-C)'],
  ['terminated', 'ended by SIGTERM or SIGHUP'],
];

/** Two columns: code and name, and what it means. */
export const exitTable: readonly string[] = exitMeanings.map(
  ([name, meaning]) => `  ${String(exitCodes[name]).padStart(3)}  ${name.padEnd(20)} ${meaning}`,
);

export interface CommandErrorOptions extends ErrorOptions {
  /** Joins the object of `--json`. */
  readonly facts?: object;
}

/** A failure a person can do something about: its message says what and how. */
export class CommandError extends Error {
  readonly exit: ExitName;
  readonly facts: object;

  constructor(exit: ExitName, message: string, options: CommandErrorOptions = {}) {
    super(message, options);
    this.name = 'CommandError';
    this.exit = exit;
    this.facts = options.facts ?? {};
  }
}
