import { once } from 'node:events';
import { connect } from 'node:net';
import { describe, expect, test, vi } from 'vitest';
import { idBytes } from '@shoal/tracker-protocol';
import { type AnnounceHeard, createTraffic } from '../../src/index.ts';
import { announceTarget, dictionaryIn, responsesIn, trackerOf } from '../support.ts';
import { Peer, announceOf, idOf, refusalOf, signallingTracker, webSocketsOn } from './peers.ts';

const offer = { offerId: idOf(20), sdp: 'v=0\r\no=- offer' };

/** Everything that was sent before has been handled once a scrape has been answered. */
async function handled(peer: Peer): Promise<void> {
  peer.send({ action: 'scrape', infoHashes: [idOf(31)] });
  expect(await peer.next()).toMatchObject({ action: 'scrape' });
}

describe('announces over a WebSocket', () => {
  test.each(['/', '/announce', '/announce/', '/ANNOUNCE', '/key/announce', '/announce.php', '/announce/key', '/?x=1'])(
    'are answered at %s',
    async (path) => {
      await using server = await webSocketsOn(signallingTracker());
      using peer = await Peer.connect(server, { path });
      expect(await peer.announce(1)).toEqual({
        action: 'announce',
        infoHash: idOf(0),
        interval: 120,
        minInterval: undefined,
        complete: 0,
        incomplete: 1,
        warning: undefined,
      });
    },
  );

  test('carry offers to others, and answers back', async () => {
    await using server = await webSocketsOn(signallingTracker());
    using one = await Peer.connect(server);
    using other = await Peer.connect(server);
    await one.announce(1);
    expect(await other.announce(2, { left: 0, offers: [offer] })).toMatchObject({ complete: 1, incomplete: 1 });
    expect(await one.next()).toEqual({ action: 'offer', infoHash: idOf(0), peerId: idOf(2), ...offer });
    const answer = { infoHash: idOf(0), peerId: idOf(1), offerId: offer.offerId, sdp: 'v=0\r\no=- answer' };
    one.send({ action: 'answer', toPeerId: idOf(2), ...answer });
    expect(await other.next()).toEqual({ action: 'answer', ...answer });
    expect(server.traffic.websocket).toMatchObject({ connections: 2, announces: 2, offers: 1, answers: 1, dropped: 0 });
  });

  test('trackers 68: an answer that nobody waits for goes nowhere, and is no offence', async () => {
    await using server = await webSocketsOn(signallingTracker());
    using one = await Peer.connect(server);
    using other = await Peer.connect(server);
    await one.announce(1);
    await other.announce(2);
    one.send({ action: 'answer', infoHash: idOf(0), peerId: idOf(1), toPeerId: idOf(2), offerId: idOf(9), sdp: '' });
    await handled(one);
    await handled(other);
    expect(server.traffic.websocket).toMatchObject({ answers: 0, dropped: 1 });
  });

  test('are binary frames as well, as some clients send them', async () => {
    await using server = await webSocketsOn(signallingTracker());
    using peer = await Peer.connect(server);
    peer.socket.send(Buffer.from(JSON.stringify({ action: 'scrape', info_hash: idOf(0) })), { binary: true });
    expect(await peer.next()).toMatchObject({ action: 'scrape' });
  });

  test('are told to who measures, with the interval that was told, or none where they are refused', async () => {
    const heard: unknown[] = [];
    const tracker = signallingTracker({ allow: (infoHash) => infoHash.startsWith('a0'), interval: 900 });
    const onAnnounce: AnnounceHeard = (event, address, began, interval) => {
      heard.push([event, [...address], began, interval]);
    };
    await using server = await webSocketsOn(tracker, { clock: () => 5, webSocket: { onAnnounce } });
    using peer = await Peer.connect(server);
    await peer.announce(1);
    await peer.announce(1, { event: 'stopped' });
    await peer.announce(1, { infoHash: idOf(1) });
    // Another id on the same connection.
    await peer.announce(1, { event: 'none' });
    await peer.announce(2, { event: 'none' });
    const from = [127, 0, 0, 1];
    expect(heard).toEqual([
      ['started', from, 5, 60],
      ['stopped', from, 5, 60],
      ['started', from, 5, undefined],
      ['none', from, 5, 60],
      ['none', from, 5, undefined],
    ]);
  });

  test('count with all other peers of a torrent, and are scraped everywhere', async () => {
    const tracker = signallingTracker();
    await using server = await webSocketsOn(tracker);
    const infoHash = idBytes(idOf(0));
    const plain = {
      infoHash,
      peerId: idBytes(idOf(7)),
      port: 6881,
      uploaded: 0,
      downloaded: 0,
      left: 0,
      event: 'none',
    } as const;
    tracker.announce(plain, { ip: '10.0.0.1' }, 0);
    using peer = await Peer.connect(server);
    expect(await peer.announce(1)).toMatchObject({ complete: 1, incomplete: 1 });
    await peer.announce(1, { left: 0, event: 'completed' });
    const counts = { complete: 2, incomplete: 0, downloaded: 1 };
    expect(tracker.scrape([infoHash], 0)).toMatchObject([counts]);
    const again = tracker.announce(plain, { ip: '10.0.0.1' }, 0);
    expect(again).toMatchObject({ complete: 2, incomplete: 0, peers: [] });
    const response = await fetch(`${server.url}/stats.json`);
    expect(await response.json()).toMatchObject({
      swarms: { seeders: 2, completed: 1, signalled: { torrents: 1, seeders: 1, leechers: 0 } },
    });
    peer.send({ action: 'scrape', infoHashes: [idOf(0), idOf(1)] });
    expect(await peer.next()).toEqual({
      action: 'scrape',
      files: new Map([
        [idOf(0), counts],
        [idOf(1), { complete: 0, incomplete: 0, downloaded: 0 }],
      ]),
    });
  });

  test.each([
    [1800, 15, 120],
    [60, 15, 30],
    [10, 15, 10],
    [1800, 1, 1800],
  ])('come more often than others: every %i s, %i times as often, at least 30 s: %i', async (interval, times, told) => {
    await using server = await webSocketsOn(signallingTracker({ interval }), {
      webSocket: { announcesPerInterval: times },
    });
    using peer = await Peer.connect(server);
    expect(await peer.announce(1)).toMatchObject({ interval: told });
  });

  test('are refused with a reason where policy refuses', async () => {
    await using server = await webSocketsOn(signallingTracker({ allow: () => false }));
    using peer = await Peer.connect(server);
    expect(await peer.announce(1)).toMatchObject({
      action: 'failure',
      of: 'announce',
      infoHash: idOf(0),
      failureReason: 'this tracker does not serve this torrent',
      interval: 1800,
    });
    expect(server.traffic.websocket).toMatchObject({ failures: 1 });
  });

  test('trackers 67: a second peer id in a torrent is refused', async () => {
    await using server = await webSocketsOn(signallingTracker());
    using peer = await Peer.connect(server);
    await peer.announce(1);
    expect(await peer.announce(2)).toMatchObject({ action: 'failure', infoHash: idOf(0) });
    expect(await peer.announce(2, { infoHash: idOf(3) })).toMatchObject({ action: 'announce' });
  });

  test('are asked of another service where one is given', async () => {
    const counts = { complete: 10, incomplete: 20, downloaded: 30 };
    await using server = await webSocketsOn(signallingTracker(), {
      service: {
        announce: () => expect.unreachable(),
        scrape: (hashes, _now, done) =>
          void setImmediate(
            done,
            hashes.map(() => counts),
          ),
      },
    });
    using peer = await Peer.connect(server);
    expect(await peer.announce(1)).toMatchObject({ complete: 10, incomplete: 20 });
    peer.send({ action: 'scrape', infoHashes: [idOf(0)] });
    expect(await peer.next()).toEqual({ action: 'scrape', files: new Map([[idOf(0), counts]]) });
  });

  test('a service that cannot answer is a refusal', async () => {
    const failure = { failureReason: 'the store is away', retryIn: 1, interval: 60 };
    await using server = await webSocketsOn(signallingTracker(), {
      service: { announce: () => expect.unreachable(), scrape: (_hashes, _now, done) => done(failure) },
    });
    using peer = await Peer.connect(server);
    expect(await peer.announce(1)).toMatchObject({ action: 'failure', of: 'announce', ...failure });
    peer.send({ action: 'scrape', infoHashes: [idOf(0)] });
    expect(await peer.next()).toMatchObject({ action: 'failure', of: 'scrape', ...failure });
  });
});

