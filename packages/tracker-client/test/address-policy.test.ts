import { describe, expect, test } from 'vitest';
import { permittedAddresses } from '../src/address-policy.ts';
import type { TrackerError } from '../src/index.ts';

function permitted(publicOrigin: boolean, pathAndQuery: string, ...addresses: string[]): readonly string[] | string {
  const resolved = addresses.map((address) => ({
    address,
    family: address.includes(':') ? (6 as const) : (4 as const),
  }));
  try {
    return permittedAddresses('http://t/', resolved, { publicOrigin, pathAndQuery }).map(({ address }) => address);
  } catch (error) {
    return (error as TrackerError).code;
  }
}

describe('where a tracker may lead', () => {
  test.each([
    '10.0.0.1',
    '192.168.1.1',
    '172.16.0.1',
    '100.64.0.1',
    '169.254.169.254',
    '127.0.0.1',
    '0.0.0.0',
    '224.0.0.1',
    '::1',
    '::',
    'fd00::1',
    'fe80::1',
    '::ffff:10.0.0.1',
    '64:ff9b::a00:1',
    '2002:7f00:1::',
  ])('clients 51: a public tracker may not redirect to %s', (address) => {
    expect(permitted(true, '/announce', address)).toBe('refused-redirect');
  });

  test('clients 51: of a mixed answer only the public addresses are used', () => {
    expect(permitted(true, '/x', '10.0.0.1', '1.1.1.1', '::1', '2606:4700::1')).toEqual(['1.1.1.1', '2606:4700::1']);
  });

  test('clients 51: a private tracker may redirect anywhere in its network, and to a tracker on this computer', () => {
    expect(permitted(false, '/x', '10.0.0.1', '1.1.1.1')).toEqual(['10.0.0.1', '1.1.1.1']);
    expect(permitted(false, '/key/announce?x', '127.0.0.1', '::1')).toEqual(['127.0.0.1', '::1']);
  });

  test('clients 51: on this computer nothing but trackers is asked', () => {
    for (const address of ['127.0.0.1', '127.9.9.9', '::1', '0.0.0.0', '::', '::ffff:127.0.0.1']) {
      expect(permitted(false, '/admin?x=/announce', address)).toBe('refused-address');
    }
    expect(permitted(false, '/admin', '127.0.0.1', '10.0.0.1')).toEqual(['10.0.0.1']);
  });
});
