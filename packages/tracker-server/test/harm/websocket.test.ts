import { once } from 'node:events';
import { connect } from 'node:net';
import { describe, expect, test } from 'vitest';
import { SignalledSwarms } from '@shoal/tracker';
import { encodeSignalRequest } from '@shoal/tracker-protocol';
import { mulberry32 } from '../support.ts';
import { Peer, announceOf, idOf, signallingTracker, webSocketsOn } from '../websocket/peers.ts';
import { GoodClient, restOf } from './crowd.ts';

const offersOf = (first: number, count: number): { offerId: string; sdp: string }[] =>
  Array.from({ length: count }, (_, index) => ({
    offerId: String(first + index).padStart(20, '0'),
    sdp: 'v=0',
  }));

describe('a peer that floods others with offers', () => {
  test('has a budget, whichever way it comes back to the torrent', async () => {
    const signalling = new SignalledSwarms({ random: mulberry32(1), maxOffers: 20 });
    await using server = await webSocketsOn(signallingTracker({ signalling }));
    using victim = await Peer.connect(server);
    using flooder = await Peer.connect(server);
    await victim.announce(1);
    for (let turn = 0; turn < 40; turn++) {
      await flooder.announce(2, { offers: offersOf(turn * 10, 10) });
      await flooder.announce(2, { event: 'stopped' });
    }
    expect(server.traffic.websocket.offers).toBeLessThanOrEqual(20);
    // Whoever is flooded is served as before.
    victim.send({ action: 'scrape', infoHashes: [idOf(0)] });
    let reply = await victim.next();
    while (reply?.action === 'offer') reply = await victim.next();
    expect(reply?.action).toBe('scrape');
  });

  test('reaches others once each per announce, however many offers it makes', async () => {
    await using server = await webSocketsOn(signallingTracker());
    using victim = await Peer.connect(server);
    using flooder = await Peer.connect(server);
    await victim.announce(1);
    await flooder.announce(2, { offers: offersOf(0, 10) });
    expect(server.traffic.websocket.offers).toBe(1);
  });
});

describe('a peer that answers strangers', () => {
  test('is heard by nobody: not with ids that it guessed, and not in the name of another', async () => {
    await using server = await webSocketsOn(signallingTracker());
    using maker = await Peer.connect(server);
    using asked = await Peer.connect(server);
    using stranger = await Peer.connect(server);
    await stranger.announce(9, { infoHash: idOf(5) });
    await asked.announce(2);
    await maker.announce(1, { offers: [{ offerId: idOf(7), sdp: 'v=0' }] });
    const offer = await asked.next();
    expect(offer).toMatchObject({ action: 'offer', offerId: idOf(7) });
    const answer = { action: 'answer', infoHash: idOf(0), toPeerId: idOf(1), offerId: idOf(7), sdp: 'v=6' } as const;
    // In its own name, in the name of who was asked, and with a made-up offer.
    stranger.send({ ...answer, peerId: idOf(9) });
    stranger.send({ ...answer, peerId: idOf(2) });
    stranger.send({ ...answer, peerId: idOf(9), offerId: idOf(8) });
    await stranger.announce(9, { infoHash: idOf(5) });
    expect(server.traffic.websocket).toMatchObject({ answers: 0, dropped: 3 });
    asked.send({ ...answer, peerId: idOf(2), sdp: 'v=0' });
    expect(await maker.next()).toMatchObject({ action: 'answer', peerId: idOf(2), sdp: 'v=0' });
  });
});

describe('a peer in the name of another', () => {
  test('is a peer of its own: the other one stays, is counted, and is offered connections', async () => {
    const tracker = signallingTracker();
    await using server = await webSocketsOn(tracker);
    using victim = await Peer.connect(server);
    using liar = await Peer.connect(server);
    using other = await Peer.connect(server);
    await victim.announce(1, { left: 0 });
    await liar.announce(1);
    await liar.announce(1, { left: -5 });
    const greedy = encodeSignalRequest(announceOf(1, { offers: offersOf(0, 10) }));
    liar.socket.send(greedy.replace(/"numwant":\d+/, '"numwant":4294967296'));
    await liar.next();
    await liar.announce(1, { event: 'stopped' });
    expect(tracker.scrape([new Uint8Array(20).fill(0xa0)], 0)[0]).toMatchObject({ complete: 1, incomplete: 0 });
    await other.announce(2, { offers: offersOf(50, 1) });
    let reply = await victim.next();
    // What the liar offered was for the victim, as it would be from anybody.
    while (reply?.action === 'offer' && reply.peerId === idOf(1)) reply = await victim.next();
    expect(reply).toMatchObject({ action: 'offer', peerId: idOf(2) });
  });
});

