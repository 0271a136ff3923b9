import { describe, expect, test } from 'vitest';
import { type AnnounceRequest, formatIp } from '@shoal/tracker-protocol';
import { SourceAddress, type SourceOptions } from '../src/http/source-address.ts';
import { someHash, somePeer } from './support.ts';

const proxies: SourceOptions = {
  trustedProxies: ['192.0.2.1', '10.0.0.0/8', '2001:db8::/32', '::ffff:198.51.100.0/120'],
};

/** Whose announce it is; `nobody` where that cannot be told. */
function sourceOf(
  options: SourceOptions,
  remote: string | undefined,
  forwarded?: string,
  claim: Partial<AnnounceRequest> = {},
): string {
  const request = {
    infoHash: someHash,
    peerId: somePeer,
    port: 1,
    uploaded: 0,
    downloaded: 0,
    left: 0,
    event: 'none',
  } as const;
  const address = new SourceAddress(options).finder(remote, forwarded)({ ...request, ...claim });
  return address === undefined ? 'nobody' : formatIp(address);
}

describe('without trusted proxies', () => {
  test('trackers 25: X-Forwarded-For is not looked at', () => {
    expect(sourceOf({}, '203.0.113.5', '6.6.6.6')).toBe('203.0.113.5');
  });

  test.each([
    ['::ffff:203.0.113.5', '203.0.113.5'],
    ['fe80::1%eth0', 'fe80::1'],
    ['2001:DB8::5', '2001:db8::5'],
  ])('trackers 24: %s is %s', (remote, expected) => {
    expect(sourceOf({}, remote)).toBe(expected);
  });

  test('a connection that is gone has no address', () => {
    expect(sourceOf({}, undefined)).toBe('nobody');
  });
});

describe('trackers 25: behind a trusted proxy', () => {
  test.each([
    ['one hop', '203.0.113.5', '203.0.113.5'],
    ['the rightmost that is not trusted', '6.6.6.6, 203.0.113.5', '203.0.113.5'],
    ['trusted hops on the right', '6.6.6.6,203.0.113.5 ,10.9.8.7, 192.0.2.1', '203.0.113.5'],
    ['trusted IPv6 hops', '2001:db9::5, 2001:db8::1, [2001:db8::2]:443', '2001:db9::5'],
    ['an IPv4-mapped trusted hop', '203.0.113.5, ::ffff:10.0.0.1, ::ffff:c633:6401', '203.0.113.5'],
    ['a port', '203.0.113.5:4711', '203.0.113.5'],
    ['brackets', '[2001:db9::5]', '2001:db9::5'],
    ['brackets and a port', '[2001:db9::5]:4711', '2001:db9::5'],
    ['an IPv4-mapped client', '::ffff:203.0.113.5', '203.0.113.5'],
    ['a link-local client', 'fe80::1%eth0', 'fe80::1'],
    ['blanks', '\t 203.0.113.5\t ', '203.0.113.5'],
  ])('counts %s', (_, header, expected) => {
    expect(sourceOf(proxies, '192.0.2.1', header)).toBe(expected);
    expect(sourceOf(proxies, '::ffff:192.0.2.1', header)).toBe(expected);
  });

  test.each([
    undefined,
    '',
    ',',
    'unknown',
    '203.0.113.5,',
    '203.0.113.5, unknown',
    '203.0.113.5, 10.0.0.1, _hidden',
    '203.0.113.5:99999',
    '10.0.0.1',
    '10.0.0.1, 192.0.2.1',
    '203.0.113.05',
    '"203.0.113.5"',
  ])('nobody is guessed from %j', (header) => {
    expect(sourceOf(proxies, '10.1.1.1', header)).toBe('nobody');
  });

  test('a header of one hop after the other is read once', () => {
    expect(sourceOf(proxies, '10.0.0.1', `203.0.113.5${', 10.0.0.1'.repeat(1500)}`)).toBe('203.0.113.5');
  });

  test('anybody else is not believed', () => {
    expect(sourceOf(proxies, '203.0.113.9', '6.6.6.6')).toBe('203.0.113.9');
    expect(sourceOf(proxies, '198.51.101.0', '6.6.6.6')).toBe('198.51.101.0');
  });
});

