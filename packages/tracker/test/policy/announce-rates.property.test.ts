import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { AnnounceRates } from '../../src/policy/announce-rates.ts';
import { mulberry32 } from '../random.ts';
import { ipOf } from './requests.ts';

/** A step: who announces, how many ms after the step before. */
const step = fc.record({ host: fc.nat(3), after: fc.nat(40_000) });

/** A bucket of tokens for each address, kept in a map that may grow. */
function model(perMinute: number, burst: number): (host: number, now: number) => boolean {
  const buckets = new Map<number, { tokens: number; at: number }>();
  return (host, now) => {
    const { tokens, at } = buckets.get(host) ?? { tokens: burst, at: now };
    const filled = Math.min(burst, tokens + ((now - at) * perMinute) / 60_000);
    const isWelcome = filled >= 1 - 1e-6;
    buckets.set(host, { tokens: filled - (isWelcome ? 1 : 0), at: now });
    return isWelcome;
  };
}

test('an address has the allowance that a bucket of tokens would give it', () => {
  const rate = fc.record({ perMinute: fc.integer({ min: 1, max: 120 }), burst: fc.integer({ min: 1, max: 10 }) });
  fc.assert(
    fc.property(rate, fc.array(step, { maxLength: 100 }), (allowance, steps) => {
      const rates = new AnnounceRates(mulberry32(1));
      const expected = model(allowance.perMinute, allowance.burst);
      let now = 1_000_000;
      for (const { host, after } of steps) {
        now += after;
        const address = ipOf(host < 2 ? `192.0.2.${host}` : `2001:db8:0:${host}::1`);
        expect(rates.take(address, allowance, 0, now) === 0).toBe(expected(host, now));
      }
    }),
    { numRuns: 500 },
  );
});

test('who waits as long as he is told is welcome, and not a moment earlier', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 600 }), fc.integer({ min: 1, max: 20 }), (perMinute, burst) => {
      const [rates, address] = [new AnnounceRates(mulberry32(1)), ipOf('192.0.2.1')];
      const take = (now: number): number => rates.take(address, { perMinute, burst }, 0, now);
      for (let count = 0; count < burst; count++) expect(take(5000)).toBe(0);
      const wait = take(5000);
      expect(wait).toBeGreaterThan(0);
      expect(take(5000 + wait * 0.99)).toBeGreaterThan(0);
      expect(take(5000 + wait)).toBe(0);
    }),
  );
});

describe('the table of rates', () => {
  const rate = { perMinute: 1, burst: 1 };

  test('has the same size after any number of addresses', () => {
    const rates = new AnnounceRates(mulberry32(1), 1024);
    const { byteLength } = rates;
    expect(byteLength).toBe(1024 * 20);
    const address = new Uint8Array(4);
    for (let host = 0; host < 100_000; host++) {
      new DataView(address.buffer).setUint32(0, host);
      // A stranger is never refused for the sake of those before him.
      expect(rates.take(address, rate, 0, 1000)).toBe(0);
    }
    expect(rates.byteLength).toBe(byteLength);
  });

  test('gives away the place of who has most of his allowance again', () => {
    const rates = new AnnounceRates(mulberry32(1), 4);
    for (const [second, host] of [1, 2, 3, 4, 5].entries()) rates.take(ipOf(`192.0.2.${host}`), rate, 0, second * 1000);
    expect(rates.take(ipOf('192.0.2.2'), rate, 0, 5000)).toBe(56_000);
    expect(rates.take(ipOf('192.0.2.1'), rate, 0, 5000)).toBe(0);
  });

  test('counts IPv6 by /64 and IPv4 by address', () => {
    const rates = new AnnounceRates(mulberry32(1));
    rates.take(ipOf('2001:db8::1'), rate, 0, 0);
    expect(rates.take(ipOf('2001:db8::ffff:2'), rate, 0, 0)).toBe(60_000);
    expect(rates.take(ipOf('2001:db8:0:1::1'), rate, 0, 0)).toBe(0);
    // The words of 2001:db8::/64 as an IPv4 address: another family is another place.
    expect(rates.take(ipOf('32.1.13.184'), rate, 0, 0)).toBe(0);
    expect(rates.take(ipOf('32.1.13.185'), rate, 0, 0)).toBe(0);
  });

  test('is large enough and not too large', () => {
    expect(() => new AnnounceRates(mulberry32(1), 3)).toThrow(RangeError);
    expect(() => new AnnounceRates(mulberry32(1), 1e9)).toThrow(RangeError);
  });
});
