// The paths of announce and scrape. The query is taken from the raw target, because every decoder that thinks in
// UTF-8 destroys info-hashes. BEP 3, 48.
import type { IncomingMessage } from 'node:http';
import { promisify } from 'node:util';
import { constants, gzip as gzipInPool, gzipSync } from 'node:zlib';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { SwarmService } from '../swarm-service.ts';
import type { HttpTraffic } from '../traffic.ts';
import { encodeAnnounceFailure } from '@shoal/tracker-protocol';
import { type Answer, type FindSource, answerAnnounce, answerScrape } from './answers.ts';
import type { FullScrapes } from './full-scrape.ts';
import { namesTorrents } from './request-head.ts';
import type { SourceAddress } from './source-address.ts';

export interface RouteSettings {
  readonly gzip: 'smaller' | 'off';
  readonly scrapeLimit: number;
  readonly clock: () => number;
  readonly traffic: HttpTraffic;
}

/**
 * Adds announce and scrape under every path that trackers are known by; `fullScrapes` answers scrapes that name no
 * torrents, which are refused while it is off.
 */
export function addTrackerRoutes(
  app: FastifyInstance,
  service: SwarmService,
  source: SourceAddress,
  settings: RouteSettings,
  fullScrapes: FullScrapes,
): void {
  const { gzip, scrapeLimit, clock, traffic } = settings;
  const send = (request: FastifyRequest, reply: FastifyReply, answer: Answer): void => {
    if (answer.failed) traffic.failures++;
    // Not `reply.type`, which would add a charset: the body is bytes.
    reply.header('content-type', 'text/plain').header('pragma', 'no-cache');
    const packed = gzip === 'smaller' ? compressed(request.headers['accept-encoding'], answer) : undefined;
    if (packed !== undefined) reply.header('content-encoding', 'gzip');
    void reply.send(packed ?? answer.body);
  };
  const announce = (request: FastifyRequest, reply: FastifyReply): void => {
    traffic.announces++;
    const { raw } = request;
    answerAnnounce(service, rawQuery(raw), finderOf(source, raw), clock(), (answer) => send(request, reply, answer));
  };
  const scrape = (request: FastifyRequest, reply: FastifyReply): void => {
    traffic.scrapes++;
    answerScrape(service, rawQuery(request.raw), scrapeLimit, clock(), (answer) => send(request, reply, answer));
  };
  const scrapeAll = async (request: FastifyRequest, reply: FastifyReply): Promise<void> => {
    traffic.scrapes++;
    const found = await fullScrapes.answer(reply.raw);
    if (!(found instanceof Uint8Array)) {
      send(request, reply, { body: encodeAnnounceFailure(found), compressible: false, failed: true });
      return;
    }
    reply.header('content-type', 'text/plain').header('pragma', 'no-cache');
    const packed =
      gzip === 'smaller' && acceptsGzip(request.headers['accept-encoding'] ?? '')
        ? await gzipLater(found, { level: constants.Z_BEST_SPEED })
        : found;
    if (packed.length < found.length) reply.header('content-encoding', 'gzip').send(packed);
    else reply.send(found);
  };
  const scrapeAny = (request: FastifyRequest, reply: FastifyReply): Promise<void> | void =>
    fullScrapes.limit === 'off' || namesTorrents(rawQuery(request.raw))
      ? scrape(request, reply)
      : scrapeAll(request, reply);
  for (const path of pathsOf('announce')) app.get(path, announce);
  // Clients find the scrape by replacing the last `announce` of the announce URL (BEP 48).
  for (const path of pathsOf('scrape')) app.get(path, scrapeAny);
}

/** Of megabytes, away from this thread. */
const gzipLater = promisify(gzipInPool);

/** With a key before or behind, as sites with passkeys write it, and with the ending of the oldest trackers. */
function pathsOf(verb: string): string[] {
  return [`/${verb}`, `/${verb}.php`, `/:key/${verb}`, `/:key/${verb}.php`, `/${verb}/:key`];
}

/** What finds the address that a request speaks for. */
export function finderOf(source: SourceAddress, { headers, socket }: IncomingMessage): FindSource {
  const forwarded = headers['x-forwarded-for'];
  return source.finder(socket.remoteAddress, Array.isArray(forwarded) ? forwarded.join(',') : forwarded);
}

function rawQuery(request: IncomingMessage): string {
  const target = request.url ?? '';
  const mark = target.indexOf('?');
  return mark < 0 ? '' : target.slice(mark + 1);
}

/** The body compressed, where its reader accepts that and it gets smaller. */
export function compressed(acceptEncoding: string | undefined, { body, compressible }: Answer): Uint8Array | undefined {
  if (!compressible || acceptEncoding === undefined || !acceptsGzip(acceptEncoding)) return undefined;
  const packed = gzipSync(body);
  return packed.length < body.length ? packed : undefined;
}

function acceptsGzip(acceptEncoding: string): boolean {
  return acceptEncoding.split(',').some((coding) => /^\s*(?:x-)?gzip\s*(?:;\s*q=(?:1|0?\.\d*[1-9]).*)?$/i.test(coding));
}
