import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { formatIp } from '@shoal/tracker-protocol';
import { readProxiedDatagram } from '../../src/proxy-protocol/datagrams.ts';
import { type ProxyHeaderResult, proxyHeaderLimit, readProxyHeader } from '../../src/proxy-protocol/header.ts';
import { binaryHeader, binaryHeaderOf, textHeader } from './headers.ts';

const client = { ip: '203.0.113.5', port: 4711 };
const client6 = { ip: '2001:db9::5', port: 4711 };

function read(bytes: Uint8Array | string, transport: 1 | 2 = 1): ProxyHeaderResult {
  const all = typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes;
  return readProxyHeader(all, all.length, transport);
}

describe('version 1', () => {
  test.each([
    ['PROXY TCP4 203.0.113.5 192.0.2.9 4711 443\r\n', client],
    ['PROXY TCP6 2001:DB9::5 ::1 4711 443\r\n', client6],
    ['PROXY TCP6 ::ffff:203.0.113.5 ::ffff:192.0.2.9 4711 443\r\n', client],
    ['PROXY UNKNOWN\r\n', undefined],
    ['PROXY UNKNOWN ffff:: whatever it says\r\n', undefined],
    ['PROXY TCP4 255.255.255.255 255.255.255.255 65535 65535\r\n', { ip: '255.255.255.255', port: 65_535 }],
  ])('says %j', (text, source) => {
    expect(read(text)).toEqual({ length: text.length, source });
    expect(read(`${text}GET / HTTP/1.1\r\n`)).toEqual({ length: text.length, source });
  });

  test.each([
    'PROXY TCP4 203.0.113.5 192.0.2.9 4711 443\n',
    'PROXY TCP4 203.0.113.5 192.0.2.9 4711\r\n',
    'PROXY TCP4 203.0.113.5 192.0.2.9 4711 443 1\r\n',
    'PROXY TCP4  203.0.113.5 192.0.2.9 4711 443\r\n',
    'PROXY TCP4 203.0.113.5 192.0.2.9 04711 443\r\n',
    'PROXY TCP4 203.0.113.5 192.0.2.9 65536 443\r\n',
    'PROXY TCP4 203.0.113.5 192.0.2.9 +1 443\r\n',
    'PROXY TCP4 203.0.113.5 localhost 4711 443\r\n',
    'PROXY TCP4 203.0.113 192.0.2.9 4711 443\r\n',
    'PROXY TCP4 2001:db8::5 2001:db8::6 4711 443\r\n',
    'PROXY TCP6 203.0.113.5 192.0.2.9 4711 443\r\n',
    'PROXY UDP4 203.0.113.5 192.0.2.9 4711 443\r\n',
    'PROXY UNKNOWNS\r\n',
    'proxy TCP4 203.0.113.5 192.0.2.9 4711 443\r\n',
    'PROXY\r\n',
    'POST / HTTP/1.1\r\n',
    'GET / HTTP/1.1\r\n',
    '\r\nGET / HTTP/1.1\r\n',
    `PROXY UNKNOWN ${'x'.repeat(92)}\r\n`,
  ])('is not %j', (text) => {
    expect(read(text)).toBe('invalid');
  });

  test('has 107 bytes at most, and is given up before more are kept', () => {
    const longest = `PROXY UNKNOWN ${'x'.repeat(91)}\r\n`;
    expect([longest.length, read(longest)]).toEqual([107, { length: 107, source: undefined }]);
    expect(read(longest.slice(0, 106))).toBe('incomplete');
    expect(read(`PROXY UNKNOWN ${'x'.repeat(93)}`)).toBe('invalid');
  });
});

describe('version 2', () => {
  test('says who connected, whatever follows the addresses', () => {
    for (const source of [client, client6]) {
      const header = binaryHeaderOf(source, 1, Uint8Array.of(3, 0, 1, 7));
      expect(read(header)).toEqual({ length: header.length, source });
    }
  });

  test('unwraps IPv4-mapped addresses', () => {
    const mapped = Uint8Array.from({ length: 36 }, (_, at) => (at % 16 < 10 ? 0 : at % 16 < 12 ? 255 : 9));
    expect(read(binaryHeader({ family: 2, addresses: mapped }))).toMatchObject({ source: { ip: '9.9.9.9' } });
  });

  test.each([
    ['of the proxy itself', { command: 0, family: 0, transport: 0, addresses: new Uint8Array(0) }],
    ['of the proxy itself, with addresses', { command: 0 }],
    ['of unknown family', { family: 0, transport: 0, addresses: new Uint8Array(3) }],
    ['of a local socket', { family: 3, addresses: new Uint8Array(216) }],
  ])('%s names nobody', (_, fields) => {
    const header = binaryHeader(fields);
    expect(read(header)).toEqual({ length: header.length, source: undefined });
  });

  test.each([
    ['another version', { version: 1 }],
    ['an unknown command', { command: 2 }],
    ['an unknown family', { family: 4 }],
    ['an unknown transport', { transport: 3 }],
    ['a datagram on a stream', { transport: 2 }],
    ['addresses that are cut off', { addresses: new Uint8Array(11) }],
    ['addresses of the other family', { family: 2, addresses: new Uint8Array(12) }],
    ['more than a segment holds', { extra: new Uint8Array(proxyHeaderLimit - 16 - 12 + 1) }],
  ])('is not %s', (_, fields) => {
    expect(read(binaryHeader(fields))).toBe('invalid');
  });

  test('has 536 bytes at most', () => {
    const header = binaryHeader({ extra: new Uint8Array(proxyHeaderLimit - 16 - 12) });
    expect(read(header)).toMatchObject({ length: 536 });
  });
});

