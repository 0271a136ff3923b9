import { MemoryStore, type PeerStore, SignalledSwarms, Tracker } from '@shoal/tracker';
import { serveHttp, serveUdp } from '@shoal/tracker-server';
import { describe, expect, test } from 'vitest';
import { type CaseResult, cases, runConformance } from '../src/index.ts';

/** Cases that nobody can judge from outside, or that need what a URL of ours does not offer. */
const unjudged = [32, 47, 64, 77];

const random = (): (() => number) => {
  let state = 1;
  return () => (state = (state * 16_807) % 2_147_483_647) / 2_147_483_647;
};

async function resultsOf(url: string, also?: string): Promise<CaseResult[]> {
  const results: CaseResult[] = [];
  const options = { timeoutMs: 10_000, ...(also === undefined ? {} : { also }) };
  for await (const result of runConformance(url, options)) results.push(result);
  return results;
}

async function serving(host: string, use: (urls: readonly string[]) => Promise<void>): Promise<void> {
  const tracker = new Tracker({ random: random(), signalling: new SignalledSwarms({ random: random() }) });
  await using http = await serveHttp(tracker, { host, port: 0, webSocket: {} });
  await using udp = await serveUdp(tracker, { host, port: 0 });
  await use([http.url, udp.url, http.url.replace('http', 'ws')]);
}

function expectConforming(results: readonly CaseResult[]): void {
  expect(results.filter(({ outcome }) => outcome !== 'pass' && outcome !== 'not-applicable')).toEqual([]);
}

describe.each(['127.0.0.1', '::1'])('our tracker at %s', (host) => {
  test('passes every case that can be judged', async () => {
    await serving(host, async (urls) => {
      const results = await Promise.all(urls.map((url) => resultsOf(url)));
      for (const found of results) expectConforming(found);
      const judged = new Set(
        results
          .flat()
          .filter(({ outcome }) => outcome !== 'not-applicable')
          .map(({ number }) => number),
      );
      expect(cases.map(({ number }) => number).filter((number) => !judged.has(number))).toEqual(unjudged);
    });
  });
});

test('a dual-stack tracker passes for IPv4 clients, and knows those that have both families', async () => {
  const tracker = new Tracker({ random: random(), signalling: new SignalledSwarms({ random: random() }) });
  await using http = await serveHttp(tracker, { host: '::', port: 0, webSocket: {} });
  await using udp = await serveUdp(tracker, { host: '::', port: 0 });
  const urls = [
    `http://127.0.0.1:${http.address.port}`,
    `udp://127.0.0.1:${udp.address.port}`,
    `ws://127.0.0.1:${http.address.port}`,
  ];
  const results = await Promise.all(urls.map((url) => resultsOf(url, '::1')));
  for (const found of results) expectConforming(found);
  const dualStack = results.map((found) => found.find(({ number }) => number === 77)?.outcome);
  expect(dualStack).toEqual(['pass', 'pass', 'not-applicable']);
});

test('a tracker that counts a client of two families twice is told so', async () => {
  const store = new MemoryStore({ random: random() });
  const forgetful: PeerStore = {
    announce: (peer, answer, now) => store.announce({ ...peer, key: 0 }, answer, now),
    counts: (infoHash) => store.counts(infoHash),
    expire: (before, limit) => store.expire(before, limit),
    get oldest() {
      return store.oldest;
    },
    get totals() {
      return store.totals;
    },
  };
  const tracker = new Tracker({ random: random(), store: forgetful });
  await using http = await serveHttp(tracker, { host: '::', port: 0 });
  const results = await resultsOf(`http://127.0.0.1:${http.address.port}`, '::1');
  expect(results.filter(({ outcome }) => outcome === 'differs')).toMatchObject([{ number: 77 }, { number: 78 }]);
});

test('an address that is not of the other family is refused', async () => {
  await expect(resultsOf('http://127.0.0.1:1', '127.0.0.2')).rejects.toThrow(RangeError);
});

test('the numbers 1 to 70 are all there, once', () => {
  const numbers = cases.map(({ number }) => number);
  expect(numbers).toEqual(Array.from({ length: cases.length }, (_, index) => index + 1));
  expect(numbers.length).toBeGreaterThanOrEqual(70);
});
