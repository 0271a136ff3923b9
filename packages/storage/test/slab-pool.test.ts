import { getEventListeners } from 'node:events';
import { describe, expect, test } from 'vitest';
import { SlabPool } from '../src/index.ts';

const mebibyte = 1024 * 1024;

describe('slab pool', () => {
  test('lends exactly the length asked for, on a buffer of its own', () => {
    const pool = new SlabPool();
    const [a, b] = [pool.take(100)!, pool.take(100)!];
    expect([a.length, a.byteOffset]).toEqual([100, 0]);
    expect(a.buffer).not.toBe(b.buffer);
    expect(a.buffer).toBeInstanceOf(SharedArrayBuffer);
  });

  test('uses a slab again, for a shorter last piece too', () => {
    const pool = new SlabPool();
    const first = pool.take(mebibyte)!;
    pool.give(first);
    const second = pool.take(mebibyte - 777)!;
    expect(second.buffer).toBe(first.buffer);
    expect(second.length).toBe(mebibyte - 777);
    expect(pool.bytes).toBe(mebibyte);
  });

  test('refuses when the limit is lent out and lends again when a slab returns', () => {
    const pool = new SlabPool({ limitBytes: 2 * mebibyte });
    const [a, b] = [pool.take(mebibyte)!, pool.take(mebibyte)!];
    expect(pool.take(1)).toBeUndefined();
    pool.give(a);
    expect(pool.take(mebibyte)).toBeDefined();
    expect(pool.lentBytes).toBe(2 * mebibyte);
    pool.give(b);
  });

  test('lends one slab above the limit when no other is out, and does not keep it', () => {
    const pool = new SlabPool({ limitBytes: mebibyte });
    const large = pool.take(4 * mebibyte)!;
    expect(large.length).toBe(4 * mebibyte);
    expect(pool.take(1)).toBeUndefined();
    pool.give(large);
    expect(pool.bytes).toBe(0);
  });

  test('idle slabs of other sizes make room', () => {
    const pool = new SlabPool({ limitBytes: mebibyte });
    const small = Array.from({ length: 64 }, () => pool.take(16_384)!);
    for (const slab of small) pool.give(slab);
    expect(pool.bytes).toBe(mebibyte);
    pool.take(mebibyte);
    expect(pool.bytes).toBe(mebibyte);
  });

  test('lets idle memory go when told to', () => {
    const pool = new SlabPool();
    const kept = pool.take(mebibyte)!;
    pool.give(pool.take(mebibyte)!);
    pool.trim();
    expect(pool.bytes).toBe(mebibyte);
    pool.give(kept);
  });

  test('serves those who wait in their order, and nobody overtakes them', async () => {
    const pool = new SlabPool({ limitBytes: 2 * mebibyte });
    const [a, b] = [pool.take(mebibyte)!, pool.take(mebibyte)!];
    const order: string[] = [];
    const large = pool.acquire(2 * mebibyte).then((slab) => {
      order.push('large');
      pool.give(slab);
    });
    const small = pool.acquire(16_384).then(() => order.push('small'));
    pool.give(a);
    expect(pool.take(16_384)).toBeUndefined();
    pool.give(b);
    await Promise.all([large, small]);
    expect(order).toEqual(['large', 'small']);
  });

  test('one who gives up waiting makes way for the next', async () => {
    const pool = new SlabPool({ limitBytes: 2 * mebibyte });
    const lent = pool.take(mebibyte)!;
    const abort = new AbortController();
    const large = pool.acquire(2 * mebibyte, abort.signal);
    const small = pool.acquire(mebibyte);
    const reason = new Error('enough');
    abort.abort(reason);
    await expect(large).rejects.toBe(reason);
    expect((await small).length).toBe(mebibyte);
    await expect(pool.acquire(1, abort.signal)).rejects.toBe(reason);
    pool.give(lent);
  });

  test('a granted slab is not taken away by a later abort', async () => {
    const pool = new SlabPool({ limitBytes: mebibyte });
    const lent = pool.take(mebibyte)!;
    const abort = new AbortController();
    const waiting = pool.acquire(mebibyte, abort.signal);
    pool.give(lent);
    expect(getEventListeners(abort.signal, 'abort')).toEqual([]);
    abort.abort();
    expect((await waiting).length).toBe(mebibyte);
  });

  test('refuses a slab given back twice, or of another pool', () => {
    const pool = new SlabPool();
    const slab = pool.take(100)!;
    pool.give(slab.subarray(10, 20));
    expect(() => pool.give(slab)).toThrow(TypeError);
    expect(() => pool.give(new Uint8Array(new SharedArrayBuffer(100)))).toThrow(TypeError);
  });

  test('keeps no more idle slabs than it may', () => {
    const pool = new SlabPool({ limitBytes: 8 * mebibyte, idleBytes: 2 * mebibyte });
    const slabs = Array.from({ length: 4 }, () => pool.take(mebibyte)!);
    for (const slab of slabs) pool.give(slab);
    expect(pool.bytes).toBe(2 * mebibyte);
  });

  test.each([0, -1, 0.5, Number.NaN])('refuses a length of %d', async (length) => {
    const pool = new SlabPool();
    expect(() => pool.take(length)).toThrow(RangeError);
    await expect(pool.acquire(length)).rejects.toThrow(RangeError);
  });
});
