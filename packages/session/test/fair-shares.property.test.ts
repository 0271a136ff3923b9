import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { fairShares } from '../src/fair-shares.ts';

const wishes = fc.array(fc.nat(1_000_000), { maxLength: 50 });

describe('fair shares', () => {
  test('give nobody more than wanted, and all of the total while somebody wants more', () => {
    fc.assert(
      fc.property(fc.nat(1_000_000), wishes, (total, wanted) => {
        const shares = fairShares(total, wanted);
        const sum = shares.reduce((left, share) => left + share, 0);
        const wish = wanted.reduce((left, share) => left + share, 0);
        for (const [index, share] of shares.entries()) expect(share).toBeLessThanOrEqual(wanted[index]! + 1e-6);
        expect(sum).toBeCloseTo(Math.min(total, wish), 3);
      }),
    );
  });

  test('give nobody less than another who gets more than the first one wants', () => {
    fc.assert(
      fc.property(fc.nat(1_000_000), wishes, (total, wanted) => {
        const shares = fairShares(total, wanted);
        const most = Math.max(0, ...shares);
        for (const [index, share] of shares.entries())
          expect(share).toBeGreaterThanOrEqual(Math.min(wanted[index]!, most) - 1e-6);
      }),
    );
  });
});
