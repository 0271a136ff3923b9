import { describe, expect, test } from 'vitest';
import { ConnectionIds, slotMs } from '../src/udp/connection-ids.ts';

const secret = Uint8Array.from({ length: 8 }, (_, at) => at);
const address = Uint8Array.of(10, 0, 0, 1);

describe('connection ids', () => {
  test('are HalfSipHash-2-4-64 of slot and address, by the vectors of its authors', () => {
    // Their input of 8 bytes is 00 01 02 … 07: the slot's four bytes, then the address.
    const slot = 0x0302_0100;
    expect(new ConnectionIds(secret).issue(Uint8Array.of(4, 5, 6, 7), slot * slotMs)).toEqual({
      high: 0x20e8_feed,
      low: 0x8c85_e4bc,
    });
  });

  test('trackers 50: are accepted for two to four minutes, then not', () => {
    const ids = new ConnectionIds(secret);
    for (const sent of [0, 1, slotMs - 1]) {
      const id = ids.issue(address, sent);
      expect(ids.accepts(address, id, sent + 120_000)).toBe(true);
      expect(ids.accepts(address, id, sent + 240_000)).toBe(false);
    }
  });

  test('trackers 50: belong to one address, of either family', () => {
    const ids = new ConnectionIds(secret);
    const six = new Uint8Array(16).fill(1);
    expect(ids.accepts(Uint8Array.of(10, 0, 0, 2), ids.issue(address, 0), 0)).toBe(false);
    expect(ids.accepts(six, ids.issue(six, 0), 0)).toBe(true);
    expect(ids.accepts(six.with(15, 2), ids.issue(six, 0), 0)).toBe(false);
  });

  test('trackers 51: from the future, from another secret, or invented are refused', () => {
    const ids = new ConnectionIds(secret);
    expect(ids.accepts(address, ids.issue(address, slotMs), 0)).toBe(false);
    expect(ids.accepts(address, new ConnectionIds(new Uint8Array(8)).issue(address, 0), 0)).toBe(false);
    expect(ids.accepts(address, { high: 0x417, low: 0x2710_1980 }, 0)).toBe(false);
    expect(ids.accepts(address, { high: 0, low: 0 }, 0)).toBe(false);
  });

  test('need a secret of eight bytes', () => {
    expect(() => new ConnectionIds(new Uint8Array(4))).toThrow(RangeError);
  });
});
