import { describe, expect, test } from 'vitest';
import { percentEncode } from '@shoal/tracker-protocol';
import {
  announceTarget,
  ask,
  compactIn,
  dictionaryIn,
  exchange,
  get,
  httpOn,
  responsesIn,
  someHash,
  somePeer,
  textOf,
  trackerOf,
} from './support.ts';

const failureOf = (dictionary: ReadonlyMap<string, unknown>): string | undefined =>
  textOf(dictionary.get('failure reason'));

describe('the info-hash', () => {
  const hash = Uint8Array.from({ length: 20 }, (_, at) => (at === 0 ? 0x41 : 0x80 + at * 5));

  test.each([
    ['upper-case hex', [...hash].map((byte) => `%${byte.toString(16).padStart(2, '0').toUpperCase()}`).join('')],
    ['lower-case hex', [...hash].map((byte) => `%${byte.toString(16).padStart(2, '0')}`).join('')],
    ['with what may stand for itself unescaped', percentEncode(hash)],
  ])('trackers 1: is the same bytes in %s', async (_, encoded) => {
    const tracker = trackerOf();
    await using server = await httpOn(tracker);
    await ask(server, announceTarget({ info_hash: encoded }));
    expect(tracker.scrape([hash], 0)[0]).toMatchObject({ complete: 0, incomplete: 1, downloaded: 0 });
  });

  test.each([
    ['that is not UTF-8', new Uint8Array(20).fill(0xff)],
    ['that happens to be UTF-8', Uint8Array.from(Buffer.from('äöüßäöüßäö'))],
    ['of zeros', new Uint8Array(20)],
  ])('trackers 2: %s arrives as it was sent', async (_, sent) => {
    const tracker = trackerOf();
    await using server = await httpOn(tracker);
    const escaped = [...sent].map((byte) => `%${byte.toString(16).padStart(2, '0')}`).join('');
    await ask(server, announceTarget({ info_hash: escaped }));
    expect(tracker.scrape([sent], 0)[0]?.incomplete).toBe(1);
  });

  test.each([
    ['trackers 3: bytes that are legal in a URL stand for themselves', "~!('*)_-.$,:@/?AZaz"],
    ['trackers 4: a plus is a plus', '++++++++++++++++++++'],
    ['trackers 5: a semicolon is data', 'a;b;c;d;e;f;g;h;i;j;'],
  ])('%s', async (_, text) => {
    const tracker = trackerOf();
    await using server = await httpOn(tracker);
    const literal = text.padEnd(20, 'x');
    expect(failureOf(await ask(server, announceTarget({ info_hash: literal })))).toBeUndefined();
    expect(tracker.scrape([Buffer.from(literal, 'latin1')], 0)[0]?.incomplete).toBe(1);
  });

  test.each(['%', '%4', '%zz', 'a%'])(
    'trackers 6: %j in a value is a failure reason under status 200',
    async (escape) => {
      await using server = await httpOn(trackerOf());
      const response = await get(server, announceTarget({ info_hash: escape }));
      expect(response.status).toBe(200);
      expect(failureOf(dictionaryIn(response))).toBeTruthy();
    },
  );

  test.each(['/%zz/announce', '/%/scrape'])(
    'trackers 6: a bad escape in the path %s is a bencoded refusal',
    async (path) => {
      await using server = await httpOn(trackerOf());
      const response = await get(server, announceTarget({}, path));
      expect(response.status).toBe(400);
      expect(failureOf(dictionaryIn(response))).toBeTruthy();
    },
  );

  test.each([
    ['a byte above 0x7f', '/announce?info_hash=\xff'],
    ['a space', '/announce?info_hash=a b c'],
    ['a NUL', '/announce?info_hash=\0'],
  ])('trackers 7: %s in the target is answered with a bencoded refusal and a closed connection', async (_, target) => {
    await using server = await httpOn(trackerOf());
    const [response] = responsesIn(await exchange(server.address.port, `GET ${target} HTTP/1.1\r\nHost: x\r\n\r\n`));
    expect(response?.status).toBe(400);
    expect(response?.headers.get('connection')).toBe('close');
    expect(failureOf(dictionaryIn(response!))).toContain('percent-encode');
  });

  test.each([
    [0, /info_hash/],
    [19, /20/],
    [21, /20/],
    [40, /hex/],
  ])('trackers 8: %i bytes are a failure that says why', async (length, reason) => {
    await using server = await httpOn(trackerOf());
    expect(failureOf(await ask(server, announceTarget({ info_hash: 'a'.repeat(length) })))).toMatch(reason);
  });

  test('trackers 8: 32 bytes of a v2 hash are cut to 20', async () => {
    const tracker = trackerOf();
    await using server = await httpOn(tracker);
    await ask(server, announceTarget({ info_hash: 'b'.repeat(32) }));
    expect(tracker.scrape([new Uint8Array(20).fill(0x62)], 0)[0]?.incomplete).toBe(1);
  });

  test('trackers 9: twice in one announce is a failure', async () => {
    await using server = await httpOn(trackerOf());
    expect(failureOf(await ask(server, `${announceTarget()}&info_hash=${percentEncode(someHash)}`))).toMatch(
      /info_hash/,
    );
  });
});

