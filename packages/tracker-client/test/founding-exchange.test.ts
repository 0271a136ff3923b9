// The tracker's answers of the exchange captured on 30 September 2003, head and body as they were on the wire, to our client.
import { latin1 } from '@shoal/bencode';
import { describe, expect, test } from 'vitest';
import { announce } from '../src/index.ts';
import { request } from './requests.ts';
import { httpTracker, rawTracker } from './servers.ts';

const idOf = (end: string): Uint8Array => Uint8Array.from(Buffer.from(`${'00'.repeat(12)}${end}`, 'hex'));
const origin = { ip: '127.0.0.1', port: 6881, peerId: idOf('7c2ee11def27a366') };
const client = { ip: '127.0.0.1', port: 6883, peerId: idOf('f51ae4e85a875808') };
const lateOrigin = { ip: '127.0.0.1', port: 6881, peerId: idOf('ab3021cb0e6ab22d') };

const started = `
  1f8b080060c3793f02ff4bb1b0cacc2b492d2a4bccc934b430304835b52a484d2d2ace4931b2ca2cb0b4323432d73300424373b0b8
  42668a9181150312a8d17b28fb5e7d719a8955417e5149a6998585616a2ab19abf4a3d7911d51ec181d06c9c0a0400f920775c95000000`;
const completed = started.replace('60c3', '61c3');
const stopped = (peer: typeof origin): string =>
  Buffer.from(
    `d8:intervali1800e5:peersld2:ip9:127.0.0.17:peer id20:${latin1(peer.peerId)}4:porti6881eeee`,
    'latin1',
  ).toString('hex');

const compressed =
  'HTTP/1.0 200 OK\r\nContent-Length: 108\r\nContent-Type: text/plain\r\nPragma: no-cache\r\nContent-Encoding: gzip\r\n\r\n';
const plain = 'HTTP/1.0 200 OK\r\nContent-Length: 88\r\nContent-Type: text/plain\r\nPragma: no-cache\r\n\r\n';

describe('founding exchange: the answers of its tracker', () => {
  test.each([
    ['started', compressed, started, [origin, client]],
    ['completed', compressed, completed, [origin, client]],
    ['stopped', plain, stopped(origin), [origin]],
    ['the stopped of the second run', plain, stopped(lateOrigin), [lateOrigin]],
  ] as const)('to %s is understood, head and body', async (_, head, hex, peers) => {
    const body = Buffer.from(hex.replaceAll(/\s/g, ''), 'hex');
    // What the header counts is what was there.
    expect(head).toContain(`Content-Length: ${body.length}\r\n`);
    await using tracker = await rawTracker(head + body.toString('latin1'));
    const reply = await announce(tracker.url, request);
    expect(reply).toMatchObject({ interval: 1800, peers });
    expect(reply.peers).toHaveLength(peers.length);
  });
});

describe('founding exchange: the requests of its client', () => {
  test('ours has the same parameters in the same order and the same host and gzip headers', async () => {
    await using tracker = await httpTracker();
    const infoHash = Uint8Array.from(Buffer.from('2d044fc0db1a617539be4d72c2a545a0fd4803e2', 'hex'));
    const { peerId, port } = client;
    const event = 'started';
    await announce(tracker.url, { infoHash, peerId, port, uploaded: 0, downloaded: 0, left: 22_169, event });
    const captured =
      '/announce?info_hash=-%04O%C0%DB%1Aau9%BEMr%C2%A5E%A0%FDH%03%E2&peer_id=%00%00%00%00%00%00%00%00%00%00%00%00%F5%1A%E4%E8Z%87X%08' +
      '&port=6883&uploaded=0&downloaded=0&left=22169&event=started';
    // BEP 23 came later: we ask for the short list.
    expect(tracker.targets).toEqual([captured.replace('&event', '&compact=1&event')]);
    const [headers] = tracker.headers;
    const valueOf = (name: string): string | undefined => headers?.[headers.indexOf(name) + 1];
    expect(valueOf('Host')).toBe(`127.0.0.1:${tracker.port}`);
    expect(valueOf('Accept-Encoding')).toBe('gzip');
  });
});
