// Policies of a running tracker that are changed in each of the ways there are, seen from outside, threads included.
import { type Socket, createSocket } from 'node:dgram';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  decodeUdpReply,
  encodeUdpAnnounceRequest,
  encodeUdpConnectRequest,
  percentEncode,
} from '@shoal/tracker-protocol';
import { Run } from './running-command.ts';

const infoHash = new Uint8Array(20).fill(1);
const peerId = new Uint8Array(20).fill(2);
const peer = { infoHash, peerId, port: 6881, uploaded: 0, downloaded: 0, left: 1, event: 'none' } as const;

let folder: string;
let proxy: Socket;
let stranger: Socket;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'shoal-tracker-'));
  [proxy, stranger] = [createSocket('udp4'), createSocket('udp4')];
  proxy.bind(0, '127.0.0.1');
  stranger.bind(0, '127.0.0.3');
  await Promise.all([once(proxy, 'listening'), once(stranger, 'listening')]);
});
afterEach(async () => {
  proxy.close();
  stranger.close();
  await rm(folder, { recursive: true });
});

/** What the tracker answers to bytes over UDP: `error`, `connect`, `announce`. */
async function actionOf(socket: Socket, url: URL, bytes: Uint8Array): Promise<string | undefined> {
  socket.send(bytes, Number(url.port), url.hostname);
  const [answer] = (await once(socket, 'message')) as [Uint8Array];
  return decodeUdpReply(answer, 4)?.action;
}

/** An announce with an id that nobody gave. */
function unproven(): Uint8Array {
  const bytes = new Uint8Array(98);
  encodeUdpAnnounceRequest(bytes, 1, { high: 1, low: 1 }, peer);
  return bytes;
}

/** A connect behind a PROXY header of version 2, for 203.0.113.5. */
function proxied(): Uint8Array {
  const bytes = new Uint8Array(16);
  encodeUdpConnectRequest(bytes, 1);
  const header = Buffer.from('0d0a0d0a000d0a515549540a2112000ccb007105cb00710512671ae1', 'hex');
  return Buffer.concat([header, bytes]);
}

/** What a tracker says at once to a request over a connection of its own; empty where it closes it. */
async function answerTo(url: URL, ...lines: readonly string[]): Promise<string> {
  const socket = connect(Number(url.port), url.hostname);
  const { promise, resolve } = Promise.withResolvers<string>();
  socket.once('data', (answer: Buffer) => resolve(answer.toString('latin1')));
  socket.on('error', () => {}).once('close', () => resolve(''));
  socket.write([...lines, '', ''].join('\r\n'));
  return promise.finally(() => socket.destroy());
}

const announce = `GET /announce?info_hash=${percentEncode(infoHash)}&peer_id=${percentEncode(peerId)}&port=1&uploaded=0&downloaded=0&left=1&compact=1 HTTP/1.1`;
const close = ['Host: x', 'Connection: close'];
const header = 'PROXY TCP4 203.0.113.9 192.0.2.1 4000 80';

/** What of the policies below holds. */
async function seen(http: URL, udp: URL): Promise<object> {
  const upgrade = ['Upgrade: websocket', 'Sec-WebSocket-Version: 13', 'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA=='];
  const throughProxy = await answerTo(http, header, announce, ...close);
  // Once the tracker expects a header of this machine, every connection has one.
  const before = throughProxy.includes('external ip') ? [header] : [];
  const page = [
    ...before,
    'GET /announce HTTP/1.1',
    'Host: x',
    'Connection: Upgrade',
    ...upgrade,
    'Origin: https://a.b',
  ];
  const pages = await answerTo(http, ...page);
  const everything = await answerTo(http, ...before, 'GET /scrape HTTP/1.1', ...close);
  return {
    client: throughProxy.includes(`external ip4:${String.fromCharCode(203, 0, 113, 9)}`),
    strangers: pages.startsWith('HTTP/1.1 403') ? 'refused' : 'welcome',
    everything: everything.includes('5:filesd'),
    unproven: await actionOf(stranger, udp, unproven()),
    datagram: await actionOf(proxy, udp, proxied()),
  };
}

const changed = `connection-ids = "off"
web-socket-origin = ["https://example.org"]
trusted-proxy = ["127.0.0.1"]
proxy-protocol = true
full-scrape = 10
`;

const byName = [
  'connection-ids/off',
  'web-socket-origin/https%3A%2F%2Fexample.org',
  'trusted-proxy/127.0.0.1',
  'proxy-protocol/true',
  'full-scrape/10',
];

type Ask = (run: Run, admin: string, edit: () => Promise<void>) => Promise<unknown>;

describe('connection ids, PROXY headers, origins and scrapes of everything', () => {
  test.each<[string, number, Ask]>([
    ['when the file changes', 1, (_run, _admin, edit) => edit()],
    ['when the file changes, in threads', 2, (_run, _admin, edit) => edit()],
    ['on SIGHUP', 2, async (run, _admin, edit) => edit().then(() => run.child.kill('SIGHUP'))],
    ['on POST /reload', 2, async (_, admin, edit) => edit().then(() => fetch(`${admin}/reload`, { method: 'POST' }))],
    [
      'by their names',
      2,
      async (_, admin) => Promise.all(byName.map((path) => fetch(`${admin}/options/${path}`, { method: 'PUT' }))),
    ],
  ])('change %s', async (_, workers, ask) => {
    const config = join(folder, 'tracker.toml');
    await writeFile(config, '# nothing yet\n');
    const listen = ['--http', '127.0.0.1:0', '--udp', '127.0.0.1:0', '--admin', '127.0.0.1:0'];
    await using run = new Run('serve', '--config', config, ...listen, '--workers', String(workers), '--json');
    const event = await run.event();
    const [http, udp] = [new URL(String(event['http'])), new URL(String(event['udp']))];
    expect(await seen(http, udp)).toEqual({
      client: false,
      strangers: 'welcome',
      everything: false,
      unproven: 'error',
      datagram: 'error',
    });
    await ask(run, String(event['admin']), () => writeFile(config, changed));
    // A file is read when its writer has come to rest, and threads hear of it by a message.
    await expect
      .poll(() => seen(http, udp), { timeout: 10_000 })
      .toEqual({ client: true, strangers: 'refused', everything: true, unproven: 'announce', datagram: 'connect' });
  });
});
