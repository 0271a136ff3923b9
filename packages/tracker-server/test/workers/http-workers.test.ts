import { describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { once } from 'node:events';
import { SignalledSwarms } from '@shoal/tracker';
import {
  type HttpServer,
  type Page,
  SourceAddress,
  TrackerServerError,
  createTraffic,
  localService,
} from '../../src/index.ts';
import {
  announceTarget,
  ask,
  dictionaryIn,
  exchange,
  get,
  httpOn,
  mulberry32,
  responsesIn,
  textOf,
  trackerOf,
} from '../support.ts';

const externalIp = async (server: HttpServer, headers: Record<string, string>, path?: string): Promise<number[]> => {
  const ip = (await ask(server, announceTarget({ compact: 1 }, path), headers)).get('external ip');
  return ip instanceof Uint8Array ? [...ip] : [];
};

describe.runIf(process.platform === 'linux')('an HTTP server of three threads', () => {
  test('serves one swarm', async () => {
    const tracker = trackerOf();
    await using server = await httpOn(tracker, { workers: 3 });
    const ports = Array.from({ length: 24 }, (_, index) => 7000 + index);
    const answers = await Promise.all(ports.map((port) => ask(server, announceTarget({ port, compact: 1 }))));
    const counts = answers.map((answer) => Number(answer.get('incomplete')));
    expect(counts.toSorted((a, b) => a - b)).toEqual(ports.map((_, index) => index + 1));
    expect(tracker.counts).toMatchObject({ leechers: 24, announces: 24 });
    expect((await ask(server, announceTarget({ compact: 0 }))).get('peers')).toHaveLength(24);
    const [, query = ''] = announceTarget().split('?');
    expect((await ask(server, `/scrape?${query.split('&')[0]}`)).has('files')).toBe(true);
  });

  test('serves everything else as well, on the same connections, and knows whose they are', async () => {
    await using server = await httpOn(trackerOf(), { workers: 2 });
    const plain = (close: string): string => `GET ${announceTarget()} HTTP/1.1\r\nHost: x\r\n${close}\r\n`;
    const stream = await exchange(
      server.address.port,
      `${plain('')}GET /stats.json HTTP/1.1\r\nHost: x\r\n\r\nGET /none HTTP/1.1\r\nHost: x\r\n\r\n${plain('Connection: close\r\n')}`,
    );
    expect(responsesIn(stream).map(({ status }) => status)).toEqual([200, 200, 404, 200]);
    expect(await externalIp(server, {}, '/key/announce')).toEqual([127, 0, 0, 1]);
    const refused = await get(server, '/announce?info_hash=\xff');
    expect(textOf(dictionaryIn(refused).get('failure reason'))).toContain('percent-encode');
  });

  test('believes whom its owner believes, also when that changes', async () => {
    const source = new SourceAddress({});
    await using server = await httpOn(trackerOf(), { workers: 2, source });
    const headers = { 'X-Forwarded-For': '203.0.113.5' };
    for (const path of ['/announce', '/key/announce'])
      expect(await externalIp(server, headers, path)).toEqual([127, 0, 0, 1]);
    source.replace({ trustedProxies: ['127.0.0.1'] });
    // It reaches the threads as a message; a request of the router does not wait for one.
    expect(await externalIp(server, headers, '/key/announce')).toEqual([203, 0, 113, 5]);
    await expect.poll(() => externalIp(server, headers)).toEqual([203, 0, 113, 5]);
  });

  test('reads the PROXY headers of proxies', async () => {
    await using server = await httpOn(trackerOf(), { workers: 2, proxyProtocol: true, trustedProxies: ['127.0.0.1'] });
    for (const path of ['/announce', '/key/announce']) {
      const request = `GET ${announceTarget({ compact: 1 }, path)} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`;
      const stream = await exchange(server.address.port, `PROXY TCP4 203.0.113.9 192.0.2.1 4000 80\r\n${request}`);
      const ip = dictionaryIn(responsesIn(stream)[0]!).get('external ip');
      expect(ip instanceof Uint8Array && [...ip]).toEqual([203, 0, 113, 9]);
    }
  });

  test('reads PROXY headers from when its owner expects them', async () => {
    const source = new SourceAddress({ trustedProxies: ['127.0.0.1'] });
    await using server = await httpOn(trackerOf(), { workers: 2, source });
    const request = `GET ${announceTarget({ compact: 1 })} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`;
    const seen = async (): Promise<number[] | undefined> => {
      const stream = await exchange(server.address.port, `PROXY TCP4 203.0.113.9 192.0.2.1 4000 80\r\n${request}`);
      const [response] = responsesIn(stream);
      const ip = response?.status === 200 ? dictionaryIn(response).get('external ip') : undefined;
      return ip instanceof Uint8Array ? [...ip] : undefined;
    };
    // Without that a header is no request of HTTP.
    expect(await seen()).toBe(undefined);
    source.replace({ trustedProxies: ['127.0.0.1'], proxyProtocol: true });
    await expect
      .poll(async () => [await seen(), await seen()])
      .toEqual([
        [203, 0, 113, 9],
        [203, 0, 113, 9],
      ]);
  });

  test('gives scrapes of everything from when its owner wants that', async () => {
    await using server = await httpOn(trackerOf(), { workers: 2 });
    await ask(server, announceTarget());
    expect((await ask(server, '/scrape')).has('failure reason')).toBe(true);
    server.configure({ fullScrape: 10 });
    expect((await ask(server, '/scrape')).get('files')).toHaveProperty('size', 1);
  });

  test('opens WebSockets', async () => {
    const tracker = trackerOf({ signalling: new SignalledSwarms({ random: mulberry32(3) }) });
    await using server = await httpOn(tracker, { workers: 2, webSocket: {} });
    const socket = new WebSocket(`ws://127.0.0.1:${server.address.port}/announce`);
    await once(socket, 'open');
    expect(server.traffic.websocket.connections).toBe(1);
    socket.close();
    await once(socket, 'close');
  });

  test('takes every option of a server', async () => {
    const tracker = trackerOf();
    const page = async (path: string): Promise<Page> => ({ contentType: 'text/plain', body: path });
    const options = {
      service: localService(tracker),
      page,
      onError: () => {},
      traffic: createTraffic(),
      clock: () => 1,
    };
    await using server = await httpOn(tracker, { workers: 2, gzip: 'off', ...options });
    await ask(server, announceTarget());
    expect((await get(server, '/a')).body.toString()).toBe('/a');
  });

  test('has counted everything when it has closed, and ends connections that wait', async () => {
    const server = await httpOn(trackerOf(), { workers: 2 });
    await ask(server, announceTarget());
    await ask(server, announceTarget({}, '/key/announce'));
    await ask(server, announceTarget({ port: 'x' }));
    await server[Symbol.asyncDispose]();
    expect(server.traffic.http).toMatchObject({ announces: 3, failures: 1 });
  });

  test('says why it cannot listen', async () => {
    await using taken = await httpOn(trackerOf());
    const failure = httpOn(trackerOf(), { port: taken.address.port, workers: 2 });
    await expect(failure).rejects.toThrow(TrackerServerError);
    await expect(failure).rejects.toMatchObject({ code: 'address-in-use', transport: 'http' });
  });

  test('cannot be one of no threads', async () => {
    await expect(httpOn(trackerOf(), { workers: 0 })).rejects.toThrow(RangeError);
  });
});
