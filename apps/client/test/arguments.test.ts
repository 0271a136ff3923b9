import { InvalidArgumentError } from 'commander';
import { describe, expect, test } from 'vitest';
import {
  parseAddress,
  parseCount,
  parseHostPort,
  parsePort,
  parseRate,
  parseSeedLimits,
  parseSize,
  parseThreads,
  parseTier,
} from '../src/arguments.ts';
import { resolvePeers } from '../src/peer-addresses.ts';

describe('a size', () => {
  test.each([
    ['16384', 16_384],
    ['16KiB', 16_384],
    ['16k', 16_384],
    ['4M', 4_194_304],
    ['1.5GiB', 1_610_612_736],
    [' 2 MiB ', 2_097_152],
    ['1TB', 1_099_511_627_776],
    ['7B', 7],
  ])('%j is %d bytes', (text, bytes) => {
    expect(parseSize(text)).toBe(bytes);
  });

  test.each(['', '0', '-1', '1.5', '16KiBs', 'KiB', '1e3', '9999999999TiB', '0x10', '1,5M'])(
    '%j is refused',
    (text) => {
      expect(() => parseSize(text)).toThrow(InvalidArgumentError);
    },
  );
});

describe('a rate', () => {
  test.each([
    ['500K', 512_000],
    ['2MiB', 2_097_152],
    ['2MiB/s', 2_097_152],
    ['1000', 1000],
    ['0', Infinity],
  ])('%j is %d bytes per second', (text, bytes) => {
    expect(parseRate(text)).toBe(bytes);
  });

  test.each(['', '-1', '/s', 'fast', '1M/min', '00'])('%j is refused', (text) => {
    expect(() => parseRate(text)).toThrow(/500K or 2MiB/);
  });
});

describe('threads', () => {
  test('are 1 to 256', () => {
    expect([parseThreads('1'), parseThreads('256')]).toEqual([1, 256]);
    for (const text of ['0', '257', '', '1.5']) expect(() => parseThreads(text)).toThrow(InvalidArgumentError);
  });
});

describe('a count', () => {
  test.each([
    ['1', 1],
    ['2147483647', 2_147_483_647],
  ])('%j is %d', (text, count) => {
    expect(parseCount(text)).toBe(count);
  });

  test.each(['0', '-1', '1.5', '2147483648', '99999999999', '', 'x', '1k'])('%j is refused', (text) => {
    expect(() => parseCount(text)).toThrow(InvalidArgumentError);
  });
});

describe('ports and addresses', () => {
  test('a port is 0 to 65535', () => {
    expect([parsePort('0'), parsePort('65535')]).toEqual([0, 65_535]);
    for (const text of ['65536', '-1', '', '1.0', '0x1', '123456'])
      expect(() => parsePort(text)).toThrow(InvalidArgumentError);
  });

  test('an address is one of IPv4 or IPv6, not a name', () => {
    expect([parseAddress('192.0.2.7'), parseAddress('::1')]).toEqual(['192.0.2.7', '::1']);
    for (const text of ['localhost', '1.2.3', '', '[::1]'])
      expect(() => parseAddress(text)).toThrow(InvalidArgumentError);
  });

  test.each([
    ['127.0.0.1:6881', { host: '127.0.0.1', port: 6881 }],
    ['peer.example:1', { host: 'peer.example', port: 1 }],
    ['[2001:db8::1]:65535', { host: '2001:db8::1', port: 65_535 }],
  ])('the peer %s is understood', (text, expected) => {
    expect(parseHostPort(text)).toEqual(expected);
  });

  test.each([
    '',
    'host',
    'host:',
    ':1',
    'host:0',
    'host:65536',
    '::1:6881',
    '[::1]',
    '[host]:1',
    'a b:1',
    'http://h:1',
  ])('the peer %j is refused', (text) => {
    expect(() => parseHostPort(text)).toThrow(InvalidArgumentError);
  });

  test('names become addresses of the family that can be dialled', async () => {
    expect(await resolvePeers([{ host: '2001:db8::1', port: 7 }])).toEqual([{ ip: '2001:db8::1', port: 7 }]);
    expect(await resolvePeers([{ host: 'localhost', port: 7 }], '127.0.0.1')).toContainEqual({
      ip: '127.0.0.1',
      port: 7,
    });
    await expect(resolvePeers([{ host: 'no.such.name.invalid', port: 7 }])).rejects.toMatchObject({
      exit: 'network',
      message: expect.stringContaining('--peer no.such.name.invalid:7') as string,
    });
  });
});

describe('a tier of trackers', () => {
  test('is URLs with commas between', () => {
    expect(parseTier('http://a/announce')).toEqual(['http://a/announce']);
    expect(parseTier('udp://a:1, https://b/x')).toEqual(['udp://a:1', 'https://b/x']);
  });

  test.each(['', 'http://a,', 'a:1', 'wss://a', 'http://', 'file:///a'])('%j is refused', (text) => {
    expect(() => parseTier(text)).toThrow(InvalidArgumentError);
  });
});

describe('limits of seeding', () => {
  test.each([
    ['ratio=1.5', { ratio: 1.5 }],
    ['time=90', { seconds: 90 }],
    ['time=2h', { seconds: 7200 }],
    ['ratio=2,time=1d', { ratio: 2, seconds: 86_400 }],
    ['time=0.5m, ratio=0', { ratio: 0, seconds: 30 }],
  ])('%j is understood', (text, limits) => {
    expect(parseSeedLimits(text)).toEqual(limits);
  });

  test.each(['', 'ratio', 'ratio=', 'ratio=2h', 'ratio=-1', 'time=1w', 'size=1', 'ratio=1;time=2', 'ratio=1,'])(
    '%j is refused',
    (text) => {
      expect(() => parseSeedLimits(text)).toThrow(InvalidArgumentError);
    },
  );
});
