// The configuration file: TOML, one key for each option of `serve`. Read, never written; and the text of a complete
// one, with what every setting means.
import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { TomlError, parse } from 'smol-toml';
import { ConfigurationError } from '../errors.ts';
import { SettingError } from './setting.ts';
import {
  type ServeOptions,
  type SettingName,
  settingGroups,
  settingNames,
  settings,
  written,
  writtenName,
} from './settings.ts';

/** What a file or a command line says; the rest is left to others. */
export type StatedOptions = Partial<ServeOptions>;

/**
 * Reads a file. Relative paths in it start from its folder; `mayBeEmpty` is whether nothing at all may be in it.
 * @throws ConfigurationError naming file, line and key
 */
export async function readConfigurationFile(file: string, mayBeEmpty: boolean): Promise<StatedOptions> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new ConfigurationError(`cannot read the configuration ${file}: ${reason}`, { cause });
  }
  if (!mayBeEmpty && text.trim() === '') {
    throw new ConfigurationError(`${file} is empty: somebody is writing it, or it lacks a comment`);
  }
  return parseConfiguration(text, file);
}

/** The options that `text` states; `file` is for messages and for relative paths. @throws ConfigurationError */
export function parseConfiguration(text: string, file: string): StatedOptions {
  const folder = dirname(resolve(file));
  const stated: [SettingName, unknown][] = [];
  for (const [key, value] of Object.entries(parseToml(text, file))) {
    const name = settingNames.find((one) => writtenName(one) === key);
    if (name === undefined) throw new ConfigurationError(`${placeOf(key, text, file)}: ${unknownKey(key)}`);
    try {
      stated.push([name, settings[name].fromToml(value, folder)]);
    } catch (error) {
      if (!(error instanceof SettingError)) throw error;
      throw new ConfigurationError(`${placeOf(key, text, file)}: ${key}: ${error.message}`, { cause: error });
    }
  }
  return Object.fromEntries(stated);
}

/** A complete file that says what `options` say. Reading it gives the same options again. */
export function printConfiguration(options: ServeOptions): string {
  const groups = Object.entries(settingGroups).map(([heading, names]) => {
    const entries = names.map((name) => printSetting(name, options));
    return [`## ${heading}`, ...entries].join('\n\n');
  });
  const head =
    '# Configuration of shoal-tracker serve. Flags on the command line win over it; it is read again when it changes.';
  return `${[head, ...groups].join('\n\n')}\n`;
}

/** The default of a setting as it is written in a file, or `none`. */
export function defaultText(name: SettingName): string {
  const value = settings[name].default;
  return written(name, { [name]: value } as unknown as ServeOptions) ?? 'none';
}

function printSetting(name: SettingName, options: ServeOptions): string {
  const { about, argument, live } = settings[name];
  const key = writtenName(name);
  const value = written(name, options);
  const when = live ? '' : ' Needs a restart.';
  const comment = `# ${about.replace(/^[a-z]/, (letter) => letter.toUpperCase())}. Default: ${defaultText(name)}.${when}`;
  return `${comment}\n${value === undefined ? `# ${key} = "${argument ?? ''}"` : `${key} = ${value}`}`;
}

function parseToml(text: string, file: string): Record<string, unknown> {
  try {
    return parse(text.replace(/^\uFEFF/, ''));
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    const [message = ''] = error.message.split('\n');
    throw new ConfigurationError(`${file}:${error.line}: ${message}`, { cause: error });
  }
}

/** File and line of a key, as far as the line can be told. */
function placeOf(key: string, text: string, file: string): string {
  const lines = text.split('\n');
  const at = lines.findIndex((line) => line.replace(/^[\s["']*/, '').startsWith(key));
  return at < 0 ? file : `${file}:${at + 1}`;
}

function unknownKey(key: string): string {
  const near = settingNames
    .map((name) => ({ written: writtenName(name), distance: distance(key.toLowerCase(), writtenName(name)) }))
    .toSorted((one, other) => one.distance - other.distance)[0];
  const hint = near !== undefined && near.distance <= key.length / 2 ? `; did you mean ${near.written}?` : '';
  return `there is no option ${JSON.stringify(key.slice(0, 80))}${hint}`;
}

/** Letters to add, drop or change (Levenshtein). */
function distance(one: string, other: string): number {
  let row = Array.from({ length: other.length + 1 }, (_, index) => index);
  for (let index = 0; index < one.length; index++) {
    const next = [index + 1];
    for (let at = 0; at < other.length; at++) {
      const changed = row[at]! + (one[index] === other[at] ? 0 : 1);
      next.push(Math.min(changed, row[at + 1]! + 1, next[at]! + 1));
    }
    row = next;
  }
  return row[other.length]!;
}
