// The kinds of settings: how each is written on the command line and in a TOML file, and what it may be. One
// definition serves both, the help, the printed configuration and the README, so that they cannot disagree.
import { isIPv6 } from 'node:net';
import { resolve } from 'node:path';
import { PolicyListError, parseAddressRange } from '@shoal/tracker';
import { formatEndpoint } from '@shoal/tracker-protocol';

/** Where to listen. */
export interface ListenAddress {
  readonly host: string;
  readonly port: number;
}

/** One option of `serve`. */
export interface Setting<Value> {
  /** What stands behind the flag, such as `<host:port>`; undefined for a switch. */
  readonly argument: string | undefined;
  /** One clause for the help: what it does. */
  readonly about: string;
  readonly default: Value;
  /** Whether it changes in a running tracker. */
  readonly live: boolean;
  /** Whether the flag may be given several times. */
  readonly repeatable: boolean;
  /** Whether it names a file or folder. */
  readonly isPath: boolean;
  /** The value of a flag. `folder` is what relative paths start from. @throws SettingError */
  fromText(text: string, folder: string): Value;
  /** The value of a key. @throws SettingError */
  fromToml(value: unknown, folder: string): Value;
  /** As TOML; undefined when it is not set. */
  toToml(value: Value): string | undefined;
}

/** What kinds have in common. */
export interface SettingFacts<Value> {
  readonly about: string;
  readonly default: Value;
  /** Default false. */
  readonly live?: boolean;
}

/** A value that a setting does not take; the message says what it takes. */
export class SettingError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'SettingError';
  }
}

const defaultHost = '0.0.0.0';

/** `HOST:PORT` or `off`. */
export function listenSetting(facts: SettingFacts<ListenAddress | 'off'>): Setting<ListenAddress | 'off'> {
  const toToml = (value: ListenAddress | 'off'): string => quoted(formatListenAddress(value));
  return textual('<host:port>', facts, (text) => parseListenAddress(text), toToml);
}

/** A whole number from `least` to `most`. */
export function numberSetting<Value extends number | undefined>(
  argument: string,
  least: number,
  most: number,
  facts: SettingFacts<Value>,
): Setting<number | Value> {
  const checked = (value: unknown): number => {
    if (typeof value !== 'number' || !Number.isInteger(value) || value < least || value > most) {
      throw new SettingError(`it must be a whole number from ${least} to ${most}`);
    }
    return value;
  };
  return {
    ...common(argument, facts),
    fromText: (text) => checked(/^\d{1,15}$/.test(text) ? Number(text) : text),
    fromToml: checked,
    toToml: (value) => value?.toString(),
  };
}

/** One of some words. */
export function wordSetting<Word extends string>(words: readonly Word[], facts: SettingFacts<Word>): Setting<Word> {
  const find = (text: string): Word => {
    const word = words.find((one) => one === text);
    if (word === undefined) throw new SettingError(`it must be ${words.slice(0, -1).join(', ')} or ${words.at(-1)}`);
    return word;
  };
  return textual(`<${words.join('|')}>`, facts, find, quoted);
}

/** A switch: `--name` and `--no-name`, true and false. */
export function switchSetting(facts: SettingFacts<boolean>): Setting<boolean> {
  return {
    ...common(undefined, facts),
    fromText: (text) => text === 'true',
    fromToml: (value) => {
      if (typeof value !== 'boolean') throw new SettingError('it must be true or false');
      return value;
    },
    toToml: String,
  };
}

/** A file or folder, kept as an absolute path. */
export function pathSetting(argument: string, facts: SettingFacts<string | undefined>): Setting<string | undefined> {
  const find = (text: string, folder: string): string => {
    if (text === '') throw new SettingError('it must be a path');
    return resolve(folder, text);
  };
  return { ...textual(argument, facts, find, (value) => value && quoted(value)), isPath: true };
}

/** Any text that `check` lets pass. */
export function textSetting(
  argument: string,
  check: (text: string) => void,
  facts: SettingFacts<string | undefined>,
): Setting<string | undefined> {
  const find = (text: string): string => {
    check(text);
    return text;
  };
  return textual(argument, facts, find, (value) => value && quoted(value));
}

/** Any number of texts that `check` lets pass; the flag is given once for each. */
export function textsSetting(
  argument: string,
  check: (text: string) => void,
  facts: SettingFacts<readonly string[]>,
): Setting<readonly string[]> {
  const one = (value: unknown): string => {
    if (typeof value !== 'string') throw new SettingError('it must be a list of strings');
    check(value);
    return value;
  };
  return {
    ...common(argument, facts),
    repeatable: true,
    fromText: (text) => [one(text)],
    fromToml: (value) => (Array.isArray(value) ? value.map(one) : [one(value)]),
    toToml: (value) => `[${value.map(quoted).join(', ')}]`,
  };
}

/** Lets addresses and CIDR ranges pass, as a tracker reads them. @throws SettingError */
export function checkRange(text: string): void {
  try {
    parseAddressRange(text);
  } catch (error) {
    if (!(error instanceof PolicyListError)) throw error;
    throw new SettingError('it must be an address or a CIDR range');
  }
}

/** Lets origins of web pages pass, as browsers write them. @throws SettingError */
export function checkOrigin(text: string): void {
  if (!URL.canParse(text) || new URL(text).origin !== text) {
    throw new SettingError('it must be an origin such as https://example.org, without a path');
  }
}

/** Lets URLs of shared stores pass; what their driver does not understand it says itself. @throws SettingError */
export function checkStore(text: string): void {
  if (!/^rediss?(-cluster)?:\/\/[^/]/.test(text))
    throw new SettingError('it must be redis://HOST:PORT or redis-cluster://HOST:PORT,HOST:PORT');
}

/** `HOST:PORT`, `[IPV6]:PORT`, `:PORT`, `PORT` or `off`. @throws SettingError */
export function parseListenAddress(text: string): ListenAddress | 'off' {
  if (text === 'off') return 'off';
  const match = /^(?:(?:\[([^\]]+)\]|([^:[\]]*)):)?(\d{1,5})$/.exec(text);
  const port = Number(match?.[3]);
  const bracketed = match?.[1];
  if (match === null || port > 65_535 || (bracketed !== undefined && !isIPv6(bracketed))) {
    throw new SettingError('it must be HOST:PORT, [IPV6]:PORT, PORT or off');
  }
  return { host: bracketed ?? (match[2] || defaultHost), port };
}

/** What `parseListenAddress` reads. */
export function formatListenAddress(address: ListenAddress | 'off'): string {
  if (address === 'off') return address;
  return formatEndpoint({ ip: address.host, port: address.port });
}

function common<Value>(
  argument: string | undefined,
  { about, default: value, live = false }: SettingFacts<Value>,
): Pick<Setting<Value>, 'argument' | 'about' | 'default' | 'live' | 'repeatable' | 'isPath'> {
  return { argument, about, default: value, live, repeatable: false, isPath: false };
}

/** A setting that is a string in either notation. */
function textual<Value>(
  argument: string,
  facts: SettingFacts<Value>,
  fromText: (text: string, folder: string) => Value,
  toToml: (value: Value) => string | undefined,
): Setting<Value> {
  const fromToml = (value: unknown, folder: string): Value => {
    if (typeof value !== 'string') throw new SettingError('it must be a string');
    return fromText(value, folder);
  };
  return { ...common(argument, facts), fromText, fromToml, toToml };
}

/** A TOML basic string: its escapes are those of JSON, and it has no others. */
function quoted(text: string): string {
  return JSON.stringify(text).replaceAll('\u007F', '\\u007F');
}
