// Requests of the plainest form, `GET /announce?…` and `GET /scrape?…`, from head to response. What is answered is
// decided in answers.ts; every other request is the router's. BEP 3, 48.
import { type AnnounceFailure, isFailure, parsePlainAnnounceQuery } from '@shoal/tracker-protocol';
import type { PackedReply } from '@shoal/tracker';
import type { SwarmService } from '../swarm-service.ts';
import { type Answer, answerAnnounce, answerOf, answerScrape, failure, inCompactLists } from './answers.ts';
import { PlainAnswers } from './plain-answer.ts';
import type { PlainConnectionParts } from './plain-connection.ts';
import { queryText } from './request-head.ts';
import type { SourceAddress } from './source-address.ts';
import { type RouteSettings, compressed } from './tracker-routes.ts';

export interface PlainSettings extends RouteSettings {
  readonly keepAliveMs: number;
  /** Hears of failures of our own. */
  readonly onError: ((error: unknown) => void) | undefined;
}

/** What answers plain requests, and is told which of its responses are kept. */
export function answerPlain(
  service: SwarmService,
  source: SourceAddress,
  settings: PlainSettings,
): Pick<PlainConnectionParts, 'answer' | 'onKept'> {
  const { clock, gzip, onError, scrapeLimit, traffic } = settings;
  const answers = new PlainAnswers(settings.keepAliveMs);
  const packed = (answer: Answer, keepsAlive: boolean, acceptEncoding: string | undefined): Uint8Array => {
    if (answer.failed) traffic.failures++;
    const smaller = gzip === 'smaller' ? compressed(acceptEncoding, answer) : undefined;
    return answers.success(smaller ?? answer.body, keepsAlive, smaller !== undefined);
  };
  const announce: PlainConnectionParts['answer'] = (head, remote, done) => {
    const { bytes, queryAt, queryEnd, keepsAlive, acceptEncoding, forwardedFor } = head;
    traffic.announces++;
    const request = parsePlainAnnounceQuery(bytes, queryAt, queryEnd);
    const address = request === undefined ? undefined : source.find(remote, forwardedFor, request);
    if (request?.compact !== true || address === undefined) {
      const find = source.find.bind(source, remote, forwardedFor);
      const deliver = (answer: Answer): void => done(packed(answer, keepsAlive, acceptEncoding));
      answerAnnounce(service, queryText(head), find, clock(), deliver);
      return;
    }
    service.announce(request, address, inCompactLists, clock(), (reply: PackedReply | AnnounceFailure) => {
      const isPlain = !isFailure(reply) && reply.warning === undefined;
      const response = isPlain ? answers.compact(reply, address, keepsAlive) : undefined;
      done(response ?? packed(answerOf(reply, request, address), keepsAlive, acceptEncoding));
    });
  };
  const scrape: PlainConnectionParts['answer'] = (head, _remote, done) => {
    const { keepsAlive, acceptEncoding } = head;
    traffic.scrapes++;
    answerScrape(service, queryText(head), scrapeLimit, clock(), (answer) => {
      done(packed(answer, keepsAlive, acceptEncoding));
    });
  };
  return {
    answer(head, remote, done): void {
      try {
        if (head.verb === 'announce') announce(head, remote, done);
        else scrape(head, remote, done);
      } catch (error) {
        traffic.unknown++;
        onError?.(error);
        done(answers.failure(failure('the tracker failed to answer').body, head.keepsAlive));
      }
    },
    onKept: () => answers.release(),
  };
}
