// The paths of announce and scrape. The query is taken from the raw target, because every decoder that thinks in
// UTF-8 destroys info-hashes. BEP 3, 48.
import { gzipSync } from 'node:zlib';
import type { Tracker } from '@shoal/tracker';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { HttpTraffic } from '../traffic.ts';
import { type Answer, answerAnnounce, answerScrape } from './answers.ts';
import type { SourceAddress } from './source-address.ts';

export interface RouteSettings {
  readonly gzip: 'smaller' | 'off';
  readonly scrapeLimit: number;
  readonly clock: () => number;
  readonly traffic: HttpTraffic;
}

/** Adds announce and scrape under every path that trackers are known by. */
export function addTrackerRoutes(
  app: FastifyInstance,
  tracker: Tracker,
  source: SourceAddress,
  settings: RouteSettings,
): void {
  const { gzip, scrapeLimit, clock, traffic } = settings;
  const send = (request: FastifyRequest, reply: FastifyReply, answer: Answer): FastifyReply => {
    if (answer.failed) traffic.failures++;
    // Not `reply.type`, which would add a charset: the body is bytes.
    reply.header('content-type', 'text/plain').header('pragma', 'no-cache');
    const packed =
      gzip === 'smaller' && answer.compressible && acceptsGzip(request) ? gzipSync(answer.body) : undefined;
    if (packed === undefined || packed.length >= answer.body.length) return reply.send(answer.body);
    return reply.header('content-encoding', 'gzip').send(packed);
  };
  const announce = (request: FastifyRequest, reply: FastifyReply): FastifyReply => {
    traffic.announces++;
    const forwarded = request.headers['x-forwarded-for'];
    const findSource = source.finder(
      request.raw.socket.remoteAddress,
      Array.isArray(forwarded) ? forwarded.join(',') : forwarded,
    );
    return send(request, reply, answerAnnounce(tracker, rawQuery(request), findSource, clock()));
  };
  const scrape = (request: FastifyRequest, reply: FastifyReply): FastifyReply => {
    traffic.scrapes++;
    return send(request, reply, answerScrape(tracker, rawQuery(request), scrapeLimit, clock()));
  };
  for (const path of pathsOf('announce')) app.get(path, announce);
  // Clients find the scrape by replacing the last `announce` of the announce URL (BEP 48).
  for (const path of pathsOf('scrape')) app.get(path, scrape);
}

/** With a key before or behind, as sites with passkeys write it, and with the ending of the oldest trackers. */
function pathsOf(verb: string): string[] {
  return [`/${verb}`, `/${verb}.php`, `/:key/${verb}`, `/:key/${verb}.php`, `/${verb}/:key`];
}

function rawQuery({ raw }: FastifyRequest): string {
  const target = raw.url ?? '';
  const mark = target.indexOf('?');
  return mark < 0 ? '' : target.slice(mark + 1);
}

function acceptsGzip({ headers }: FastifyRequest): boolean {
  return (headers['accept-encoding'] ?? '')
    .split(',')
    .some((coding) => /^\s*(?:x-)?gzip\s*(?:;\s*q=(?:1|0?\.\d*[1-9]).*)?$/i.test(coding));
}
