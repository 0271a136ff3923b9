import { once } from 'node:events';
import { type AddressInfo, type Socket, connect, createServer } from 'node:net';
import { describe, expect, test } from 'vitest';
import { PlainConnection } from '../src/http/plain-connection.ts';
import { queryText, readRequestHead } from '../src/http/request-head.ts';
import { type HttpServer, type SwarmService, localService } from '../src/index.ts';
import { announceTarget, dictionaryIn, exchange, httpOn, responsesIn, trackerOf } from './support.ts';

const plain = (headers = '', version = '1.1'): string => `GET ${announceTarget()} HTTP/${version}\r\n${headers}\r\n`;

describe('a request head', () => {
  test('of an announce is read: query, version, what tells of the connection', () => {
    const text = plain('Host: x\r\nAccept-Encoding: gzip\r\nX-Forwarded-For: 1.2.3.4\r\nx-forwarded-FOR: 5.6.7.8\r\n');
    const head = readRequestHead(Buffer.from(`xx${text}`, 'latin1'), 2)!;
    expect(queryText(head)).toBe(announceTarget().slice('/announce?'.length));
    expect(head).toMatchObject({
      verb: 'announce',
      keepsAlive: true,
      acceptEncoding: 'gzip',
      forwardedFor: '1.2.3.4,5.6.7.8',
      end: text.length + 2,
    });
  });

  test.each([
    ['1.1', '', true],
    ['1.1', 'Connection: close\r\n', false],
    ['1.1', 'CONNECTION:   Keep-Alive  \r\n', true],
    ['1.0', '', false],
    ['1.0', 'Connection: keep-alive\r\n', true],
  ])('trackers 36: of HTTP/%s with %j keeps the connection: %s', (version, headers, keepsAlive) => {
    expect(readRequestHead(Buffer.from(plain(headers, version)), 0)?.keepsAlive).toBe(keepsAlive);
  });

  test.each([
    ['a body', plain('Content-Length: 3\r\n')],
    ['chunks', plain('Transfer-Encoding: chunked\r\n')],
    ['an upgrade', plain('Connection: Upgrade\r\nUpgrade: websocket\r\n')],
    ['an expectation', plain('Expect: 100-continue\r\n')],
    ['a header without colon', plain('Host\r\n')],
    ['a name with a space', plain('Ho st: x\r\n')],
    ['a folded header', plain('Host: x\r\n  y\r\n')],
    ['a control character', plain('Host: x\u0001\r\n')],
    ['a bare line feed', plain('Host: x\ny: z\r\n')],
    ['a space in the target', 'GET /announce?info_hash=a b HTTP/1.1\r\n\r\n'],
    ['bytes above 0x7f in the target', 'GET /announce?info_hash=\xff HTTP/1.1\r\n\r\n'],
    ['another path', 'GET /stats HTTP/1.1\r\n\r\n'],
    ['another method', 'POST /announce?x=1 HTTP/1.1\r\n\r\n'],
    ['another version', 'GET /announce?x=1 HTTP/2.0\r\n\r\n'],
    ['no version', 'GET /announce?x=1\r\n\r\n'],
    ['an incomplete line', 'GET /announce?info_hash='],
    ['incomplete headers', 'GET /announce?x=1 HTTP/1.1\r\nHost: x\r\n'],
    ['a head that is too long', plain(`Cookie: ${'x'.repeat(16_384)}\r\n`)],
  ])('with %s is left to somebody else', (_, text) => {
    expect(readRequestHead(Buffer.from(text, 'latin1'), 0)).toBeUndefined();
  });
});

async function open(server: HttpServer): Promise<Socket> {
  const socket = connect({ port: server.address.port, host: '127.0.0.1', noDelay: true });
  await once(socket, 'connect');
  return socket;
}

