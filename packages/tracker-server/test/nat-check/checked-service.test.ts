import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { StandingPolicy, Tracker } from '@shoal/tracker';
import {
  type CheckedServiceOptions,
  type HttpServer,
  NatChecker,
  type NatCheckMode,
  checkedService,
  localService,
  serveUdp,
} from '../../src/index.ts';
import { announceTarget, ask, compactIn, httpOn, mulberry32, someHash, somePeer, textOf } from '../support.ts';
import { Listener, closedPort } from './listeners.ts';

const loopback = Uint8Array.of(127, 0, 0, 1);

let policy: StandingPolicy;
let tracker: Tracker;
let checker: NatChecker;
let server: HttpServer;
let peer: Listener;

beforeEach(async () => {
  policy = new StandingPolicy({}, { random: mulberry32(1) });
  tracker = new Tracker({ random: mulberry32(1), policy });
  checker = new NatChecker({ localAddresses: true, random: mulberry32(2), timeoutMs: 5000 });
  peer = await Listener.peer();
  server = await serverOf({});
});

afterEach(async () => {
  checker[Symbol.dispose]();
  await Promise.all([server[Symbol.asyncDispose](), peer[Symbol.asyncDispose]()]);
});

function serverOf(more: Partial<CheckedServiceOptions>): Promise<HttpServer> {
  const serves = (infoHash: Uint8Array): boolean => policy.serves(infoHash);
  const service = checkedService({ service: localService(tracker), checker, tracker, serves, ...more });
  return httpOn(tracker, { service });
}

interface Reply {
  readonly peers: string[];
  readonly failure: string | undefined;
  readonly warning: string | undefined;
  readonly interval: unknown;
  readonly retryIn: unknown;
}

async function announce(mode: NatCheckMode, port: number, more: Record<string, string> = {}): Promise<Reply> {
  checker.mode = mode;
  const reply = await ask(server, announceTarget({ compact: 1, port, ...more }));
  const list = reply.get('peers');
  return {
    peers: list === undefined ? [] : compactIn(list),
    failure: textOf(reply.get('failure reason')),
    warning: textOf(reply.get('warning message')),
    interval: reply.get('interval'),
    retryIn: reply.get('retry in'),
  };
}

/** Settles when the look that is going on is over. */
function looked(port: number): Promise<unknown> {
  return new Promise((resolve) => {
    if (!checker.look(loopback, port, someHash, performance.now(), resolve)) resolve(undefined);
  });
}

describe('off', () => {
  test('nobody is looked at', async () => {
    await announce('off', peer.port);
    expect([peer.connections, tracker.counts.leechers, checker.counts.remembered]).toEqual([0, 1, 0]);
  });
});

describe('warn', () => {
  test('lists at once, and says from the next announce on that nobody can connect', async () => {
    const port = await closedPort();
    expect((await announce('warn', port)).warning).toBeUndefined();
    await looked(port);
    const { warning, failure } = await announce('warn', port);
    expect(warning).toBe(`nobody can connect to your port ${port}: open it in router and firewall`);
    expect([failure, tracker.counts.leechers]).toEqual([undefined, 1]);
  });

  test('says nothing to who can be reached', async () => {
    await announce('warn', peer.port);
    await looked(peer.port);
    expect((await announce('warn', peer.port)).warning).toBeUndefined();
    expect(checker.counts.unreachable).toBe(0);
  });
});