describe('connections', () => {
  test('trackers 69: that close leave every torrent', async () => {
    const tracker = signallingTracker();
    await using server = await webSocketsOn(tracker);
    using peer = await Peer.connect(server);
    using other = await Peer.connect(server);
    for (const torrent of [0, 1]) await peer.announce(1, { infoHash: idOf(torrent) });
    await other.announce(2);
    expect(tracker.counts).toMatchObject({ torrents: 2, leechers: 3 });
    peer.socket.close();
    await peer.closed;
    await handled(other);
    expect(tracker.counts).toMatchObject({ torrents: 1, leechers: 1 });
    expect(server.traffic.websocket.connections).toBe(1);
  });

  test.each([
    ['{"action":"announce","info_hash":{"length":20},"peer_id":[]}', 'info_hash must be'],
    ['[', 'a message must be'],
    ['{"action":"__proto__"}', 'action must be'],
  ])('trackers 65: that say %s are told why and closed', async (text, reason) => {
    await using server = await webSocketsOn(signallingTracker());
    using peer = await Peer.connect(server);
    peer.socket.send(text);
    expect(await peer.next()).toMatchObject({
      action: 'failure',
      failureReason: expect.stringContaining(reason) as string,
    });
    expect(await peer.closed).toMatchObject({ code: 1008, reason: expect.stringContaining(reason) as string });
  });

  test('that are being closed are not listened to any more', async () => {
    const tracker = signallingTracker();
    await using server = await webSocketsOn(tracker);
    using peer = await Peer.connect(server);
    peer.socket.send('[');
    peer.send(announceOf(1));
    expect(await peer.closed).toMatchObject({ code: 1008 });
    expect(tracker.counts).toMatchObject({ announces: 0, torrents: 0 });
  });

  test('that send more than a message may have are closed', async () => {
    await using server = await webSocketsOn(signallingTracker(), { webSocket: { maxMessageBytes: 1000 } });
    using peer = await Peer.connect(server);
    peer.socket.send('x'.repeat(1001));
    expect(await peer.closed).toMatchObject({ code: 1009 });
  });

  test('that flood are closed', async () => {
    await using server = await webSocketsOn(signallingTracker(), {
      webSocket: { messagesPerSecond: 1 },
      clock: () => 0,
    });
    using peer = await Peer.connect(server);
    for (let message = 0; message <= 20; message++) peer.send({ action: 'scrape', infoHashes: [idOf(0)] });
    expect(await peer.closed).toMatchObject({ code: 1008, reason: 'too many messages' });
    expect(server.traffic.websocket.scrapes).toBe(20);
  });

  test('that do not read are closed, and cost the others nothing', async () => {
    const tracker = signallingTracker();
    await using server = await webSocketsOn(tracker, {
      webSocket: { maxBufferedBytes: 20_000, messagesPerSecond: 1e6 },
    });
    using slow = await Peer.connect(server);
    await slow.announce(1);
    slow.socket.pause();
    using fast = await Peer.connect(server);
    for (let round = 0; server.traffic.websocket.slow === 0; round++) {
      await fast.announce(2, { offers: [{ offerId: roundId(round), sdp: 'x'.repeat(16_000) }] });
    }
    slow.socket.resume();
    await slow.closed;
    await handled(fast);
    expect(tracker.counts.leechers).toBe(1);
  });

  test('that fall silent are pinged, and closed when they do not answer', async () => {
    const tracker = signallingTracker();
    await using server = await webSocketsOn(tracker, { webSocket: { pingIntervalMs: 20 } });
    using lively = await Peer.connect(server);
    using dead = await Peer.connect(server, { autoPong: false });
    await dead.announce(1);
    const pinged = once(lively.socket, 'ping');
    expect(await dead.closed).toMatchObject({ code: 1006 });
    await pinged;
    await handled(lively);
    expect(tracker.counts.leechers).toBe(0);
  });

  test('are pinged once in an interval, however few they are', async () => {
    await using server = await webSocketsOn(signallingTracker(), { webSocket: { pingIntervalMs: 100 } });
    using peer = await Peer.connect(server);
    await once(peer.socket, 'ping');
    const first = performance.now();
    for (let ping = 0; ping < 3; ping++) await once(peer.socket, 'ping');
    expect(performance.now() - first).toBeGreaterThan(200);
  });

  test('end when the tracker stops', async () => {
    const server = await webSocketsOn(signallingTracker());
    using peer = await Peer.connect(server);
    await server[Symbol.asyncDispose]();
    await peer.closed;
    expect(server.traffic.websocket.connections).toBe(0);
  });

  test('that reset while they are accepted or afterwards end nothing else', async () => {
    await using server = await webSocketsOn(signallingTracker());
    for (const key of ['AAAAAAAAAAAAAAAAAAAAAA==', 'short']) {
      const socket = connect(server.address.port, '127.0.0.1');
      await once(socket, 'connect');
      socket.write(
        `GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${key}\r\n\r\n\x81`,
      );
      await once(socket, 'data');
      socket.resetAndDestroy();
    }
    using peer = await Peer.connect(server);
    expect(await peer.announce(1)).toMatchObject({ incomplete: 1 });
  });
});

