import { describe, expect, test } from 'vitest';
import { PrivateAddressWatch } from '../../src/policy/private-address-watch.ts';
import { ipOf } from './requests.ts';

/** `shares[ip]` of every 10 announces come from `ip`, the others from the internet, in mixed order. */
function announce(watch: PrivateAddressWatch, count: number, shares: Readonly<Record<string, number>>): void {
  const ips = Object.entries(shares).flatMap(([ip, share]) => Array.from({ length: share }, () => ip));
  for (let at = 0; at < count; at++) watch.note(ipOf(ips[(at * 7) % 10] ?? `203.0.113.${at & 255}`));
}

describe('announces of which most share one private address', () => {
  test.each(['172.17.0.1', '127.0.0.1', '::1', 'fe80::1', '100.64.0.9'])('are noticed: %s', (ip) => {
    const watch = new PrivateAddressWatch();
    announce(watch, 400, { [ip]: 6 });
    expect(watch.finding(0)).toBe(ip);
  });

  test('are noticed in whatever order they come', () => {
    const watch = new PrivateAddressWatch();
    for (let at = 0; at < 800; at++) watch.note(ipOf(at % 200 < 80 ? '203.0.113.1' : '10.0.0.1'));
    expect(watch.finding(0)).toBe('10.0.0.1');
  });

  test('are said once an hour, while they last', () => {
    const watch = new PrivateAddressWatch();
    announce(watch, 400, { '10.0.0.1': 10 });
    expect([watch.finding(1000), watch.finding(1001)]).toEqual(['10.0.0.1', undefined]);
    announce(watch, 4000, { '10.0.0.1': 10 });
    expect([watch.finding(3_600_999), watch.finding(3_601_000)]).toEqual([undefined, '10.0.0.1']);
    announce(watch, 400, {});
    expect(watch.finding(9_000_000)).toBeUndefined();
  });
});

describe('nothing is said', () => {
  test.each([
    ['when it is half of them', { '10.0.0.1': 5 }],
    ['when they are several addresses', { '10.0.0.1': 4, '10.0.0.2': 4, '10.0.0.3': 2 }],
    ['when the address is public', { '8.8.8.8': 9 }],
  ])('%s', (_, shares) => {
    const watch = new PrivateAddressWatch();
    announce(watch, 4000, shares);
    expect(watch.finding(0)).toBeUndefined();
  });

  test('before 200 announces were counted', () => {
    const watch = new PrivateAddressWatch();
    announce(watch, 399, { '10.0.0.1': 10 });
    expect(watch.finding(0)).toBeUndefined();
  });
});
