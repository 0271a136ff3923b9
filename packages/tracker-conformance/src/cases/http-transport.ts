// HTTP itself: paths, methods, versions, headers, connections. BEP 3, RFC 9110, 9112.
import type { CaseContext } from '../case-context.ts';
import {
  type ConformanceCase,
  type Verdict,
  differs,
  fail,
  notApplicable,
  overHttp,
  pass,
  passIf,
  worst,
} from '../conformance-case.ts';
import { answerIn, refusalIn } from '../http-probe.ts';
import { bodyDictionary, plainBody } from '../http-response.ts';
import { escapeAll, parameters } from './http-hashes.ts';

export const httpTransportCases: readonly ConformanceCase[] = [
  {
    number: 31,
    title: 'announces are taken under every path that trackers are known by',
    transports: overHttp,
    run: async (context) => {
      if (!context.http.path.endsWith('/announce'))
        return notApplicable('the path of the URL does not end in /announce');
      const stem = context.http.path.slice(0, -'announce'.length);
      const key = '0123456789abcdef0123456789abcdef';
      const paths = ['announce/', 'announce.php', `${key}/announce`, `announce/${key}`, '/announce', 'ANNOUNCE'];
      const verdicts = await Promise.all(paths.map((path) => takenAt(context, stem + path)));
      const other = verdicts.filter(({ outcome }) => outcome !== 'pass');
      return other.length === 0
        ? pass(paths.join(' '))
        : { outcome: worst(other).outcome, seen: other.map(({ seen }) => seen).join('; ') };
    },
  },
  {
    number: 33,
    title: 'a refusal has status 200 and a failure reason',
    transports: overHttp,
    run: async (context) => {
      const { http } = context;
      const refusal = refusalIn(await http.get(http.announceTarget({ ...parameters(context, 0), info_hash: 'short' })));
      if (typeof refusal === 'string') return differs(refusal);
      const { response, failure } = refusal;
      if (failure === undefined) return fail('not refused');
      return response.status === 200 ? pass(failure) : differs(`status ${response.status}: ${failure}`);
    },
  },
  {
    number: 34,
    title: 'keys are sorted in every answer',
    transports: overHttp,
    run: async (context) => {
      const { http } = context;
      const usual = parameters(context, 0);
      const targets = [usual, { ...usual, compact: 0 }, { ...usual, info_hash: 'short' }].map((given) =>
        http.announceTarget(given),
      );
      if (http.scrapePath !== undefined)
        targets.push(http.withQuery(http.scrapePath, `info_hash=${usual['info_hash']}`));
      const responses = await Promise.all(targets.map((target) => http.get(target)));
      // A page that is shown for a status of its own is no answer in bencode.
      const judged = responses.filter(({ status }) => status === 200);
      for (const response of judged) bodyDictionary(response, true);
      return passIf(judged.length > 0, `${judged.length} answers in canonical form`);
    },
  },
  {
    number: 35,
    title: 'answers are text/plain with a Content-Length, unchunked, without cookies',
    transports: overHttp,
    run: async (context) => {
      const { headers } = (await context.http.announce(parameters(context, 0))).response;
      if (headers.has('set-cookie')) return fail('it sets a cookie');
      if (headers.has('transfer-encoding')) return fail(`Transfer-Encoding: ${headers.get('transfer-encoding')}`);
      if (!headers.has('content-length')) return differs('no Content-Length');
      const type = headers.get('content-type');
      return type === 'text/plain' ? pass(type) : differs(`Content-Type: ${type ?? 'none'}`);
    },
  },
  {
    number: 36,
    title: 'HTTP/1.0 without Host is answered, then the connection is closed',
    transports: overHttp,
    run: async (context) => {
      const text = `GET ${context.http.announceTarget(parameters(context, 0))} HTTP/1.0\r\n\r\n`;
      const { responses, closed } = await context.http.exchange(text, 1, true);
      if (responses[0] === undefined) return fail('no answer');
      const { failure } = answerIn(responses[0]);
      if (failure !== undefined) return fail(`refused: ${failure}`);
      return passIf(closed, closed ? 'answered and closed' : 'the connection stays open');
    },
  },
  {
    number: 37,
    title: 'a connection is kept, and pipelined requests are answered in order',
    transports: overHttp,
    run: async (context) => {
      const { http } = context;
      const request = (index: number, connection: string): string => {
        const infoHash = escapeAll(context.infoHashes[index]!);
        return http.request(http.announceTarget({ ...parameters(context, 0, infoHash), left: index === 0 ? 0 : 5 }), {
          Connection: connection,
        });
      };
      const { responses, closed } = await http.exchange(request(0, 'keep-alive') + request(1, 'close'), 2);
      const [first, second] = responses.map((response) => answerIn(response).dictionary.get('complete'));
      if (responses.length === 0) return fail('no answer');
      if (responses.length === 1)
        return differs(closed ? 'closed after the first answer' : 'the second request was not answered');
      return passIf(first === 1 && second === 0, 'two answers');
    },
  },
  {
    number: 38,
    title: 'HEAD, POST and OPTIONS register nobody',
    transports: overHttp,
    run: async (context) => {
      const target = context.http.announceTarget(parameters(context, 0));
      const statuses = await Promise.all(
        ['HEAD', 'POST', 'OPTIONS'].map(async (method) => {
          const { responses } = await context.http.exchange(
            context.http.request(target, { 'Content-Length': 0 }, method),
            1,
          );
          return `${method} ${responses[0]?.status ?? 'none'}`;
        }),
      );
      const { incomplete, ports } = await context.announce(1);
      const registered = incomplete !== 1 || ports.includes(context.peer(0).port);
      return passIf(!registered, statuses.join(', '));
    },
  },
  {
    number: 39,
    title: 'no answer is made larger by compressing it',
    transports: overHttp,
    run: async (context) => {
      const { response } = await context.http.announce(parameters(context, 0), { 'Accept-Encoding': 'gzip, deflate' });
      const plain = plainBody(response).length;
      const coding = response.headers.get('content-encoding') ?? 'identity';
      return passIf(
        coding === 'identity' || response.body.length < plain,
        `${coding}, ${plain} bytes in ${response.body.length}`,
      );
    },
  },
  {
    number: 40,
    title: 'a request line of 9 KB is answered, if only with a refusal',
    transports: overHttp,
    run: async (context) => {
      const { http } = context;
      if (http.scrapePath === undefined) return notApplicable('the URL has no scrape');
      const query = Array.from(
        { length: 130 },
        (_, index) => `info_hash=${escapeAll(context.strangeHash(index))}`,
      ).join('&');
      const { status } = await http.get(http.withQuery(http.scrapePath, query));
      return pass(`status ${status}`);
    },
  },
];

async function takenAt(context: CaseContext, path: string): Promise<Verdict> {
  const { http } = context;
  const answer = refusalIn(await http.get(http.announceTarget(parameters(context, 0), path)));
  if (typeof answer === 'string') return differs(`${path}: ${answer}`);
  return answer.failure === undefined ? pass(path) : differs(`${path}: ${answer.failure}`);
}
