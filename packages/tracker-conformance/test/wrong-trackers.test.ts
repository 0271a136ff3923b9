import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { type CaseResult, cases } from '../src/index.ts';
import type { WebSocket } from 'ws';
import { type WrongTracker, httpTracker, ok, resultsOf, udpTracker, webSocketTracker } from './support.ts';

const forgedPeer = '\xcb\x00\x71\x07\x4e\x21';
const mappedPeer = `${'\0'.repeat(10)}\xff\xff\x7f\0\0\x01\x4e\x21`;

/** An announce reply with chosen peers and one seed too many. */
const reply = (peers: string, more = ''): string =>
  `d8:completei1e10:incompletei7e8:intervali1800e5:peers${peers.length}:${peers}${more}e`;

const isScrape = (head: string): boolean => head.startsWith('GET /scrape');

/** The info-hashes of a scrape in the order asked, as latin1 text. */
const hashesIn = (head: string): string[] =>
  [...head.matchAll(/info_hash=((?:%..|[^&% ])+)/g)].map(([, escaped]) =>
    escaped!.replace(/%(..)/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16))),
  );

/** Who is silent to some requests is waited for; the others answer, for which there is time on any machine. */
const silentAtTimes: ReadonlySet<string> = new Set([
  'an open connection',
  'large errors with another id',
  'answers from another port',
  'everything to everybody',
  'a leecher too many',
  'answers that are no JSON',
  'changed offers',
]);

function patienceMs(name: string): number {
  return silentAtTimes.has(name) ? 2000 : 20_000;
}

/** Trackers whose every answer is wrong in another way. */
const wrongTrackers: readonly [string, () => Promise<WrongTracker>][] = [
  ['one answer for all', () => httpTracker(() => ok(reply('')))],
  ['a refusal of everything', () => httpTracker(() => ok('d14:failure reason2:noe'))],
  ['forged peers', () => httpTracker(() => ok(reply(forgedPeer)))],
  ['peers of another port', () => httpTracker(() => ok(reply('\x0a\0\0\x01\x4e\x21')))],
  ['mapped peers', () => httpTracker(() => ok(reply('\x7f\0\0\x01\x4e\x21', `6:peers618:${mappedPeer}`)))],
  ['all peers of the first case', () => httpTracker(() => ok(reply('\x7f\0\0\x01\x4e\x21\x7f\0\0\x01\x4e\x22')))],
  ['no peers key', () => httpTracker(() => ok('d8:intervali1800ee'))],
  ['unsorted keys', () => httpTracker(() => ok('d5:peers0:8:intervali1800ee', 'Set-Cookie: a=b\r\n'))],
  ['an open connection', () => httpTracker(() => ok(reply('')), true)],
  [
    'gzip that makes it larger',
    () =>
      httpTracker(() =>
        ok(gzipSync(Buffer.from(reply(''), 'latin1')).toString('latin1'), 'Content-Encoding: gzip\r\n'),
      ),
  ],
  ['a page', () => httpTracker(() => 'HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\n\r\n<b/>')],
  [
    'wrong extensions',
    () =>
      httpTracker((head) =>
        isScrape(head)
          ? ok(
              `d5:filesd${hashesIn(head)
                .map((hash) => `20:${hash}d8:completei0e10:downloadedi0e11:downloadersi9e10:incompletei2ee`)
                .join('')}e5:flagsd20:min_request_intervali-5eee`,
            )
          : head.includes('=short')
            ? ok('d14:failure reason2:no8:interval4:soon8:retry in4:soone')
            : head.includes('trackerid=')
              ? ok('d14:failure reason2:noe')
              : ok(
                  'd11:external ip3:abc8:intervali1800e4:last1:a12:min intervali9999e5:peers6:aaaaaa10:tracker id1:xe',
                ),
      ),
  ],
  ['one answer for all over UDP', () => udpTracker((packet) => udpReply(packet, Buffer.from(forgedPeer, 'latin1')))],
  ['fragments of peers', () => udpTracker((packet) => udpReply(packet, Buffer.alloc(1207, 1), 300))],
  ['large errors with another id', () => udpTracker((packet) => udpError(packet, 300))],
  [
    'an error for every second request',
    () =>
      udpTracker((packet) =>
        packet.length < 12 || packet.readUInt32BE(8) === 0 ? udpReply(packet) : udpError(packet, 0),
      ),
  ],
  [
    'errors with transaction id 0',
    () =>
      udpTracker((packet) =>
        [0x417, 0x0707_0707].includes(packet.length < 16 ? 0 : packet.readUInt32BE(0))
          ? udpReply(packet)
          : udpError(packet, 4),
      ),
  ],
  ['answers from another port', () => udpTracker((packet) => udpReply(packet), true)],
  ['everything to everybody', () => webSocketTracker(relayToAll)],
  ['a leecher too many', () => webSocketTracker((text, from) => from.send(signalReply(text, 2)))],
  ['answers that are no JSON', () => webSocketTracker((_, from) => from.send('{'))],
  ['changed offers', () => webSocketTracker((text, from, all) => relayToAll(text.replaceAll('quoted', ''), from, all))],
];

