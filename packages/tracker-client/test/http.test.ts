import { deflateRawSync, deflateSync, gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { announce, scrape } from '../src/index.ts';
import { rejected, request } from './requests.ts';
import { answer, closedPort, fixture, hasIpv6, httpsTracker, httpTracker, onePeer, rawTracker } from './servers.ts';

const peers = [{ ip: '1.2.3.4', port: 6881 }];

describe('announce over HTTP', () => {
  test('asks the tracker and reads its answer', async () => {
    await using tracker = await httpTracker();
    expect(await announce(tracker.url, { ...request, event: 'started' })).toMatchObject({
      interval: 1_800,
      complete: 1,
      incomplete: 2,
      peers,
    });
    expect(tracker.targets).toEqual([
      `/announce?info_hash=${'%AA'.repeat(20)}&peer_id=${'b'.repeat(20)}&port=51413&uploaded=1&downloaded=2&left=3&compact=1&event=started&key=cafe0123`,
    ]);
  });

  test('sends four headers and nothing that a browser would, as private sites demand', async () => {
    await using tracker = await httpTracker();
    await announce(tracker.url, request);
    expect(tracker.headers[0]).toEqual([
      'Host',
      `127.0.0.1:${tracker.port}`,
      'User-Agent',
      'Shoal/0.1',
      'Accept-Encoding',
      'gzip',
      'Connection',
      'close',
    ]);
    await announce(tracker.url, request, { userAgent: 'Other/1' });
    expect(tracker.headers[1]).toContain('Other/1');
  });

  test('founding exchange: the gzip answer with its two peers is understood', async () => {
    const body = Buffer.from(fixture('started-reply.gzip.hex').replaceAll('\n', ''), 'hex');
    await using tracker = await httpTracker(answer(body, { 'Content-Type': 'text/plain', 'Content-Encoding': 'gzip' }));
    expect(await announce(tracker.url, request)).toMatchObject({
      interval: 1_800,
      peers: [
        { ip: '127.0.0.1', port: 6881 },
        { ip: '127.0.0.1', port: 6883 },
      ],
    });
  });

  test('clients 51: gzip, zlib and raw deflate, announced, unannounced or announced wrongly', async () => {
    const plain = Buffer.from(onePeer, 'latin1');
    const cases: [Uint8Array, string][] = [
      [gzipSync(plain), 'gzip'],
      [gzipSync(plain), 'x-gzip'],
      [gzipSync(plain), ''],
      [deflateSync(plain), 'deflate'],
      [deflateRawSync(plain), 'deflate'],
      [plain, 'gzip'],
      [plain, 'deflate'],
      [plain, 'identity'],
    ];
    for (const [body, encoding] of cases) {
      await using tracker = await httpTracker(answer(body, encoding === '' ? {} : { 'Content-Encoding': encoding }));
      expect(await announce(tracker.url, request)).toMatchObject({ peers });
    }
  });

  test('clients 51: chunked bodies', async () => {
    await using tracker = await httpTracker((response) => {
      response.write(Buffer.from(onePeer.slice(0, 10), 'latin1'));
      response.end(Buffer.from(onePeer.slice(10), 'latin1'));
    });
    expect(await announce(tracker.url, request)).toMatchObject({ peers });
  });

  test('clients 51: at most 2 MiB are read, compressed or not', async () => {
    const huge = Buffer.alloc(3 * 1024 * 1024, 0x64);
    await using plain = await httpTracker(answer(huge));
    expect(await rejected(announce(plain.url, request))).toMatchObject({ code: 'too-large' });
    await using bomb = await httpTracker(answer(gzipSync(huge), { 'Content-Encoding': 'gzip' }));
    expect(await rejected(announce(bomb.url, request))).toMatchObject({ code: 'too-large' });
  });

  test('a broken gzip body is malformed', async () => {
    await using tracker = await httpTracker(answer(gzipSync('d').subarray(0, 12)));
    expect(await rejected(announce(tracker.url, request))).toMatchObject({ code: 'malformed' });
  });

  test('clients 52: a query in the URL stays as it is, and ours is added', async () => {
    await using tracker = await httpTracker();
    await announce(`${tracker.url}.php?passkey='a%2fb%00'&x=2/4`, request);
    expect(tracker.targets[0]).toMatch(/^\/announce\.php\?passkey='a%2fb%00'&x=2\/4&info_hash=%AA/);
  });

  test('a URL with blanks and letters beyond ASCII is escaped, a fragment left out', async () => {
    await using tracker = await httpTracker();
    await announce(`${tracker.url} ä\u{1f30a}#part`, request);
    expect(tracker.targets[0]).toMatch(/^\/announce%20%C3%A4%F0%9F%8C%8A\?info_hash/);
  });

  test('user and password of the URL become basic authentication', async () => {
    await using tracker = await httpTracker();
    await announce(tracker.url.replace('//', '//me:pa%20ss@'), request);
    expect(tracker.headers[0]).toContain(`Basic ${Buffer.from('me:pa ss').toString('base64')}`);
  });

  test('the tracker id in the request is sent back', async () => {
    await using tracker = await httpTracker();
    await announce(tracker.url, { ...request, trackerId: 'x\u00ff' });
    expect(tracker.targets[0]).toContain('&trackerid=x%FF');
  });
});

describe('what trackers get wrong', () => {
  const cases: [string, string][] = [
    ['HTTP/1.0 without a length', `HTTP/1.0 200 OK\r\n\r\n${onePeer}`],
    ['bare line feeds', `HTTP/1.1 200 OK\nContent-Type: text/plain\n\n${onePeer}`],
    ['no reason phrase', `HTTP/1.1 200\r\n\r\n${onePeer}`],
    ['8-bit headers', `HTTP/1.1 200 OK\r\nServer: Tr\xe4cker\r\n\r\n${onePeer}`],
    [
      'a length and chunks together',
      `HTTP/1.1 200 OK\r\nContent-Length: 9\r\nTransfer-Encoding: chunked\r\n\r\n${onePeer.length.toString(16)}\r\n${onePeer}\r\n0\r\n\r\n`,
    ],
    ['a length that promises more', `HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\n${onePeer}`],
    ['a header of 40 KB', `HTTP/1.1 200 OK\r\nX-Long: ${'x'.repeat(40_000)}\r\n\r\n${onePeer}`],
    ['a newline after the answer', `HTTP/1.1 200 OK\r\n\r\n${onePeer}\r\n`],
    ['an informational answer first', `HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\n\r\n${onePeer}`],
  ];
  test.each(cases)('%s is understood', async (_name, bytes) => {
    await using tracker = await rawTracker(bytes);
    expect(await announce(tracker.url, request)).toMatchObject({ peers });
  });

  test.each([
    ['an empty answer', 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n', 'malformed'],
    ['a page', 'HTTP/1.1 200 OK\r\n\r\n<html></html>', 'malformed'],
    ['half an answer', `HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\n${onePeer.slice(0, 30)}`, 'malformed'],
    ['another protocol', 'SSH-2.0-OpenSSH_9.6\r\n', 'malformed'],
    ['nothing', '', 'unreachable'],
    ['a header without end', `HTTP/1.1 200 OK\r\nX-Long: ${'x'.repeat(200_000)}`, 'malformed'],
  ])('%s is an error of its own kind', async (_name, bytes, code) => {
    await using tracker = await rawTracker(bytes);
    expect(await rejected(announce(tracker.url, request))).toMatchObject({
      name: 'TrackerError',
      code,
      url: tracker.url,
    });
  });
});

describe('refusals', () => {
  test('clients 48: the failure reason is the error, with the pause the tracker asks for', async () => {
    const cases: [string, number | undefined][] = [
      ['d14:failure reason6:banned8:retry ini5ee', 300_000],
      ['d14:failure reason6:banned8:retry in5:nevere', Infinity],
      ['d14:failure reason6:banned8:intervali90ee', 90_000],
      ['d14:failure reason6:bannede', undefined],
    ];
    for (const [body, retryInMs] of cases) {
      await using tracker = await httpTracker(answer(body));
      expect(await rejected(announce(tracker.url, request))).toMatchObject({
        code: 'refused',
        failureReason: 'banned',
        retryInMs,
      });
    }
  });

  test('clients 48: a warning is no error', async () => {
    await using tracker = await httpTracker(answer('d8:intervali1800e5:peers0:15:warning message4:slowe'));
    expect(await announce(tracker.url, request)).toMatchObject({ warning: 'slow' });
  });

  test('a reason sent with status 403 is heard', async () => {
    await using tracker = await httpTracker(answer('d14:failure reason6:bannede', {}, 403));
    expect(await rejected(announce(tracker.url, request))).toMatchObject({ code: 'refused', failureReason: 'banned' });
  });

  test('another status is an error with that status, even when the body is an answer', async () => {
    await using tracker = await httpTracker(answer(onePeer, { 'Retry-After': '120' }, 503));
    expect(await rejected(announce(tracker.url, request))).toMatchObject({
      code: 'http-status',
      status: 503,
      retryInMs: 120_000,
    });
  });

  test('clients 49: the interval is clamped, and the caller may allow shorter ones', async () => {
    await using tracker = await httpTracker(answer('d8:intervali5e5:peers0:e'));
    expect((await announce(tracker.url, request)).interval).toBe(60);
    expect((await announce(tracker.url, request, { minimumInterval: 1 })).interval).toBe(5);
  });

  test('the message never holds the path, where private trackers keep the passkey', async () => {
    const url = `http://127.0.0.1:${await closedPort()}/0123456789abcdef/announce?pass=secret`;
    const error = await rejected(announce(url, request));
    expect(error).toMatchObject({ code: 'unreachable', url });
    expect(error?.message).not.toMatch(/0123456789abcdef|secret/);
    expect(await rejected(announce('http://me:secret@127.0.0.1/x', request))).toMatchObject({
      message: expect.not.stringContaining('secret'),
    });
  });
});

describe('redirects', () => {
  test('clients 51: up to five are followed, with our query as it was sent on', async () => {
    let left = 5;
    await using tracker = await httpTracker((response, incoming) => {
      if (left-- === 0) return answer(onePeer)(response, incoming);
      response.writeHead(302, { Location: `${incoming.url}&hop` });
      response.end();
    });
    expect(await announce(tracker.url, request)).toMatchObject({ peers });
    expect(tracker.targets).toHaveLength(6);
    expect(tracker.targets[5]).toMatch(/^\/announce\?info_hash=%AA.*&hop&hop&hop&hop&hop$/);
  });

  test('clients 51: a sixth is refused', async () => {
    await using tracker = await httpTracker((response, incoming) => {
      response.writeHead(301, { Location: incoming.url });
      response.end();
    });
    expect(await rejected(announce(tracker.url, request))).toMatchObject({ code: 'too-many-redirects' });
    expect(tracker.targets).toHaveLength(6);
  });

  test.each([301, 302, 303, 307, 308])('status %d to another host is followed', async (status) => {
    await using target = await httpTracker();
    await using tracker = await httpTracker(answer('', { Location: `${target.url}?moved` }, status));
    expect(await announce(tracker.url, request)).toMatchObject({ peers });
    expect(target.targets).toEqual(['/announce?moved']);
    expect(target.headers[0]).toContain(`127.0.0.1:${target.port}`);
  });

  test.each([
    'udp://127.0.0.1:1/announce',
    'file:///etc/passwd',
    'javascript:1',
    'http://',
    'gopher://127.0.0.1/announce',
  ])('to %s is refused', async (location) => {
    await using tracker = await httpTracker(answer('', { Location: location }, 302));
    expect(await rejected(announce(tracker.url, request))).toMatchObject({ code: 'refused-redirect' });
  });

  test('to this computer, but not to a tracker, is refused', async () => {
    await using target = await httpTracker();
    await using tracker = await httpTracker(
      answer('', { Location: `http://127.0.0.1:${target.port}/admin/reboot` }, 302),
    );
    expect(await rejected(announce(tracker.url, request))).toMatchObject({ code: 'refused-address' });
    expect(target.targets).toEqual([]);
  });

  test('without a location it is a status like any other', async () => {
    await using tracker = await httpTracker(answer('', {}, 302));
    expect(await rejected(announce(tracker.url, request))).toMatchObject({ code: 'http-status', status: 302 });
  });

  test('from HTTPS to HTTP is refused: it would show the passkey', async () => {
    await using target = await httpTracker();
    await using tracker = await httpsTracker(answer('', { Location: target.url }, 302));
    expect(await rejected(announce(tracker.url, request, { ca: fixture('localhost.cert.pem') }))).toMatchObject({
      code: 'refused-redirect',
    });
    expect(target.targets).toEqual([]);
  });
});

describe('HTTPS', () => {
  test('a tracker with a trusted certificate is asked', async () => {
    await using tracker = await httpsTracker();
    expect(await announce(tracker.url, request, { ca: fixture('localhost.cert.pem') })).toMatchObject({ peers });
  });

  test('the name in the certificate must be the name asked for', async () => {
    await using tracker = await httpsTracker();
    const ca = [fixture('localhost.cert.pem')];
    const lookup = async () => [{ address: '127.0.0.1', family: 4 as const }];
    expect(await announce(tracker.url.replace('127.0.0.1', 'tracker.example'), request, { ca, lookup })).toMatchObject({
      peers,
    });
    expect(
      await rejected(announce(tracker.url.replace('127.0.0.1', 'other.example'), request, { ca, lookup })),
    ).toMatchObject({ code: 'unreachable' });
  });

  test('a certificate nobody vouches for is not accepted', async () => {
    await using tracker = await httpsTracker();
    expect(await rejected(announce(tracker.url, request))).toMatchObject({
      code: 'unreachable',
      cause: { code: 'DEPTH_ZERO_SELF_SIGNED_CERT' },
    });
    expect(tracker.targets).toEqual([]);
  });
});

describe('time and cancellation', () => {
  test('a tracker that takes the request and says nothing is given up after timeoutMs', async () => {
    await using tracker = await httpTracker(() => {});
    expect(await rejected(announce(tracker.url, request, { timeoutMs: 20 }))).toMatchObject({ code: 'timeout' });
  });

  test('a body that never ends is given up as well', async () => {
    await using tracker = await httpTracker((response) => response.write('d8:interval'));
    expect(await rejected(announce(tracker.url, request, { timeoutMs: 50 }))).toMatchObject({ code: 'timeout' });
  });

  test('a resolver that hangs is given up as well', async () => {
    const lookup = () => new Promise<never>(() => {});
    expect(
      await rejected(announce('http://tracker.example/announce', request, { timeoutMs: 20, lookup })),
    ).toMatchObject({ code: 'timeout' });
  });

  test('an aborted signal cancels before and during the request, and the reason is the cause', async () => {
    const before = new AbortController();
    before.abort('gone');
    await using tracker = await httpTracker(() => during.abort('enough'));
    expect(await rejected(announce(tracker.url, request, { signal: before.signal }))).toMatchObject({
      code: 'aborted',
      cause: 'gone',
    });
    const during = new AbortController();
    expect(await rejected(announce(tracker.url, request, { signal: during.signal }))).toMatchObject({
      code: 'aborted',
      cause: 'enough',
    });
    expect(tracker.targets).toHaveLength(1);
  });

  test('the system refusing a connection is "unreachable" with its error as cause', async () => {
    const error = await rejected(announce(`http://127.0.0.1:${await closedPort()}/announce`, request));
    expect(error).toMatchObject({ code: 'unreachable', cause: { code: 'ECONNREFUSED' } });
  });

  test('a name without address is "unresolved"', async () => {
    const lookup = () => Promise.reject(new Error('ENOTFOUND'));
    expect(await rejected(announce('http://tracker.example/announce', request, { lookup }))).toMatchObject({
      code: 'unresolved',
    });
  });
});

describe('addresses', () => {
  test.runIf(hasIpv6)(
    'clients 57: one announce goes over one family when asked to, and says so when the tracker has none',
    async () => {
      await using four = await httpTracker();
      await using six = await httpTracker(
        answer('d8:intervali1800e5:peers0:6:peers618:\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01\x1a\xe1e'),
        '::1',
      );
      const lookup = async () => [
        { address: '::1', family: 6 as const },
        { address: '127.0.0.1', family: 4 as const },
      ];
      expect(await announce(`http://dual.example:${four.port}/announce`, request, { family: 4, lookup })).toMatchObject(
        {
          peers,
        },
      );
      expect(await announce(`http://dual.example:${six.port}/announce`, request, { family: 6, lookup })).toMatchObject({
        peers: [{ ip: '2001:db8::1', port: 6881 }],
      });
      expect(six.targets).toHaveLength(1);
      expect(await rejected(announce(six.url, request, { family: 4 }))).toMatchObject({ code: 'unresolved' });
    },
  );

  test('clients 57: a local address binds the connection and decides the family', async () => {
    const from: (string | undefined)[] = [];
    await using tracker = await httpTracker((response, incoming) => {
      from.push(incoming.socket.remoteAddress);
      answer(onePeer)(response, incoming);
    });
    const lookup = async () => [
      { address: '::1', family: 6 as const },
      { address: '127.0.0.1', family: 4 as const },
    ];
    await announce(`http://dual.example:${tracker.port}/announce`, request, { localAddress: '127.0.0.3', lookup });
    expect(from).toEqual(['127.0.0.3']);
  });

  test('a second address is tried when the first is dead', async () => {
    await using tracker = await httpTracker();
    const lookup = async () => [
      { address: '::1', family: 6 as const },
      { address: '127.0.0.1', family: 4 as const },
    ];
    expect(await announce(`http://dual.example:${tracker.port}/announce`, request, { lookup })).toMatchObject({
      peers,
    });
  });

  test.runIf(hasIpv6)('IPv6 literals work, brackets and all', async () => {
    await using tracker = await httpTracker(answer(onePeer), '::1');
    await announce(tracker.url, request);
    expect(tracker.headers[0]).toContain(`[::1]:${tracker.port}`);
  });
});

describe('scrape over HTTP', () => {
  const reply = `d5:filesd20:${'\xaa'.repeat(20)}d8:completei1e10:downloadedi2e10:incompletei3eeee`;

  test('clients 54: asks the address that follows from the announce URL', async () => {
    await using tracker = await httpTracker(answer(reply));
    const { files } = await scrape(`${tracker.url}.php?key=1`, [request.infoHash]);
    expect(files.get('aa'.repeat(20))).toEqual({ complete: 1, downloaded: 2, incomplete: 3 });
    expect(tracker.targets).toEqual([`/scrape.php?key=1&info_hash=${'%AA'.repeat(20)}`]);
  });

  test('clients 54: a tracker outside the convention is not scraped', async () => {
    expect(await rejected(scrape('http://tracker.example/a', [request.infoHash]))).toMatchObject({ code: 'no-scrape' });
  });

  test('many torrents are asked for in batches', async () => {
    await using tracker = await httpTracker(answer(reply));
    await scrape(
      tracker.url,
      Array.from({ length: 75 }, (_, index) => new Uint8Array(20).fill(index)),
    );
    expect(tracker.targets.map((target) => target.split('info_hash').length - 1)).toEqual([74, 1]);
  });

  test('a refusal is an error, no torrent a bug of the caller', async () => {
    await using tracker = await httpTracker(answer('d14:failure reason6:closede'));
    expect(await rejected(scrape(tracker.url, [request.infoHash]))).toMatchObject({
      code: 'refused',
      failureReason: 'closed',
    });
    await expect(scrape(tracker.url, [])).rejects.toThrow(RangeError);
  });
});

describe('URLs', () => {
  test.each([
    '',
    'announce',
    'ftp://a/announce',
    'ws://a/announce',
    'http://',
    'http:///announce',
    'http://a:99999/announce',
    'http://[::1/announce',
    'udp://',
    'udp://a:0/x',
    `http://a/${'x'.repeat(9_000)}`,
  ])('%j is unsupported', async (url) => {
    expect(await rejected(announce(url, request))).toMatchObject({ code: 'unsupported-url' });
  });

  test('clients 51: an info_hash already inside the URL is refused', async () => {
    for (const query of ['?info_hash=x', '?a=1&info_hash=x', '?a=1&INFO_HASH=x']) {
      expect(await rejected(announce(`http://127.0.0.1:1/announce${query}`, request))).toMatchObject({
        code: 'unsupported-url',
      });
    }
  });

  test('clients 51: this computer is asked only where the path is a tracker’s', async () => {
    await using tracker = await httpTracker();
    for (const path of [
      '/',
      '/admin?announce',
      '/announce/../admin',
      '/announce/%2E%2e/admin',
      '/api/v1/reboot?/announce',
    ]) {
      const url = `http://127.0.0.1:${tracker.port}${path}`;
      expect(await rejected(announce(url, request))).toMatchObject({ code: 'refused-address' });
    }
    expect(tracker.targets).toEqual([]);
    for (const path of ['/announce', '/announce.php', '/0123/announce', '/announce/0123']) {
      expect(await announce(`http://127.0.0.1:${tracker.port}${path}`, request)).toMatchObject({ peers });
    }
  });

  test('a request that is none is a bug of the caller, not of the tracker', async () => {
    await expect(announce('http://127.0.0.1:1/announce', { ...request, infoHash: new Uint8Array(19) })).rejects.toThrow(
      RangeError,
    );
  });
});
