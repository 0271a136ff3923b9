import { describe, expect, test } from 'vitest';
import { formatMagnet, MetainfoError, parseInfoHash, parseMagnet } from '../src/index.ts';

const hash = 'c12fe1c06bba254a9dc9f519b335aa7c1367a88a';
const base = `magnet:?xt=urn:btih:${hash}`;

function errorOf(text: string): unknown {
  try {
    parseMagnet(text);
  } catch (error) {
    return error;
  }
  return undefined;
}

describe('BEP 9: a magnet link', () => {
  test('gives all that it says', () => {
    const v2 = `1220${'ab'.repeat(32)}`;
    const text =
      `${base}&xt=urn:btmh:${v2}&dn=a+file%20name&xl=1234&tr=udp%3A%2F%2Fa.example%3A80&tr.1=http://b.example/announce` +
      '&ws=http%3A%2F%2Fs.example%2F&xs=https://x.example/a.torrent&x.pe=10.0.0.1:6881&x.pe=%5B2001:db8::1%5D:7&so=0,2,4-6&kt=a+b';
    expect(parseMagnet(text)).toEqual({
      infoHash: hash,
      infoHashV2: v2,
      name: 'a file name',
      length: 1234,
      trackers: ['udp://a.example:80', 'http://b.example/announce'],
      webSeeds: ['http://s.example/'],
      exactSources: ['https://x.example/a.torrent'],
      peers: ['10.0.0.1:6881', '[2001:db8::1]:7'],
      selectOnly: [
        { first: 0, last: 0 },
        { first: 2, last: 2 },
        { first: 4, last: 6 },
      ],
      unknown: [['kt', 'a+b']],
      warnings: [],
    });
  });

  test('needs nothing but the hash', () => {
    expect(parseMagnet(base)).toEqual({
      infoHash: hash,
      trackers: [],
      webSeeds: [],
      exactSources: [],
      peers: [],
      unknown: [],
      warnings: [],
    });
  });

  test.for([
    ['in upper case', `MAGNET:?XT=urn:btih:${hash}`.replace('XT', 'xt')],
    ['with an upper-case hash', `magnet:?xt=urn:btih:${hash.toUpperCase()}`],
    ['with an upper-case urn', `magnet:?xt=URN:BTIH:${hash}`],
    ['in base32', 'magnet:?xt=urn:btih:YEX6DQDLXISUVHOJ6UM3GNNKPQJWPKEK'],
    ['in lower-case base32', 'magnet:?xt=urn:btih:yex6dqdlxisuvhoj6um3gnnkpqjwpkek'],
    ['with an encoded topic', `magnet:?xt=urn%3Abtih%3A${hash}`],
    ['with a numbered topic', `magnet:?xt.1=urn:btih:${hash}`],
    ['with white space around it', `  ${base}\n`],
    ['copied from a page’s source', `magnet:?dn=a&amp;xt=urn:btih:${hash}`],
    ['with another scheme’s topic', `magnet:?xt=urn:sha1:AAAA&xt=urn:btih:${hash}`],
  ] as const)('is read %s', ([, text]) => {
    expect(parseMagnet(text).infoHash).toBe(hash);
  });

  test.for([
    ['http://x', 'not-a-magnet'],
    ['', 'not-a-magnet'],
    [hash, 'not-a-magnet'],
    ['magnet:?', 'no-info-hash'],
    ['magnet:?dn=a', 'no-info-hash'],
    ['magnet:?xt=urn:ed2k:354B15E68FB8F36D7CD88FF94116CDC1', 'no-info-hash'],
    ['magnet:?xt=urn:btih:', 'bad-info-hash'],
    [`magnet:?xt=urn:btih:${hash.slice(1)}`, 'bad-info-hash'],
    [`magnet:?xt=urn:btih:${hash}0`, 'bad-info-hash'],
    [`magnet:?xt=urn:btih:${'g'.repeat(40)}`, 'bad-info-hash'],
    [`magnet:?xt=urn:btih:${'1'.repeat(32)}`, 'bad-info-hash'],
    [`${base}&xt=urn:btmh:1220ab`, 'bad-info-hash'],
    [`magnet:?xt=urn:btmh:1220${'ab'.repeat(32)}`, 'v2-only'],
    [`${base}&dn=${'x'.repeat(70_000)}`, 'too-large'],
  ] as const)('%s is refused: %s', ([text, code]) => {
    const error = errorOf(text);
    expect(error).toBeInstanceOf(MetainfoError);
    expect(error).toMatchObject({ code });
  });

  test('says what is wrong with a hash that was cut', () => {
    expect(errorOf(`magnet:?xt=urn:btih:${hash.slice(0, 39)}`)).toMatchObject({
      message: expect.stringContaining('has 39 characters') as string,
    });
  });

  test('that names two torrents is of the first, with a warning', () => {
    const magnet = parseMagnet(`${base}&xt=urn:btih:${'0'.repeat(40)}`);
    expect(magnet.infoHash).toBe(hash);
    expect(magnet.warnings).toHaveLength(1);
  });

  test('with broken percent signs and bytes that are no UTF-8 is read', () => {
    expect(parseMagnet(`${base}&dn=%E0%A4%A`).name).toBe('\ufffd%A');
    expect(parseMagnet(`${base}&dn=a+b+%2B`).name).toBe('a b +');
    expect(parseMagnet(`${base}&dn=100%`).name).toBe('100%');
    expect(parseMagnet(`${base}&dn=%zz%41`).name).toBe('%zzA');
  });

  test('loses junk parameters, with warnings', () => {
    const magnet = parseMagnet(
      `${base}&tr=junk&tr=udp://a.example:1&tr=udp://a.example:1&xl=-5&x.pe=nohost&x.pe=h:0&x.pe=h:65536&so=5-2,x,3`,
    );
    expect(magnet).toMatchObject({ trackers: ['udp://a.example:1'], peers: [], selectOnly: [{ first: 3, last: 3 }] });
    expect(magnet).not.toHaveProperty('length');
    expect(magnet.warnings).toHaveLength(7);
  });

  test('BEP 53: ranges are joined and ordered', () => {
    expect(parseMagnet(`${base}&so=8,3-5,4-6,7,0`).selectOnly).toEqual([
      { first: 0, last: 0 },
      { first: 3, last: 8 },
    ]);
  });

  test('BEP 53: a range of a hundred million files is one range', () => {
    expect(parseMagnet(`${base}&so=0-99999999`).selectOnly).toEqual([{ first: 0, last: 99_999_999 }]);
  });

  test('made to be slow is read in time in proportion to its length', () => {
    const started = performance.now();
    for (const part of [
      '&',
      '&&=',
      '&tr=',
      '&so=1-2',
      '&so=1,',
      '&x.pe=[::',
      '%',
      '%41',
      '&tr=udp://a',
      '.1',
      '&xt=urn:',
    ]) {
      const text = base + part.repeat(Math.floor(65_000 / part.length));
      try {
        parseMagnet(text);
      } catch (error) {
        expect(error).toBeInstanceOf(MetainfoError);
      }
    }
    expect(performance.now() - started).toBeLessThan(3000);
  });

  test('keeps 200 peers and 500 trackers at most', () => {
    const peers = Array.from({ length: 1000 }, (_, i) => `&x.pe=10.0.0.1:${i + 1}`).join('');
    const trackers = Array.from({ length: 1000 }, (_, i) => `&tr=udp://t${i}.example`).join('');
    const magnet = parseMagnet(base + peers + trackers);
    expect(magnet.peers).toHaveLength(200);
    expect(magnet.trackers).toHaveLength(500);
    expect(magnet.warnings.length).toBeLessThanOrEqual(51);
  });
});

