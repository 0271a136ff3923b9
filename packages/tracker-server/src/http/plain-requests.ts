// Requests of the plainest form, `GET /announce?…` and `GET /scrape?…`, from head to response. What is answered is
// decided in answers.ts; every other request is the router's. BEP 3, 48.
import type { SwarmService } from '../swarm-service.ts';
import { type Answer, answerAnnounce, answerScrape, failure } from './answers.ts';
import { PlainAnswers } from './plain-answer.ts';
import type { PlainConnectionParts } from './plain-connection.ts';
import type { SourceAddress } from './source-address.ts';
import { type RouteSettings, compressed } from './tracker-routes.ts';

export interface PlainSettings extends RouteSettings {
  readonly keepAliveMs: number;
  /** Hears of failures of our own. */
  readonly onError: ((error: unknown) => void) | undefined;
}

/** What answers plain requests. */
export function answerPlain(
  service: SwarmService,
  source: SourceAddress,
  settings: PlainSettings,
): PlainConnectionParts['answer'] {
  const { clock, gzip, onError, scrapeLimit, traffic } = settings;
  const answers = new PlainAnswers(settings.keepAliveMs);
  return ({ verb, query, keepsAlive, acceptEncoding, forwardedFor }, { remoteAddress }, done) => {
    const deliver = (answer: Answer): void => {
      if (answer.failed) traffic.failures++;
      const packed = gzip === 'smaller' ? compressed(acceptEncoding, answer) : undefined;
      done(answers.success(packed ?? answer.body, keepsAlive, packed !== undefined));
    };
    try {
      if (verb === 'announce') {
        traffic.announces++;
        answerAnnounce(service, query, source.finder(remoteAddress, forwardedFor), clock(), deliver);
      } else {
        traffic.scrapes++;
        answerScrape(service, query, scrapeLimit, clock(), deliver);
      }
    } catch (error) {
      traffic.unknown++;
      onError?.(error);
      done(answers.failure(failure('the tracker failed to answer').body, keepsAlive));
    }
  };
}
