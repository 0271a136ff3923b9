import fc from 'fast-check';
import { expect, test } from 'vitest';
import { RateMeter, slotsForUploadLimit } from '../src/index.ts';

test('a meter that saw nothing reads zero', () => {
  expect(new RateMeter().rate(123)).toBe(0);
});

test('the first bytes count as if they had taken five seconds', () => {
  const meter = new RateMeter();
  meter.add(50_000, 1000);
  expect(meter.rate(1000)).toBe(10_000);
});

test('a steady rate is read as that rate', () => {
  const meter = new RateMeter();
  for (let now = 0; now <= 120_000; now += 100) meter.add(1000, now);
  expect(meter.rate(120_000)).toBeCloseTo(10_000, -2);
});

test('a transfer that stops fades by 20-second averages', () => {
  const meter = new RateMeter();
  for (let now = 0; now <= 120_000; now += 100) meter.add(1000, now);
  expect(meter.rate(130_000)).toBeCloseTo(10_000 * (20 / 30), -2);
  expect(meter.rate(150_000)).toBeLessThan(3500);
});

test('a longer window fades more slowly', () => {
  const fast = new RateMeter(20_000);
  const slow = new RateMeter(100_000);
  for (let now = 0; now <= 200_000; now += 100) {
    fast.add(1000, now);
    slow.add(1000, now);
  }
  expect(slow.rate(220_000)).toBeGreaterThan(fast.rate(220_000) * 1.5);
});

test('the rate is never negative, infinite or above all bytes in the head start', () => {
  const samples = fc.array(fc.tuple(fc.nat(1e9), fc.nat(100_000)), { maxLength: 50, size: 'max' });
  fc.assert(
    fc.property(samples, fc.integer({ min: 1, max: 200_000 }), (additions, windowMs) => {
      const meter = new RateMeter(windowMs);
      let now = 0;
      let bytes = 0;
      for (const [size, wait] of additions) {
        now += wait;
        bytes += size;
        meter.add(size, now);
        const rate = meter.rate(now);
        expect(rate).toBeGreaterThanOrEqual(0);
        expect(rate).toBeLessThanOrEqual((bytes / Math.min(5000, windowMs)) * 1000 * 1.000_001);
      }
    }),
  );
});

test('a clock that steps back is read as standing still', () => {
  const meter = new RateMeter();
  meter.add(5000, 10_000);
  meter.add(5000, 4000);
  expect(meter.rate(4000)).toBe(2000);
  expect(meter.rate(10_000)).toBe(2000);
});

test('a window must be positive', () => {
  expect(() => new RateMeter(0)).toThrow(RangeError);
});

test.each([
  [0, 2],
  [8.9, 2],
  [9, 3],
  [15, 4],
  [41, 4],
  [42, 5],
  [100, 7],
  [417, 15],
  [Number.POSITIVE_INFINITY, 7],
])('an upload limit of %d KiB/s gives %d slots', (kibPerSecond, slots) => {
  expect(slotsForUploadLimit(kibPerSecond * 1024)).toBe(slots);
});
