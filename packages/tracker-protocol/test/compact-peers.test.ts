import { describe, expect, test } from 'vitest';
import { decodeCompactPeers, encodeCompactPeers, writeCompactPeer } from '../src/index.ts';
import { fromHex, toHex } from './bytes.ts';

const four = { ip: '10.1.2.3', port: 6881 };
const six = { ip: '2001:db8::1', port: 51_413 };

describe('compact peers (BEP 23, BEP 7)', () => {
  test('packs 6 and 18 bytes in network order, each family for itself', () => {
    expect(toHex(encodeCompactPeers([four, six], 4))).toBe('0a0102031ae1');
    expect(toHex(encodeCompactPeers([four, six], 6))).toBe('20010db8000000000000000000000001c8d5');
  });

  test('reads what it packed', () => {
    expect(decodeCompactPeers(encodeCompactPeers([four, four], 4), 4, 10)).toEqual({ peers: [four, four], skipped: 0 });
    expect(decodeCompactPeers(encodeCompactPeers([six], 6), 6, 10)).toEqual({ peers: [six], skipped: 0 });
  });

  test('clients 50: a truncated last record is ignored and counted', () => {
    expect(decodeCompactPeers(fromHex('0a0102031ae10a0102'), 4, 10)).toEqual({ peers: [four], skipped: 1 });
    expect(decodeCompactPeers(new Uint8Array(17), 6, 10)).toEqual({ peers: [], skipped: 1 });
  });

  test('clients 47: port 0 is skipped', () => {
    expect(decodeCompactPeers(fromHex('0a0102030000'), 4, 10)).toEqual({ peers: [], skipped: 1 });
  });

  test('reads no more records than the limit', () => {
    expect(decodeCompactPeers(new Uint8Array(6 * 100).fill(1), 4, 7).peers).toHaveLength(7);
  });

  test('an address of the other family, or none, is not written', () => {
    const target = new Uint8Array(18);
    expect(writeCompactPeer(target, 0, six, 4)).toBe(false);
    expect(writeCompactPeer(target, 0, { ip: 'tracker.example', port: 1 }, 4)).toBe(false);
    expect(target).toEqual(new Uint8Array(18));
  });
});
