// Scrapes over HTTP and UDP. BEP 15, 48.
import {
  type ConformanceCase,
  differs,
  fail,
  notApplicable,
  overBoth,
  overHttp,
  pass,
  passIf,
  unjudged,
} from '../conformance-case.ts';
import { answerIn, refusalIn } from '../http-probe.ts';
import { bodyDictionary } from '../http-response.ts';
import { shown } from '../swarm-reading.ts';
import { escapeAll } from './http-hashes.ts';

export const scrapeCases: readonly ConformanceCase[] = [
  {
    number: 42,
    title: 'a scrape that repeats an info-hash keeps every position (UDP) and has no key twice (HTTP)',
    transports: overBoth,
    run: async (context) => {
      const [one, other] = context.infoHashes;
      const { failure } = await context.announce(0, { infoHash: one! });
      if (failure !== undefined) return fail(`refused: ${failure}`);
      const counts = await context.scrape([one!, one!, other!, one!]);
      if (typeof counts === 'string') return notApplicable(`no scrape: ${counts}`);
      const seen = counts.map((entry) => entry?.incomplete ?? 0).join(' ');
      return passIf(seen === '1 1 0 1', `leechers ${seen}`);
    },
  },
  {
    number: 43,
    title: 'a scrape without info-hash is refused, not answered with everything',
    transports: overHttp,
    run: async (context) => {
      const { scrapePath } = context.http;
      if (scrapePath === undefined) return notApplicable('the URL has no scrape');
      const answer = refusalIn(await context.http.get(scrapePath));
      if (typeof answer === 'string') return differs(answer);
      if (answer.failure !== undefined) return pass(answer.failure);
      const files = answer.dictionary.get('files');
      return differs(`everything: ${files instanceof Map ? files.size : 0} torrents`);
    },
  },
  {
    number: 44,
    title: 'an unknown info-hash is left out (HTTP) or has zeros in its place (UDP)',
    transports: overBoth,
    run: async (context) => {
      const { failure } = await context.announce(0);
      if (failure !== undefined) return fail(`refused: ${failure}`);
      const counts = await context.scrape([context.strangeHash(0), context.infoHash]);
      if (typeof counts === 'string') return notApplicable(`no scrape: ${counts}`);
      const [strange, known] = counts;
      if (known?.incomplete !== 1) return fail(`the known torrent has ${known?.incomplete ?? 'no'} leechers`);
      const zeros = strange?.complete === 0 && strange.incomplete === 0 && strange.downloaded === 0;
      return passIf(
        strange === undefined ? context.target.transport !== 'udp' : zeros,
        strange === undefined ? 'left out' : 'zeros',
      );
    },
  },
  {
    number: 45,
    title: 'the keys of files are bytes, sorted as bytes, each once',
    transports: overHttp,
    shape: (infoHash, index) => infoHash.set([[0xff, 0x7f, 0x80, 0x00, 0xc3, 0x41][index]!]),
    run: async (context) => {
      const { http, infoHashes } = context;
      if (http.scrapePath === undefined) return notApplicable('the URL has no scrape');
      await Promise.all(infoHashes.map((infoHash) => context.announce(0, { infoHash })));
      const query = [...infoHashes, infoHashes[0]!].map((infoHash) => `info_hash=${escapeAll(infoHash)}`).join('&');
      const response = await http.get(http.withQuery(http.scrapePath, query));
      const { failure } = answerIn(response);
      if (failure !== undefined) return notApplicable(`no scrape of several: ${failure}`);
      const files = bodyDictionary(response, true).get('files');
      const names = files instanceof Map ? [...files.keys()] : [];
      const asked = new Set(infoHashes.map((infoHash) => String.fromCharCode(...infoHash)));
      if (names.some((name) => !asked.has(name))) return fail('a key is none of the info-hashes asked for');
      const size = names.length;
      return size === infoHashes.length
        ? pass(`${size} torrents`)
        : differs(`${size} of ${infoHashes.length} torrents`);
    },
  },
  {
    number: 46,
    title: 'flags.min_request_interval, where it is sent, is a number of seconds',
    transports: overHttp,
    run: async (context) => {
      const { http } = context;
      if (http.scrapePath === undefined) return notApplicable('the URL has no scrape');
      await context.announce(0);
      const { dictionary } = await http.ask(
        http.withQuery(http.scrapePath, `info_hash=${escapeAll(context.infoHash)}`),
      );
      const flags = dictionary.get('flags');
      const seconds = flags instanceof Map ? flags.get('min_request_interval') : undefined;
      if (seconds === undefined) return pass('not sent');
      return passIf(typeof seconds === 'number' && seconds >= 0, `${shown(seconds)} seconds`);
    },
  },
  unjudged(47, 'a private site’s scrape needs the passkey', 'whether a tracker is private is not seen from outside'),
];
