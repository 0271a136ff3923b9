// Everything that is not announce or scrape: statistics, the operator's own pages, and short answers to the rest.
import type { Tracker } from '@shoal/tracker';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Traffic } from '../traffic.ts';
import { sendRefusal } from './refusals.ts';
import { TrackerStats, statsPage } from './stats-page.ts';

/** A page of the operator's, for paths that are none of the tracker's. */
export interface Page {
  readonly contentType: string;
  readonly body: Uint8Array | string;
  /** Default 200. */
  readonly status?: number;
}

export interface PageSettings {
  readonly page: ((path: string) => Promise<Page | undefined>) | undefined;
  readonly clock: () => number;
  readonly traffic: Traffic;
  /** What is shown; its own where undefined. */
  readonly stats: TrackerStats | undefined;
}

/** Adds /stats, /stats.json and whatever `page` knows. */
export function addPages(app: FastifyInstance, tracker: Tracker, settings: PageSettings): void {
  const { page, clock, traffic } = settings;
  const stats = settings.stats ?? new TrackerStats(tracker, traffic, clock);
  if (settings.stats === undefined) app.addHook('onClose', async () => stats[Symbol.dispose]());
  const sendJson = (reply: FastifyReply): FastifyReply => {
    const body = JSON.stringify(stats.read());
    return sendPage(reply, { contentType: 'application/json', body });
  };
  app.get('/stats.json', (_request, reply) => sendJson(reply));
  app.get('/stats', (request, reply) => {
    if (request.headers.accept?.includes('application/json')) return sendJson(reply);
    const body = statsPage(stats.read());
    return sendPage(reply, { contentType: 'text/html; charset=utf-8', body });
  });
  app.setNotFoundHandler(async (request, reply) => {
    const found = request.method === 'GET' ? await page?.(pathOf(request)) : undefined;
    if (found !== undefined) return sendPage(reply, found);
    traffic.http.unknown++;
    if (request.method === 'GET') sendRefusal(reply, 404, 'there is nothing here; announce to /announce');
    else sendRefusal(reply.header('allow', 'GET'), 405, 'only GET is served');
    return reply;
  });
}

function sendPage(reply: FastifyReply, { contentType, body, status = 200 }: Page): FastifyReply {
  // Pages run no scripts and load nothing: whatever slipped into one could do nothing.
  return reply
    .status(status)
    .header('content-type', contentType)
    .header('content-security-policy', "default-src 'none'; style-src 'unsafe-inline'")
    .header('x-content-type-options', 'nosniff')
    .send(body);
}

function pathOf({ raw }: FastifyRequest): string {
  return (raw.url ?? '/').split('?', 1)[0]!;
}
