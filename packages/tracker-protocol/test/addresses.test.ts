import { describe, expect, test } from 'vitest';
import { canonicalIp, formatIp, ipScope, isLoopbackIp, isMulticastIp, isPrivateIp, isPublicIp } from '../src/index.ts';
import { formatEndpoint, parseEndpoint, parseIp } from '../src/index.ts';
import { fromHex } from './bytes.ts';

describe('canonical text (RFC 5952)', () => {
  test.each([
    ['127.0.0.1', '127.0.0.1'],
    ['255.255.255.255', '255.255.255.255'],
    ['2001:DB8:0:0:0:0:0:1', '2001:db8::1'],
    ['2001:0db8::0001', '2001:db8::1'],
    ['2001:db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
    ['2001:0:0:1:0:0:0:1', '2001:0:0:1::1'],
    ['2001:db8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
    ['::', '::'],
    ['::1', '::1'],
    ['1::', '1::'],
    ['0:0:0:0:0:0:0:0', '::'],
    ['64:ff9b::192.0.2.33', '64:ff9b::c000:221'],
    ['1:2:3:4:5:6:7::', '1:2:3:4:5:6:7:0'],
  ])('%s is %s', (written, canonical) => {
    expect(canonicalIp(written)).toBe(canonical);
  });

  test.each([
    '',
    '1.2.3',
    '1.2.3.4.5',
    '1.2.3.256',
    '01.2.3.4',
    '1.2.3.4 ',
    '0x7f.0.0.1',
    '1.2.3.',
    'a.b.c.d',
    ':',
    ':::',
    '1::2::3',
    '1:2:3:4:5:6:7',
    '1:2:3:4:5:6:7:8:9',
    '12345::',
    'fe80::1%eth0',
    '[::1]',
    '1:2:3:4:5:6:7:8::',
    '1:2:3:4:5:6:7:1.2.3.4',
    '::1.2.3',
    '1.2.3.4::',
    'g::',
    `${'0'.repeat(46)}`,
  ])('%j is no address', (written) => {
    expect(parseIp(written)).toBeUndefined();
  });

  test('trackers 24: IPv4-mapped IPv6 is the IPv4 address, read and written', () => {
    expect(canonicalIp('::ffff:10.1.2.3')).toBe('10.1.2.3');
    expect(canonicalIp('::FFFF:0a01:0203')).toBe('10.1.2.3');
    expect(formatIp(fromHex('00000000000000000000ffff0a010203'))).toBe('10.1.2.3');
  });

  test('refuses to format anything but 4 or 16 bytes', () => {
    expect(() => formatIp(new Uint8Array(5))).toThrow(RangeError);
  });
});

describe('scopes (RFC 6890)', () => {
  test.each([
    ['8.8.8.8', 'public'],
    ['172.15.0.1', 'public'],
    ['172.16.0.1', 'private'],
    ['172.31.255.255', 'private'],
    ['172.32.0.1', 'public'],
    ['10.0.0.1', 'private'],
    ['192.168.1.1', 'private'],
    ['100.64.0.1', 'private'],
    ['100.128.0.1', 'public'],
    ['169.254.169.254', 'link-local'],
    ['127.0.0.1', 'loopback'],
    ['127.255.255.254', 'loopback'],
    ['0.0.0.0', 'unspecified'],
    ['0.1.2.3', 'unspecified'],
    ['224.0.0.1', 'multicast'],
    ['239.255.255.255', 'multicast'],
    ['240.0.0.1', 'reserved'],
    ['255.255.255.255', 'reserved'],
    ['192.0.0.1', 'reserved'],
    ['192.0.0.9', 'public'],
    ['::1', 'loopback'],
    ['::', 'unspecified'],
    ['::2', 'reserved'],
    ['::127.0.0.1', 'reserved'],
    ['::ffff:127.0.0.1', 'loopback'],
    ['fe80::1', 'link-local'],
    ['fec0::1', 'private'],
    ['fc00::1', 'private'],
    ['fd12::1', 'private'],
    ['ff02::1', 'multicast'],
    ['2606:4700::1', 'public'],
    ['64:ff9b::7f00:1', 'loopback'],
    ['64:ff9b::808:808', 'public'],
    ['2002:a00:1::', 'private'],
    ['not an address', 'reserved'],
  ])('%s is %s', (ip, scope) => {
    expect(ipScope(ip)).toBe(scope);
  });

  test('predicates follow the scope, of text and of bytes', () => {
    expect([isPublicIp('1.1.1.1'), isPublicIp('10.0.0.1')]).toEqual([true, false]);
    expect([isPrivateIp('fe80::1'), isPrivateIp(Uint8Array.of(10, 0, 0, 1)), isPrivateIp('127.0.0.1')]).toEqual([
      true,
      true,
      false,
    ]);
    expect([isLoopbackIp('::1'), isLoopbackIp('1.1.1.1')]).toEqual([true, false]);
    expect([isMulticastIp('ff02::1'), isMulticastIp('1.1.1.1')]).toEqual([true, false]);
  });
});

describe('endpoints (BEP 7)', () => {
  test.each([
    ['1.2.3.4', { ip: '1.2.3.4', port: 1 }],
    ['1.2.3.4:80', { ip: '1.2.3.4', port: 80 }],
    ['2001:53aa:64c:0:7f83:bc43:dec9::', { ip: '2001:53aa:64c:0:7f83:bc43:dec9:0', port: 1 }],
    ['[2001:db8::1]:6882', { ip: '2001:db8::1', port: 6882 }],
    ['[2001:db8::1]', { ip: '2001:db8::1', port: 1 }],
  ])('%s', (written, endpoint) => {
    expect(parseEndpoint(written, 1)).toEqual(endpoint);
    expect(parseEndpoint(formatEndpoint(endpoint), 0)).toEqual(endpoint);
  });

  test('are written as in URLs', () => {
    const written = ['1.2.3.4', '2001:db8::1', 'tracker.example'].map((ip) => formatEndpoint({ ip, port: 80 }));
    expect(written).toEqual(['1.2.3.4:80', '[2001:db8::1]:80', 'tracker.example:80']);
  });

  test.each([
    '',
    'example.org',
    '1.2.3.4:',
    '1.2.3.4:65536',
    '1.2.3.4:x',
    '[::1',
    '[1.2.3.4:80]',
    '261.52.89.12',
    '2001::53aa:64c:0:7f83:bc43:dec9:1:2',
  ])('%j is none', (written) => {
    expect(parseEndpoint(written, 1)).toBeUndefined();
  });
});