/** Takes everything, passes every offer and answer to everybody, and forgets nobody. */
function relayToAll(text: string, from: WebSocket, all: readonly WebSocket[]): void {
  from.send(signalReply(text, 1));
  const { offers, answer, ...ids } = fieldsOf(text);
  const { action, info_hash, peer_id, offer_id } = ids;
  const signals = Array.isArray(offers) ? (offers as object[]) : answer === undefined ? [] : [{ answer, offer_id }];
  for (const signal of signals) {
    for (const socket of all) socket.send(JSON.stringify({ action, info_hash, peer_id, ...signal }));
  }
}

/** An answer to anything, always of one seeder. */
function signalReply(text: string, incomplete: number): string {
  const { action, info_hash } = fieldsOf(text);
  const all = { complete: 1, incomplete, downloaded: 0 };
  if (action !== 'scrape') return JSON.stringify({ action: 'announce', info_hash, interval: 120, ...all });
  const infoHashes = (Array.isArray(info_hash) ? info_hash : []) as string[];
  return JSON.stringify({ action, files: Object.fromEntries(infoHashes.map((infoHash) => [infoHash, all])) });
}

/** The fields of a message; what is no message stands for an announce of nothing in particular. */
function fieldsOf(text: string): Readonly<Record<string, unknown>> {
  try {
    return { info_hash: 'x'.repeat(20), ...(JSON.parse(text) as Record<string, unknown>) };
  } catch {
    return { info_hash: 'x'.repeat(20) };
  }
}

/** A tracker that never checks anything: a constant id, everything taken. */
function udpReply(packet: Buffer, peers = Buffer.alloc(0), leechers = 7): Buffer {
  const number = packet.length >= 12 ? packet.readUInt32BE(8) : 0;
  const body =
    number === 1
      ? Buffer.concat([words(1800, leechers, 1), peers])
      : number === 2
        ? words(1, 1)
        : Buffer.alloc(number > 2 ? 0 : 24, 7);
  return Buffer.concat([words(Math.min(number, 2)), transaction(packet), body]);
}

function udpError(packet: Buffer, padding: number): Buffer {
  return Buffer.concat([words(3), padding > 0 ? words(0) : transaction(packet), Buffer.alloc(padding, 'x')]);
}

function transaction(packet: Buffer): Buffer {
  return packet.length >= 16 ? packet.subarray(12, 16) : words(0);
}

function words(...values: readonly number[]): Buffer {
  const bytes = Buffer.alloc(4 * values.length);
  for (const [index, value] of values.entries()) bytes.writeUInt32BE(value, 4 * index);
  return bytes;
}

