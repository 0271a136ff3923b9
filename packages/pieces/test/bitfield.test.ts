import { describe, expect, test } from 'vitest';
import { Bitfield } from '../src/index.ts';

describe('wire form (BEP 3, bitfield)', () => {
  test('index 0 is the high bit of the first byte', () => {
    const bitfield = new Bitfield(10);
    bitfield.add(0);
    bitfield.add(7);
    bitfield.add(9);
    expect([...bitfield.toBytes()]).toEqual([0b1000_0001, 0b0100_0000]);
    expect([...new Bitfield(10, bitfield.toBytes()).indices()]).toEqual([0, 7, 9]);
  });

  test('clients 17: a length other than ⌈n / 8⌉ is refused', () => {
    expect(() => new Bitfield(9, new Uint8Array(1))).toThrow(RangeError);
    expect(() => new Bitfield(9, new Uint8Array(3))).toThrow(RangeError);
    expect(() => new Bitfield(0, new Uint8Array(1))).toThrow(RangeError);
    expect(new Bitfield(9, new Uint8Array(2)).length).toBe(9);
  });

  test('clients 17: spare bits received are cleared and never sent', () => {
    const bitfield = new Bitfield(10, Uint8Array.of(0xff, 0xff));
    expect([...bitfield.toBytes()]).toEqual([0xff, 0b1100_0000]);
    expect(bitfield.count).toBe(10);
    expect(bitfield.isFull).toBe(true);
    bitfield.addAll();
    expect([...bitfield.bytes]).toEqual([0xff, 0b1100_0000]);
  });

  test.each([1, 2, 3, 4, 5, 6, 7, 8, 9, 16, 17])('a full set of %i has its bits and no more', (length) => {
    const bitfield = Bitfield.full(length);
    expect([...bitfield.indices()]).toEqual(Array.from({ length }, (_, index) => index));
    expect(bitfield.isFull).toBe(true);
  });

  test('the bytes handed in are copied, the bytes given out are a copy', () => {
    const bytes = Uint8Array.of(0x80);
    const bitfield = new Bitfield(8, bytes);
    bytes[0] = 0xff;
    bitfield.toBytes()[0] = 0xff;
    expect([...bitfield.bytes]).toEqual([0x80]);
  });

  test('the live view follows every change', () => {
    const bitfield = new Bitfield(8);
    const { bytes } = bitfield;
    bitfield.add(1);
    expect(bytes[0]).toBe(0x40);
    bitfield.remove(1);
    expect(bytes[0]).toBe(0);
  });
});

describe('the set', () => {
  test('an empty universe is both empty and full', () => {
    const none = new Bitfield(0);
    expect([none.isEmpty, none.isFull, none.count, none.bytes.length]).toEqual([true, true, 0, 0]);
    expect([...none.indices()]).toEqual([]);
  });

  test('what cannot be in it is not in it', () => {
    const bitfield = Bitfield.full(10);
    for (const index of [-1, 10, 16, 2 ** 32, 0.5, Number.NaN]) expect(bitfield.has(index)).toBe(false);
  });

  test('what cannot be in it cannot be added or removed', () => {
    const bitfield = new Bitfield(10);
    for (const index of [-1, 10, 16, 2 ** 32, 0.5, Number.NaN]) {
      expect(() => bitfield.add(index)).toThrow(RangeError);
      expect(() => bitfield.remove(index)).toThrow(RangeError);
    }
    expect(bitfield.isEmpty).toBe(true);
  });

  test.each([-1, 1.5, Number.NaN, 2 ** 32])('there is no set of %d', (length) => {
    expect(() => new Bitfield(length)).toThrow(RangeError);
  });

  test('a clone lives on its own', () => {
    const original = new Bitfield(10, Uint8Array.of(0x80, 0));
    const clone = original.clone();
    clone.add(5);
    original.remove(0);
    expect([...clone.indices()]).toEqual([0, 5]);
    expect(clone.count).toBe(2);
    expect(original.isEmpty).toBe(true);
  });

  test('two million indices are counted and listed', () => {
    const length = 2_000_000;
    const bytes = new Uint8Array(length / 8).fill(0b0001_0001);
    const bitfield = new Bitfield(length, bytes);
    expect(bitfield.count).toBe(length / 4);
    let sum = 0;
    for (const index of bitfield.indices()) sum += index % 4 === 3 ? 1 : 0;
    expect(sum).toBe(length / 4);
  });
});
