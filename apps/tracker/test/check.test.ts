// Checks of trackers that are right and of trackers that are wrong on purpose, over real sockets.
import { type Server, createServer } from 'node:http';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { type Socket, connect, createServer as createTcpServer } from 'node:net';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { afterEach, describe, expect, test } from 'vitest';
import { encode } from '@shoal/bencode';
import { SignalledSwarms, Tracker, type TrackerOptions } from '@shoal/tracker';
import { serveHttp, serveUdp } from '@shoal/tracker-server';
import { check } from '../src/check/check.ts';
import { type CheckReport, reportJson, reportOf, reportText } from '../src/check/report.ts';
import type { Sight } from '../src/check/sight.ts';
import { type Target, TargetError, targetsOf } from '../src/check/targets.ts';
import { visit } from '../src/check/visit.ts';
import { Run } from './running-command.ts';

const closing: AsyncDisposable[] = [];
afterEach(async () => {
  for (const one of closing.splice(0)) await one[Symbol.asyncDispose]();
});

/** A tracker of ours over every transport on one port; its port. */
async function ours(options: Partial<TrackerOptions> = {}): Promise<number> {
  const tracker = new Tracker({
    random: Math.random,
    signalling: new SignalledSwarms({ random: Math.random }),
    ...options,
  });
  // A port that is free for TCP may be taken for UDP by a stranger: then the next one is asked for.
  for (;;) {
    const http = await serveHttp(tracker, { host: '127.0.0.1', port: 0, webSocket: {} });
    const { port } = http.address;
    const udp = await serveUdp(tracker, { host: '127.0.0.1', port }).catch(() => undefined);
    closing.push(http);
    if (udp === undefined) continue;
    closing.push(udp);
    return port;
  }
}

/** A server that answers every request with these bytes. */
async function answering(reply: Uint8Array | string): Promise<number> {
  return listening(createServer((_request, response) => response.end(reply)));
}