describe('writing a magnet link', () => {
  test('names come percent-encoded, the topic and peers readable', () => {
    expect(
      formatMagnet({
        infoHash: hash.toUpperCase(),
        name: 'a & b',
        trackers: ['http://t.example/?a=b&c=d'],
        peers: ['[2001:db8::1]:7'],
        selectOnly: [
          { first: 0, last: 0 },
          { first: 2, last: 5 },
        ],
      }),
    ).toBe(`${base}&dn=a%20%26%20b&tr=http%3A%2F%2Ft.example%2F%3Fa%3Db%26c%3Dd&x.pe=%5B2001:db8::1%5D:7&so=0,2-5`);
  });

  test.for([
    [{ infoHash: 'abc' }],
    [{ infoHash: hash, selectOnly: [{ first: 3, last: 2 }] }],
    [{ infoHash: hash, selectOnly: [{ first: 0, last: Infinity }] }],
  ] as const)('%j is refused', ([fields]) => {
    expect(() => formatMagnet(fields)).toThrow(RangeError);
  });

  test('a lone surrogate does not throw', () => {
    expect(formatMagnet({ infoHash: hash, name: '\ud800' })).toContain('dn=%EF%BF%BD');
  });
});

describe('an info-hash in text', () => {
  test('is read in hex and base32, and nothing else', () => {
    expect(parseInfoHash(hash.toUpperCase())).toBe(hash);
    expect(parseInfoHash('YEX6DQDLXISUVHOJ6UM3GNNKPQJWPKEK')).toBe(hash);
    expect(parseInfoHash('A'.repeat(32))).toBe('0'.repeat(40));
    for (const text of ['', 'a'.repeat(39), 'a'.repeat(33), 'z'.repeat(40), '0'.repeat(32), `${hash}\n`]) {
      expect(parseInfoHash(text)).toBe(undefined);
    }
  });
});