describe('parameters', () => {
  test.each(['&flag', '&empty=', '&&', '&=', '&=x', '&amp;x=1', '&a=b=c', '&?'])(
    'trackers 10: %s is skipped silently',
    async (junk) => {
      await using server = await httpOn(trackerOf());
      const target = announceTarget().replace('&port', `${junk}&port`);
      expect((await ask(server, target)).get('incomplete')).toBe(1);
    },
  );

  test.each(['/announce??', '/announce?passkey=abc?', '/announce?a=1&b?&'])(
    'trackers 10: a second question mark in %s is skipped',
    async (start) => {
      await using server = await httpOn(trackerOf());
      expect((await ask(server, announceTarget().replace('/announce?', start))).get('incomplete')).toBe(1);
    },
  );

  test.each([
    ['missing', undefined],
    ['empty', ''],
    ['of 19 bytes', 'p'.repeat(19)],
    ['of 21 bytes', 'p'.repeat(21)],
  ])('trackers 11: a peer id that is %s is a failure', async (_, peerId) => {
    await using server = await httpOn(trackerOf());
    expect(failureOf(await ask(server, announceTarget({ peer_id: peerId })))).toMatch(/peer_id/);
  });

  test.each([undefined, '', '0', '65536', '-1', 'http', '1e3'])('trackers 12: port %s is a failure', async (port) => {
    await using server = await httpOn(trackerOf());
    expect(failureOf(await ask(server, announceTarget({ port })))).toMatch(/port/);
  });

  test('trackers 12: port 0 may say goodbye', async () => {
    await using server = await httpOn(trackerOf());
    expect(failureOf(await ask(server, announceTarget({ port: 0, event: 'stopped' })))).toBeUndefined();
  });

  test.each([undefined, '', '9223372036854775807', '99999999999999999999999', '16384'])(
    'trackers 13: left=%s is a leecher',
    async (left) => {
      await using server = await httpOn(trackerOf());
      const reply = await ask(server, announceTarget({ left }));
      expect([reply.get('complete'), reply.get('incomplete')]).toEqual([0, 1]);
    },
  );

  test('trackers 14: a negative left is a leecher of unknown size', async () => {
    await using server = await httpOn(trackerOf());
    const reply = await ask(server, announceTarget({ left: -1 }));
    expect([reply.get('complete'), reply.get('incomplete')]).toEqual([0, 1]);
  });

  test.each([
    { uploaded: -5, downloaded: -7 },
    { uploaded: 'x', downloaded: '' },
    { uploaded: '99999999999999999999999', downloaded: 1 },
  ])('trackers 15: %j is accepted and changes no count', async (counters) => {
    await using server = await httpOn(trackerOf());
    await ask(server, announceTarget({ uploaded: 100, downloaded: 100 }));
    const reply = await ask(server, announceTarget(counters));
    expect([reply.get('complete'), reply.get('incomplete'), reply.get('downloaded')]).toEqual([0, 1, 0]);
  });

  test.each([
    ['is left out', {}, 50],
    ['is negative', { numwant: -1 }, 50],
    ['is empty', { numwant: '' }, 50],
    ['is a word', { numwant: 'many' }, 50],
    ['is huge', { numwant: 1_000_000_000 }, 200],
    ['is small', { numwant: 7 }, 7],
    ['is written as two words', { 'num%20want': 7 }, 7],
    ['is zero', { numwant: 0 }, 0],
  ])('trackers 16: when numwant %s, of 220 peers %o come %i', async (_, parameters, expected) => {
    const tracker = trackerOf();
    fill(tracker, 220);
    await using server = await httpOn(tracker);
    const reply = await ask(server, announceTarget({ compact: 1, ...parameters }));
    expect(compactIn(reply.get('peers'))).toHaveLength(expected);
    expect(reply.get('incomplete')).toBe(221);
  });

  test.each(['nonsense', 'empty', 'paused', 'PAUSED', '', 'started;'])(
    'trackers 17: event=%s is a regular announce',
    async (event) => {
      await using server = await httpOn(trackerOf());
      expect((await ask(server, announceTarget({ event }))).get('incomplete')).toBe(1);
    },
  );

  test('trackers 17: events are read in any case', async () => {
    const tracker = trackerOf();
    await using server = await httpOn(tracker);
    await ask(server, announceTarget({ event: 'STARTED' }));
    await ask(server, announceTarget({ event: 'Stopped' }));
    expect(tracker.counts.leechers).toBe(0);
  });

  test('trackers 29: a long, binary or missing key changes nothing', async () => {
    await using server = await httpOn(trackerOf());
    for (const key of ['12345678', 'k'.repeat(3000), '%00%ff', undefined]) {
      expect((await ask(server, announceTarget({ key }))).get('incomplete')).toBe(1);
    }
  });

  test('trackers 30: unknown parameters are ignored', async () => {
    await using server = await httpOn(trackerOf());
    const parameters = {
      supportcrypto: 1,
      redundant: 9,
      corrupt: 9,
      cryptoport: 1,
      azudp: 1,
      trackerid: 'x',
      requirecrypto: 1,
    };
    expect((await ask(server, announceTarget(parameters))).get('incomplete')).toBe(1);
  });
});

