// What storages promise about bytes: that they come back, where they lie, and what of them is there.
import { deepEqual, equal, rejects } from 'node:assert/strict';
import { type StorageContractCase, fileOf, joined, manyFiles, padding, patternOf, readOf } from './contract-case.ts';

export const contentCases: readonly StorageContractCase[] = [
  {
    name: 'reads back what was written, at any place of one file',
    needs: ['content'],
    async run(make) {
      await using storage = await make([fileOf('one', 100_000)]);
      const bytes = patternOf(100_000, 1);
      await storage.write(0, bytes);
      for (const [offset, length] of [
        [0, 100_000],
        [0, 1],
        [99_999, 1],
        [16_383, 16_385],
      ] as const) {
        deepEqual(await readOf(storage, offset, length), bytes.slice(offset, offset + length));
      }
    },
  },
  {
    name: 'keeps pieces that span 300 odd files, empty ones and padding among them',
    needs: ['content'],
    async run(make) {
      const { files, content } = manyFiles();
      await using storage = await make(files);
      equal(storage.totalLength, content.length);
      const pieceLength = 16_384;
      for (let offset = 0; offset < content.length; offset += pieceLength) {
        await storage.write(offset, content.subarray(offset, offset + pieceLength));
      }
      for (let offset = 0; offset < content.length; offset += 10_007) {
        const length = Math.min(10_007, content.length - offset);
        deepEqual(await readOf(storage, offset, length), content.slice(offset, offset + length));
      }
      deepEqual(await readOf(storage, 0, content.length), content);
    },
  },
  {
    name: 'takes the pieces of many files in any order and all at once',
    needs: ['content'],
    async run(make) {
      const { files, content } = manyFiles();
      await using storage = await make(files);
      const offsets = Array.from({ length: Math.ceil(content.length / 5000) }, (_, index) => index * 5000);
      const shuffled = offsets.map((_, index) => offsets[(index * 7919) % offsets.length]!);
      equal(new Set(shuffled).size, offsets.length);
      await Promise.all(shuffled.map((offset) => storage.write(offset, content.subarray(offset, offset + 5000))));
      deepEqual(await readOf(storage, 0, content.length), content);
    },
  },
  {
    name: 'holds a last piece that is shorter than the others',
    needs: ['content'],
    async run(make) {
      await using storage = await make([fileOf('one', 40_001)]);
      const bytes = patternOf(40_001, 2);
      await storage.write(0, bytes.subarray(0, 32_768));
      await storage.write(32_768, bytes.subarray(32_768));
      deepEqual(await readOf(storage, 32_768, 7233), bytes.slice(32_768));
    },
  },
  {
    name: 'fills many targets, empty ones too, with one read across files',
    needs: ['content'],
    async run(make) {
      await using storage = await make([fileOf('a', 7), fileOf('b', 0), fileOf('c', 3000), fileOf('d', 5)]);
      const bytes = patternOf(3012, 3);
      await storage.write(0, bytes);
      const lengths = [0, 3, 0, 9, 1, 2990, 0, 7, 2];
      const targets = lengths.map((length) => new Uint8Array(length));
      await storage.read(0, targets);
      deepEqual(joined(targets), bytes);
    },
  },
  {
    name: 'fills more targets with one read than a system call takes',
    needs: ['content'],
    async run(make) {
      await using storage = await make([fileOf('one', 5000)]);
      const bytes = patternOf(5000, 4);
      await storage.write(0, bytes);
      const targets = Array.from({ length: 2500 }, () => new Uint8Array(2));
      await storage.read(0, targets);
      deepEqual(joined(targets), bytes);
    },
  },
  {
    name: 'fills views on a larger buffer and leaves the rest of it alone',
    needs: ['content'],
    async run(make) {
      await using storage = await make([fileOf('one', 64)]);
      await storage.write(0, new Uint8Array(64).fill(7));
      const buffer = new Uint8Array(40).fill(1);
      await storage.read(10, [buffer.subarray(13, 20), buffer.subarray(33, 36)]);
      deepEqual(
        buffer,
        Uint8Array.from(buffer, (_, at) => ((at >= 13 && at < 20) || (at >= 33 && at < 36) ? 7 : 1)),
      );
    },
  },
  {
    name: 'takes bytes from a view on a larger buffer',
    needs: ['content'],
    async run(make) {
      await using storage = await make([fileOf('one', 4)]);
      await storage.write(0, patternOf(100, 5).subarray(50, 54));
      deepEqual(await readOf(storage, 0, 4), patternOf(100, 5).slice(50, 54));
    },
  },
  {
    name: 'clients 64: padding reads as zeros whatever was written to it',
    needs: ['content'],
    async run(make) {
      await using storage = await make([fileOf('a', 100), padding(412), fileOf('b', 50), padding(462)]);
      await storage.write(0, new Uint8Array(1024).fill(0xee));
      const expected = new Uint8Array(1024);
      expected.fill(0xee, 0, 100);
      expected.fill(0xee, 512, 562);
      deepEqual(await readOf(storage, 0, 1024), expected);
      deepEqual(await readOf(storage, 90, 500), expected.slice(90, 590));
    },
  },
  {
    name: 'clients 64: padding can be read before anything was written',
    needs: [],
    async run(make) {
      await using storage = await make([fileOf('a', 100), padding(412)]);
      const target = new Uint8Array(412).fill(9);
      await storage.read(100, [target]);
      deepEqual(target, new Uint8Array(412));
    },
  },
  {
    name: 'reads and writes nothing at all without complaint',
    needs: [],
    async run(make) {
      await using storage = await make([fileOf('one', 10), fileOf('empty', 0)]);
      await storage.write(10, new Uint8Array(0));
      await storage.read(10, []);
      await storage.read(3, [new Uint8Array(0)]);
    },
  },
  {
    name: 'holds a torrent whose files are all empty',
    needs: [],
    async run(make) {
      await using storage = await make([fileOf('a', 0), fileOf('b', 0)]);
      equal(storage.totalLength, 0);
      await storage.write(0, new Uint8Array(0));
      await storage.prepare();
      equal((await storage.presence()).mayHold(0, 0), true);
      await storage.flush();
    },
  },
  {
    name: 'refuses ranges outside the content as the bug of the caller',
    needs: [],
    async run(make) {
      await using storage = await make([fileOf('a', 10), fileOf('b', 10)]);
      const presence = await storage.presence();
      for (const [offset, length] of [
        [0, 21],
        [20, 1],
        [21, 0],
        [-1, 5],
        [0.5, 1],
        [Number.NaN, 1],
        [2 ** 53, 1],
      ] as const) {
        await rejects(storage.read(offset, [new Uint8Array(length)]), RangeError);
        await rejects(storage.write(offset, new Uint8Array(length)), RangeError);
        await rejects(async () => presence.mayHold(offset, length), RangeError);
      }
    },
  },
  {
    name: 'says that it cannot read what nobody wrote',
    needs: ['content'],
    async run(make) {
      await using storage = await make([fileOf('a', 10)]);
      await rejects(storage.read(0, [new Uint8Array(10)]), { name: 'StorageError', code: 'not-found' });
    },
  },
  {
    name: 'knows by presence what cannot be read, and calls nothing missing that can',
    needs: ['content'],
    async run(make) {
      await using storage = await make([fileOf('a', 3_000_000), padding(10), fileOf('b', 3_000_000)]);
      const before = await storage.presence();
      equal(before.mayHold(0, 3_000_000), false);
      equal(before.mayHold(2_999_999, 2), false);
      equal(before.mayHold(3_000_000, 10), true);
      await storage.write(0, new Uint8Array(3_000_000));
      const after = await storage.presence();
      equal(after.mayHold(0, 3_000_010), true);
      equal(after.mayHold(0, 6_000_010), false);
      equal(before.mayHold(0, 3_000_000), false);
    },
  },
  {
    name: 'reads zeros where nobody wrote once it is prepared, and loses nothing by that',
    needs: ['content', 'zeros'],
    async run(make) {
      await using storage = await make([fileOf('a', 5000), fileOf('empty', 0), fileOf('b', 5000)]);
      const bytes = patternOf(100, 6);
      await storage.write(4950, bytes);
      await storage.prepare();
      await storage.prepare();
      equal((await storage.presence()).mayHold(0, 10_000), true);
      const expected = new Uint8Array(10_000);
      expected.set(bytes, 4950);
      deepEqual(await readOf(storage, 0, 10_000), expected);
    },
  },
];
