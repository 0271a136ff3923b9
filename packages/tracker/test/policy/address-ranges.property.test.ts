import { BlockList } from 'node:net';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { formatIp } from '@shoal/tracker-protocol';
import { AddressRanges, parseAddressRange } from '@shoal/tracker';
import { ipOf } from './requests.ts';

/** Addresses that often share their beginnings, so that ranges hold, touch and overlap each other. */
const near = fc.integer({ min: 0, max: 3 });
const ipv4 = fc.tuple(fc.constantFrom(10, 192, 255), near, near, fc.nat(255)).map((bytes) => bytes.join('.'));
const ipv6 = fc
  .tuple(fc.constantFrom('2001:db8', 'fe80:0', 'ffff:ffff'), near, near, fc.constantFrom(0, 0xffff), near)
  .map(([start, a, b, c, d]) => `${start}:${a}:${b}:${c.toString(16)}:0:${c.toString(16)}:${d}`);

const block = (address: fc.Arbitrary<string>, least: number, most: number): fc.Arbitrary<string> =>
  fc.tuple(address, fc.integer({ min: least, max: most })).map(([ip, bits]) => `${ip}/${bits}`);
const span = (address: fc.Arbitrary<string>): fc.Arbitrary<string> =>
  fc.tuple(address, address).map(([one, other]) => {
    const [first, last] = [one, other].toSorted((left, right) => Buffer.compare(ipOf(left), ipOf(right)));
    return `${first}-${last}`;
  });
// Of 2001:db8::/2 and larger Node says that IPv4-mapped addresses lie in them; here a range is of one family.
const entry = fc.oneof(ipv4, ipv6, block(ipv4, 0, 32), block(ipv6, 3, 128), span(ipv4), span(ipv6));

/** The same in the words of the oracle. */
function addTo(list: BlockList, text: string): void {
  const family = text.includes(':') ? 'ipv6' : 'ipv4';
  const [from = '', to] = text.split('-');
  const [address = '', bits] = from.split('/');
  if (to !== undefined) list.addRange(from, to, family);
  else if (bits !== undefined) list.addSubnet(address, Number(bits), family);
  else list.addAddress(address, family);
}

test('ranges hold what the block list of Node holds', () => {
  fc.assert(
    fc.property(
      fc.array(entry, { maxLength: 12 }),
      fc.array(fc.oneof(ipv4, ipv6), { minLength: 1 }),
      (entries, ips) => {
        const ranges = new AddressRanges(entries.map(parseAddressRange));
        const oracle = new BlockList();
        for (const text of entries) addTo(oracle, text);
        // The bounds of every entry too: that is where mistakes are.
        const bounds = entries.flatMap((text) =>
          Object.values(parseAddressRange(text)).map((bytes) => formatIp(bytes)),
        );
        for (const ip of [...ips, ...bounds]) {
          expect([ip, ranges.contains(ipOf(ip))]).toEqual([ip, oracle.check(ip, ip.includes(':') ? 'ipv6' : 'ipv4')]);
        }
      },
    ),
    { numRuns: 500 },
  );
});

test('trackers 24: a range of IPv4-mapped addresses is the range of the IPv4 addresses', () => {
  fc.assert(
    fc.property(ipv4, fc.nat(32), ipv4, (base, bits, ip) => {
      const plain = new AddressRanges([parseAddressRange(`${base}/${bits}`)]);
      const mapped = new AddressRanges([parseAddressRange(`::ffff:${base}/${bits + 96}`)]);
      expect(mapped.contains(ipOf(`::ffff:${ip}`))).toBe(plain.contains(ipOf(ip)));
    }),
  );
});

describe('ten thousand ranges in any order', () => {
  test('merge into those that do not touch', () => {
    const entries = Array.from({ length: 10_000 }, (_, at) => `10.${at >> 8}.${at & 255}.0/25`);
    const ranges = new AddressRanges(entries.toReversed().map(parseAddressRange));
    expect(ranges.size).toBe(10_000);
    expect(ranges.contains(ipOf('10.39.15.127'))).toBe(true);
    expect(ranges.contains(ipOf('10.39.15.128'))).toBe(false);
  });
});