describe('who may connect', () => {
  test('nobody at other paths', async () => {
    await using server = await webSocketsOn(signallingTracker());
    for (const path of ['/stats', '/scrape', '/a/b/announce', '//'])
      expect(await refusalOf(server, { path })).toBe(404);
    expect(server.traffic.websocket.refused).toBe(4);
  });

  test('pages of listed origins, and programs', async () => {
    await using server = await webSocketsOn(signallingTracker(), {
      webSocket: { allowedOrigins: ['https://Example.org'] },
    });
    using page = await Peer.connect(server, { origin: 'https://example.org' });
    using program = await Peer.connect(server);
    await handled(page);
    await handled(program);
    expect(await refusalOf(server, { origin: 'https://example.com' })).toBe(403);
    expect(await refusalOf(server, { origin: 'null' })).toBe(403);
  });

  test('pages of others once that is said; those that are connected stay', async () => {
    await using server = await webSocketsOn(signallingTracker());
    const [example, evil] = [{ origin: 'https://example.org' }, { origin: 'https://evil.example' }];
    using stays = await Peer.connect(server, evil);
    server.configure({ allowedOrigins: ['https://example.org'] });
    expect(await refusalOf(server, evil)).toBe(403);
    using page = await Peer.connect(server, example);
    await handled(page);
    await handled(stays);
    server.configure({ allowedOrigins: [] });
    expect(await refusalOf(server, example)).toBe(403);
    server.configure({ allowedOrigins: 'all' });
    using again = await Peer.connect(server, evil);
    await handled(again);
  });

  test('so many at once, and so many of an address', async () => {
    await using server = await webSocketsOn(signallingTracker(), {
      trustedProxies: ['127.0.0.1'],
      webSocket: { maxConnections: 3, maxConnectionsPerAddress: 2 },
    });
    const from = (address: string): { headers: { 'x-forwarded-for': string } } => ({
      headers: { 'x-forwarded-for': address },
    });
    using one = await Peer.connect(server, from('2001:db8::1'));
    using two = await Peer.connect(server, from('2001:db8::2'));
    expect(await refusalOf(server, from('2001:db8::3'))).toBe(429);
    using three = await Peer.connect(server, from('2001:db8:0:1::3'));
    expect(await refusalOf(server, from('192.0.2.1'))).toBe(503);
    expect(await refusalOf(server, from('not an address'))).toBe(400);
    one.socket.close();
    await one.closed;
    await handled(two);
    using four = await Peer.connect(server, from('2001:db8::3'));
    await handled(three);
    await handled(four);
  });

  test('by the address that a trusted proxy names, for the policy too', async () => {
    await using server = await webSocketsOn(signallingTracker({ privateAddresses: 'refused' }), {
      trustedProxies: ['127.0.0.1'],
    });
    using inside = await Peer.connect(server, { headers: { 'x-forwarded-for': '192.168.0.1' } });
    using outside = await Peer.connect(server, { headers: { 'x-forwarded-for': '198.51.100.1' } });
    expect(await inside.announce(1)).toMatchObject({ failureReason: expect.stringContaining('private') as string });
    expect(await outside.announce(2)).toMatchObject({ incomplete: 1 });
  });
});

