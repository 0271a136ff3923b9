import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Bitfield } from '../src/index.ts';

const changes = fc.array(
  fc.oneof(fc.record({ kind: fc.constantFrom('add', 'remove', 'has'), place: fc.nat() }), {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('addAll'), place: fc.constant(0) }),
  }),
  { maxLength: 60 },
);

test('a bitfield behaves as a Set of its indices, whatever is done to it', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 70 }), changes, (length, steps) => {
      const bitfield = new Bitfield(length);
      const model = new Set<number>();
      for (const { kind, place } of steps) {
        const index = place % length;
        if (kind === 'add') {
          expect(bitfield.add(index)).toBe(!model.has(index));
          model.add(index);
        } else if (kind === 'remove') expect(bitfield.remove(index)).toBe(model.delete(index));
        else if (kind === 'has') expect(bitfield.has(index)).toBe(model.has(index));
        else {
          bitfield.addAll();
          for (let each = 0; each < length; each += 1) model.add(each);
        }
        expect(bitfield.count).toBe(model.size);
      }
      expect([...bitfield.indices()]).toEqual([...model].toSorted((a, b) => a - b));
      expect([bitfield.isEmpty, bitfield.isFull]).toEqual([model.size === 0, model.size === length]);
    }),
  );
});

test('any bytes of the right length give a bitfield that counts its bits and keeps only those that exist', () => {
  fc.assert(
    fc.property(fc.nat({ max: 7 }), fc.uint8Array({ minLength: 1, maxLength: 40 }), (spare, bytes) => {
      const length = bytes.length * 8 - spare;
      const bitfield = new Bitfield(length, bytes);
      const expected = [...bytes]
        .flatMap((byte) => byte.toString(2).padStart(8, '0').split(''))
        .flatMap((bit, index) => (bit === '1' && index < length ? [index] : []));
      expect([...bitfield.indices()]).toEqual(expected);
      expect(bitfield.count).toBe(expected.length);
      const again = new Bitfield(length, bitfield.toBytes());
      expect(again.toBytes()).toEqual(bitfield.toBytes());
      expect(bitfield.clone().count).toBe(bitfield.count);
    }),
  );
});
