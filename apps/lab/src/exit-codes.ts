// How the command ends. Numbers and names are those of `shoal`, so that scripts need one table only.

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
  ['ok', 'every copy is complete and equal to the original'],
  ['other', 'a process of the swarm died, or an unexpected failure'],
  ['usage', 'the command line is wrong'],
  ['configuration', 'an option has an impossible value, or the folder of --keep is not ours'],
  ['input', 'what shall be shared cannot be read'],
  ['disk', 'no space, no permission, a device error'],
  ['verification-failed', 'a copy differs from the original'],
  ['unfinished', 'not all copies were complete in the time of --timeout'],
  ['network', 'a process of the swarm could not use its address'],
  ['interrupted', 'ended by SIGINT (Ctrl-C); nothing is left running'],
  ['terminated', 'ended by SIGTERM; nothing is left running'],
];

/** A failure a person can do something about: its message says what and how. */
export class LabError extends Error {
  readonly exit: ExitName;

  constructor(exit: ExitName, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'LabError';
    this.exit = exit;
  }
}

/** Failures of a child that mean the same for the lab; all others, and signals, are `other`. */
const passedOn: readonly ExitName[] = ['configuration', 'input', 'disk', 'verification-failed', 'network'];

export function exitOfChild(code: number | null): ExitName {
  return passedOn.find((name) => exitCodes[name] === code) ?? 'other';
}
