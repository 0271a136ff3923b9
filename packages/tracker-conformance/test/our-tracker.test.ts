import { SignalledSwarms, Tracker } from '@shoal/tracker';
import { serveHttp, serveUdp } from '@shoal/tracker-server';
import { describe, expect, test } from 'vitest';
import { type CaseResult, cases, runConformance } from '../src/index.ts';

/** What our tracker does not do yet. A case that passes although it is here fails the test. */
const notYet: ReadonlyMap<number, string> = new Map([
  [72, 'no retry in (BEP 31)'],
  [73, 'no downloaders (BEP 21)'],
  [74, 'no tracker id'],
  [75, 'no min interval by default'],
  [76, 'no incremental lists'],
  [79, 'no interval in refusals of requests that are none'],
]);

/** Cases that nobody can judge from outside, or that need what a URL of ours does not offer. */
const unjudged = [32, 47, 64, 77];

const random = (): (() => number) => {
  let state = 1;
  return () => (state = (state * 16_807) % 2_147_483_647) / 2_147_483_647;
};

async function resultsOf(url: string): Promise<CaseResult[]> {
  const results: CaseResult[] = [];
  for await (const result of runConformance(url, { timeoutMs: 10_000 })) results.push(result);
  return results;
}

async function serving(host: string, use: (urls: readonly string[]) => Promise<void>): Promise<void> {
  const tracker = new Tracker({ random: random(), signalling: new SignalledSwarms({ random: random() }) });
  await using http = await serveHttp(tracker, { host, port: 0, webSocket: {} });
  await using udp = await serveUdp(tracker, { host, port: 0 });
  await use([http.url, udp.url, http.url.replace('http', 'ws')]);
}

function expectConforming(results: readonly CaseResult[]): void {
  const judged = results.filter(({ outcome }) => outcome !== 'not-applicable');
  const other = judged.filter(({ outcome, number }) => outcome !== 'pass' && !notYet.has(number));
  expect(other).toEqual([]);
  expect(judged.filter(({ outcome, number }) => outcome === 'pass' && notYet.has(number))).toEqual([]);
}

describe.each(['127.0.0.1', '::1'])('our tracker at %s', (host) => {
  test('passes every case but the named ones, and those do not pass yet', async () => {
    await serving(host, async (urls) => {
      const results = await Promise.all(urls.map(resultsOf));
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

test('a dual-stack tracker passes for IPv4 clients', async () => {
  const tracker = new Tracker({ random: random(), signalling: new SignalledSwarms({ random: random() }) });
  await using http = await serveHttp(tracker, { host: '::', port: 0, webSocket: {} });
  await using udp = await serveUdp(tracker, { host: '::', port: 0 });
  const urls = [
    `http://127.0.0.1:${http.address.port}`,
    `udp://127.0.0.1:${udp.address.port}`,
    `ws://127.0.0.1:${http.address.port}`,
  ];
  for (const found of await Promise.all(urls.map(resultsOf))) expectConforming(found);
});

test('every not-yet case is a case, and the numbers 1 to 70 are all there, once', () => {
  const numbers = cases.map(({ number }) => number);
  expect(numbers).toEqual(Array.from({ length: cases.length }, (_, index) => index + 1));
  expect(numbers.length).toBeGreaterThanOrEqual(70);
  expect([...notYet.keys()].filter((number) => !numbers.includes(number))).toEqual([]);
});
