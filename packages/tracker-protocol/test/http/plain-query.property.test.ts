import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { encodeAnnounceQuery, parseAnnounceQuery, parsePlainAnnounceQuery } from '../../src/index.ts';
import { bytes, errorOf } from '../bytes.ts';

const hash = '%2D%04O%C0%dB%1Aau9%BEMr%C2%A5E%A0%FDH%03%E2';
const id = '-SH0100-abcdefghijkl';
const required = `info_hash=${hash}&peer_id=${id}&port=6883`;

function parsePlain(query: string): ReturnType<typeof parsePlainAnnounceQuery> {
  return parsePlainAnnounceQuery(bytes(`GET /announce?${query} HTTP`), 14, 14 + query.length);
}

/** What clients send, nearly, and what they never would. */
const names = fc.oneof(
  { weight: 20, arbitrary: fc.constantFrom('info_hash', 'peer_id', 'port', 'uploaded', 'downloaded', 'left', 'event') },
  { weight: 10, arbitrary: fc.constantFrom('numwant', 'compact', 'no_peer_id', 'key', 'trackerid', 'last', 'corrupt') },
  {
    weight: 3,
    arbitrary: fc.constantFrom('ip', 'ipv4', 'ipv6', 'num+want', 'num%20want', 'p%6Frt', 'passkey', '', '?port'),
  },
);
const values = fc.oneof(
  { weight: 10, arbitrary: fc.constantFrom(hash, id, '6881', '0', '1', 'started', 'completed', 'stopped', 'paused') },
  { weight: 3, arbitrary: fc.nat(2 ** 31 - 1).map(String) },
  {
    weight: 2,
    arbitrary: fc.constantFrom(
      '',
      '-1',
      '65536',
      '9007199254740993',
      'STOPPED',
      'a=b',
      'x?port=7',
      '1.2.3.4',
      '%zz',
      '%4',
    ),
  },
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 45 }).map((text) => String.fromCharCode(...text)) },
);
const parameter = fc.oneof(
  { weight: 30, arbitrary: fc.tuple(names, values).map(([name, value]) => `${name}=${value}`) },
  { weight: 1, arbitrary: fc.constantFrom('', 'compact', '=1', '&', '?') },
);
const queries = fc
  .tuple(fc.boolean(), fc.array(parameter, { maxLength: 8 }))
  .chain(([isWhole, parameters]) =>
    fc.shuffledSubarray(isWhole ? [...required.split('&'), ...parameters] : parameters, {
      minLength: Math.min(3, parameters.length),
    }),
  )
  .map((parameters) => parameters.join('&'));

describe('a plain announce', () => {
  test('is read as the other parser reads it, or left to that one', () => {
    let plain = 0;
    fc.assert(
      fc.property(queries, (query) => {
        const request = parsePlain(query);
        if (request === undefined) return;
        plain++;
        expect(request).toEqual(parseAnnounceQuery(query));
      }),
      { numRuns: 20_000 },
    );
    expect(plain).toBeGreaterThan(100);
  });

  test('never fails, whatever the bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), fc.nat(100), fc.nat(100), (body, from, to) => {
        expect(errorOf(() => parsePlainAnnounceQuery(body, from, Math.min(to, body.length)))).toBeUndefined();
      }),
    );
  });

  test.each([
    [
      'libtorrent',
      '&uploaded=0&downloaded=0&left=7&corrupt=0&key=3F5A2B1C&event=started&numwant=200&compact=1&no_peer_id=1&supportcrypto=1&redundant=0',
    ],
    ['Transmission', '&uploaded=0&downloaded=0&left=0&numwant=80&key=1234ABCD&compact=1&supportcrypto=1&event=stopped'],
    [
      'aria2',
      '&uploaded=1&downloaded=2&left=3&compact=1&key=abcdefgh&numwant=0&no_peer_id=1&event=completed&supportcrypto=1',
    ],
    ['BEP 21', '&uploaded=1&downloaded=2&left=3&compact=1&event=paused'],
    ['one that echoes', '&uploaded=1&downloaded=2&left=3&compact=0&event=&trackerid=fwAABxrhAAAAAAAAAAA&last=17'],
  ])('of %s is plain', (_, rest) => {
    expect(parsePlain(required + rest)).toEqual(parseAnnounceQuery(required + rest));
  });

  test('of our own client is plain', () => {
    const request = parseAnnounceQuery(`${required}&left=5&compact=1&key=00c0ffee&numwant=50`);
    expect(parsePlain(encodeAnnounceQuery(request))).toEqual(parseAnnounceQuery(encodeAnnounceQuery(request)));
  });

  test.each([
    ['a claimed address', '&ip=1.2.3.4'],
    ['an escape in a name', '&p%6Frt=7'],
    ['another query inside', '&passkey=x?port=7'],
    ['a number with a sign', '&numwant=-1'],
    ['a number that is not exact', '&left=9007199254740993'],
    ['an event in capitals', '&event=Started'],
    ['a second info-hash', `&info_hash=${hash}`],
    ['an escape in the key', '&key=%41'],
  ])('with %s is left to the other parser', (_, rest) => {
    expect(parsePlain(required + rest)).toBeUndefined();
  });

  test.each([
    ['a longer info-hash', required.replace(hash, `${hash}x`)],
    ['a shorter info-hash', required.replace(hash, hash.slice(0, -3))],
    ['half an escape', required.replace(hash, hash.slice(0, -1))],
    ['a longer peer id', required.replace(id, `${id}%00`)],
  ])('with %s is left to the other parser', (_, query) => {
    expect(parsePlain(query)).toBeUndefined();
  });

  test.each(['info_hash', 'peer_id', 'port'])('without %s is left to the other parser, which refuses it', (name) => {
    const rest = required.split('&').filter((part) => !part.startsWith(name));
    expect(parsePlain(rest.join('&'))).toBeUndefined();
  });
});
