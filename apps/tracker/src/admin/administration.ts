// What administrators can see and change: lists, configuration, numbers. Each change is logged, with where it came from.
import { PolicyListError } from '@shoal/tracker';
import { parseIp } from '@shoal/tracker-protocol';
import { type ServeOptions, settingNames, writtenName } from '../configuration/settings.ts';
import { formatListenAddress } from '../configuration/setting.ts';
import { type Health, alive } from '../health.ts';
import type { ListChange } from '../lists/operator-list.ts';
import { type OperatorLists, stated } from '../lists/operator-lists.ts';
import type { Log } from '../log.ts';
import { metricsContentType } from '../metrics/metrics-on-demand.ts';
import type { RunningTracker } from '../running-tracker.ts';
import { version } from '../version.ts';
import { type AdminAnswer, type AdminRoute, refusal } from './admin-server.ts';
import { openApiOf } from './openapi.ts';
import { optionRoutes } from './option-routes.ts';

/** What there is to administrate. */
export type Administrated = Pick<RunningTracker, 'lists' | 'configuration' | 'stats' | 'metrics' | 'log'>;

/** The routes, those of health included. */
export function administrationRoutes(
  administrated: Administrated,
  ready: () => Health,
  restart: () => Promise<string | undefined>,
): readonly AdminRoute[] {
  const routes: AdminRoute[] = [
    ...healthRoutes(ready),
    ...watchingRoutes(administrated),
    restartRoute(restart),
    ...optionRoutes(administrated.configuration, administrated.log, (from) => shownSource(administrated.log, from)),
    ...listRoutes(administrated),
  ];
  const document: AdminRoute = {
    method: 'GET',
    path: '/openapi.json',
    summary: 'This description',
    answer: () => ok(openApiOf([...routes, document], version())),
  };
  return [...routes, document];
}

function healthRoutes(ready: () => Health): AdminRoute[] {
  return [
    { method: 'GET', path: '/healthz', open: true, summary: 'Whether the process is alive', answer: () => ok(alive) },
    {
      method: 'GET',
      path: '/readyz',
      open: true,
      summary: 'Whether the tracker serves; status 503 where it does not',
      answer: () => {
        const found = ready();
        return { status: found.ready ? 200 : 503, body: found };
      },
    },
  ];
}

function watchingRoutes({ configuration, lists, stats, metrics }: Administrated): AdminRoute[] {
  return [
    { method: 'GET', path: '/stats.json', summary: 'Numbers of the tracker', answer: () => ok(stats.read()) },
    {
      method: 'GET',
      path: '/metrics',
      summary: 'The same and more for Prometheus',
      answer: async () => ({ status: 200, contentType: metricsContentType, body: await metrics() }),
    },
    {
      method: 'GET',
      path: '/policy',
      summary: 'Options in force, whether they are those of the configuration file, and the lists with their overrides',
      answer: () =>
        ok({
          options: shownOptions(configuration.options),
          configuration: configuration.view,
          lists: lists.all.map(({ view }) => view),
        }),
    },
    {
      method: 'POST',
      path: '/reload',
      summary:
        'Read configuration, lists and certificates again, as on SIGHUP; status 422 when something was not taken over',
      answer: async () => {
        const report = await configuration.reload();
        return { status: report.problems.length === 0 ? 200 : 422, body: report };
      },
    },
  ];
}

function restartRoute(restart: () => Promise<string | undefined>): AdminRoute {
  return {
    method: 'POST',
    path: '/restart',
    summary: 'Let a new process take over, as on SIGUSR2; status 500 when it failed and this one serves on',
    answer: async () => {
      const problem = await restart();
      return problem === undefined ? ok({ restarted: true }) : refusal(500, `the successor failed: ${problem}`);
    },
  };
}

const entryPath = '/policy/{list}/{entry}';

function listRoutes({ lists, log }: Administrated): AdminRoute[] {
  const find = (
    { list: name = '', entry = '' }: Readonly<Record<string, string>>,
    use: (list: NonNullable<ReturnType<OperatorLists['find']>>, entry: string) => AdminAnswer,
  ): AdminAnswer => {
    const list = lists.find(name);
    if (list === undefined)
      return refusal(404, `there is no list ${name}; lists: ${lists.all.map((one) => one.name).join(', ')}`);
    try {
      return use(list, entry);
    } catch (error) {
      if (error instanceof PolicyListError) return refusal(400, error.message.replace(/^line \d+, column \d+: /, ''));
      throw error;
    }
  };
  const change = (parameters: Readonly<Record<string, string>>, wanted: boolean, from: string): AdminAnswer =>
    find(parameters, (list, entry) => {
      const result = wanted ? list.add(entry) : list.remove(entry);
      const by = shownSource(log, from);
      if (result === 'done') log.info(wanted ? 'entry added' : 'entry removed', stated({ list: list.name, entry, by }));
      return answerTo(result, list.view);
    });
  return [
    {
      method: 'GET',
      path: '/policy/{list}',
      summary: 'A list: its file, how many entries hold, and the overrides',
      answer: (parameters) => find({ ...parameters, entry: '' }, (list) => ok(list.view)),
    },
    {
      method: 'GET',
      path: entryPath,
      summary: 'Whether an entry holds',
      answer: (parameters) => find(parameters, (list, entry) => ok({ listed: list.has(entry) })),
    },
    {
      method: 'PUT',
      path: entryPath,
      summary: 'Let an entry hold, until the tracker ends or its file says so',
      answer: (parameters, from) => change(parameters, true, from),
    },
    {
      method: 'DELETE',
      path: entryPath,
      summary: 'Let an entry hold no longer, until the tracker ends or its file says so',
      answer: (parameters, from) => change(parameters, false, from),
    },
  ];
}

function answerTo(result: ListChange, view: object): AdminAnswer {
  if (result === 'full') return refusal(507, 'too many overrides: put entries in the file of the list');
  if (result === 'not-begun') {
    return refusal(
      409,
      'this list is not in force, and its first entry would shut everybody else out: start with a file for it',
    );
  }
  return ok({ changed: result === 'done', ...view });
}

/** By their written names. Secrets are in files, but for the password that the URL of a store may have. */
function shownOptions(options: ServeOptions): Readonly<Record<string, unknown>> {
  const shown = settingNames.map((name) => {
    const value = options[name];
    const isAddress = typeof value === 'object' && 'host' in value;
    return [writtenName(name), isAddress ? formatListenAddress(value) : withoutPassword(value ?? null)];
  });
  return Object.fromEntries(shown) as Record<string, unknown>;
}

function withoutPassword(value: unknown): unknown {
  return typeof value === 'string' ? value.replace(/^([a-z-]+:\/\/)[^/@]*@/, '$1…@') : value;
}

function shownSource(log: Log, from: string): string | undefined {
  const address = parseIp(from);
  return address && log.shown(address);
}

function ok(body: object): AdminAnswer {
  return { status: 200, body };
}
