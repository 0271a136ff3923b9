import { once } from 'node:events';
import { describe, expect, test } from 'vitest';
import type { Tracker } from '@shoal/tracker';
import { httpOn, responsesIn, someHash, somePeer, trackerOf } from '../support.ts';
import { GoodClient, announceText, connection, connections, restOf } from './crowd.ts';

/** A swarm whose lists of dictionaries are as long as they get. */
function fullTracker(): Tracker {
  const tracker = trackerOf();
  const stay = { uploaded: 0, downloaded: 0, left: 1, event: 'none', infoHash: someHash, peerId: somePeer } as const;
  for (let peer = 0; peer < 300; peer++)
    tracker.announce({ ...stay, port: 1000 + peer }, { ip: `11.0.${peer >> 8}.${peer & 255}` }, 0);
  return tracker;
}

describe('a client that does not read', () => {
  test('is owed a few answers at most: what it asks beyond them is not read before it reads', async () => {
    await using server = await httpOn(fullTracker(), { gzip: 'off' });
    const slow = await connections(server, 20);
    const longest = announceText({ numwant: 200 });
    const before = process.memoryUsage().arrayBuffers;
    for (const socket of slow) socket.write(longest.repeat(2000));
    using good = await GoodClient.of(server);
    for (let turn = 0; turn < 20; turn++) expect(await good.announce()).toBe(200);
    // Without a bound one read of ours makes six hundred answers of 12 KB for each of them: 140 MB.
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(30e6);
    expect(server.traffic.http.announces).toBeLessThan(20 * 2000);
    for (const socket of slow) socket.destroy();
  });

  test('that asks for little is answered in order when it reads at last', async () => {
    await using server = await httpOn(trackerOf(), { keepAliveMs: 100 });
    const slow = await connection(server);
    slow.write(Array.from({ length: 10 }, (_, port) => announceText({ port: 1000 + port })).join(''));
    using good = await GoodClient.of(server);
    expect(await good.announce()).toBe(200);
    expect(responsesIn(await restOf(slow)).map(({ status }) => status)).toEqual(Array.from({ length: 10 }, () => 200));
  });

  test('is not punished for pipelining: a hundred announces in portions are all answered', async () => {
    await using server = await httpOn(trackerOf());
    const socket = await connection(server);
    socket.resume();
    let answered = 0;
    for (let turn = 0; turn < 10; turn++) {
      socket.write(Array.from({ length: 10 }, (_, port) => announceText({ port: 1000 + port })).join(''));
      let stream = '';
      while ((stream.match(/HTTP\/1\.1 200/g)?.length ?? 0) < 10) {
        const [chunk] = (await once(socket, 'data')) as [Buffer];
        stream += chunk.toString('latin1');
      }
      answered += 10;
    }
    expect(answered).toBe(100);
    expect(server.traffic.http.announces).toBe(100);
    socket.destroy();
  });
});

describe('connections that lead to nothing', () => {
  test('two thousand that say half a request are cut, and others are served meanwhile', async () => {
    await using server = await httpOn(trackerOf(), { requestTimeoutMs: 600 });
    const halfOpen = await connections(server, 2000);
    for (const [index, socket] of halfOpen.entries()) socket.write('GET /announce?info_hash='.slice(0, index % 25));
    const cut = Promise.all(halfOpen.map(restOf));
    using good = await GoodClient.of(server);
    for (let turn = 0; turn < 50; turn++) expect(await good.announce()).toBe(200);
    for (const stream of await cut) expect(stream.length).toBeLessThan(400);
    expect(await good.announce()).toBe(200);
  });

  test('when there are as many as there may be, further ones are closed, and there is room again when they are cut', async () => {
    await using server = await httpOn(trackerOf(), { requestTimeoutMs: 400, maxConnections: 50 });
    const squatters = await connections(server, 50);
    const turnedAway = await connection(server);
    expect(await restOf(turnedAway)).toHaveLength(0);
    await Promise.all(squatters.map(restOf));
    using good = await GoodClient.of(server);
    expect(await good.announce()).toBe(200);
  });

  test('a request whose headers drip is cut in its time, however steadily it drips', async () => {
    await using server = await httpOn(trackerOf(), { requestTimeoutMs: 400 });
    const socket = await connection(server);
    socket.write('GET /announce?x=1 HTTP/1.1\r\n');
    const drip = setInterval(() => socket.write('X-A: 1\r\n'), 20);
    using good = await GoodClient.of(server);
    expect(await good.announce()).toBe(200);
    await restOf(socket);
    clearInterval(drip);
    expect(server.traffic.http.announces).toBe(1);
  });

  test.each([
    ['one header of 20 KB', `X-A: ${'a'.repeat(20_000)}\r\n`],
    ['two thousand headers', 'X-A: 0123456789\r\n'.repeat(2000)],
    ['a target of 20 KB', undefined],
  ])('%s is refused before it is complete', async (_, headers) => {
    await using server = await httpOn(trackerOf());
    const socket = await connection(server);
    const target = headers === undefined ? `/announce?${'a'.repeat(20_000)}` : '/announce?x=1';
    // The end of the headers is never sent.
    socket.write(`GET ${target} HTTP/1.1\r\n${headers ?? ''}`);
    const [response] = responsesIn(await restOf(socket));
    expect(response?.status).toBe(431);
    expect(server.traffic.http.announces).toBe(0);
  });

  test('a body that never ends is neither waited for nor kept', async () => {
    await using server = await httpOn(trackerOf(), { requestTimeoutMs: 400 });
    const socket = await connection(server);
    socket.write('POST /announce HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n');
    const chunk = `1000\r\n${'x'.repeat(0x1000)}\r\n`;
    const flood = setInterval(() => socket.write(chunk), 5);
    using good = await GoodClient.of(server);
    expect(await good.announce()).toBe(200);
    await restOf(socket);
    clearInterval(flood);
  });
});