describe('events', () => {
  test('trackers 18: completed with bytes left, or repeated, is not counted', async () => {
    await using server = await httpOn(trackerOf());
    await ask(server, announceTarget({ event: 'started' }));
    expect((await ask(server, announceTarget({ event: 'completed', left: 5 }))).get('downloaded')).toBe(0);
    expect((await ask(server, announceTarget({ event: 'completed', left: 0 }))).get('downloaded')).toBe(1);
    expect((await ask(server, announceTarget({ event: 'completed', left: 0 }))).get('downloaded')).toBe(1);
  });

  test('trackers 19: completed without started is accepted', async () => {
    await using server = await httpOn(trackerOf());
    const reply = await ask(server, announceTarget({ event: 'completed', left: 0 }));
    expect([failureOf(reply), reply.get('complete')]).toEqual([undefined, 1]);
  });

  test('trackers 20: stopped by an unknown peer of an unknown torrent succeeds and remembers nothing', async () => {
    const tracker = trackerOf();
    await using server = await httpOn(tracker);
    const reply = await ask(server, announceTarget({ event: 'stopped' }));
    expect([failureOf(reply), reply.get('interval')]).toEqual([undefined, 1800]);
    expect(tracker.counts.torrents).toBe(0);
  });

  test('trackers 21: the answer to stopped has interval and counts but no peers', async () => {
    const tracker = trackerOf();
    fill(tracker, 3);
    await using server = await httpOn(tracker);
    await ask(server, announceTarget());
    const reply = await ask(server, announceTarget({ event: 'stopped', compact: 1 }));
    expect([reply.get('interval'), reply.get('incomplete'), textOf(reply.get('peers'))]).toEqual([1800, 3, '']);
  });

  test('trackers 22: the same announce twice is one peer', async () => {
    const tracker = trackerOf();
    await using server = await httpOn(tracker);
    await Promise.all([
      ask(server, announceTarget({ event: 'started' })),
      ask(server, announceTarget({ event: 'started' })),
    ]);
    expect(tracker.counts.leechers).toBe(1);
  });

  test('trackers 41: the two hashes of a hybrid torrent are two swarms', async () => {
    const tracker = trackerOf();
    await using server = await httpOn(tracker);
    await ask(server, announceTarget());
    await ask(server, announceTarget({ info_hash: 'v'.repeat(20) }));
    expect(tracker.counts).toMatchObject({ torrents: 2, leechers: 2 });
  });
});

