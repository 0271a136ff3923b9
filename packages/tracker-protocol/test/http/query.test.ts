import { describe, expect, test } from 'vitest';
import { encodeAnnounceQuery, encodeScrapeQuery, parseAnnounceQuery, parseScrapeQuery } from '../../src/index.ts';
import type { AnnounceRequest, TrackerProtocolErrorCode } from '../../src/index.ts';
import { bytes, errorOf, fromHex, text, toHex } from '../bytes.ts';

const hash = fromHex('2d044fc0db1a617539be4d72c2a545a0fd4803e2');
const peer = fromHex('000000000000000000000000f51ae4e85a875808');
const hashParameter = 'info_hash=-%04O%C0%DB%1Aau9%BEMr%C2%A5E%A0%FDH%03%E2';
const required = `${hashParameter}&peer_id=%00%00%00%00%00%00%00%00%00%00%00%00%F5%1A%E4%E8Z%87X%08&port=6883`;
const plain: AnnounceRequest = {
  infoHash: hash,
  peerId: peer,
  port: 6883,
  uploaded: 0,
  downloaded: 0,
  left: 22_169,
  event: 'none',
};

function refusal(query: string, options = {}): TrackerProtocolErrorCode | undefined {
  const error = errorOf(() => parseAnnounceQuery(query, options));
  if (error === undefined) return undefined;
  expect(error).toMatchObject({ name: 'TrackerProtocolError', sendable: expect.stringMatching(/^[ -~]+$/) });
  return (error as { code: TrackerProtocolErrorCode }).code;
}

describe('founding exchange', () => {
  test('the started announce is read as its author describes it', () => {
    const request = parseAnnounceQuery(`${required}&uploaded=0&downloaded=0&left=22169&event=started`);
    expect(request).toMatchObject({
      infoHash: hash,
      peerId: peer,
      port: 6883,
      uploaded: 0,
      downloaded: 0,
      left: 22_169,
      event: 'started',
    });
  });

  test('completed and stopped too', () => {
    expect(parseAnnounceQuery(`${required}&uploaded=0&downloaded=22169&left=0&event=completed`)).toMatchObject({
      left: 0,
      downloaded: 22_169,
      event: 'completed',
    });
    expect(parseAnnounceQuery(`${required}&uploaded=0&downloaded=22169&left=0&event=stopped`)).toMatchObject({
      event: 'stopped',
    });
  });

  test('our announce begins with the very same text', () => {
    expect(encodeAnnounceQuery({ ...plain, event: 'started' })).toBe(
      `${required}&uploaded=0&downloaded=0&left=22169&compact=1&event=started`,
    );
  });
});

