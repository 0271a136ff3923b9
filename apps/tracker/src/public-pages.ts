// Pages beside announce and statistics that everybody may read: health, metrics where they are public, and the
// operator's torrents.
import type { Page } from '@shoal/tracker-server';
import { type Health, alive } from './health.ts';
import { metricsContentType } from './metrics/metrics-on-demand.ts';

type FindPage = (path: string) => Promise<Page | undefined>;

/** Adds health and metrics to `pages`. `metrics` is asked each time, since it may be made public while running. */
export function publicPages(
  pages: FindPage,
  metrics: () => (() => Promise<string>) | undefined,
  ready: () => Health,
): FindPage {
  return async (path) => {
    if (path === '/healthz') return json(200, alive);
    if (path === '/readyz') {
      const found = ready();
      return json(found.ready ? 200 : 503, found);
    }
    const write = path === '/metrics' ? metrics() : undefined;
    return write === undefined ? pages(path) : { contentType: metricsContentType, body: await write() };
  };
}

function json(status: number, body: object): Page {
  return { status, contentType: 'application/json', body: `${JSON.stringify(body)}\n` };
}