describe('peer lists', () => {
  test('trackers 27: compact=0 is a list of dictionaries with address, port and peer id as bytes', async () => {
    const tracker = trackerOf();
    await using server = await httpOn(tracker);
    await ask(server, announceTarget({ port: 7000 }));
    const reply = await ask(server, announceTarget({ compact: 0, peer_id: 'q'.repeat(20) }));
    expect(reply.get('peers')).toEqual([
      new Map<string, unknown>([
        ['ip', bytes('127.0.0.1')],
        ['peer id', somePeer],
        ['port', 7000],
      ]),
    ]);
  });

  test('without compact the list is of dictionaries too, as the first clients need it', async () => {
    const tracker = trackerOf();
    fill(tracker, 1);
    await using server = await httpOn(tracker);
    expect((await ask(server, announceTarget())).get('peers')).toHaveLength(1);
  });

  test('no_peer_id leaves the ids out of dictionaries', async () => {
    const tracker = trackerOf();
    fill(tracker, 1);
    await using server = await httpOn(tracker);
    const [peer] = (await ask(server, announceTarget({ no_peer_id: 1 }))).get('peers') as Map<string, unknown>[];
    expect([...peer!.keys()]).toEqual(['ip', 'port']);
  });

  test('trackers 28: peers is there even when empty, peers6 only when it is not', async () => {
    const tracker = trackerOf();
    await using server = await httpOn(tracker);
    const alone = await ask(server, announceTarget({ compact: 1 }));
    expect([textOf(alone.get('peers')), alone.has('peers6')]).toEqual(['', false]);
    tracker.announce({ ...requestOf(9), infoHash: someHash }, { ip: '2001:db8::9' }, 0);
    const both = await ask(server, announceTarget({ compact: 1 }));
    expect([textOf(both.get('peers')), (both.get('peers6') as Uint8Array).length]).toEqual(['', 18]);
    const listed = await ask(server, announceTarget());
    expect((listed.get('peers') as Map<string, unknown>[]).map((peer) => textOf(peer.get('ip')))).toEqual([
      '2001:db8::9',
    ]);
  });

  test('trackers 34: keys of an answer with everything in it are sorted', async () => {
    const tracker = trackerOf({ minInterval: 60 });
    tracker.announce(requestOf(9), { ip: '2001:db8::9' }, 0);
    for (let port = 1; port <= 256; port++) tracker.announce({ ...requestOf(1), port }, { ip: '127.0.0.1' }, 0);
    await using server = await httpOn(tracker);
    // The decoder is strict: it throws on unsorted keys.
    const reply = await ask(server, announceTarget({ compact: 1, port: 9999, numwant: 200 }));
    const keys = 'complete,downloaded,external ip,incomplete,interval,min interval,peers,warning message';
    expect([...reply.keys()].join()).toBe(keys);
    const six = await httpOn(tracker, { host: '::1' });
    expect([...(await ask(six, announceTarget({ compact: 1 }))).keys()].join()).toContain('peers,peers6');
    await six[Symbol.asyncDispose]();
  });

  test('BEP 24: the answer says which address the tracker saw', async () => {
    await using server = await httpOn(trackerOf());
    expect((await ask(server, announceTarget())).get('external ip')).toEqual(Uint8Array.of(127, 0, 0, 1));
  });
});

function bytes(text: string): Uint8Array {
  return Uint8Array.from(Buffer.from(text, 'latin1'));
}

function requestOf(peer: number) {
  const peerId = new Uint8Array(20).fill(peer);
  return { infoHash: someHash, peerId, port: 6881, uploaded: 0, downloaded: 0, left: 100, event: 'none' } as const;
}

function fill(tracker: ReturnType<typeof trackerOf>, peers: number): void {
  for (let peer = 0; peer < peers; peer++)
    tracker.announce(requestOf(peer), { ip: `10.0.${peer >> 8}.${peer & 255}` }, 0);
}