/** Writes each part when the server has read the one before. */
async function sendParts(server: HttpServer, parts: readonly string[]): Promise<Buffer> {
  const socket = await open(server);
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  const closed = once(socket, 'close');
  for (const part of parts) {
    await new Promise((resolve) => socket.write(part, 'latin1', resolve));
    // A request of somebody else goes through the server after what was written.
    await exchange(server.address.port, plain('Connection: close\r\n'));
  }
  await closed;
  return Buffer.concat(chunks);
}

describe('a connection', () => {
  test('trackers 37: answers plain requests and others in the order they came, in one packet', async () => {
    await using server = await httpOn(trackerOf());
    const requests = [
      plain(),
      'GET /stats.json HTTP/1.1\r\nHost: x\r\n\r\n',
      plain(),
      'GET /nothing HTTP/1.1\r\nHost: x\r\n\r\n',
      plain('Connection: close\r\n'),
    ];
    const responses = responsesIn(await exchange(server.address.port, requests.join('')));
    expect(responses.map(({ status }) => status)).toEqual([200, 200, 200, 404, 200]);
    expect(responses[1]?.headers.get('content-type')).toContain('json');
    for (const index of [0, 2, 4]) expect(dictionaryIn(responses[index]!).get('incomplete')).toBe(1);
  });

  test('answers a request whatever way it is split', async () => {
    await using server = await httpOn(trackerOf());
    const text = plain('Host: x\r\nConnection: close\r\n');
    const cuts = [1, 4, 14, 40, text.indexOf(' HTTP') + 3, text.length - 3, text.length - 1];
    const streams = cuts.map((at) => sendParts(server, [text.slice(0, at), text.slice(at)]));
    for (const stream of await Promise.all(streams)) {
      expect(responsesIn(stream).map(({ status }) => status)).toEqual([200]);
    }
  });

  test('answers what came whole before it waits for the rest of what did not', async () => {
    await using server = await httpOn(trackerOf());
    const text = plain('Host: x\r\nConnection: close\r\n');
    const stream = await sendParts(server, [plain() + plain() + text.slice(0, 30), text.slice(30)]);
    expect(responsesIn(stream).map(({ status }) => status)).toEqual([200, 200, 200]);
  });

  test('goes on after a request with a body, which is left to the router', async () => {
    await using server = await httpOn(trackerOf());
    const stream = await exchange(
      server.address.port,
      `${plain()}POST /announce HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc${plain('Connection: close\r\n')}`,
    );
    expect(responsesIn(stream).map(({ status }) => status)).toEqual([200, 405, 200]);
  });

  test('answers a client that says it is done before it hears the answer', async () => {
    await using server = await httpOn(trackerOf());
    const socket = connect({ port: server.address.port, host: '127.0.0.1', allowHalfOpen: true });
    socket.end(plain());
    const chunks: Buffer[] = [];
    socket.on('data', (chunk: Buffer) => chunks.push(chunk));
    await once(socket, 'end');
    socket.destroy();
    expect(responsesIn(Buffer.concat(chunks)).map(({ status }) => status)).toEqual([200]);
  });

  test('promises to stay open no longer than it does', async () => {
    await using server = await httpOn(trackerOf(), { keepAliveMs: 7000 });
    const stream = await exchange(server.address.port, plain() + plain('Connection: close\r\n'));
    const [kept, closed] = responsesIn(stream);
    expect(kept?.headers.get('keep-alive')).toBe('timeout=7');
    expect(closed?.headers.get('connection')).toBe('close');
  });

  test('is closed with the server, whatever it waits for', async () => {
    const server = await httpOn(trackerOf());
    const sockets = await Promise.all([open(server), open(server)]);
    sockets[1]!.write(plain());
    await once(sockets[1]!, 'data');
    const closed = Promise.all(sockets.map((socket) => once(socket.resume(), 'close')));
    await server[Symbol.asyncDispose]();
    await closed;
  });

  test('is answered to its end where the client has said so at once and answers come later', async () => {
    const tracker = trackerOf();
    const inner = localService(tracker);
    const service: SwarmService = {
      ...inner,
      announce: ({ infoHash, peerId, ...request }, address, wanted, now, done) => {
        const [kept, from] = [{ ...request, infoHash: infoHash.slice(), peerId: peerId.slice() }, address.slice()];
        setImmediate(() => inner.announce(kept, from, wanted, now, done));
      },
    };
    await using server = await httpOn(tracker, { service });
    const socket = await open(server);
    const chunks: Buffer[] = [];
    socket.on('data', (chunk: Buffer) => chunks.push(chunk));
    // More than are under way at a time, and among them one that is for the router.
    socket.end(`${plain().repeat(20)}GET /none HTTP/1.1\r\nHost: x\r\n\r\n${plain().repeat(2)}`);
    await once(socket, 'close');
    const statuses = responsesIn(Buffer.concat(chunks)).map(({ status }) => status);
    expect(statuses).toEqual([...Array.from({ length: 20 }, () => 200), 404, 200, 200]);
  });

  test('survives a service that throws, which is heard of', async () => {
    const heard: unknown[] = [];
    const service = {
      announce(): never {
        throw new RangeError('broken');
      },
      scrape(): never {
        throw new RangeError('broken');
      },
    };
    await using server = await httpOn(trackerOf(), { service, onError: (error) => heard.push(error) });
    const stream = await exchange(server.address.port, plain() + plain('Connection: close\r\n'));
    expect(responsesIn(stream).map(({ status }) => status)).toEqual([500, 500]);
    expect(heard).toHaveLength(2);
  });
});