describe('more WebSockets than there may be', () => {
  test('three hundred that come for twenty places leave those alone who have one, and HTTP', async () => {
    const webSocket = { maxConnections: 20 };
    await using server = await webSocketsOn(signallingTracker(), { webSocket });
    using good = await Peer.connect(server);
    using client = await GoodClient.of(server);
    const crowd = Array.from({ length: 300 }, () => new Peer(server.url.replace('http', 'ws')));
    const opened = crowd.map(({ socket, closed }) =>
      Promise.race([once(socket, 'open').then(() => 1), closed.then(() => 0)]),
    );
    for (let turn = 0; turn < 20; turn++) {
      expect(await good.announce(1)).toMatchObject({ action: 'announce' });
      expect(await client.announce()).toBe(200);
    }
    const places = (await Promise.all(opened)).reduce<number>((sum, one) => sum + one, 0);
    expect(places).toBe(19);
    expect(server.traffic.websocket).toMatchObject({ connections: 20, refused: 281 });
    for (const peer of crowd) peer[Symbol.dispose]();
    await expect.poll(() => server.traffic.websocket.connections).toBe(1);
    // Their places are free.
    using next = await Peer.connect(server);
    expect(await next.announce(2)).toMatchObject({ action: 'announce' });
  });
});

describe('peers that are gone and never said so', () => {
  test('a hundred that do not answer pings leave every torrent, and who does answer stays', async () => {
    const tracker = signallingTracker();
    const webSocket = { pingIntervalMs: 500 };
    await using server = await webSocketsOn(tracker, { webSocket });
    using good = await Peer.connect(server);
    await good.announce(0);
    const gone = await Promise.all(
      Array.from({ length: 100 }, async (_, index) => {
        const peer = await Peer.connect(server, { autoPong: false });
        await peer.announce(1 + (index % 90), { infoHash: idOf(1 + (index % 5)) });
        return peer;
      }),
    );
    expect(tracker.counts.leechers).toBe(101);
    const closed = Promise.all(gone.map((peer) => peer.closed));
    for (let turn = 0; turn < 20; turn++) expect(await good.announce(0)).toMatchObject({ action: 'announce' });
    await closed;
    await expect.poll(() => tracker.counts.leechers).toBe(1);
    expect(server.traffic.websocket.connections).toBe(1);
    expect(await good.announce(0)).toMatchObject({ action: 'announce' });
  });
});

describe('messages that are too large', () => {
  test('are cut off while they come in, also in fragments that never end', async () => {
    await using server = await webSocketsOn(signallingTracker());
    using good = await Peer.connect(server);
    using giant = await Peer.connect(server);
    using endless = await Peer.connect(server);
    giant.socket.send('x'.repeat(10_000_000));
    const fragment = setInterval(() => endless.socket.send('x'.repeat(10_000), { fin: false }), 1);
    expect(await good.announce(1)).toMatchObject({ action: 'announce' });
    await giant.closed;
    await endless.closed;
    clearInterval(fragment);
    expect(await good.announce(1)).toMatchObject({ action: 'announce' });
    expect(server.traffic.websocket).toMatchObject({ announces: 2, connections: 1 });
  });

  test('of nested JSON are an end of the conversation, not of the tracker', async () => {
    await using server = await webSocketsOn(signallingTracker());
    using good = await Peer.connect(server);
    for (const text of [
      '['.repeat(60_000),
      '{"action":'.repeat(10_000),
      `{"offers":${'['.repeat(50_000)}`,
      '\u0000',
      '',
    ]) {
      using peer = await Peer.connect(server);
      peer.socket.send(text);
      expect((await peer.closed).code).toBe(1008);
    }
    expect(await good.announce(1)).toMatchObject({ action: 'announce' });
  });
});

describe('handshakes that lead to nothing', () => {
  test('three hundred that stop half-way are cut, and peers are served meanwhile', async () => {
    await using server = await webSocketsOn(signallingTracker(), { requestTimeoutMs: 600 });
    const half = await Promise.all(
      Array.from({ length: 300 }, async () => {
        const socket = connect(server.address.port, server.address.ip);
        socket.on('error', () => {});
        await once(socket, 'connect');
        socket.write('GET / HTTP/1.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n');
        return socket;
      }),
    );
    const cut = Promise.all(half.map(restOf));
    using good = await Peer.connect(server);
    using client = await GoodClient.of(server);
    for (let turn = 0; turn < 20; turn++) {
      expect(await good.announce(1)).toMatchObject({ action: 'announce' });
      expect(await client.announce()).toBe(200);
    }
    await cut;
    expect(await good.announce(1, announceOf(1))).toMatchObject({ action: 'announce' });
    expect(server.traffic.websocket.connections).toBe(1);
  });
});