const ip = fc.oneof(
  fc.uint8Array({ minLength: 4, maxLength: 4 }),
  fc.uint8Array({ minLength: 16, maxLength: 16 }).filter((bytes) => bytes[0] !== 0),
);
const endpoint = fc.record({ ip: ip.map((bytes) => formatIp(bytes)), port: fc.nat(65_535) });
const header = fc.oneof(
  endpoint.map((source) => ({ bytes: textHeader(source), source })),
  fc
    .tuple(endpoint, fc.uint8Array({ maxLength: 100 }))
    .map(([source, extra]) => ({ bytes: binaryHeaderOf(source, 1, extra), source })),
);

describe('any header', () => {
  test('is incomplete until its last byte, then read whole, whatever follows', () => {
    fc.assert(
      fc.property(header, fc.uint8Array({ maxLength: 40 }), ({ bytes, source }, rest) => {
        const all = Buffer.concat([bytes, rest]);
        for (let length = 0; length < bytes.length; length++)
          expect(readProxyHeader(all, length, 1)).toBe('incomplete');
        expect(readProxyHeader(all, all.length, 1)).toEqual({ length: bytes.length, source });
      }),
    );
  });

  test('once called invalid stays invalid, and any bytes are decided within the limit', () => {
    const start = fc.constantFrom(
      'PROXY ',
      'PROXY TCP4 1.2.3.4 ',
      'PROXY UNKNOWN',
      '\r\n\r\n\0\r\nQUIT\n',
      '\r\n\r\n\0\r\nQUIT\n\x21\x11\0',
    );
    fc.assert(
      fc.property(start, fc.uint8Array({ minLength: proxyHeaderLimit, maxLength: 700 }), (text, bytes) => {
        const all = Buffer.concat([Buffer.from(text, 'latin1'), bytes]);
        const results = Array.from({ length: proxyHeaderLimit + 1 }, (_, length) => readProxyHeader(all, length, 1));
        const decided = results.findIndex((result) => result !== 'incomplete');
        expect(decided).toBeGreaterThan(0);
        for (const result of results.slice(decided)) expect(result).toEqual(results[decided]);
      }),
    );
  });
});

describe('a datagram of a proxy', () => {
  const inner = Buffer.from('anything');

  test('has a PROXY header of version 2 for datagrams, and answers go back without', () => {
    fc.assert(
      fc.property(endpoint, (source) => {
        const head = binaryHeaderOf(source, 2);
        const datagram = readProxiedDatagram(Buffer.concat([head, inner]));
        expect(datagram).toEqual({ source, start: head.length, answerHead: new Uint8Array(0) });
      }),
    );
  });

  test('or 38 bytes of the simple protocol, which answers begin with too', () => {
    const simple = Buffer.concat([
      Buffer.from('56ec00000000000000000000ffffcb007105', 'hex'),
      Buffer.from('00000000000000000000ffffc00002091267', 'hex').subarray(0, 16),
      Buffer.from('12671ae1', 'hex'),
    ]);
    expect(simple).toHaveLength(38);
    const datagram = readProxiedDatagram(Buffer.concat([simple, inner]));
    expect(datagram).toEqual({ source: client, start: 38, answerHead: new Uint8Array(simple) });
    expect(readProxiedDatagram(simple.subarray(0, 37))).toBeUndefined();
  });

  test.each([
    ['a header for streams', binaryHeaderOf(client, 1)],
    ['a text header', textHeader(client)],
    ['a header cut off', binaryHeaderOf(client, 2).subarray(0, 20)],
    [
      'the proxy speaking for itself',
      binaryHeader({ command: 0, family: 0, transport: 0, addresses: new Uint8Array(0) }),
    ],
    ['nothing', new Uint8Array(0)],
    ['something else', inner],
  ])('is not %s', (_, bytes) => {
    expect(readProxiedDatagram(bytes)).toBeUndefined();
  });

  test('of any bytes is read or not, and nothing is thrown', () => {
    fc.assert(
      fc.property(
        fc.constantFrom('', '56ec', '0d0a0d0a000d0a515549540a2112'),
        fc.uint8Array({ maxLength: 80 }),
        (hex, bytes) => {
          const datagram = readProxiedDatagram(Buffer.concat([Buffer.from(hex, 'hex'), bytes]));
          if (datagram !== undefined) expect(datagram.start).toBeLessThanOrEqual(hex.length / 2 + bytes.length);
        },
      ),
    );
  });
});
