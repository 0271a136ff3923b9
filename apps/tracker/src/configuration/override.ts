// A setting that an administrator changes by its name while the tracker runs: what may be changed so, and how it is
// written in one word.
import { SettingError, type Setting } from './setting.ts';
import { type SettingName, settingNames, settings, written, writtenName } from './settings.ts';
import type { ServeOptions } from './settings.ts';

/** Why a setting is not to be changed so. */
export type Unchangeable = 'unknown' | 'restart' | 'file';

/** The setting of a written name, or why it is not to be changed while the tracker runs. */
export function changeable(option: string): SettingName | Unchangeable {
  const name = settingNames.find((one) => writtenName(one) === option);
  if (name === undefined) return 'unknown';
  if (!settings[name].live) return 'restart';
  // Who may change numbers is not thereby one who may have any file of this machine read.
  return settings[name].isPath ? 'file' : name;
}

/** What `text` means for a setting: as behind its flag, lists with commas, `none` for nothing. @throws SettingError */
export function overrideOf(name: SettingName, text: string): unknown {
  const setting: Setting<unknown> = settings[name];
  if (setting.argument === undefined) {
    if (text !== 'true' && text !== 'false') throw new SettingError('it must be true or false');
    return setting.fromText(text, '');
  }
  if (setting.repeatable) return text === 'none' ? [] : text.split(',').flatMap((one) => setting.fromText(one, ''));
  return text === 'none' && setting.default === undefined ? undefined : setting.fromText(text, '');
}

/** The value of a setting as `overrideOf` reads it. */
export function shownOption(name: SettingName, options: ServeOptions): string {
  const value = options[name];
  if (Array.isArray(value)) return value.length === 0 ? 'none' : value.join(',');
  return written(name, options)?.replaceAll('"', '') ?? 'none';
}