/** The port on which a server listens until the test ends. */
async function listening(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  // Those that were upgraded are none of its own any more.
  const sockets: Socket[] = [];
  server.on('connection', (socket: Socket) => sockets.push(socket));
  closing.push({
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  });
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

/** A port where nobody listens. */
async function silentPort(): Promise<number> {
  const server = createTcpServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === 'object' && address !== null ? address.port : 0;
}

/** A proxy on a port of its own that leads WebSockets for one name to a tracker, and no others. */
async function proxyFor(name: string, tracker: number): Promise<number> {
  const server = createServer((_request, response) => response.writeHead(404).end());
  server.on('upgrade', ({ url, headers, rawHeaders }, socket: Socket) => {
    if (headers.host?.replace(/:\d+$/, '') !== name) {
      socket.end('HTTP/1.1 404 Not Found\r\nConnection: close\r\n\r\n');
      return;
    }
    const inner = connect(tracker, '127.0.0.1');
    const lines = rawHeaders.flatMap((text, at) => (at % 2 === 0 ? [`${text}: ${rawHeaders[at + 1]}`] : []));
    inner.write([`GET ${url} HTTP/1.1`, ...lines, '', ''].join('\r\n'));
    for (const [end, other] of [
      [socket, inner],
      [inner, socket],
    ] as const) {
      end.on('error', () => {}).on('close', () => other.destroy());
      end.pipe(other);
    }
  });
  return listening(server);
}

const options = { only: false, timeoutMs: 2000, infoHash: undefined };

describe('a check', () => {
  test('finds all transports of our tracker right, whichever of them the URL names', async () => {
    const port = await ours();
    for (const transport of ['http', 'udp', 'ws']) {
      const { findings, problems, exit } = await check({
        ...options,
        urls: [`${transport}://127.0.0.1:${port}/announce`],
      });
      expect([problems, exit]).toEqual([[], 'ok']);
      expect(Object.fromEntries(findings.map(({ target }) => [target.transport, target.isNamed]))).toEqual(
        Object.fromEntries(['http', 'udp', 'ws'].map((name) => [name, name === transport])),
      );
      for (const { target, seen } of findings) {
        const counts = { complete: 0, incomplete: 2 };
        expect(seen).toMatchObject({ found: true, counts, interval: expect.any(Number) });
        if (target.transport === 'http') expect(seen).toMatchObject({ externalIp: '127.0.0.1', listedAs: '127.0.0.1' });
      }
    }
  });

  test('leaves no peers behind', async () => {
    const tracker = new Tracker({ random: Math.random });
    const http = await serveHttp(tracker, { host: '127.0.0.1', port: 0 });
    closing.push(http);
    expect((await check({ ...options, only: true, urls: [`${http.url}/announce`] })).exit).toBe('ok');
    expect(tracker.counts).toMatchObject({ torrents: 0, announces: 4 });
  });

  test('says why a closed tracker refuses, and is content with a torrent it serves', async () => {
    const port = await ours({ allow: (hex) => hex === 'ab'.repeat(20) });
    const urls = [`http://127.0.0.1:${port}`];
    const refused = await check({ ...options, urls, only: true });
    expect(refused).toMatchObject({
      exit: 'network',
      problems: [expect.stringContaining('does not serve this torrent')],
    });
    const infoHash = new Uint8Array(20).fill(0xab);
    expect(await check({ ...options, urls, infoHash })).toMatchObject({ exit: 'ok', problems: [] });
  });

  test('says that nobody listens', async () => {
    const report = await check({ ...options, only: true, urls: [`http://127.0.0.1:${await silentPort()}/announce`] });
    expect(report.exit).toBe('network');
    expect(report.problems).toEqual([expect.stringContaining('http over IPv4: ')]);
    expect(report.problems[0]).toContain('ECONNREFUSED');
  });

  test('finds a tracker wrong whose peers never find each other', async () => {
    const port = await answering(encode({ interval: 1800, peers: new Uint8Array() }));
    const { exit, problems } = await check({ ...options, only: true, urls: [`http://127.0.0.1:${port}/announce`] });
    expect(exit).toBe('verification-failed');
    expect(problems).toEqual([expect.stringContaining('a second peer of the torrent was not told of the first')]);
  });

  test('does not take a web server for a tracker', async () => {
    const port = await answering('<!doctype html>');
    const { exit, findings } = await check({ ...options, only: true, urls: [`http://127.0.0.1:${port}/announce`] });
    expect([exit, findings[0]?.seen]).toMatchObject(['verification-failed', { failure: 'wrong' }]);
  });

  test.each(['ftp://tracker.example', 'tracker.example:6969', 'udp://tracker.example', 'http://', 'nonsense'])(
    'does not know what %s is',
    async (url) => {
      await expect(targetsOf(url, false)).rejects.toMatchObject({ reason: 'url' });
    },
  );

  test('says that a name has no address', async () => {
    await expect(targetsOf('udp://no-such-host.invalid:1', false)).rejects.toThrow(TargetError);
  });

  test('tries what trackers serve on the same port', async () => {
    const urlsOf = async (url: string): Promise<string[]> => (await targetsOf(url, false)).map((target) => target.url);
    expect(await urlsOf('udp://192.0.2.1:6969')).toEqual([
      'udp://192.0.2.1:6969/announce',
      'http://192.0.2.1:6969/announce',
      'ws://192.0.2.1:6969/announce',
    ]);
    expect(await urlsOf('http://[2001:db8::1]/key/announce?x=1')).toEqual([
      'http://[2001:db8::1]/key/announce?x=1',
      'udp://[2001:db8::1]:80/key/announce?x=1',
      'ws://[2001:db8::1]/key/announce?x=1',
    ]);
    expect(await urlsOf('https://192.0.2.1/announce')).toEqual([
      'https://192.0.2.1/announce',
      'udp://192.0.2.1:443/announce',
      'wss://192.0.2.1/announce',
    ]);
  });
});

describe('a check over WebSockets', () => {
  const visited = (url: string, address = '127.0.0.1'): ReturnType<typeof visit> => {
    const transport = url.startsWith('wss:') ? 'wss' : 'ws';
    const target: Target = { transport, family: 4, address, url, isNamed: true };
    return visit(target, { infoHash: new Uint8Array(20).fill(3), timeoutMs: 2000 });
  };

  test('asks for the name at the address, so that a proxy that goes by names leads it to the tracker', async () => {
    const port = await proxyFor('tracker.test', await ours());
    const counts = { complete: 0, incomplete: 2 };
    expect(await visited(`ws://tracker.test:${port}/announce`)).toMatchObject({ found: true, counts });
    expect(await visited(`ws://other.test:${port}/announce`)).toEqual({
      failure: 'silent',
      reason: 'no WebSocket is served there (status 404)',
    });
  });

  test('takes a certificate for the name, and no other', async () => {
    const read = (name: string): string =>
      readFileSync(new URL(`../../../packages/tracker-server/test/fixtures/${name}.pem`, import.meta.url), 'utf8');
    const [cert, key] = [read('one.cert'), read('one.key')];
    const tracker = new Tracker({ random: Math.random, signalling: new SignalledSwarms({ random: Math.random }) });
    const server = await serveHttp(tracker, { host: '127.0.0.1', port: 0, webSocket: {}, tls: { cert, key } });
    closing.push(server);
    const { port } = server.address;
    const authorities = getCACertificates('default');
    setDefaultCACertificates([...authorities, cert]);
    try {
      expect(await visited(`wss://localhost:${port}/announce`)).toMatchObject({ found: true });
      expect(await visited(`wss://tracker.test:${port}/announce`)).toMatchObject({
        failure: 'silent',
        reason: expect.stringContaining('ERR_TLS_CERT_ALTNAME_INVALID') as string,
      });
    } finally {
      setDefaultCACertificates(authorities);
    }
  });

  test('says that nobody listens, that nothing is answered, and that an answer is no WebSocket', async () => {
    expect(await visited(`ws://tracker.test:${await silentPort()}/`)).toMatchObject({
      reason: expect.stringContaining('ECONNREFUSED') as string,
    });
    const mute = createServer();
    mute.on('upgrade', () => {});
    const url = `ws://tracker.test:${await listening(mute)}/`;
    const target: Target = { transport: 'ws', family: 4, address: '127.0.0.1', url, isNamed: true };
    expect(await visit(target, { infoHash: new Uint8Array(20), timeoutMs: 50 })).toEqual({
      failure: 'silent',
      reason: 'no answer in time',
    });
    const liar = createServer();
    liar.on('upgrade', (_request, socket) =>
      socket.end('HTTP/1.1 101 Yes\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: x\r\n\r\n'),
    );
    expect(await visited(`ws://tracker.test:${await listening(liar)}/`)).toEqual({
      failure: 'silent',
      reason: 'what is served there is no WebSocket',
    });
  });
});

const sight: Sight = {
  latencyMs: 1.25,
  interval: 1800,
  minInterval: undefined,
  externalIp: '198.51.100.7',
  listedAs: '198.51.100.7',
  found: true,
  counts: { complete: 0, incomplete: 2 },
  warning: undefined,
};

function report(...seen: readonly (Partial<Sight> & { transport?: 'http' | 'udp' })[]): CheckReport {
  return reportOf(
    seen.map(({ transport = 'http', ...facts }) => ({
      target: { transport, family: 4, address: '192.0.2.1', url: `${transport}://192.0.2.1:1/announce`, isNamed: true },
      seen: { ...sight, ...facts },
    })),
  );
}

describe('the report of a check', () => {
  test('names a proxy that is not trusted: the tracker lists a private address', () => {
    const { problems, exit } = report({ externalIp: '172.17.0.1', listedAs: '172.17.0.1' });
    expect(exit).toBe('verification-failed');
    expect(problems).toEqual([expect.stringMatching(/takes your address for 172\.17\.0\.1.*--trusted-proxy/)]);
  });

  test('names transports that see different addresses', () => {
    const { problems } = report({}, { transport: 'udp', externalIp: '203.0.113.9', listedAs: '203.0.113.9' });
    expect(problems).toEqual([expect.stringMatching(/http sees you as 198\.51\.100\.7, udp as 203\.0\.113\.9/)]);
  });

  test('names counts that do not count', () => {
    expect(report({ counts: { complete: 0, incomplete: 1 } }).problems).toEqual([
      expect.stringMatching(/two peers announced, but the tracker counts 1/),
    ]);
    expect(report({ counts: undefined }).problems).toEqual([]);
  });

  test('is a table for people, tabs for pipes, an object for programs', () => {
    const all = report({});
    expect(reportText(all, true)).toBe(
      'http://192.0.2.1:1/announce  IPv4  192.0.2.1  ok  1.3 ms; every 1800 s; sees you as 198.51.100.7; ' +
        'peers find each other; 0 seeders, 2 leechers\n',
    );
    expect(reportText(all, false).split('\t').slice(0, 4)).toEqual([
      'http://192.0.2.1:1/announce',
      'IPv4',
      '192.0.2.1',
      'ok',
    ]);
    expect(JSON.parse(JSON.stringify(reportJson(all)))).toMatchObject({
      event: 'checked',
      result: 'ok',
      targets: [{ transport: 'http', family: 4, failure: null, interval: 1800 }],
      problems: [],
    });
  });
});

describe('shoal-tracker check', () => {
  test('prints one object and ends with 0 when all is well', async () => {
    await using run = new Run('check', '--json', `udp://127.0.0.1:${await ours()}`);
    expect(await run.event()).toMatchObject({ event: 'checked', result: 'ok', problems: [] });
    expect(await run.end()).toEqual({ code: 0, stderr: '' });
  });

  test('ends with 8 where nobody answers, and with 2 for what is no URL', async () => {
    await using run = new Run('check', '--timeout', '1', `http://127.0.0.1:${await silentPort()}/announce`);
    expect((await run.end()).code).toBe(8);
    await using wrong = new Run('check', 'nonsense');
    expect(await wrong.end()).toEqual({ code: 2, stderr: expect.stringContaining('nonsense') as string });
  });
});
