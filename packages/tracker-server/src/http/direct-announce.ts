// Announces of the plainest form, `GET /announce?…`, answered without the router, which would cost as much as all the
// rest of them. Every other request is the router's; what is answered is decided in answers.ts. BEP 3.
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { SwarmService } from '../swarm-service.ts';
import { type Answer, answerAnnounce, failure } from './answers.ts';
import type { SourceAddress } from './source-address.ts';
import { type RouteSettings, compressed, finderOf } from './tracker-routes.ts';

/** Answers a request; false leaves it to the router, as though nothing had been asked. */
export type DirectAnswer = (request: IncomingMessage, response: ServerResponse) => boolean;

export interface DirectSettings extends RouteSettings {
  /** Hears of failures of our own. */
  readonly onError: ((error: unknown) => void) | undefined;
}

/** Answers announces to `/announce`. */
export function directAnnounce(service: SwarmService, source: SourceAddress, settings: DirectSettings): DirectAnswer {
  const { clock, gzip, onError, traffic } = settings;
  const deliver = (request: IncomingMessage, response: ServerResponse, answer: Answer): void => {
    if (answer.failed) traffic.failures++;
    const packed = gzip === 'smaller' ? compressed(request, answer) : undefined;
    send(response, 200, packed ?? answer.body, packed === undefined ? [] : ['content-encoding', 'gzip']);
  };
  return (request, response) => {
    const { url = '' } = request;
    if (request.method !== 'GET' || !url.startsWith(prefix) || hasBody(request)) return false;
    traffic.announces++;
    try {
      answerAnnounce(service, url.slice(prefix.length), finderOf(source, request), clock(), (answer) =>
        deliver(request, response, answer),
      );
    } catch (error) {
      traffic.unknown++;
      onError?.(error);
      send(response, 500, failure('the tracker failed to answer').body, []);
    }
    return true;
  };
}

const prefix = '/announce?';

/** Bodies have limits, which are the router's. */
function hasBody({ headers }: IncomingMessage): boolean {
  return headers['content-length'] !== undefined || headers['transfer-encoding'] !== undefined;
}

function send(response: ServerResponse, status: number, body: Uint8Array, more: readonly string[]): void {
  const length = String(body.length);
  response.writeHead(status, ['content-type', 'text/plain', 'pragma', 'no-cache', ...more, 'content-length', length]);
  // As text it leaves in one write with its head; bytes would be a part of their own, which costs twice as much.
  response.end(Buffer.from(body.buffer, body.byteOffset, body.length).toString('latin1'), 'latin1');
}