describe('answers that are written over each other', () => {
  test('stay as they are for a socket that has not sent them yet', async () => {
    let bytes = Buffer.from('0');
    let kept = 0;
    let heard = Promise.withResolvers<void>();
    const server = createServer((socket) => {
      // Sends nothing until it is told to.
      socket.cork();
      const connection = new PlainConnection(
        socket,
        {
          answer: (head, _remote, done) => {
            bytes.write(queryText(head).slice('n='.length));
            done(bytes);
            heard.resolve();
            if (queryText(head) === 'n=5') setImmediate(() => socket.uncork());
          },
          onKept: () => {
            kept++;
            bytes = Buffer.from('0');
          },
          onSilence: () => {},
          closing: { now: false },
          handOver: () => connection.close(),
        },
        () => {},
      );
    });
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
    const received: Buffer[] = [];
    socket.on('data', (chunk: Buffer) => received.push(chunk));
    for (const number of [1, 2, 3, 4, 5]) {
      heard = Promise.withResolvers();
      socket.write(`GET /announce?n=${number} HTTP/1.1\r\n\r\n`);
      await heard.promise;
    }
    while (Buffer.concat(received).length < 5) await once(socket, 'data');
    expect(Buffer.concat(received).toString()).toBe('12345');
    expect(kept).toBe(1);
    socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  });

  test('are whole whatever their length', async () => {
    await using server = await httpOn(trackerOf());
    const count = 170;
    const target = (peer: number): string =>
      announceTarget({
        compact: 1,
        numwant: 200,
        port: 1000 + peer,
        peer_id: `-SH0100-${String(peer).padStart(12, '0')}`,
      });
    const ask = async (requests: readonly string[]): Promise<unknown[]> => {
      const stream = await exchange(server.address.port, requests.join(''));
      return responsesIn(stream).map((response) => dictionaryIn(response).get('peers'));
    };
    const alone = (peer: number): string => `GET ${target(peer)} HTTP/1.1\r\nConnection: close\r\n\r\n`;
    const first = await ask([alone(0)]);
    const together = await ask([
      ...Array.from({ length: count - 1 }, (_, peer) => `GET ${target(peer + 1)} HTTP/1.1\r\n\r\n`),
      alone(count),
    ]);
    const last = await ask([alone(count + 1)]);
    const lists = [...first, ...together, ...last];
    expect(lists.map((list) => (list as Uint8Array).length)).toEqual(lists.map((_, others) => 6 * others));
  });
});
