import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { geometryOf } from '@shoal/pieces';
import { afterAll, expect, test } from 'vitest';
import { copyBytes, HashPool, MemoryStorage } from '../src/index.ts';
import { randomBytes } from './scratch.ts';

const content = randomBytes(400_000);
const shared = new Uint8Array(new SharedArrayBuffer(content.length));
shared.set(content);
const pool = new HashPool({ concurrency: 2 });
afterAll(() => pool.close());

const sha1 = (bytes: Uint8Array): Uint8Array => new Uint8Array(createHash('sha1').update(bytes).digest());
/** Small ones, and those around the length from which threads hash. */
const length = fc.oneof(fc.nat(300), fc.integer({ min: 65_530, max: 65_542 }), fc.nat(300_000));
const offset = fc.nat(100_000);

test('the digest is the same for every length at every offset, on any memory, many at once', async () => {
  const range = fc.record({ offset, length, isShared: fc.boolean() });
  await fc.assert(
    fc.asyncProperty(fc.array(range, { minLength: 1, maxLength: 12 }), async (ranges) => {
      const views = ranges.map((one) =>
        (one.isShared ? shared : content).subarray(one.offset, one.offset + one.length),
      );
      const expected = ranges.map((one) => sha1(content.subarray(one.offset, one.offset + one.length)));
      expect(await Promise.all(views.map((view) => pool.sha1(view)))).toEqual(expected);
    }),
    { numRuns: 60 },
  );
});

test('a check finds exactly the pieces that are right, for pieces and last pieces of any length', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: content.length }),
      fc.integer({ min: 14, max: 18 }).map((exponent) => 2 ** exponent),
      fc.infiniteStream(fc.boolean()),
      async (totalLength, pieceLength, rights) => {
        const geometry = geometryOf(totalLength, pieceLength);
        const hashes = new Uint8Array(geometry.pieceCount * 20);
        const right: number[] = [];
        for (let piece = 0; piece < geometry.pieceCount; piece += 1) {
          const end = Math.min((piece + 1) * pieceLength, totalLength);
          hashes.set(sha1(content.subarray(piece * pieceLength, end)), piece * 20);
          if (rights.next().value === true) right.push(piece);
          else hashes[piece * 20 + 19]! ^= 1;
        }
        await using storage = MemoryStorage.holding(content.subarray(0, totalLength));
        expect([...(await pool.checkPieces(storage, geometry, hashes)).indices()]).toEqual(right);
      },
    ),
    { numRuns: 40 },
  );
});

test('copying moves exactly the bytes asked for, between any two kinds of memory at any alignment', () => {
  const kinds = { shared: SharedArrayBuffer, own: ArrayBuffer };
  const kind = fc.constantFrom<keyof typeof kinds>('shared', 'own');
  const place = fc.record({ kind, before: fc.nat(20), after: fc.nat(20) });
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), place, place, fc.nat(20), (bytes, from, to, at) => {
      const source = new Uint8Array(new kinds[from.kind](from.before + bytes.length + from.after));
      source.set(bytes, from.before);
      const whole = new Uint8Array(new kinds[to.kind](to.before + at + bytes.length + to.after)).fill(0xa5);
      const expected = [...whole];
      expected.splice(to.before + at, bytes.length, ...bytes);
      copyBytes(source.subarray(from.before, from.before + bytes.length), whole.subarray(to.before), at);
      expect([...whole]).toEqual(expected);
    }),
  );
});

test('copying refuses what does not fit, as `set` does', () => {
  for (const at of [-1, 0.5, Number.NaN, 7, 2 ** 53]) {
    expect(() => copyBytes(new Uint8Array(4), new Uint8Array(10), at)).toThrow(RangeError);
  }
});