describe('a client that lies', () => {
  test('about its ports fills 256 places of a swarm, and others find room', async () => {
    const tracker = trackerOf();
    await using server = await httpOn(tracker, { trustedProxies: ['127.0.0.1'] });
    const socket = await connection(server);
    const announce = (port: number, from: string): string =>
      announceText({ port, numwant: 0, compact: 1 }).replace('\r\n\r\n', `\r\nX-Forwarded-For: ${from}\r\n\r\n`);
    for (let port = 1; port <= 400; port++) {
      socket.write(announce(port, '11.1.1.1'));
      socket.resume();
      await once(socket, 'data');
    }
    expect(tracker.counts).toMatchObject({ leechers: 256, unlisted: 144 });
    socket.write(announce(1, '11.1.1.2'));
    const [chunk] = (await once(socket, 'data')) as [Buffer];
    expect(chunk.toString('latin1')).not.toContain('warning');
    expect(tracker.counts.leechers).toBe(257);
    socket.destroy();
  });

  test('in the name of another, about what is left, or of no port, takes nobody anything', async () => {
    const tracker = trackerOf();
    await using server = await httpOn(tracker, { trustedProxies: ['127.0.0.1'] });
    const [victim, liar, asker] = ['11.1.1.1', '11.1.1.2', '11.1.1.3'];
    const socket = await connection(server);
    socket.resume();
    const announce = async (from: string, parameters: Record<string, string | number>): Promise<string> => {
      const text = announceText({ compact: 1, ...parameters });
      socket.write(text.replace('\r\n\r\n', `\r\nX-Forwarded-For: ${from}\r\n\r\n`));
      const [chunk] = (await once(socket, 'data')) as [Buffer];
      return responsesIn(chunk)[0]?.body.toString('latin1') ?? '';
    };
    const id = 'v'.repeat(20);
    await announce(victim, { peer_id: id, port: 6881, key: 'abcd' });
    // The victim's id and key, from elsewhere: the victim's goodbye, its end, its moving away.
    for (const event of ['stopped', 'completed', 'started', 'stopped'])
      await announce(liar, { peer_id: id, port: 6881, key: 'abcd', event, left: 0, ip: victim });
    for (const left of ['-1', '-9223372036854775808', '9'.repeat(100), 'NaN'])
      await announce(liar, { port: 7000, left });
    expect(tracker.scrape([someHash], 0)[0]).toMatchObject({ complete: 0, incomplete: 2, downloaded: 0 });
    await announce(liar, { port: 7000, event: 'stopped' });
    expect(await announce(liar, { port: 0 })).toContain('failure reason');
    expect(await announce(liar, { port: 65_536 })).toContain('failure reason');
    const given = await announce(asker, { port: 6999 });
    expect(given).toContain('10:incompletei2e');
    // One peer, and it is the victim.
    expect(given).toContain('5:peers6:\u000b\u0001\u0001\u0001\u001a\u00e1');
    socket.destroy();
  });

  test('about being finished is counted once', async () => {
    const tracker = trackerOf();
    await using server = await httpOn(tracker);
    const socket = await connection(server);
    socket.resume();
    for (let turn = 0; turn < 30; turn++) {
      for (const parameters of [
        { left: 5, event: 'completed' },
        { left: 0, event: 'completed' },
        { left: 1, event: 'started' },
        { left: 0, event: 'completed' },
      ]) {
        socket.write(announceText(parameters));
        await once(socket, 'data');
      }
    }
    expect(tracker.scrape([someHash], 0)[0]).toMatchObject({ complete: 1, incomplete: 0, downloaded: 1 });
    socket.destroy();
  });

  test.each(['999999999', '9'.repeat(300), '4294967295', '-1', '-9223372036854775808', 'Infinity', '1e9'])(
    'about how many peers it wants gets 200 at most: %s',
    async (numwant) => {
      await using server = await httpOn(fullTracker());
      const socket = await connection(server);
      socket.write(announceText({ numwant, compact: 1 }).replace('\r\n\r\n', '\r\nConnection: close\r\n\r\n'));
      const [response] = responsesIn(await restOf(socket));
      expect(response?.status).toBe(200);
      expect(response?.body.length).toBeLessThan(200 * 6 + 200);
    },
  );
});
