import { describe, expect, test } from 'vitest';
import { percentEncode } from '@shoal/tracker-protocol';
import { announceTarget, ask, get, httpOn, someHash, textOf, trackerOf } from './support.ts';

function scrapeTarget(...hashes: readonly Uint8Array[]): string {
  return `/scrape?${hashes.map((hash) => `info_hash=${percentEncode(hash)}`).join('&')}`;
}

function hashOf(torrent: number): Uint8Array {
  return new Uint8Array(20).fill(torrent);
}

describe('an HTTP scrape', () => {
  test('BEP 48: counts seeders, leechers and downloads', async () => {
    await using server = await httpOn(trackerOf());
    await ask(server, announceTarget({ port: 1 }));
    await ask(server, announceTarget({ port: 2 }));
    await ask(server, announceTarget({ port: 2, left: 0, event: 'completed' }));
    const reply = await ask(server, scrapeTarget(someHash));
    const files = reply.get('files') as Map<string, Map<string, unknown>>;
    expect(Object.fromEntries(files.get(Buffer.from(someHash).toString('latin1'))!)).toEqual({
      complete: 1,
      downloaded: 1,
      downloaders: 1,
      incomplete: 1,
    });
  });

  test('trackers 42: a hash asked for repeatedly is answered once', async () => {
    await using server = await httpOn(trackerOf());
    await ask(server, announceTarget());
    expect((await ask(server, scrapeTarget(someHash, hashOf(1), someHash))).get('files')).toHaveProperty('size', 1);
  });

  test('trackers 42: more hashes than the limit are a failure', async () => {
    await using server = await httpOn(trackerOf(), { scrapeLimit: 3 });
    expect((await ask(server, scrapeTarget(...[1, 2, 3].map(hashOf)))).has('files')).toBe(true);
    expect(textOf((await ask(server, scrapeTarget(...[1, 2, 3, 4].map(hashOf)))).get('failure reason'))).toBeTruthy();
  });

  test.each(['/scrape', '/scrape?', '/scrape?x=1'])(
    'trackers 43: %s, which asks for everything, is a failure',
    async (target) => {
      await using server = await httpOn(trackerOf());
      await ask(server, announceTarget());
      const response = await get(server, target);
      expect([response.status, response.body.toString()]).toEqual([200, expect.stringContaining('failure reason')]);
    },
  );

  test('trackers 44: unknown torrents are left out', async () => {
    await using server = await httpOn(trackerOf());
    expect((await ask(server, scrapeTarget(hashOf(1)))).get('files')).toEqual(new Map());
  });

  test('trackers 45: files are sorted by their raw bytes, each once', async () => {
    await using server = await httpOn(trackerOf());
    const hashes = [0xff, 0x00, 0x7f, 0x80, 0x41].map(hashOf);
    for (const hash of hashes) await ask(server, announceTarget({ info_hash: percentEncode(hash) }));
    // The decoder is strict: it throws on unsorted and on repeated keys.
    const files = (await ask(server, scrapeTarget(...hashes))).get('files') as Map<string, unknown>;
    expect([...files.keys()].map((key) => key.charCodeAt(0))).toEqual([0x00, 0x41, 0x7f, 0x80, 0xff]);
  });

  test('trackers 46: there is no flags dictionary', async () => {
    await using server = await httpOn(trackerOf());
    expect([...(await ask(server, scrapeTarget(someHash))).keys()]).toEqual(['files']);
  });

  test('trackers 47: what an allow list leaves out is not disclosed', async () => {
    let open = true;
    await using server = await httpOn(trackerOf({ allow: () => open }));
    await ask(server, announceTarget());
    open = false;
    expect((await ask(server, scrapeTarget(someHash))).get('files')).toEqual(new Map());
  });
});
