import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { connect as connectSecurely } from 'node:tls';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { decode } from '@shoal/bencode';
import { type Certificate, type HttpOptions, type HttpServer, SourceAddress } from '../../src/index.ts';
import { announceTarget, exchange, httpOn, responsesIn, textOf, trackerOf } from '../support.ts';
import { binaryHeaderOf, textHeader } from './headers.ts';

const client = { ip: '203.0.113.5', port: 4711 };
const loopback: HttpOptions = { proxyProtocol: true, trustedProxies: ['127.0.0.1'] };

let server: HttpServer;
beforeEach(async () => {
  server = await httpOn(trackerOf(), loopback);
});
afterEach(() => server[Symbol.asyncDispose]());

function requestOf(headers = ''): Buffer {
  const head = `GET ${announceTarget({ compact: 1 })} HTTP/1.1\r\nHost: tracker\r\nConnection: close\r\n${headers}\r\n`;
  return Buffer.from(head, 'latin1');
}

/** The address that the tracker saw, as BEP 24 tells it, or the reason why it refused. */
function seen(stream: Buffer): string | undefined {
  const [response] = responsesIn(stream);
  const reply = response === undefined ? undefined : decode(response.body);
  if (!(reply instanceof Map)) return undefined;
  const ip = reply.get('external ip');
  return ip instanceof Uint8Array ? ip.join('.') : textOf(reply.get('failure reason'));
}

async function ask(header: Buffer, headers = ''): Promise<string | undefined> {
  return seen(await exchange(server.address.port, Buffer.concat([header, requestOf(headers)])));
}

describe('trackers 25: a tracker behind proxies that send PROXY headers', () => {
  test('answers the client at its own address', async () => {
    expect(await ask(textHeader(client))).toBe('203.0.113.5');
    expect(await ask(binaryHeaderOf(client))).toBe('203.0.113.5');
  });

  test('does not look at X-Forwarded-For of that client', async () => {
    expect(await ask(textHeader(client), 'X-Forwarded-For: 6.6.6.6\r\n')).toBe('203.0.113.5');
  });

  test('reads X-Forwarded-For where the client is a trusted proxy itself', async () => {
    expect(await ask(textHeader({ ip: '127.0.0.1', port: 1 }), 'X-Forwarded-For: 198.51.100.7\r\n')).toBe(
      '198.51.100.7',
    );
  });

  test('refuses announces of the proxy itself', async () => {
    expect(await ask(Buffer.from('PROXY UNKNOWN\r\n'))).toContain('does not say who you are');
  });

  test('closes within the time of a request what sends no header', async () => {
    await using impatient = await httpOn(trackerOf(), { ...loopback, requestTimeoutMs: 100 });
    expect(await exchange(impatient.address.port, 'PROXY')).toHaveLength(0);
    expect(await exchange(impatient.address.port, requestOf())).toHaveLength(0);
  });

  test('closes while a header is missing', async () => {
    const other = await httpOn(trackerOf(), loopback);
    const socket = connect(other.address.port, '127.0.0.1');
    await once(socket, 'connect');
    await other[Symbol.asyncDispose]();
    await once(socket.resume(), 'close');
  });

  test('can be told to trust others while it runs', async () => {
    const source = new SourceAddress({ proxyProtocol: true });
    await using open = await httpOn(trackerOf(), { source });
    const { port } = open.address;
    expect(seen(await exchange(port, requestOf()))).toBe('127.0.0.1');
    source.replace(loopback);
    expect(seen(await exchange(port, Buffer.concat([textHeader(client), requestOf()])))).toBe('203.0.113.5');
  });

  test('can be told while it runs that headers come, and that they do no longer; connections that are open stay as they are', async () => {
    const source = new SourceAddress({ trustedProxies: ['127.0.0.1'] });
    await using changing = await httpOn(trackerOf(), { source });
    const { port } = changing.address;
    const forwarded = requestOf('X-Forwarded-For: 198.51.100.7\r\n');
    const before = connect(port, '127.0.0.1');
    await once(before, 'connect');
    expect(seen(await exchange(port, forwarded))).toBe('198.51.100.7');
    source.replace(loopback);
    expect(seen(await exchange(port, Buffer.concat([binaryHeaderOf(client), requestOf()])))).toBe('203.0.113.5');
    expect(await exchange(port, forwarded)).toHaveLength(0);
    before.write(forwarded);
    const [answer] = (await once(before, 'data')) as [Buffer];
    expect(seen(answer)).toBe('198.51.100.7');
    source.replace({ trustedProxies: ['127.0.0.1'] });
    expect(seen(await exchange(port, forwarded))).toBe('198.51.100.7');
  });
});

describe('HTTPS behind a PROXY header', () => {
  test('has the header before the handshake', async () => {
    const read = (name: string): string => readFileSync(new URL(`../fixtures/${name}.pem`, import.meta.url), 'utf8');
    const tls: Certificate = { cert: read('one.cert'), key: read('one.key') };
    await using secure = await httpOn(trackerOf(), { ...loopback, tls });
    const raw = connect(secure.address.port, '127.0.0.1');
    raw.write(binaryHeaderOf(client));
    const socket = connectSecurely({ socket: raw, rejectUnauthorized: false });
    const chunks: Buffer[] = [];
    socket.on('data', (chunk: Buffer) => chunks.push(chunk));
    socket.write(requestOf());
    await once(socket, 'close');
    expect(seen(Buffer.concat(chunks))).toBe('203.0.113.5');
  });
});
