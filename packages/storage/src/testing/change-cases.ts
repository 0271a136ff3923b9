// What storages promise while they change: which files are wanted, where they lie, what they are called.
import { deepEqual, equal, rejects } from 'node:assert/strict';
import { type StorageContractCase, fileOf, padding, patternOf, readOf } from './contract-case.ts';

/** Three files that no piece boundary suits, with padding between. */
const files = [fileOf('a', 30_000), fileOf('b', 30_001), padding(99), fileOf('c', 30_000), fileOf('empty', 0)];
const length = 90_100;

function contentOf(seed: number): Uint8Array {
  return patternOf(length, seed).fill(0, 60_001, 60_100);
}

export const changeCases: readonly StorageContractCase[] = [
  {
    name: 'gives a stamp or none for each file',
    needs: [],
    async run(make) {
      await using storage = await make(files);
      equal((await storage.stamps()).length, 5);
      await storage.write(0, contentOf(1));
      const stamps = await storage.stamps();
      equal(stamps.length, 5);
      equal(stamps[2], undefined);
      equal((await storage.stamps([0, 3])).length, 5);
      equal((await storage.stamps([]))[0], undefined);
    },
  },
  {
    name: 'keeps what is written to files that are not wanted',
    needs: ['content'],
    async run(make) {
      await using storage = await make(files);
      await storage.setWanted([true, false, true, false, true]);
      const bytes = contentOf(2);
      await storage.write(29_000, bytes.subarray(29_000, 31_000));
      await storage.write(59_500, bytes.subarray(59_500, 60_600));
      deepEqual(await readOf(storage, 29_000, 2000), bytes.slice(29_000, 31_000));
      deepEqual(await readOf(storage, 59_500, 1100), bytes.slice(59_500, 60_600));
      const presence = await storage.presence();
      equal(presence.mayHold(30_000, 1000), true);
      equal(presence.mayHold(60_100, 500), true);
    },
  },
  {
    name: 'knows what is missing of files that are not wanted',
    needs: ['content'],
    async run(make) {
      await using storage = await make([fileOf('a', 3_000_000), fileOf('b', 3_000_000)]);
      await storage.setWanted([true, false]);
      await rejects(readOf(storage, 4_000_000, 10), { name: 'StorageError', code: 'not-found' });
      equal((await storage.presence()).mayHold(3_000_000, 3_000_000), false);
    },
  },
  {
    name: 'loses nothing however often files become wanted and unwanted',
    needs: ['content'],
    async run(make) {
      await using storage = await make(files);
      const bytes = contentOf(3);
      for (let turn = 0; turn < 8; turn += 1) {
        await storage.setWanted(files.map((_, index) => ((turn >> (index % 3)) & 1) === 1));
        for (let at = turn * 1000; at < length; at += 8000) {
          await storage.write(at, bytes.subarray(at, Math.min(length, at + 1000)));
        }
        for (let at = 0; at < length; at += 8000) {
          const end = Math.min(length, at + (turn + 1) * 1000);
          deepEqual(await readOf(storage, at, end - at), bytes.slice(at, end));
        }
      }
      await storage.flush();
      await storage.setWanted(files.map(() => true));
      deepEqual(await readOf(storage, 0, length), bytes);
    },
  },
  {
    name: 'changes what is wanted between operations, in the order of the calls',
    needs: ['content'],
    async run(make) {
      await using storage = await make(files);
      const calls: Promise<void>[] = [];
      const seen: Promise<Uint8Array>[] = [];
      for (let turn = 1; turn <= 10; turn += 1) {
        calls.push(storage.write(20_000, new Uint8Array(40_000).fill(turn)));
        calls.push(storage.setWanted(files.map(() => turn % 2 === 0)));
        seen.push(readOf(storage, 29_999, 100));
      }
      await Promise.all(calls);
      for (const [index, bytes] of (await Promise.all(seen)).entries()) {
        deepEqual(bytes, new Uint8Array(100).fill(index + 1));
      }
    },
  },
  {
    name: 'refuses another number of flags than of files',
    needs: [],
    async run(make) {
      await using storage = await make(files);
      await rejects(storage.setWanted([true]), RangeError);
      await rejects(storage.setWanted([]), RangeError);
    },
  },
  {
    name: 'keeps its content when it moves, while operations come and go',
    needs: ['content'],
    async run(make, newDirectory) {
      await using storage = await make(files);
      await storage.setWanted([true, true, true, false, true]);
      const bytes = contentOf(4);
      await storage.write(0, bytes.subarray(0, 70_000));
      const late = storage.write(70_000, bytes.subarray(70_000));
      const moved = storage.move(await newDirectory());
      const read = readOf(storage, 50_000, 40_000);
      const next = storage.write(10, bytes.subarray(10, 20));
      await Promise.all([late, moved, next]);
      deepEqual(await read, bytes.slice(50_000, 90_000));
      await storage.move(await newDirectory(), { onProgress: (done, total) => equal(done <= total, true) });
      await storage.setWanted(files.map(() => true));
      deepEqual(await readOf(storage, 0, length), bytes);
      await storage.flush();
    },
  },
  {
    name: 'rejects a move with the reason of a signal that has fired, and goes on where it is',
    needs: [],
    async run(make, newDirectory) {
      await using storage = await make(files);
      await storage.write(0, contentOf(5));
      const reason = new Error('enough');
      await rejects(storage.move(await newDirectory(), { signal: AbortSignal.abort(reason) }), reason);
      await readOf(storage, 0, length);
      await storage.write(0, contentOf(6));
    },
  },
  {
    name: 'keeps its content under other names',
    needs: ['content'],
    async run(make, newDirectory) {
      await using storage = await make(files);
      const bytes = contentOf(7);
      await storage.write(0, bytes.subarray(0, 50_000));
      await Promise.all([
        storage.rename(0, ['torrent', 'other', 'name']),
        storage.rename(1, ['elsewhere']),
        storage.rename(3, ['torrent', 'not there yet']),
        storage.write(50_000, bytes.subarray(50_000)),
      ]);
      deepEqual(await readOf(storage, 0, length), bytes);
      await storage.move(await newDirectory());
      deepEqual(await readOf(storage, 0, length), bytes);
    },
  },
  {
    name: 'clients 60: refuses names that lead elsewhere, and names for what has none',
    needs: [],
    async run(make) {
      await using storage = await make(files);
      const refusal = { name: 'StorageError', code: 'unsafe-path' };
      for (const path of [[], [''], ['..', 'a'], ['torrent', '.'], ['a/b'], ['a\\b'], ['a\0']]) {
        await rejects(storage.rename(0, path), refusal);
      }
      await rejects(storage.rename(2, ['padding']), RangeError);
      await rejects(storage.rename(5, ['none']), RangeError);
      await storage.write(0, contentOf(8));
    },
  },
  {
    name: 'prepares only what it is asked for, until a signal fires',
    needs: [],
    async run(make) {
      await using storage = await make(files);
      await storage.prepare([0, 4]);
      const reason = new Error('enough');
      await rejects(storage.prepare(undefined, { signal: AbortSignal.abort(reason) }), reason);
      await storage.prepare(undefined, { onProgress: (done, total) => equal(done <= total, true) });
    },
  },
];
