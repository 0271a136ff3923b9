import { connect } from 'node:net';
import { once } from 'node:events';
import { gunzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { TrackerServerError, serveHttp } from '@shoal/tracker-server';
import { percentEncode } from '@shoal/tracker-protocol';
import {
  announceTarget,
  ask,
  dictionaryIn,
  exchange,
  get,
  httpOn,
  responsesIn,
  someHash,
  textOf,
  trackerOf,
} from './support.ts';

const peersOf = async (server: Parameters<typeof ask>[0], parameters = {}, headers = {}): Promise<string[]> => {
  const reply = await ask(server, announceTarget({ port: 1, ...parameters }), headers);
  return (reply.get('peers') as Map<string, unknown>[]).map(
    (peer) => `${textOf(peer.get('ip'))}:${peer.get('port') as number}`,
  );
};

describe('whose announce it is', () => {
  test('trackers 23: ip= is ignored unless the operator trusts local networks', async () => {
    await using server = await httpOn(trackerOf());
    await ask(server, announceTarget({ ip: '8.8.8.8', ipv4: '9.9.9.9', ipv6: '2001:db8::1' }));
    expect(await peersOf(server)).toEqual(['127.0.0.1:6881']);
  });

  test('trackers 23: with trust, a loopback connection may speak for another address', async () => {
    await using server = await httpOn(trackerOf(), { trustIpParameter: true });
    await ask(server, announceTarget({ ip: '8.8.8.8' }));
    await ask(server, announceTarget({ ip: 'localhost', port: 6882 }));
    expect((await peersOf(server)).toSorted()).toEqual(['127.0.0.1:6882', '8.8.8.8:6881']);
  });

  test('trackers 23: with trust, a public address still speaks only for itself', async () => {
    await using server = await httpOn(trackerOf(), { trustIpParameter: true, trustedProxies: ['127.0.0.1'] });
    await ask(server, announceTarget({ ip: '8.8.8.8' }), { 'X-Forwarded-For': '1.2.3.4' });
    expect(await peersOf(server, {}, { 'X-Forwarded-For': '5.6.7.8' })).toEqual(['1.2.3.4:6881']);
  });

  test('trackers 24: an IPv4 client of a dual-stack socket is an IPv4 peer', async () => {
    await using server = await httpOn(trackerOf(), { host: '::' });
    const stream = await exchange(server.address.port, `GET ${announceTarget()} HTTP/1.0\r\n\r\n`, '127.0.0.1');
    expect(dictionaryIn(responsesIn(stream)[0]!).get('external ip')).toEqual(Uint8Array.of(127, 0, 0, 1));
  });

  test('an IPv6 client is listed under its IPv6 address', async () => {
    await using server = await httpOn(trackerOf(), { host: '::1' });
    expect(server.url).toMatch(/^http:\/\/\[::1\]:\d+$/);
    await ask(server, announceTarget());
    expect(await peersOf(server)).toEqual(['::1:6881']);
  });

  test.each([
    ['one hop', '1.2.3.4', '1.2.3.4'],
    ['a forged first hop', '6.6.6.6, 1.2.3.4', '1.2.3.4'],
    ['trusted hops on the right', '1.2.3.4, 10.0.0.1,10.0.0.2', '1.2.3.4'],
    ['a port', '1.2.3.4:5678', '1.2.3.4'],
    ['IPv6 in brackets with a port', '[2001:db8::1]:5678', '2001:db8::1'],
    ['bare IPv6', '2001:db8::1', '2001:db8::1'],
    ['an IPv4-mapped address', '::ffff:1.2.3.4', '1.2.3.4'],
  ])('trackers 25: X-Forwarded-For of a trusted proxy with %s', async (_, header, expected) => {
    await using server = await httpOn(trackerOf(), { trustedProxies: ['127.0.0.1', '10.0.0.0/8'] });
    await ask(server, announceTarget(), { 'X-Forwarded-For': header });
    expect(await peersOf(server, {}, { 'X-Forwarded-For': '9.9.9.9' })).toEqual([`${expected}:6881`]);
  });

  test.each([undefined, '', 'unknown', '1.2.3.4, garbage', '10.0.0.1'])(
    'trackers 25: X-Forwarded-For %j of a trusted proxy is refused, not believed',
    async (header) => {
      const tracker = trackerOf();
      await using server = await httpOn(tracker, { trustedProxies: ['127.0.0.0/8', '10.0.0.0/8'] });
      const reply = await ask(server, announceTarget(), header === undefined ? {} : { 'X-Forwarded-For': header });
      expect(textOf(reply.get('failure reason'))).toContain('proxy');
      expect(tracker.counts.leechers).toBe(0);
    },
  );

  test('trackers 25: X-Forwarded-For of anybody else is ignored', async () => {
    await using server = await httpOn(trackerOf(), { trustedProxies: ['10.0.0.0/8'] });
    await ask(server, announceTarget(), { 'X-Forwarded-For': '1.2.3.4' });
    expect(await peersOf(server)).toEqual(['127.0.0.1:6881']);
  });

  test.each(['10.0.0.0/33', 'proxy', '10.0.0/8', '::/129', '10.0.0.0/x'])(
    'refuses the proxy range %s',
    async (range) => {
      await expect(httpOn(trackerOf(), { trustedProxies: [range] })).rejects.toThrow(RangeError);
    },
  );
});

describe('paths', () => {
  test.each([
    '/announce',
    '/announce/',
    '/announce.php',
    '/x/announce',
    '/announce/x',
    '//announce',
    '//x//announce',
    '/ANNOUNCE',
    `/${'k'.repeat(150)}/announce`,
  ])('trackers 31: %s announces', async (path) => {
    await using server = await httpOn(trackerOf());
    expect((await ask(server, announceTarget({}, path))).get('incomplete')).toBe(1);
  });

  test.each(['/scrape', '/scrape/', '/scrape.php', '/x/scrape', '/scrape/x', '//scrape', '/SCRAPE'])(
    'trackers 31: %s scrapes',
    async (path) => {
      await using server = await httpOn(trackerOf());
      await ask(server, announceTarget());
      const files = (await ask(server, `${path}?info_hash=${percentEncode(someHash)}`)).get('files');
      expect((files as Map<string, unknown>).size).toBe(1);
    },
  );

  test('anything else is a short 404 that says where to announce', async () => {
    await using server = await httpOn(trackerOf());
    const response = await get(server, '/wp-admin');
    expect([response.status, textOf(dictionaryIn(response).get('failure reason'))]).toEqual([
      404,
      expect.stringContaining('/announce'),
    ]);
  });
});

describe('HTTP', () => {
  test('trackers 33: a refusal is status 200 with a failure reason and an interval', async () => {
    await using server = await httpOn(trackerOf({ allow: () => false }));
    const response = await get(server, announceTarget());
    expect(response.status).toBe(200);
    expect(Object.fromEntries(dictionaryIn(response))).toMatchObject({ interval: 1800 });
  });

  test('trackers 35: plain text without a charset, a length, no chunks, no cookies', async () => {
    await using server = await httpOn(trackerOf());
    const { headers, body } = await get(server, announceTarget());
    expect(headers.get('content-type')).toBe('text/plain');
    expect(headers.get('content-length')).toBe(String(body.length));
    expect([headers.has('transfer-encoding'), headers.has('set-cookie'), headers.get('connection')]).toEqual([
      false,
      false,
      'close',
    ]);
  });

  test('trackers 36: HTTP/1.0 without Host is answered and closed', async () => {
    await using server = await httpOn(trackerOf());
    const [response] = responsesIn(await exchange(server.address.port, `GET ${announceTarget()} HTTP/1.0\r\n\r\n`));
    expect(dictionaryIn(response!).get('incomplete')).toBe(1);
  });

  test('trackers 36: HTTP/1.1 without Host is answered', async () => {
    await using server = await httpOn(trackerOf());
    const stream = await exchange(server.address.port, `GET ${announceTarget()} HTTP/1.1\r\nConnection: close\r\n\r\n`);
    expect(responsesIn(stream)[0]?.status).toBe(200);
  });

  test('trackers 37: requests may be pipelined on one connection and are answered in order', async () => {
    await using server = await httpOn(trackerOf());
    const requests = [1, 2, 3].map((port) => `GET ${announceTarget({ port, compact: 1 })} HTTP/1.1\r\nHost: x\r\n`);
    const stream = await exchange(server.address.port, `${requests.join('\r\n')}Connection: close\r\n\r\n`);
    expect(responsesIn(stream).map((response) => dictionaryIn(response).get('incomplete'))).toEqual([1, 2, 3]);
  });

  test('trackers 37: an idle connection is closed after its time', async () => {
    await using server = await httpOn(trackerOf(), { keepAliveMs: 100 });
    const stream = await exchange(server.address.port, `GET ${announceTarget()} HTTP/1.1\r\nHost: x\r\n\r\n`);
    expect(responsesIn(stream)[0]?.headers.get('connection')).toBe('keep-alive');
  });

  test('trackers 37: a client that connects and says nothing, or not enough, is cut off', async () => {
    await using server = await httpOn(trackerOf(), { requestTimeoutMs: 100 });
    await exchange(server.address.port, '');
    await exchange(server.address.port, 'GET /announce HTTP/1.1\r\nHost:');
    expect(server.traffic.http.unknown).toBe(2);
  });

  test('connections over the limit are closed', async () => {
    await using server = await httpOn(trackerOf(), { maxConnections: 1 });
    const first = connect(server.address.port, '127.0.0.1');
    first.write(`GET ${announceTarget()} HTTP/1.1\r\nHost: x\r\n\r\n`);
    await once(first, 'data');
    expect((await exchange(server.address.port, '')).length).toBe(0);
    first.destroy();
  });

  test('trackers 38: HEAD registers nobody', async () => {
    const tracker = trackerOf();
    await using server = await httpOn(tracker);
    expect((await get(server, announceTarget(), {}, 'HEAD')).status).toBe(405);
    expect(tracker.counts.announces).toBe(0);
  });

  test.each(['POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH'])('trackers 38: %s is a small 405', async (method) => {
    const tracker = trackerOf();
    await using server = await httpOn(tracker);
    const response = await get(server, announceTarget(), {}, method);
    expect([response.status, response.headers.get('allow')]).toEqual([405, 'GET']);
    expect(response.body.length).toBeLessThan(100);
    expect(tracker.counts.announces).toBe(0);
  });

  test('trackers 38: a POST with a body of any type is refused in the same way', async () => {
    await using server = await httpOn(trackerOf());
    const head =
      'POST /announce HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: 3\r\n\r\n{]}';
    expect(responsesIn(await exchange(server.address.port, head))[0]?.status).toBeGreaterThanOrEqual(400);
  });

  test('trackers 39: compact answers are never compressed', async () => {
    const tracker = trackerOf();
    await using server = await httpOn(tracker);
    for (let port = 1; port < 100; port++) await ask(server, announceTarget({ port }));
    const response = await get(server, announceTarget({ compact: 1 }), { 'Accept-Encoding': 'gzip' });
    expect(response.headers.has('content-encoding')).toBe(false);
  });

  test('trackers 39: a dictionary list is compressed for who accepts it, where that is smaller', async () => {
    await using server = await httpOn(trackerOf());
    const gzip = { 'Accept-Encoding': 'deflate, gzip;q=0.9' };
    await ask(server, announceTarget());
    const alone = await get(server, announceTarget(), gzip);
    expect(alone.body.length).toBeLessThanOrEqual((await get(server, announceTarget())).body.length);
    for (let port = 1; port < 10; port++) await ask(server, announceTarget({ port }));
    const packed = await get(server, announceTarget(), gzip);
    expect(packed.headers.get('content-encoding')).toBe('gzip');
    expect(packed.body.length).toBeLessThan(gunzipSync(packed.body).length);
    expect(dictionaryIn(packed).get('peers')).toHaveLength(9);
    for (const header of ['gzip;q=0', 'identity', 'gzip; q=0.0', 'notgzip']) {
      expect((await get(server, announceTarget(), { 'Accept-Encoding': header })).headers.has('content-encoding')).toBe(
        false,
      );
    }
  });

  test('compression can be switched off', async () => {
    await using server = await httpOn(trackerOf(), { gzip: 'off' });
    for (let port = 1; port < 10; port++) await ask(server, announceTarget({ port }));
    expect((await get(server, announceTarget(), { 'Accept-Encoding': 'gzip' })).headers.has('content-encoding')).toBe(
      false,
    );
  });

  test('trackers 40: a request line over 16 KiB is refused with 431', async () => {
    await using server = await httpOn(trackerOf());
    const response = await get(server, announceTarget({ x: 'x'.repeat(20_000) }));
    expect([response.status, textOf(dictionaryIn(response).get('failure reason'))]).toEqual([
      431,
      'the request is too long',
    ]);
  });

  test.each(['\x16\x03\x01\x02\x00\x01', 'HELO mail\r\n\r\n', '\x13BitTorrent protocol', 'GET\r\n\r\n'])(
    'bytes that are no HTTP (%j) do not disturb the server',
    async (garbage) => {
      await using server = await httpOn(trackerOf());
      await exchange(server.address.port, garbage);
      expect((await ask(server, announceTarget())).get('incomplete')).toBe(1);
      expect(server.traffic.http).toMatchObject({ announces: 1, unknown: 1 });
    },
  );

  test('a connection that is cut in the middle of a request does not disturb the server', async () => {
    await using server = await httpOn(trackerOf());
    const socket = connect(server.address.port, '127.0.0.1');
    await once(socket, 'connect');
    socket.write('GET /announce?info');
    socket.resetAndDestroy();
    expect((await ask(server, announceTarget())).get('incomplete')).toBe(1);
  });
});

describe('listening', () => {
  test('disposing ends connections that are kept alive', async () => {
    const server = await httpOn(trackerOf(), { keepAliveMs: 60_000 });
    const socket = connect(server.address.port, '127.0.0.1');
    socket.write(`GET ${announceTarget()} HTTP/1.1\r\nHost: x\r\n\r\n`);
    await once(socket, 'data');
    await Promise.all([once(socket, 'close'), server[Symbol.asyncDispose]()]);
  });

  test('disposing ends a connection in the middle of a request', async () => {
    const server = await httpOn(trackerOf());
    const socket = connect(server.address.port, '127.0.0.1');
    socket.write(`GET ${announceTarget()} HTTP/1.1\r\nHost: x\r\n\r\nGET /ann`);
    await once(socket, 'data');
    await Promise.all([once(socket, 'close'), server[Symbol.asyncDispose]()]);
  });

  test.each([
    ['address-not-available', { host: '192.0.2.1' }],
    ['host-not-found', { host: 'tracker.invalid' }],
  ])('fails with %s', async (code, options) => {
    const error: unknown = await serveHttp(trackerOf(), { port: 0, ...options }).catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(TrackerServerError);
    expect(error).toMatchObject({ code, transport: 'http', ...options, cause: expect.any(Error) });
  });

  test('fails with address-in-use, saying which address', async () => {
    await using server = await httpOn(trackerOf());
    const { port } = server.address;
    const second = serveHttp(trackerOf(), { host: '127.0.0.1', port });
    await expect(second).rejects.toMatchObject({
      code: 'address-in-use',
      message: expect.stringContaining(`127.0.0.1:${port}`),
    });
  });
});

describe('pages', () => {
  test('/stats is a page of numbers, or JSON for who prefers it; /stats.json is always JSON', async () => {
    await using server = await httpOn(trackerOf());
    await ask(server, announceTarget({ left: 0 }));
    const page = await get(server, '/stats');
    expect(page.headers.get('content-type')).toBe('text/html; charset=utf-8');
    expect(page.body.toString()).toContain('<th scope="row">Seeders</th><td>1</td>');
    for (const response of [
      await get(server, '/stats.json'),
      await get(server, '/stats', { Accept: 'application/json' }),
    ]) {
      expect(JSON.parse(response.body.toString())).toMatchObject({
        interval: 1800,
        swarms: { torrents: 1, seeders: 1, leechers: 0, announces: 1 },
        http: { announces: 1, failures: 0 },
      });
    }
  });

  test('a page that fails is a 500 for the client, and the operator hears why', async () => {
    const errors: unknown[] = [];
    const page = async (path: string): Promise<undefined> => {
      throw new Error(`no disk for ${path}`);
    };
    await using server = await httpOn(trackerOf(), { page, onError: (error) => errors.push(error) });
    const response = await get(server, '/x');
    expect([response.status, response.body.toString()]).toEqual([500, expect.not.stringContaining('disk')]);
    expect(errors).toEqual([new Error('no disk for /x')]);
  });

  test('an announce that the tracker itself fails at is a 500 too, and the operator hears why', async () => {
    const errors: unknown[] = [];
    const allow = (): boolean => {
      throw new Error('no list');
    };
    await using server = await httpOn(trackerOf({ allow }), { onError: (error) => errors.push(error) });
    const query = `info_hash=${'a'.repeat(20)}&peer_id=${'b'.repeat(20)}&port=1&compact=1`;
    const response = await get(server, `/announce?${query}`);
    expect([response.status, response.body.toString()]).toEqual([500, expect.not.stringContaining('list')]);
    expect(errors).toEqual([new Error('no list')]);
  });

  test('paths of the operator come from the page function, still encoded', async () => {
    const asked: string[] = [];
    const page = async (path: string) => {
      asked.push(path);
      return path === '/a%20b'
        ? { contentType: 'application/x-bittorrent', body: Uint8Array.of(1, 2, 255) }
        : undefined;
    };
    await using server = await httpOn(trackerOf(), { page });
    const response = await get(server, '/a%20b?query');
    expect([response.status, response.headers.get('content-type'), [...response.body]]).toEqual([
      200,
      'application/x-bittorrent',
      [1, 2, 255],
    ]);
    expect((await get(server, '/../../etc/passwd')).status).toBe(404);
    expect(asked).toEqual(['/a%20b', '/../../etc/passwd']);
  });
});
