// What storages promise about operations: order where it can be seen, side by side elsewhere, and how they end.
import { deepEqual, rejects } from 'node:assert/strict';
import { type StorageContractCase, fileOf, joined, patternOf, readOf } from './contract-case.ts';

export const orderCases: readonly StorageContractCase[] = [
  {
    name: 'keeps the order of writes to a common range',
    needs: ['content'],
    async run(make) {
      await using storage = await make([fileOf('a', 30_000), fileOf('b', 30_000)]);
      const writes: Promise<void>[] = [];
      const expected = new Uint8Array(60_000);
      for (let turn = 1; turn <= 40; turn += 1) {
        const bytes = new Uint8Array(60_000 - turn * 700).fill(turn);
        const offset = (turn * 331) % (turn * 700);
        writes.push(storage.write(offset, bytes));
        expected.set(bytes, offset);
      }
      await Promise.all(writes);
      // No write reaches further: what is behind need not be there.
      deepEqual(await readOf(storage, 0, 59_631), expected.slice(0, 59_631));
    },
  },
  {
    name: 'lets a read see every write that was called before it, and none called after it',
    needs: ['content'],
    async run(make) {
      await using storage = await make([fileOf('a', 40_000), fileOf('b', 40_000)]);
      await storage.prepare();
      const operations: Promise<unknown>[] = [];
      const seen: Promise<Uint8Array>[] = [];
      for (let turn = 1; turn <= 20; turn += 1) {
        operations.push(storage.write(0, new Uint8Array(80_000).fill(turn)));
        seen.push(readOf(storage, 30_000, 20_000));
      }
      await Promise.all(operations);
      for (const [index, bytes] of (await Promise.all(seen)).entries()) {
        deepEqual(bytes, new Uint8Array(20_000).fill(index + 1));
      }
    },
  },
  {
    name: 'serves reads and writes of different ranges side by side',
    needs: ['content'],
    async run(make) {
      await using storage = await make([fileOf('a', 100_000), fileOf('b', 100_000)]);
      const bytes = patternOf(200_000, 7);
      await storage.write(0, bytes.subarray(0, 100_000));
      const reads = Array.from({ length: 100 }, (_, index) => readOf(storage, index * 1000, 1000));
      const writes = Array.from({ length: 100 }, (_, index) => {
        const offset = 100_000 + index * 1000;
        return storage.write(offset, bytes.subarray(offset, offset + 1000));
      });
      deepEqual(joined(await Promise.all(reads)), bytes.slice(0, 100_000));
      await Promise.all(writes);
      deepEqual(await readOf(storage, 100_000, 100_000), bytes.slice(100_000));
    },
  },
  {
    name: 'rejects a read with the reason of a signal that has fired, and goes on working',
    needs: ['content'],
    async run(make) {
      await using storage = await make([fileOf('a', 10)]);
      await storage.write(0, patternOf(10, 8));
      const reason = new Error('enough');
      await rejects(storage.read(0, [new Uint8Array(10)], AbortSignal.abort(reason)), reason);
      deepEqual(await readOf(storage, 0, 10), patternOf(10, 8));
    },
  },
  {
    name: 'keeps what was written across a flush',
    needs: ['content'],
    async run(make) {
      await using storage = await make([fileOf('a', 100), fileOf('b', 100)]);
      const bytes = patternOf(200, 9);
      const written = storage.write(0, bytes);
      await storage.flush();
      await storage.flush();
      await written;
      deepEqual(await readOf(storage, 0, 200), bytes);
    },
  },
  {
    name: 'completes what was called before close and refuses what is called after it',
    needs: ['content'],
    async run(make) {
      const storage = await make([fileOf('a', 100_000)]);
      await storage.write(0, patternOf(100_000, 10));
      const write = storage.write(0, patternOf(50_000, 11));
      const read = readOf(storage, 0, 100_000);
      const closed = storage.close();
      await Promise.all([write, closed]);
      deepEqual((await read).subarray(0, 50_000), patternOf(50_000, 11));
      const refusal = { name: 'StorageError', code: 'closed' };
      await rejects(storage.read(0, [new Uint8Array(1)]), refusal);
      await rejects(storage.write(0, new Uint8Array(1)), refusal);
      await rejects(storage.prepare(), refusal);
      await rejects(storage.presence(), refusal);
      await rejects(storage.flush(), refusal);
      await rejects(storage.stamps(), refusal);
      await rejects(storage.setWanted([true]), refusal);
      await rejects(storage.move('anywhere'), refusal);
      await rejects(storage.rename(0, ['b']), refusal);
      await storage.close();
    },
  },
];
