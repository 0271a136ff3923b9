// What later BEPs add to announces and scrapes. A tracker without them is a tracker all the same: `differs`.
import { randomBytes } from 'node:crypto';
import { formatIp } from '@shoal/tracker-protocol';
import type { CaseContext } from '../case-context.ts';
import {
  type ConformanceCase,
  differs,
  fail,
  notApplicable,
  overBoth,
  overHttp,
  pass,
  passIf,
} from '../conformance-case.ts';
import { ConformanceError } from '../errors.ts';
import { type HttpAnswer, answerIn, refusalIn } from '../http-probe.ts';
import { shown, textOf } from '../swarm-reading.ts';
import { escapeAll, parameters } from './http-hashes.ts';

export const extensionCases: readonly ConformanceCase[] = [
  {
    number: 71,
    title: 'external ip tells the announcer its address (BEP 24)',
    transports: overHttp,
    run: async (context) => {
      const { http } = context;
      const { responses, localAddress } = await http.exchange(
        http.request(http.announceTarget(parameters(context, 0))),
      );
      if (responses[0] === undefined) return fail('no answer');
      const address = answerIn(responses[0]).dictionary.get('external ip');
      if (address === undefined) return differs('not sent');
      if (!(address instanceof Uint8Array) || (address.length !== 4 && address.length !== 16))
        return fail('not 4 or 16 bytes');
      const ip = formatIp(address);
      // Behind a translator the tracker knows better; on loopback there is none.
      return passIf(ip === localAddress || !/^(?:127\.|::1$)/.test(localAddress ?? ''), ip);
    },
  },
  {
    number: 72,
    title: 'a refusal says when to try again (BEP 31)',
    transports: overHttp,
    run: async (context) => {
      const refusal = await refused(context);
      if (typeof refusal === 'string') return differs(refusal);
      const { dictionary, failure } = refusal;
      if (failure === undefined) return fail('not refused');
      const retry = dictionary.get('retry in');
      if (retry === undefined) return differs('no "retry in"');
      return passIf(typeof retry === 'number' ? retry >= 0 : textOf(retry) === 'never', `retry in ${shown(retry)}`);
    },
  },
  {
    number: 73,
    title: 'a scrape counts partial seeds apart (BEP 21)',
    transports: overHttp,
    run: async (context) => {
      const { http } = context;
      if (http.scrapePath === undefined) return notApplicable('the URL has no scrape');
      await http.announce({ ...parameters(context, 0), event: 'paused' });
      await context.announce(1);
      const { dictionary } = await http.ask(
        http.withQuery(http.scrapePath, `info_hash=${escapeAll(context.infoHash)}`),
      );
      const files = dictionary.get('files');
      const entry = files instanceof Map ? files.get(String.fromCharCode(...context.infoHash)) : undefined;
      const downloaders = entry instanceof Map ? entry.get('downloaders') : undefined;
      return downloaders === undefined
        ? differs('no "downloaders"')
        : passIf(downloaders === 1, `downloaders ${shown(downloaders)}`);
    },
  },
  {
    number: 74,
    title: 'a tracker id is given and taken back',
    transports: overHttp,
    run: async (context) => {
      const { dictionary } = await context.http.announce(parameters(context, 0));
      const id = dictionary.get('tracker id');
      if (!(id instanceof Uint8Array)) return differs('not given');
      const { failure } = await context.http.announce({ ...parameters(context, 0), trackerid: escapeAll(id) });
      return passIf(failure === undefined, failure ?? 'given and taken');
    },
  },
  {
    number: 75,
    title: 'min interval says how soon an announce is too soon',
    transports: overHttp,
    run: async (context) => {
      const { dictionary } = await context.http.announce(parameters(context, 0));
      const [least, interval] = [dictionary.get('min interval'), dictionary.get('interval')];
      if (least === undefined) return differs('not sent');
      return passIf(
        typeof least === 'number' && typeof interval === 'number' && least <= interval,
        `${shown(least)} of ${shown(interval)} seconds`,
      );
    },
  },
  {
    number: 76,
    title: 'peers that were given already are left out for who asks (last, num peers)',
    transports: overHttp,
    run: async (context) => {
      await context.announce(0);
      const first = await context.http.announce({ ...parameters(context, 1), last: 0 });
      const mark = first.dictionary.get('last');
      if (mark === undefined) return differs('no "last"');
      const count = first.dictionary.get('num peers');
      if (count !== 1) return fail(`num peers ${shown(count)} of 1`);
      const again = { ...parameters(context, 1), last: shown(mark) };
      const { length } = peersOf(await context.http.announce(again));
      if (length > 0) return fail(`${length} bytes of peers the second time`);
      await context.announce(2);
      const news = peersOf(await context.http.announce(again));
      const { port } = context.peer(2);
      const bytes = context.target.family === 4 ? 6 : 18;
      const isIt = news.length === bytes && news.at(-2) === port >> 8 && news.at(-1) === (port & 0xff);
      return passIf(isIt, 'only who joined since');
    },
  },
  {
    number: 77,
    title: 'a peer of two families is one peer with two addresses (BEP 7)',
    transports: overBoth,
    run: async (context) => {
      const other = context.overOtherFamily();
      if (other === undefined) return notApplicable('no address of the other family is known');
      const key = 0x5ea1_ab1e;
      try {
        await other.announce(0, { key });
      } catch (error) {
        if (!(error instanceof ConformanceError)) throw error;
        return notApplicable(`nobody answers at the other address: ${error.message}`);
      }
      await context.announce(0, { key });
      const { incomplete } = await context.announce(1);
      if (incomplete !== 2) return differs(`${incomplete} leechers of 2`);
      await other.announce(0, { key, event: 'stopped' });
      const { incomplete: left, ports } = await context.announce(1);
      return passIf(
        left === 2 && ports.includes(context.peer(0).port),
        `${left} leechers after a goodbye over one family`,
      );
    },
  },
  {
    number: 78,
    title: 'WebTorrent peers may connect: the announce path takes a WebSocket upgrade',
    transports: overHttp,
    run: async (context) => {
      const { http } = context;
      const headers = {
        Connection: 'Upgrade',
        Upgrade: 'websocket',
        'Sec-WebSocket-Version': 13,
        'Sec-WebSocket-Key': randomBytes(16).toString('base64'),
      };
      const { status } = await http.get(http.path, headers);
      return status === 101 ? pass('upgraded') : differs(`status ${status}`);
    },
  },
  {
    number: 79,
    title: 'a refusal carries an interval, for clients that would be back at once',
    transports: overHttp,
    run: async (context) => {
      const refusal = await refused(context);
      if (typeof refusal === 'string') return differs(refusal);
      const { dictionary, failure } = refusal;
      if (failure === undefined) return fail('not refused');
      const interval = dictionary.get('interval');
      return interval === undefined
        ? differs('no "interval"')
        : passIf(typeof interval === 'number', `interval ${shown(interval)}`);
    },
  },
];

function peersOf({ dictionary }: HttpAnswer): Uint8Array {
  const peers = dictionary.get('peers');
  const peers6 = dictionary.get('peers6');
  if (!(peers instanceof Uint8Array)) return new Uint8Array(1);
  return peers6 instanceof Uint8Array ? Buffer.concat([peers, peers6]) : peers;
}

async function refused({ http }: CaseContext): Promise<HttpAnswer | string> {
  return refusalIn(await http.get(http.announceTarget({ info_hash: 'short' })));
}
