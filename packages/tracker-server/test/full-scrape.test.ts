import { once } from 'node:events';
import { connect } from 'node:net';
import { gunzipSync } from 'node:zlib';
import { Tracker } from '@shoal/tracker';
import { describe, expect, test } from 'vitest';
import { percentEncode } from '@shoal/tracker-protocol';
import { type HttpServer, SharedTotals, serveHttp } from '../src/index.ts';
import { announceTarget, ask, exchange, get, httpOn, mulberry32, textOf, trackerOf } from './support.ts';

/** Info-hashes whose first bytes are everywhere. */
function hashOf(torrent: number): Uint8Array {
  const random = mulberry32(torrent);
  return Uint8Array.from({ length: 20 }, () => Math.floor(random() * 256));
}

function trackerWith(torrents: number): Tracker {
  const tracker = trackerOf();
  const amounts = { port: 6881, uploaded: 0, downloaded: 0, event: 'none' } as const;
  for (let torrent = 0; torrent < torrents; torrent++) {
    const request = { infoHash: hashOf(torrent), peerId: hashOf(0), left: torrent % 2, ...amounts };
    tracker.announce(request, { ip: '192.0.2.1' }, 0);
  }
  return tracker;
}

async function filesOf(server: HttpServer, target = '/scrape'): Promise<Map<string, Map<string, number>>> {
  // The decoder is strict: it throws on unsorted and on repeated keys.
  return (await ask(server, target)).get('files') as Map<string, Map<string, number>>;
}

const reason = async (server: HttpServer, target = '/scrape'): Promise<string | undefined> =>
  textOf((await ask(server, target)).get('failure reason'));

describe('a scrape of everything', () => {
  test.each(['/scrape', '/scrape?', '/scrape?x=1', '/scrape.php'])(
    'BEP 48: %s gives all torrents, where that is wanted',
    async (target) => {
      await using server = await httpOn(trackerWith(1000), { fullScrape: 1000 });
      const files = await filesOf(server, target);
      expect(files.size).toBe(1000);
      for (const torrent of [0, 999]) {
        const counts = files.get(Buffer.from(hashOf(torrent)).toString('latin1'));
        expect(counts?.get('complete')).toBe(1 - (torrent % 2));
      }
      expect(server.traffic.http).toMatchObject({ scrapes: 1, failures: 0, unknown: 0 });
    },
  );

  test('has no more torrents than its limit', async () => {
    await using server = await httpOn(trackerWith(1000), { fullScrape: 300 });
    expect((await filesOf(server)).size).toBe(300);
  });

  test('is made of what is there after torrents came and went, and empty where nobody is', async () => {
    const tracker = trackerWith(600);
    tracker.expire(1e9);
    let now = 0;
    await using server = await httpOn(tracker, { fullScrape: 1000, clock: () => now });
    while (tracker.expire(1e9));
    expect((await filesOf(server)).size).toBe(0);
    now += 1000;
    await ask(server, announceTarget({ info_hash: percentEncode(hashOf(7)) }));
    expect([...(await filesOf(server)).keys()]).toEqual([Buffer.from(hashOf(7)).toString('latin1')]);
  });

  test('comes once a second, over all clients', async () => {
    let now = 0;
    await using server = await httpOn(trackerWith(10), { fullScrape: 10, clock: () => now });
    expect((await filesOf(server)).size).toBe(10);
    now += 999;
    expect(await reason(server)).toContain('a moment ago');
    now += 1;
    expect((await filesOf(server)).size).toBe(10);
  });

  test('does not wait for ever for one who does not read it', async () => {
    let now = 0;
    await using server = await httpOn(trackerWith(60_000), { fullScrape: 60_000, clock: () => now });
    const slow = connect(server.address.port, '127.0.0.1');
    slow.write('GET /scrape HTTP/1.1\r\nHost: a\r\n\r\n');
    await once(slow, 'readable');
    now += 9999;
    expect(await reason(server)).toContain('a moment ago');
    now += 1;
    const closed = once(slow, 'close');
    // Who comes next need not read as much.
    server.configure({ fullScrape: 10 });
    expect((await filesOf(server)).size).toBe(10);
    slow.on('error', () => {}).resume();
    await closed;
  });

  test('is compressed for who accepts that, where it gets smaller', async () => {
    let now = 0;
    await using server = await httpOn(trackerWith(1000), { fullScrape: 1000, clock: () => now });
    const plain = await get(server, '/scrape');
    now += 1000;
    const packed = await get(server, '/scrape', { 'Accept-Encoding': 'gzip' });
    expect(packed.headers.get('content-encoding')).toBe('gzip');
    expect(packed.body.length).toBeLessThan(plain.body.length);
    expect(gunzipSync(packed.body)).toEqual(plain.body);
  });

  test('leaves out what is not served', async () => {
    const tracker = new Tracker({ random: mulberry32(1), allow: (infoHash) => infoHash.startsWith('01') });
    await using server = await serveHttp(tracker, { host: '127.0.0.1', port: 0, fullScrape: 10 });
    await ask(server, announceTarget());
    expect((await filesOf(server)).size).toBe(1);
  });

  test('is refused over a store that cannot name its torrents, with a reason', async () => {
    const tracker = new Tracker({ random: mulberry32(1), store: new SharedTotals() });
    await using server = await serveHttp(tracker, { host: '127.0.0.1', port: 0, fullScrape: 10 });
    expect(await reason(server)).toContain('a store that cannot list them');
  });

  test('stands in line with other requests of its connection', async () => {
    await using server = await httpOn(trackerWith(300), { fullScrape: 300 });
    const named = `/scrape?info_hash=${percentEncode(hashOf(1))}`;
    const requests = [named, '/scrape', named].map((target) => `GET ${target} HTTP/1.1\r\nHost: a\r\n`);
    const stream = await exchange(server.address.port, `${requests.join('\r\n')}Connection: close\r\n\r\n`);
    const sizes = [...stream.toString('latin1').matchAll(/content-length: (\d+)/gi)].map(([, size]) => Number(size));
    expect(sizes).toHaveLength(3);
    expect(sizes[0]).toBe(sizes[2]);
    expect(sizes[1]).toBeGreaterThan(20_000);
  });

  test('may be wanted, limited and refused while the server runs', async () => {
    let now = 0;
    await using server = await httpOn(trackerWith(100), { clock: () => (now += 1000) });
    expect(await reason(server)).toContain('must name its torrents');
    server.configure({ fullScrape: 30 });
    expect((await filesOf(server)).size).toBe(30);
    server.configure({});
    server.configure({ fullScrape: 60 });
    expect((await filesOf(server)).size).toBe(60);
    expect(() => server.configure({ fullScrape: 0 })).toThrow(RangeError);
    expect((await filesOf(server)).size).toBe(60);
    server.configure({ fullScrape: 'off' });
    expect(await reason(server)).toContain('must name its torrents');
  });

  test.each([0, 1.5, 100_001])('takes no limit of %d', async (fullScrape) => {
    await expect(httpOn(trackerOf(), { fullScrape })).rejects.toThrow(RangeError);
  });
});
