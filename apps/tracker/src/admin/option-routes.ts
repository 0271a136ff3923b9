// Options that administrators look at and change one by one, by their names.
import { type Unchangeable, changeable, overrideOf, shownOption } from '../configuration/override.ts';
import { SettingError } from '../configuration/setting.ts';
import type { SettingName } from '../configuration/settings.ts';
import { stated } from '../lists/operator-lists.ts';
import type { Log } from '../log.ts';
import type { RunningConfiguration } from '../running-configuration.ts';
import { type AdminAnswer, type AdminRoute, refusal } from './admin-server.ts';

const optionPath = '/options/{option}';

/** The routes; `shown` is an address as the log may have it. */
export function optionRoutes(
  configuration: RunningConfiguration,
  log: Log,
  shown: (from: string) => string | undefined,
): readonly AdminRoute[] {
  const view = (name: SettingName, option: string): object => {
    const value = shownOption(name, configuration.options);
    return { option, value, override: configuration.overrides.includes(option) };
  };
  const change = async (
    option: string,
    from: string,
    use: (name: SettingName) => Promise<string | undefined>,
  ): Promise<AdminAnswer> => {
    const name = changeable(option);
    if (isUnchangeable(name)) return refusalOf(name, option);
    const before = shownOption(name, configuration.options);
    try {
      const problem = await use(name);
      if (problem !== undefined) return refusal(409, problem);
    } catch (error) {
      if (error instanceof SettingError) return refusal(400, `${option}: ${error.message}`);
      throw error;
    }
    const value = shownOption(name, configuration.options);
    if (value !== before) log.info('option changed', stated({ option, value, by: shown(from) }));
    return { status: 200, body: { changed: value !== before, ...view(name, option) } };
  };
  return [
    {
      method: 'GET',
      path: optionPath,
      summary: 'An option that may change, and whether it was changed here',
      answer: ({ option = '' }) => {
        const name = changeable(option);
        return isUnchangeable(name) ? refusalOf(name, option) : { status: 200, body: view(name, option) };
      },
    },
    {
      method: 'PUT',
      path: `${optionPath}/{value}`,
      summary: 'Let an option be this, whatever flag and file say, until that is taken back or the tracker ends',
      answer: ({ option = '', value = '' }, from) =>
        change(option, from, async (name) => configuration.override(name, { value: overrideOf(name, value) })),
    },
    {
      method: 'DELETE',
      path: optionPath,
      summary: 'Let an option be again what flag or file say',
      answer: ({ option = '' }, from) => change(option, from, async (name) => configuration.override(name, undefined)),
    },
  ];
}

function isUnchangeable(name: SettingName | Unchangeable): name is Unchangeable {
  return name in reasons;
}

const reasons: Readonly<Record<Unchangeable, readonly [number, string]>> = {
  unknown: [404, 'is no option'],
  restart: [409, 'holds from the start: change it in the file and restart'],
  file: [409, 'names a file: change it in the configuration file'],
};

function refusalOf(reason: Unchangeable, option: string): AdminAnswer {
  const [status, text] = reasons[reason];
  return refusal(status, `${option} ${text}`);
}