describe('require', () => {
  test('lists who can be reached, in one announce, and gives him peers', async () => {
    await using other = await Listener.peer();
    expect(await announce('require', other.port)).toMatchObject({ failure: undefined, peers: [] });
    expect((await announce('require', peer.port)).peers).toEqual([`127.0.0.1:${other.port}`]);
    expect(peer.connections).toBe(1);
    await announce('require', peer.port);
    expect(peer.connections).toBe(1);
  });

  test('goes on with what was announced, whatever becomes of its bytes meanwhile', async () => {
    checker.mode = 'require';
    const service = checkedService({ service: localService(tracker), checker, tracker });
    const [infoHash, peerId, address] = [someHash.slice(), somePeer.slice(), loopback.slice()];
    const request = { infoHash, peerId, port: peer.port, uploaded: 0, downloaded: 0, left: 1, event: 'none' } as const;
    await new Promise<void>((resolve) => {
      service.announce(request, address, { families: 'own', withPeerIds: false }, 0, () => resolve());
      for (const bytes of [infoHash, peerId, address]) bytes.fill(0);
    });
    expect(tracker.scrape([someHash], 0)).toMatchObject([{ incomplete: 1 }]);
    expect((await announce('off', 1)).peers).toEqual([`127.0.0.1:${peer.port}`]);
  });

  test('refuses who cannot, says why and for how long, and does not list him', async () => {
    await announce('require', peer.port);
    const port = await closedPort();
    expect(await announce('require', port)).toEqual({
      peers: [],
      failure: `nobody can connect to your port ${port}: open it in router and firewall`,
      warning: undefined,
      interval: 300,
      retryIn: 5,
    });
    expect(tracker.counts).toMatchObject({ leechers: 1, refusals: { 'not-connectable': 1 } });
  });

  test('says what is wrong with a port that speaks something else', async () => {
    await using web = await Listener.open((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'));
    expect((await announce('require', web.port)).failure).toContain('does not answer a plain BitTorrent handshake');
  });

  test('takes who could be reached once off the list', async () => {
    await announce('off', await closedPort());
    expect(tracker.counts.leechers).toBe(1);
    const port = await closedPort();
    await announce('off', port);
    expect(tracker.counts.leechers).toBe(2);
    await announce('require', port);
    expect(tracker.counts.leechers).toBe(1);
  });

  test('refuses no goodbye', async () => {
    const port = await closedPort();
    expect(await announce('require', port, { event: 'stopped' })).toMatchObject({ failure: undefined });
    expect(checker.counts.remembered).toBe(0);
  });

  test('looks at nobody for a torrent that is not served', async () => {
    policy.replace({ allowedTorrents: { has: () => false } });
    expect((await announce('require', peer.port)).failure).toContain('does not serve this torrent');
    expect(peer.connections).toBe(0);
  });

  test('tells who has to wait too long to come back in a minute', async () => {
    using full = new NatChecker({ mode: 'require', localAddresses: true, queueLength: 0 });
    await using busy = await serverOf({ checker: full });
    const reply = await ask(busy, announceTarget({ port: peer.port }));
    expect(textOf(reply.get('failure reason'))).toContain('try again in a minute');
    expect(reply.get('interval')).toBe(60);
  });

  test('lists who could not be looked at for a fault of ours', async () => {
    await using silent = await Listener.open(() => checker[Symbol.dispose]());
    expect(await announce('require', silent.port)).toMatchObject({ failure: undefined });
    expect(tracker.counts.leechers).toBe(1);
  });
});

describe('an address that is not proven', () => {
  test('is never connected to', async () => {
    await using unproven = await serverOf({ addressesProven: false });
    checker.mode = 'require';
    const reply = await ask(unproven, announceTarget({ port: peer.port }));
    expect([reply.get('complete'), peer.connections]).toEqual([0, 0]);
  });

  test('is the one that a claim names: the look goes to where the announce came from', async () => {
    await announce('require', peer.port, { ip: '127.0.0.2' });
    expect(peer.connections).toBe(1);
    expect(checker.verdict(loopback, peer.port, someHash, performance.now()).state).toBe('reachable');
  });
});

test('over UDP an announce waits for its look too', async () => {
  const service = checkedService({ service: localService(tracker), checker, tracker });
  checker.mode = 'require';
  await using udp = await serveUdp(tracker, { host: '127.0.0.1', port: 0, service });
  const port = await closedPort();
  expect(await udpAnnounce(udp.address.port, port)).toContain(`nobody can connect to your port ${port}`);
  expect(await udpAnnounce(udp.address.port, peer.port)).toBe('listed');
});

async function udpAnnounce(trackerPort: number, port: number): Promise<string> {
  const socket = createSocket('udp4');
  socket.connect(trackerPort, '127.0.0.1');
  await once(socket, 'connect');
  socket.send(Buffer.from('000004172710198000000000deadbeef', 'hex'));
  const [connected] = (await once(socket, 'message')) as [Buffer];
  const request = Buffer.alloc(98);
  connected.copy(request, 0, 8, 16);
  request.writeUInt32BE(1, 8);
  request.set(someHash, 16);
  request.writeUInt32BE(1, 80);
  request.writeUInt32BE(50, 92);
  request.writeUInt16BE(port, 96);
  socket.send(request);
  const [answer] = (await once(socket, 'message')) as [Buffer];
  socket.close();
  return answer.readUInt32BE(0) === 3 ? answer.subarray(8).toString() : 'listed';
}