describe('trackers that are wrong on purpose', () => {
  test('every case that can be judged finds a tracker that does not pass it', async () => {
    const caught = new Set<number>();
    const different = new Set<number>();
    const judgedOf = async ([name, start]: (typeof wrongTrackers)[number]): Promise<CaseResult[]> => {
      await using tracker = await start();
      return await resultsOf(tracker.url, { timeoutMs: patienceMs(name), concurrency: 64 });
    };
    const runs: CaseResult[][] = [];
    // One after another: they compete for the machine. The others are waited for most of the time.
    for (const wrong of wrongTrackers) if (!silentAtTimes.has(wrong[0])) runs.push(await judgedOf(wrong));
    runs.push(...(await Promise.all(wrongTrackers.filter(([name]) => silentAtTimes.has(name)).map(judgedOf))));
    for (const results of runs) {
      for (const { number, outcome, seen } of results) {
        if (outcome === 'differs') different.add(number);
        // A tracker that does not answer fails everything: that shows nothing about a case's own judgement.
        if (
          outcome === 'fail' &&
          !/^(?:no answer|refused:|status 404|the connection (?:failed|was)|no message)/.test(seen)
        )
          caught.add(number);
      }
    }
    const judged = cases.filter(({ transports }) => transports.length > 0).map(({ number }) => number);
    // What these do at worst is to differ.
    const atWorstDifferent = [11, 23, 25, 26, 31, 43, 59, 78, 80, 81];
    expect(atWorstDifferent.filter((number) => !different.has(number))).toEqual([]);
    // One that needs both families is failed in our-tracker.test.ts.
    const elsewhere = [77];
    // To refuse, or to say nothing, is what is wrong here.
    const byRefusal = [7, 15, 20, 40];
    expect(
      judged.filter(
        (number) => !caught.has(number) && ![...atWorstDifferent, ...byRefusal, ...elsewhere].includes(number),
      ),
    ).toEqual([]);
  });

  test.each([7, 15, 20, 40])('case %i is failed by who refuses or says nothing', async (number) => {
    const only = new Set([number]);
    await using refusing = await httpTracker(() => ok('d14:failure reason2:noe'));
    await using silent = await httpTracker(() => undefined);
    const results = [
      ...(await resultsOf(refusing.url, { only })),
      ...(await resultsOf(silent.url, { only, timeoutMs: 100 })),
    ];
    expect(results.map(({ outcome }) => outcome)).toContain('fail');
  });

  test('a tracker that never answers costs every case its time and no more', async () => {
    await using tracker = await udpTracker(() => undefined);
    const results = await resultsOf(tracker.url, { timeoutMs: 100, concurrency: 64 });
    const judged = results.filter(({ outcome }) => outcome !== 'not-applicable');
    expect(judged.filter(({ outcome }) => outcome !== 'fail')).toEqual([]);
    expect(Math.max(...judged.map(({ durationMs }) => durationMs))).toBeLessThan(2000);
  });

  test.each([
    ['one answer for all', 4, 'two swarms'],
    ['one answer for all', 6, 'taken'],
    ['one answer for all', 13, '1 seeders'],
    ['forged peers', 23, 'believed'],
    ['forged peers', 25, 'believed'],
    ['unsorted keys', 34, 'unsorted-keys'],
    ['unsorted keys', 35, 'cookie'],
    ['an open connection', 36, 'stays open'],
    ['mapped peers', 24, 'IPv4-mapped'],
    ['gzip that makes it larger', 39, 'gzip'],
    ['a page', 1, 'not bencoded'],
    ['one answer for all over UDP', 49, 'bytes'],
    ['one answer for all over UDP', 51, 'is taken'],
    ['one answer for all over UDP', 55, '203.0.113.7'],
    ['fragments of peers', 57, 'bytes of peers'],
    ['answers from another port', 62, 'another address or port'],
    ['wrong extensions', 71, '4 or 16'],
    ['wrong extensions', 75, '9999'],
  ])('%s: case %i says what it saw', async (name, number, seen) => {
    await using tracker = await wrongTrackers.find(([found]) => found === name)![1]();
    const [result] = await resultsOf(tracker.url, { timeoutMs: patienceMs(name), only: new Set([number]) });
    expect(result).toMatchObject({ number, seen: expect.stringContaining(seen) as string });
    expect(result?.outcome).not.toBe('pass');
  });
});