describe('trackers 23: a claimed address', () => {
  const claim = { ip: '8.8.8.8', ipv4: { ip: '8.8.4.4', port: 1 }, ipv6: { ip: '2001:db9::1', port: 1 } };

  test('is ignored', () => {
    expect(sourceOf({}, '192.168.1.5', undefined, claim)).toBe('192.168.1.5');
  });

  test.each(['192.168.1.5', '127.0.0.1', '::1', 'fe80::1', 'fd00::1'])(
    'is believed of %s where that is wanted',
    (remote) => {
      expect(sourceOf({ trustIpParameter: true }, remote, undefined, claim)).toBe('8.8.8.8');
    },
  );

  test('is never believed of somebody on the internet, nor of whom a proxy forwards from there', () => {
    expect(sourceOf({ trustIpParameter: true }, '203.0.113.5', undefined, claim)).toBe('203.0.113.5');
    expect(sourceOf({ ...proxies, trustIpParameter: true }, '10.0.0.1', '203.0.113.5', claim)).toBe('203.0.113.5');
  });

  test('that is no address is ignored too', () => {
    expect(sourceOf({ trustIpParameter: true }, '192.168.1.5', undefined, { ip: 'localhost' })).toBe('192.168.1.5');
  });
});

describe('what is trusted', () => {
  test('can be replaced while connections are open', () => {
    const source = new SourceAddress({});
    const find = source.finder('10.0.0.1', '203.0.113.5');
    const request = {
      infoHash: someHash,
      peerId: somePeer,
      port: 1,
      uploaded: 0,
      downloaded: 0,
      left: 0,
      event: 'none',
    } as const;
    expect(find(request)).toEqual(Uint8Array.of(10, 0, 0, 1));
    source.replace(proxies);
    expect(find(request)).toEqual(Uint8Array.of(203, 0, 113, 5));
    expect(() => source.replace({ trustedProxies: ['10.0.0.0/33'] })).toThrow(RangeError);
    expect(find(request)).toEqual(Uint8Array.of(203, 0, 113, 5));
    expect([source.isProxy('::ffff:10.0.0.1'), source.isProxy('11.0.0.1'), source.isProxy('')]).toEqual([
      true,
      false,
      false,
    ]);
  });

  test('is told to those who listen, now and whenever it changes, until they do not want to hear', () => {
    const source = new SourceAddress({ trustIpParameter: true });
    const heard: unknown[] = [];
    const hear = (options: unknown): void => void heard.push(options);
    using _stays = source.onOptions(hear);
    const goes = source.onOptions(hear);
    source.replace({ trustedProxies: ['10.0.0.1'], proxyProtocol: true });
    goes[Symbol.dispose]();
    source.replace({});
    const nobody = { trustedProxies: [], trustIpParameter: false, proxyProtocol: false };
    const local = { ...nobody, trustIpParameter: true };
    const proxy = { ...nobody, trustedProxies: ['10.0.0.1'], proxyProtocol: true };
    expect(heard).toEqual([local, local, proxy, proxy, nobody]);
  });

  test('says who sends a PROXY header: proxies, where they are to', () => {
    const source = new SourceAddress({ trustedProxies: ['10.0.0.1'] });
    expect(source.sendsHeader('10.0.0.1')).toBe(false);
    source.replace({ trustedProxies: ['10.0.0.1'], proxyProtocol: true });
    expect([source.sendsHeader('10.0.0.1'), source.sendsHeader('10.0.0.2')]).toEqual([true, false]);
  });

  test.each(['10.0.0.0/33', 'proxy', '10.0.0/8', '::/129', '10.0.0.0/x', ''])('is no %j', (range) => {
    expect(() => new SourceAddress({ trustedProxies: [range] })).toThrow(RangeError);
  });
});
