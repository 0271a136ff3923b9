import { type Socket, createSocket } from 'node:dgram';
import { once } from 'node:events';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Tracker } from '@shoal/tracker';
import {
  type UdpConnectionId,
  type UdpReply,
  decodeUdpReply,
  encodeUdpAnnounceRequest,
  encodeUdpConnectRequest,
} from '@shoal/tracker-protocol';
import { SourceAddress, type UdpServer, createTraffic, serveUdp } from '../../src/index.ts';
import { someHash, somePeer, trackerOf } from '../support.ts';
import { binaryHeader, binaryHeaderOf, textHeader } from './headers.ts';

const client = { ip: '203.0.113.5', port: 4711 };
const request = {
  infoHash: someHash,
  peerId: somePeer,
  port: 6881,
  uploaded: 0,
  downloaded: 0,
  left: 100,
  event: 'none',
} as const;

const behindProxy = { proxyProtocol: true, trustedProxies: ['127.0.0.2'] };

let tracker: Tracker;
let source: SourceAddress;
let server: UdpServer;
let proxy: Socket;
let stranger: Socket;

beforeEach(async () => {
  tracker = trackerOf();
  source = new SourceAddress(behindProxy);
  server = await serveUdp(tracker, { host: '127.0.0.1', port: 0, source, traffic: createTraffic() });
  [proxy, stranger] = [createSocket('udp4'), createSocket('udp4')];
  proxy.bind(0, '127.0.0.2');
  stranger.bind(0, '127.0.0.3');
  await Promise.all([once(proxy, 'listening'), once(stranger, 'listening')]);
});

afterEach(async () => {
  proxy.close();
  stranger.close();
  await server[Symbol.asyncDispose]();
});

function connectRequest(): Uint8Array {
  const bytes = new Uint8Array(16);
  encodeUdpConnectRequest(bytes, 7);
  return bytes;
}

function announceRequest(id: UdpConnectionId): Uint8Array {
  const bytes = new Uint8Array(98);
  encodeUdpAnnounceRequest(bytes, 8, id, request);
  return bytes;
}

/** Sends, and takes the next datagram, which must begin with `head`. */
async function exchange(socket: Socket, bytes: Uint8Array, head: Uint8Array = new Uint8Array(0)): Promise<UdpReply> {
  socket.send(bytes, server.address.port, server.address.ip);
  const [answer] = (await once(socket, 'message')) as [Buffer];
  expect(answer.subarray(0, head.length)).toEqual(Buffer.from(head));
  const reply = decodeUdpReply(new Uint8Array(answer.subarray(head.length)), 4);
  if (reply === undefined) throw new Error('no reply');
  return reply;
}

async function announce(socket: Socket, header: Uint8Array, head?: Uint8Array): Promise<UdpReply> {
  const wrap = (bytes: Uint8Array): Buffer => Buffer.concat([header, bytes]);
  const connected = await exchange(socket, wrap(connectRequest()), head);
  const id: UdpConnectionId = connected.action === 'connect' ? connected.connectionId : { high: 0, low: 0 };
  return exchange(socket, wrap(announceRequest(id)), head);
}

/** The address under which a peer was listed. */
function listed(): string {
  const reply = tracker.announce({ ...request, port: 1 }, { ip: '198.51.100.1' }, 0);
  return 'peers' in reply ? reply.peers.map(({ ip, port }) => `${ip}:${port}`).join() : '';
}

describe('a UDP tracker behind a proxy', () => {
  test('lists the client of a PROXY header, and answers the proxy without one', async () => {
    expect(await announce(proxy, binaryHeaderOf(client, 2))).toMatchObject({ action: 'announce' });
    expect(listed()).toBe('203.0.113.5:6881');
  });

  test('lists the client of a simple header, and sends it back before each answer', async () => {
    const address = (text: string): string => `00000000000000000000ffff${text}`;
    const simple = Buffer.from(`56ec${address('cb007105')}${address('7f000002')}12671ae1`, 'hex');
    expect(await announce(proxy, simple, simple)).toMatchObject({ action: 'announce' });
    expect(listed()).toBe('203.0.113.5:6881');
  });

  test('serves others as they are, and does not believe their headers', async () => {
    // To a tracker without proxies a header is a request with a wrong connection id.
    const wrapped = Buffer.concat([binaryHeaderOf(client, 2), connectRequest()]);
    expect(await exchange(stranger, wrapped)).toMatchObject({ action: 'error' });
    expect(await announce(stranger, new Uint8Array(0))).toMatchObject({ action: 'announce' });
    expect(listed()).toBe('127.0.0.3:6881');
    expect(server.traffic.udp).toMatchObject({ connects: 1, errors: 1, dropped: 0 });
  });

  test('can be told while it runs that headers come, and that they do no longer', async () => {
    source.replace({ ...behindProxy, proxyProtocol: false });
    const wrapped = Buffer.concat([binaryHeaderOf(client, 2), connectRequest()]);
    expect(await exchange(proxy, wrapped)).toMatchObject({ action: 'error' });
    source.replace(behindProxy);
    expect(await exchange(proxy, wrapped)).toMatchObject({ action: 'connect' });
    source.replace({ ...behindProxy, proxyProtocol: false });
    expect(await announce(proxy, new Uint8Array(0))).toMatchObject({ action: 'announce' });
    expect(listed()).toBe('127.0.0.2:6881');
  });

  test('answers a client that came through the proxy, and then without it, where it came from last', async () => {
    // The stranger is a client of the proxy first.
    const { port } = stranger.address();
    const wrapped = Buffer.concat([binaryHeaderOf({ ip: '127.0.0.3', port }, 2), connectRequest()]);
    expect(await exchange(proxy, wrapped)).toMatchObject({ action: 'connect' });
    expect(await announce(stranger, new Uint8Array(0))).toMatchObject({ action: 'announce' });
  });

  test.each([
    ['no header', new Uint8Array(0)],
    ['a header for streams', binaryHeaderOf(client, 1)],
    ['a text header', textHeader(client)],
    ['a header of its own', binaryHeader({ command: 0, family: 0, transport: 0, addresses: new Uint8Array(0) })],
  ])('drops what the proxy sends with %s', async (_, header) => {
    proxy.send(Buffer.concat([header, connectRequest()]), server.address.port, '127.0.0.1');
    // Datagrams to one socket of the loopback network keep their order.
    await announce(proxy, binaryHeaderOf(client, 2));
    expect(server.traffic.udp).toMatchObject({ connects: 1, announces: 1, dropped: 1 });
  });
});