test('WebSockets have room of their own beside other connections', async () => {
  await using server = await webSocketsOn(signallingTracker(), { maxConnections: 1, webSocket: { maxConnections: 2 } });
  using one = await Peer.connect(server);
  using two = await Peer.connect(server);
  await handled(one);
  await handled(two);
  expect((await fetch(`${server.url}/stats.json`)).status).toBe(200);
});

test('whoever offers another protocol than WebSockets is answered over HTTP', async () => {
  const upgrade = 'Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQCAAAAAAIAAAAA\r\n';
  await using server = await webSocketsOn(signallingTracker());
  const socket = connect(server.address.port, '127.0.0.1');
  socket.write(`GET ${announceTarget()} HTTP/1.1\r\n${upgrade}\r\n`);
  const [answer] = (await once(socket, 'data')) as [Buffer];
  socket.destroy();
  expect(responsesIn(answer)[0]).toMatchObject({ status: 200 });
  expect(dictionaryIn(responsesIn(answer)[0]!).get('incomplete')).toBe(1);
});

test('WebSockets that cannot be served leave no timer behind', async () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'setTimeout', 'setImmediate'] });
  try {
    await expect(webSocketsOn(trackerOf())).rejects.toThrow(TypeError);
    expect(vi.getTimerCount()).toBe(0);
  } finally {
    vi.useRealTimers();
  }
});

test('a tracker without signalling serves no WebSockets, and without the option none are taken', async () => {
  await expect(webSocketsOn(trackerOf())).rejects.toThrow(TypeError);
  await using server = await webSocketsOn(signallingTracker(), { webSocket: undefined });
  expect(await refusalOf(server, { path: '/announce' })).toBe(200);
});

test('counters may be shared between servers', async () => {
  const traffic = createTraffic();
  const tracker = signallingTracker();
  await using one = await webSocketsOn(tracker, { traffic });
  await using other = await webSocketsOn(tracker, { traffic });
  using first = await Peer.connect(one);
  using second = await Peer.connect(other);
  await first.announce(1);
  await second.announce(2);
  expect(traffic.websocket).toMatchObject({ connections: 2, announces: 2 });
});

function roundId(round: number): string {
  return String(round).padStart(20, '0');
}
