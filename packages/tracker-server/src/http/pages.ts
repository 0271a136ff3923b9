// Everything that is not announce or scrape: statistics, the operator's own pages, and short answers to the rest.
import type { Tracker } from '@shoal/tracker';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Traffic } from '../traffic.ts';
import { sendRefusal } from './refusals.ts';
import { statsOf, statsPage } from './stats-page.ts';

/** A page of the operator's, for paths that are none of the tracker's. */
export interface Page {
  readonly contentType: string;
  readonly body: Uint8Array | string;
}

export interface PageSettings {
  readonly page: ((path: string) => Promise<Page | undefined>) | undefined;
  readonly clock: () => number;
  readonly traffic: Traffic;
}

/** Adds /stats, /stats.json and whatever `page` knows. */
export function addPages(app: FastifyInstance, tracker: Tracker, { page, clock, traffic }: PageSettings): void {
  const started = clock();
  const sendJson = (reply: FastifyReply): FastifyReply => {
    const body = JSON.stringify(statsOf(tracker, traffic, started, clock()));
    return sendPage(reply, { contentType: 'application/json', body });
  };
  app.get('/stats.json', (_request, reply) => sendJson(reply));
  app.get('/stats', (request, reply) => {
    if (request.headers.accept?.includes('application/json')) return sendJson(reply);
    const body = statsPage(statsOf(tracker, traffic, started, clock()));
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

function sendPage(reply: FastifyReply, { contentType, body }: Page): FastifyReply {
  // Pages run no scripts and load nothing: whatever slipped into one could do nothing.
  return reply
    .header('content-type', contentType)
    .header('content-security-policy', "default-src 'none'; style-src 'unsafe-inline'")
    .header('x-content-type-options', 'nosniff')
    .send(body);
}

function pathOf({ raw }: FastifyRequest): string {
  return (raw.url ?? '/').split('?', 1)[0]!;
}
