// Clients of HTTPS that mean no good: each of them costs a handshake, and nobody else anything.
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect as connectPlain } from 'node:net';
import { type TLSSocket, connect } from 'node:tls';
import { describe, expect, test } from 'vitest';
import type { HttpServer } from '../../src/index.ts';
import { httpOn, responsesIn, trackerOf } from '../support.ts';
import { announceText, restOf } from './crowd.ts';

const tls = {
  cert: readFileSync(new URL('../fixtures/one.cert.pem', import.meta.url), 'utf8'),
  key: readFileSync(new URL('../fixtures/one.key.pem', import.meta.url), 'utf8'),
};

async function secured({ address: { port, ip } }: HttpServer): Promise<TLSSocket> {
  const socket = connect({ port, host: ip, rejectUnauthorized: false });
  socket.on('error', () => {});
  await once(socket, 'secureConnect');
  return socket;
}

/** The status of one announce over a connection that stays open. */
async function announce(socket: TLSSocket): Promise<number> {
  socket.write(announceText({ port: 6999 }));
  const [chunk] = (await once(socket, 'data')) as [Buffer];
  return responsesIn(chunk)[0]?.status ?? 0;
}

const squatters = 60;

describe('over TLS', () => {
  test('sixty requests whose headers drip are cut in their time, and others are served meanwhile', async () => {
    await using server = await httpOn(trackerOf(), { tls, requestTimeoutMs: 1500 });
    const slow = await Promise.all(Array.from({ length: squatters }, () => secured(server)));
    for (const socket of slow) socket.write('GET /announce?x=1 HTTP/1.1\r\n');
    const drip = setInterval(() => {
      for (const socket of slow) socket.write('X-A: 1\r\n');
    }, 40);
    const cut = Promise.all(slow.map(restOf));
    const good = await secured(server);
    for (let turn = 0; turn < 20; turn++) expect(await announce(good)).toBe(200);
    await cut;
    clearInterval(drip);
    // It was idle for longer than announces are apart; a new one is served as before.
    const late = await secured(server);
    expect(await announce(late)).toBe(200);
    for (const socket of [good, late]) socket.destroy();
  });

  test('sixty handshakes that drip are cut in their time, and others shake hands meanwhile', async () => {
    await using server = await httpOn(trackerOf(), { tls, requestTimeoutMs: 1500 });
    // The head of a record of a handshake, of which the rest comes byte by byte.
    const beginning = Buffer.from('1603010200010001fc0303', 'hex');
    const slow = await Promise.all(
      Array.from({ length: squatters }, async () => {
        const socket = connectPlain(server.address.port, server.address.ip).on('error', () => {});
        await once(socket, 'connect');
        socket.write(beginning);
        return socket;
      }),
    );
    const drip = setInterval(() => {
      for (const socket of slow) socket.write(Buffer.of(7));
    }, 40);
    const cut = Promise.all(slow.map(restOf));
    for (let turn = 0; turn < 5; turn++) {
      const good = await secured(server);
      expect(await announce(good)).toBe(200);
      good.destroy();
    }
    await cut;
    clearInterval(drip);
    expect(server.traffic.http).toMatchObject({ announces: 5 });
  });
});
