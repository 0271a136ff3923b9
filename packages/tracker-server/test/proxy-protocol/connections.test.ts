import { once } from 'node:events';
import { createServer } from 'node:http';
import { type Server, connect } from 'node:net';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { expectProxyHeaders } from '../../src/proxy-protocol/connections.ts';
import { exchange, responsesIn } from '../support.ts';
import { binaryHeader, binaryHeaderOf, textHeader } from './headers.ts';

const client = { ip: '203.0.113.5', port: 4711 };
const request = 'GET /where HTTP/1.1\r\nHost: tracker\r\nConnection: close\r\n\r\n';

let server: Server;
let port: number;
let proxies: string[];
let headers: Disposable;

/** A server that answers with the address and port that it sees. */
beforeEach(async () => {
  proxies = ['127.0.0.1'];
  const http = createServer({ keepAliveTimeout: 1000 }, ({ socket }, response) => {
    response.end(`${socket.remoteAddress} ${socket.remotePort} ${socket.remoteFamily}`);
  });
  headers = expectProxyHeaders(http, { sendsHeader: (address) => proxies.includes(address) }, 200);
  server = http.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  port = typeof address === 'object' && address !== null ? address.port : 0;
});

afterEach(async () => {
  headers[Symbol.dispose]();
  server.close();
  await once(server, 'close');
});

/** Writes each part once the part before is on its way. */
async function inParts(parts: readonly Uint8Array[]): Promise<string> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true });
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  for (const part of parts) await new Promise<void>((resolve) => socket.write(part, () => resolve()));
  await once(socket, 'close');
  return Buffer.concat(chunks).toString('latin1');
}

function bodyOf(answer: Buffer | string): string {
  return responsesIn(Buffer.from(answer))[0]?.body.toString('latin1') ?? '';
}

describe('a connection of a proxy', () => {
  test.each([
    ['text', textHeader(client), '203.0.113.5 4711 IPv4'],
    ['bytes', binaryHeaderOf(client), '203.0.113.5 4711 IPv4'],
    ['bytes of IPv6', binaryHeaderOf({ ip: '2001:db9::5', port: 1 }), '2001:db9::5 1 IPv6'],
  ])('has the address that its header names in %s', async (_, header, expected) => {
    expect(bodyOf(await exchange(port, Buffer.concat([header, Buffer.from(request)])))).toBe(expected);
  });

  test('keeps its own address where the proxy speaks for itself', async () => {
    const header = binaryHeader({ command: 0, family: 0, transport: 0, addresses: new Uint8Array(0) });
    expect(bodyOf(await exchange(port, Buffer.concat([header, Buffer.from(request)])))).toMatch(
      /^127\.0\.0\.1 \d+ IPv4$/,
    );
  });

  test('keeps the address for all requests that follow', async () => {
    const twice = request.replace('close', 'keep-alive') + request;
    const stream = await exchange(port, Buffer.concat([textHeader(client), Buffer.from(twice)]));
    expect(responsesIn(stream).map(({ body }) => body.toString())).toEqual(Array(2).fill('203.0.113.5 4711 IPv4'));
  });

  test('is read however its bytes are cut', async () => {
    const bytes = [textHeader(client), binaryHeaderOf(client, 1, new Uint8Array(40))].map((header) =>
      Buffer.concat([header, Buffer.from(request)]),
    );
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...bytes), fc.array(fc.nat(120), { maxLength: 4 }), async (all, cuts) => {
        const bounds = [0, ...cuts.toSorted((one, other) => one - other), all.length];
        const parts = bounds.slice(1).map((end, at) => all.subarray(bounds[at], end));
        expect(bodyOf(await inParts(parts))).toBe('203.0.113.5 4711 IPv4');
      }),
      { numRuns: 40 },
    );
  });

  test.each([
    ['a request', request],
    ['a header that is none', `PROXY TCP5 a b c d\r\n${request}`],
    ['a header that never ends', 'PROXY UNKNOWN '.padEnd(4000, 'x')],
  ])('is closed when it begins with %s', async (_, text) => {
    expect(await exchange(port, text)).toHaveLength(0);
  });

  test('is closed when its header does not come in time', async () => {
    expect(await exchange(port, 'PROXY TCP4 ')).toHaveLength(0);
  });

  test('is closed when it ends within its header', async () => {
    const socket = connect(port, '127.0.0.1');
    socket.end('PROXY TCP4 1.2.3.4');
    const chunks: Buffer[] = [];
    socket.on('data', (chunk: Buffer) => chunks.push(chunk));
    await once(socket, 'close');
    expect(chunks).toEqual([]);
  });

  test('that is not complete ends with the server', async () => {
    const socket = connect(port, '127.0.0.1');
    const accepted = once(server, 'connection');
    socket.write('PROXY');
    socket.on('error', () => socket.destroy());
    await accepted;
    headers[Symbol.dispose]();
    await once(socket, 'close');
  });
});

describe('a connection of anybody else', () => {
  test('is served as it is', async () => {
    proxies = [];
    expect(bodyOf(await exchange(port, request))).toMatch(/^127\.0\.0\.1 \d+ IPv4$/);
  });

  test('is not believed when it sends a header', async () => {
    proxies = [];
    const answer = await exchange(port, Buffer.concat([textHeader(client), Buffer.from(request)]));
    expect(responsesIn(answer)[0]?.status).toBe(400);
  });
});
