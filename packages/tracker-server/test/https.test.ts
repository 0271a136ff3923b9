import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect as connectPlain } from 'node:net';
import { type TLSSocket, connect } from 'node:tls';
import { get } from 'node:https';
import type { IncomingMessage } from 'node:http';
import { afterEach, describe, expect, test } from 'vitest';
import { decode } from '@shoal/bencode';
import { Tracker } from '@shoal/tracker';
import { percentEncode } from '@shoal/tracker-protocol';
import { type Certificate, type HttpOptions, type HttpServer, TrackerServerError, serveHttp } from '../src/index.ts';

const certificateOf = (name: string): Certificate => ({
  cert: readFileSync(new URL(`fixtures/${name}.cert.pem`, import.meta.url), 'utf8'),
  key: readFileSync(new URL(`fixtures/${name}.key.pem`, import.meta.url), 'utf8'),
});

const [one, two] = [certificateOf('one'), certificateOf('two')];

let server: HttpServer | undefined;
afterEach(() => server?.[Symbol.asyncDispose]());

function listen(tls: Certificate, options: HttpOptions = {}): Promise<HttpServer> {
  return serveHttp(new Tracker({ random: Math.random }), { host: '127.0.0.1', port: 0, tls, ...options });
}

/** A connection that never shakes hands; resolves to when it is closed. */
async function silent({ address: { port } }: HttpServer): Promise<{ closed: Promise<unknown> }> {
  const socket = connectPlain(port, '127.0.0.1').on('error', () => {});
  await once(socket, 'connect');
  return { closed: once(socket.resume(), 'close') };
}

/** Name in the certificate shown to who connects now. */
async function shownName({ address: { port } }: HttpServer): Promise<unknown> {
  const socket: TLSSocket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false });
  await once(socket, 'secureConnect');
  const { CN } = socket.getPeerCertificate().subject;
  socket.destroy();
  return CN;
}

describe('HTTPS', () => {
  test('does not wait for who does not shake hands', async () => {
    server = await listen(one, { requestTimeoutMs: 50 });
    await (
      await silent(server)
    ).closed;
  });

  test('ends with connections that have not shaken hands', async () => {
    server = await listen(one);
    const { closed } = await silent(server);
    // It has been accepted once a later one is served.
    await shownName(server);
    await server[Symbol.asyncDispose]();
    server = undefined;
    await closed;
  });

  test('answers announces under a https URL', async () => {
    server = await listen(one);
    expect(server.url).toMatch(/^https:\/\/127\.0\.0\.1:\d+$/);
    const id = percentEncode(new Uint8Array(20).fill(200));
    const url = `${server.url}/announce?info_hash=${id}&peer_id=${id}&port=6881&left=0&compact=1`;
    const [response] = (await once(get(url, { ca: one.cert, agent: false }), 'response')) as [IncomingMessage];
    const chunks: Buffer[] = [];
    for await (const chunk of response) chunks.push(chunk as Buffer);
    expect((decode(new Uint8Array(Buffer.concat(chunks))) as ReadonlyMap<string, unknown>).get('complete')).toBe(1);
  });

  test('shows another certificate to new connections once it is renewed', async () => {
    server = await listen(one);
    expect(await shownName(server)).toBe('one.localhost');
    server.renew(two);
    expect(await shownName(server)).toBe('two.localhost');
  });

  test('keeps its certificate when the new one and its key do not belong together', async () => {
    server = await listen(one);
    expect(() => server?.renew({ cert: two.cert, key: one.key })).toThrow(TrackerServerError);
    expect(() => server?.renew({ cert: 'nonsense', key: one.key })).toThrow(TrackerServerError);
    expect(await shownName(server)).toBe('one.localhost');
  });

  test.each([
    ['is none', { cert: 'nonsense', key: one.key }],
    ['has another key', { cert: one.cert, key: two.key }],
  ])('does not start with a certificate that %s', async (_, certificate) => {
    await expect(listen(certificate)).rejects.toMatchObject({ code: 'bad-certificate' });
  });
});