describe('reading an announce', () => {
  test('trackers 1: info_hash is decoded byte by byte, in upper and lower hex, never through UTF-8', () => {
    const every = Array.from({ length: 13 }, (_, block) =>
      Uint8Array.from({ length: 20 }, (_unused, at) => (block * 20 + at) & 0xff),
    );
    for (const infoHash of every) {
      const upper = encodeScrapeQuery([infoHash]);
      const lower = upper.replaceAll(/%[0-9A-F]{2}/g, (escape) => escape.toLowerCase());
      const full = `info_hash=${[...infoHash].map((byte) => `%${byte.toString(16).padStart(2, '0')}`).join('')}`;
      for (const query of [upper, lower, full]) expect(parseScrapeQuery(query)).toEqual([infoHash]);
    }
  });

  test('trackers 2: a hash that happens to be valid UTF-8 keeps its bytes', () => {
    const [infoHash] = parseScrapeQuery('info_hash=%C3%A4%C3%B6%C3%BCaaaaaaaaaaaaaa');
    expect(toHex(infoHash!)).toBe('c3a4c3b6c3bc6161616161616161616161616161');
  });

  test('trackers 3: unescaped legal bytes stand for themselves, mixed with escapes', () => {
    expect(text(parseScrapeQuery("info_hash=~!()*'$,:@/?%00aaaaaaa")[0]!)).toBe("~!()*'$,:@/?\0aaaaaaa");
  });

  test('trackers 4: a plus sign is the byte 0x2B', () => {
    expect(text(parseScrapeQuery('info_hash=++++++++++aaaaaaaaaa')[0]!)).toBe('++++++++++aaaaaaaaaa');
  });

  test('trackers 5: a semicolon is data, not a separator', () => {
    expect(text(parseScrapeQuery('info_hash=;;;;;;;;;;aaaaaaaaaa')[0]!)).toBe(';;;;;;;;;;aaaaaaaaaa');
    expect(refusal('info_hash=aaaaaaaaaaaaaaaaaaaa;peer_id=bbbbbbbbbbbbbbbbbbbb;port=1')).toBe('invalid-info-hash');
  });

  test.each([
    '%',
    '%4',
    '%zz',
    '%%41',
    'aaaaaaaaaaaaaaaaaaa%4',
    '%4&',
    '%g1aaaaaaaaaaaaaaaaaaa',
    '%1gaaaaaaaaaaaaaaaaaaa',
  ])('trackers 6: the broken escape %j is a failure to send back', (value) => {
    expect(refusal(`info_hash=${value}&peer_id=aaaaaaaaaaaaaaaaaaaa&port=1`)).toBe('malformed-escape');
    expect(refusal(`${required}&key=${value}`)).toBe('malformed-escape');
  });

  test('trackers 7: a character beyond a byte is a failure, a raw byte is itself', () => {
    expect(refusal('info_hash=\u0100aaaaaaaaaaaaaaaaaaa&port=1')).toBe('malformed-escape');
    expect(parseScrapeQuery(`info_hash=${'\u00ff'.repeat(20)}`)).toEqual([new Uint8Array(20).fill(255)]);
  });

  test('trackers 8: 32 bytes are a v2 hash and truncated; 40 hex digits get a helpful reason; other lengths fail', () => {
    expect(parseAnnounceQuery(required.replace(hashParameter, `info_hash=${'ab'.repeat(16)}`)).infoHash).toEqual(
      bytes('ab'.repeat(10)),
    );
    expect(() => parseAnnounceQuery(required.replace(hashParameter, `info_hash=${toHex(hash)}`))).toThrow(/40 hex/);
    for (const length of [1, 19, 21, 31, 33, 39, 41, 5_000]) {
      expect(refusal(required.replace(hashParameter, `info_hash=${'a'.repeat(length)}`))).toBe('invalid-info-hash');
    }
  });

  test('trackers 9: two info_hash parameters in an announce are a failure', () => {
    expect(refusal(`${required}&${hashParameter}`)).toBe('repeated-info-hash');
  });

  test.each(['novalue', 'empty=', '?', '??', '&&', '&amp;x=1', '=', '=x', 'left=', 'numwant=&', '%20=1', '&&&&?&'])(
    'trackers 10: %j is skipped in silence',
    (noise) => {
      const clean = parseAnnounceQuery(required);
      expect(parseAnnounceQuery(`${noise}&${required}`)).toEqual(clean);
      expect(parseAnnounceQuery(`${required}&${noise}`)).toEqual(clean);
    },
  );

  test('trackers 10: a second question mark starts the query that a client appended to another', () => {
    expect(parseAnnounceQuery(`passkey=abc?${required}`)).toEqual(parseAnnounceQuery(required));
  });

  test('trackers 11: a missing peer_id fails, as does one that is not 20 bytes', () => {
    expect(refusal(`${hashParameter}&port=1`)).toBe('missing-peer-id');
    expect(refusal(`${hashParameter}&port=1&peer_id=`)).toBe('missing-peer-id');
    expect(refusal(`${hashParameter}&port=1&peer_id=short`)).toBe('invalid-peer-id');
    expect(refusal(`${hashParameter}&port=1&peer_id=${'a'.repeat(21)}`)).toBe('invalid-peer-id');
    expect(refusal('port=1')).toBe('missing-info-hash');
  });

  test('trackers 12: port must be 1 to 65535 in digits; 0 passes with stopped', () => {
    const portless = required.replace('&port=6883', '');
    expect(refusal(portless)).toBe('missing-port');
    for (const port of ['0', '-1', '65536', '6883x', '1.5', '0x1', '99999999999999999999'])
      expect(refusal(`${portless}&port=${port}`)).toBe('invalid-port');
    expect(parseAnnounceQuery(`${portless}&port=65535`).port).toBe(65_535);
    expect(parseAnnounceQuery(`${portless}&port=0&event=stopped`).port).toBe(0);
    expect(parseAnnounceQuery(`${portless}&event=stopped&port=0`).port).toBe(0);
  });

  test('trackers 13: a missing left is unknown, a huge one is clamped without overflow', () => {
    expect(parseAnnounceQuery(required).left).toBeUndefined();
    for (const huge of ['9223372036854775807', '18446744073709551615', '9'.repeat(400)]) {
      expect(parseAnnounceQuery(`${required}&left=${huge}`).left).toBe(Number.MAX_SAFE_INTEGER);
    }
  });

  test('trackers 14: a negative left is unknown, or a failure when strict', () => {
    expect(parseAnnounceQuery(`${required}&left=-1`).left).toBeUndefined();
    expect(parseAnnounceQuery(`${required}&left=many`).left).toBeUndefined();
    expect(refusal(`${required}&left=-1`, { strictLeft: true })).toBe('invalid-left');
    expect(refusal(`${required}&left=many`, { strictLeft: true })).toBe('invalid-left');
    expect(refusal(required, { strictLeft: true })).toBeUndefined();
  });

  test('trackers 15: negative counters are nothing transferred', () => {
    expect(parseAnnounceQuery(`${required}&uploaded=-5&downloaded=-9223372036854775808`)).toMatchObject({
      uploaded: 0,
      downloaded: 0,
    });
    expect(parseAnnounceQuery(`${required}&uploaded=x&downloaded=18446744073709551615`)).toMatchObject({
      uploaded: 0,
      downloaded: Number.MAX_SAFE_INTEGER,
    });
  });

  test('trackers 16: numwant missing, negative or no number is the default; 0 stays 0; "num want" is read', () => {
    for (const value of ['', '&numwant=-1', '&numwant=lots', '&numwant='])
      expect(parseAnnounceQuery(required + value).numWant).toBeUndefined();
    for (const name of ['numwant', 'num%20want', 'num+want', 'num want'])
      expect(parseAnnounceQuery(`${required}&${name}=0`).numWant).toBe(0);
    expect(parseAnnounceQuery(`${required}&numwant=99999999999999999999`).numWant).toBe(Number.MAX_SAFE_INTEGER);
  });

  test.each([
    ['started', 'started'],
    ['STARTED', 'started'],
    ['Completed', 'completed'],
    ['stopped', 'stopped'],
    ['paused', 'paused'],
    ['empty', 'none'],
    ['', 'none'],
    ['dancing', 'none'],
  ])('trackers 17: event %j is %s', (sent, event) => {
    expect(parseAnnounceQuery(`${required}&event=${sent}`).event).toBe(event);
  });

  test('trackers 23: claimed addresses are read in canonical form, and only addresses', () => {
    expect(parseAnnounceQuery(`${required}&ip=%3A%3Affff%3A1.2.3.4`).ip).toBe('1.2.3.4');
    expect(parseAnnounceQuery(`${required}&ip=evil.example`).ip).toBeUndefined();
    const both = parseAnnounceQuery(`${required}&ipv6=%5B2001%3Adb8%3A%3A53Aa%5D%3A6882&ipv4=261.52.89.12`);
    expect(both).toMatchObject({ ipv6: { ip: '2001:db8::53aa', port: 6882 }, ipv4: undefined });
    expect(parseAnnounceQuery(`${required}&ipv4=1.2.3.4&ipv6=5.6.7.8`)).toMatchObject({
      ipv4: { ip: '1.2.3.4', port: 6883 },
      ipv6: undefined,
    });
  });

  test('trackers 27: compact and no_peer_id are read; not said stays undefined', () => {
    expect(parseAnnounceQuery(required)).toMatchObject({ compact: undefined, noPeerId: undefined });
    expect(parseAnnounceQuery(`${required}&compact=0&no_peer_id=0`)).toMatchObject({ compact: false, noPeerId: false });
    expect(parseAnnounceQuery(`${required}&compact=1&no_peer_id=1`)).toMatchObject({ compact: true, noPeerId: true });
  });

  test('trackers 29: key is any text, at most 100 characters, never mandatory', () => {
    expect(parseAnnounceQuery(`${required}&key=A%FFz`).key).toBe('A\u00ffz');
    expect(parseAnnounceQuery(`${required}&key=${'k'.repeat(5_000)}`).key).toBe('k'.repeat(100));
  });

  test('trackers 30: parameters that no tracker reads are ignored, broken escapes and all', () => {
    const noisy = `${required}&supportcrypto=1&redundant=5&corrupt=7&cryptoport=1&azudp=2&unknown=%zz&trackerid=abc`;
    expect(parseAnnounceQuery(noisy)).toEqual({ ...parseAnnounceQuery(required), trackerId: 'abc' });
  });

  test('a parameter sent twice has its last value', () => {
    expect(parseAnnounceQuery(`${required}&port=1&port=2`).port).toBe(2);
  });

  test('a percent-encoded name is the name', () => {
    expect(parseAnnounceQuery(required.replace('info_hash', 'info%5Fhash')).infoHash).toEqual(hash);
  });

  test('the result holds no memory of the parser', () => {
    const first = parseAnnounceQuery(required);
    parseAnnounceQuery(required.replaceAll('%', '%').replace('-%04', 'ab'));
    expect(first.infoHash).toEqual(hash);
  });
});

