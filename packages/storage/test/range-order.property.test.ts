import fc from 'fast-check';
import { expect, test } from 'vitest';
import { FileStorage } from '../src/index.ts';
import { RangeOrder } from '../src/range-order.ts';
import { fileSystemWith, gate, scratchDirectory } from './scratch.ts';

const operations = fc.array(
  fc.record({
    kind: fc.constantFrom('read' as const, 'write' as const),
    offset: fc.nat(30),
    length: fc.nat(12),
    fails: fc.boolean(),
  }),
  { maxLength: 25 },
);

test('overlapping operations never run at the same time unless both read, keep their order, and all end', async () => {
  await fc.assert(
    fc.asyncProperty(operations, fc.scheduler(), async (list, scheduler) => {
      const order = new RangeOrder();
      const started: number[] = [];
      const running = new Set<number>();
      const conflict = (a: number, b: number): boolean => {
        const [one, other] = [list[a]!, list[b]!];
        if (one.kind === 'read' && other.kind === 'read') return false;
        return one.offset < other.offset + other.length && other.offset < one.offset + one.length;
      };
      const done = list.map((operation, index) =>
        order.run(operation.kind, operation.offset, operation.length, async () => {
          for (const other of running) expect(conflict(index, other)).toBe(false);
          for (const other of started) if (conflict(index, other)) expect(other).toBeLessThan(index);
          started.push(index);
          running.add(index);
          await scheduler.schedule(Promise.resolve());
          running.delete(index);
          if (operation.fails) throw new Error('as drawn');
        }),
      );
      const settled = Promise.allSettled(done);
      await scheduler.waitFor(settled);
      for (const [index, outcome] of (await settled).entries()) {
        if (outcome.status === 'rejected') expect(outcome.reason).toEqual(new Error('as drawn'));
        expect(outcome.status === 'rejected').toBe(list[index]!.fails);
      }
      await order.allSettled();
    }),
    { numRuns: 150 },
  );
});

test('operations on different ranges do not wait for each other', async () => {
  const order = new RangeOrder();
  const slow = gate();
  const first = order.run('write', 0, 10, () => slow.opened);
  await order.run('write', 10, 10, () => Promise.resolve());
  await order.run('read', 10, 10, () => Promise.resolve());
  slow.open();
  await first;
});

test('any layout and any system that reads and writes by halves keeps any writes', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.nat(40), { minLength: 1, maxLength: 12 }),
      fc.array(fc.tuple(fc.nat(400), fc.uint8Array({ maxLength: 200 })), { maxLength: 10 }),
      fc.integer({ min: 1, max: 9 }),
      async (lengths, writes, atMost) => {
        const directory = await scratchDirectory();
        const fileSystem = fileSystemWith({}, (opened) => ({
          write: (bytes, position) => opened.write(bytes.subarray(0, atMost), position),
          read: (targets, position) =>
            opened.read([targets.find((target) => target.length > 0)!.subarray(0, atMost)], position),
        }));
        const files = lengths.map((length, index) => ({ path: ['t', `${index}`], length }));
        await using storage = await FileStorage.open({ directory, files, fileSystem });
        await storage.prepare();
        const expected = new Uint8Array(storage.totalLength);
        const done = writes.map(([at, bytes]) => {
          const offset = Math.min(at, storage.totalLength);
          const fitting = bytes.subarray(0, storage.totalLength - offset);
          expected.set(fitting, offset);
          return storage.write(offset, fitting);
        });
        const seen = new Uint8Array(storage.totalLength);
        await storage.read(0, [seen.subarray(0, 5), seen.subarray(5)]);
        expect(seen).toEqual(expected);
        await Promise.all(done);
      },
    ),
    { numRuns: 60 },
  );
});