describe('reading a scrape', () => {
  test('trackers 42: repeated hashes are listed once, in the order asked, up to the cap', () => {
    const [a, b] = [bytes('a'.repeat(20)), bytes('b'.repeat(20))];
    expect(parseScrapeQuery(encodeScrapeQuery([b, a, b, a]))).toEqual([b, a]);
    const many = Array.from({ length: 75 }, (_, index) => new Uint8Array(20).fill(index));
    expect(parseScrapeQuery(encodeScrapeQuery(many.slice(0, 74)))).toHaveLength(74);
    expect(errorOf(() => parseScrapeQuery(encodeScrapeQuery(many)))).toMatchObject({ code: 'too-many-info-hashes' });
    expect(parseScrapeQuery(encodeScrapeQuery(many), { maxInfoHashes: 75 })).toHaveLength(75);
  });

  test('trackers 43: without a hash the list is empty, which asks for everything', () => {
    expect(parseScrapeQuery('')).toEqual([]);
    expect(parseScrapeQuery('passkey=x&info_hash')).toEqual([]);
  });
});

describe('writing an announce', () => {
  test('clients 52: every byte outside the unreserved set is escaped, in upper case', () => {
    const query = encodeScrapeQuery([bytes(' !+&=?#%/\\~-._azAZ09')]);
    expect(query).toBe('info_hash=%20%21%2B%26%3D%3F%23%25%2F%5C~-._azAZ09');
  });

  test('clients 52: tracker id and key are sent back', () => {
    const query = encodeAnnounceQuery({ ...plain, trackerId: 'a b\u00ff', key: 'CAFE0123' });
    expect(query).toContain('&key=CAFE0123&trackerid=a%20b%FF');
  });

  test('clients 56: an unknown left is announced as a leecher with something to do', () => {
    expect(encodeAnnounceQuery({ ...plain, left: undefined })).toContain('&left=16384&');
    expect(encodeAnnounceQuery({ ...plain, corrupt: 5, redundant: 7 })).toContain('&corrupt=5&redundant=7&');
    expect(encodeAnnounceQuery({ ...plain, event: 'paused' })).toContain('&event=paused');
  });

  test('has at least the six parameters that private sites ask for', () => {
    expect(encodeAnnounceQuery(plain).split('&').length).toBeGreaterThanOrEqual(6);
  });

  test('writes every field it can read back', () => {
    const full: AnnounceRequest = {
      ...plain,
      event: 'stopped',
      numWant: 0,
      compact: false,
      noPeerId: true,
      key: 'k',
      trackerId: 't',
      ip: '1.2.3.4',
      ipv4: { ip: '5.6.7.8', port: 9 },
      ipv6: { ip: '2001:db8::1', port: 10 },
    };
    expect(parseAnnounceQuery(encodeAnnounceQuery(full))).toEqual(full);
  });

  test.each([
    { infoHash: new Uint8Array(19) },
    { peerId: new Uint8Array(0) },
    { port: 65_536 },
    { uploaded: -1 },
    { left: 1.5 },
    { downloaded: Number.NaN },
    { key: '\u0100' },
  ])('refuses what is no request: %o', (wrong) => {
    expect(() => encodeAnnounceQuery({ ...plain, ...wrong })).toThrow(RangeError);
  });
});
