import { createHash } from 'node:crypto';
import { mkdir, truncate, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { geometryOf, type Geometry } from '@shoal/pieces';
import { describe, expect, test } from 'vitest';
import { FileStorage, HashPool, MemoryStorage, SlabPool, type Storage } from '../src/index.ts';
import { fileSystemWith, randomBytes, scratchDirectory, systemError } from './scratch.ts';

const sha1 = (bytes: Uint8Array): Uint8Array => new Uint8Array(createHash('sha1').update(bytes).digest());

function hashesOf(content: Uint8Array, geometry: Geometry): Uint8Array {
  const hashes = new Uint8Array(geometry.pieceCount * 20);
  for (let piece = 0; piece < geometry.pieceCount; piece += 1) {
    const begin = piece * geometry.pieceLength;
    hashes.set(sha1(content.subarray(begin, begin + geometry.pieceLength)), piece * 20);
  }
  return hashes;
}

describe('sha1', () => {
  test.each([0, 1, 65_535, 65_536, 1_000_003])('of %d bytes is what it should be', async (length) => {
    const pool = new HashPool();
    const bytes = randomBytes(length);
    expect(await pool.sha1(bytes)).toEqual(sha1(bytes));
  });

  test('of a view looks at nothing around it', async () => {
    const pool = new HashPool();
    const bytes = randomBytes(300_000);
    expect(await pool.sha1(bytes.subarray(1001, 200_003))).toEqual(sha1(bytes.slice(1001, 200_003)));
  });

  test('takes memory shared between threads', async () => {
    const pool = new HashPool();
    const shared = new Uint8Array(new SharedArrayBuffer(100_000));
    shared.set(randomBytes(100_000));
    expect(await pool.sha1(shared)).toEqual(sha1(randomBytes(100_000)));
  });

  test('answers many at once', async () => {
    const pool = new HashPool({ concurrency: 2 });
    const all = Array.from({ length: 30 }, (_, index) => randomBytes(65_536 + index));
    const digests = await Promise.all(all.map((bytes) => pool.sha1(bytes)));
    expect(digests).toEqual(all.map(sha1));
  });
});

describe.each([
  ['many small pieces', 16_384, 2_500_001],
  ['pieces longer than a read', 2_097_152, 7_000_001],
  ['one short piece', 65_536, 10],
])('checking %s', (_, pieceLength, totalLength) => {
  const content = randomBytes(totalLength);
  const geometry = geometryOf(totalLength, pieceLength);
  const hashes = hashesOf(content, geometry);

  test('finds all of them', async () => {
    await using storage = MemoryStorage.holding(content);
    const good = await new HashPool().checkPieces(storage, geometry, hashes);
    expect(good.isFull).toBe(true);
  });

  test('finds the one that is wrong by a bit', async () => {
    await using storage = MemoryStorage.holding(content);
    const wrong = geometry.pieceCount - 1;
    await storage.write(totalLength - 1, Uint8Array.of(content[totalLength - 1]! ^ 1));
    const good = await new HashPool().checkPieces(storage, geometry, hashes);
    expect(good.count).toBe(geometry.pieceCount - 1);
    expect(good.has(wrong)).toBe(false);
  });

  test('reports progress that rises to the total', async () => {
    await using storage = MemoryStorage.holding(content);
    const seen: number[] = [];
    const onProgress = (checked: number, total: number): void => {
      expect(total).toBe(geometry.pieceCount);
      seen.push(checked);
    };
    await new HashPool().checkPieces(storage, geometry, hashes, { onProgress });
    expect(seen).toEqual(seen.toSorted((a, b) => a - b));
    expect(seen.at(-1)).toBe(geometry.pieceCount);
  });
});

describe('checking files', () => {
  const pieceLength = 32_768;
  const content = randomBytes(1_000_000);
  const geometry = geometryOf(content.length, pieceLength);
  const hashes = hashesOf(content, geometry);
  const files = [
    { path: ['t', 'a'], length: 400_000 },
    { path: ['t', 'b'], length: 600_000 },
  ];

  test('counts missing files and cut ones as absent pieces, and keeps the pieces before the cut', async () => {
    const directory = await scratchDirectory();
    await using storage = await FileStorage.open({ directory, files });
    const pool = new HashPool();
    expect((await pool.checkPieces(storage, geometry, hashes)).isEmpty).toBe(true);
    await storage.write(0, content.subarray(0, 400_000));
    const whole = Math.floor(400_000 / pieceLength);
    expect([...(await pool.checkPieces(storage, geometry, hashes)).indices()]).toEqual([...Array(whole).keys()]);
    await truncate(path.join(directory, 't/a'), 200_000);
    const cut = Math.floor(200_000 / pieceLength);
    expect([...(await pool.checkPieces(storage, geometry, hashes)).indices()]).toEqual([...Array(cut).keys()]);
  });

  test('reads nothing that presence calls missing', async () => {
    const directory = await scratchDirectory();
    await mkdir(path.join(directory, 't'));
    let opened = 0;
    const fileSystem = fileSystemWith({
      open: () => {
        opened += 1;
        return Promise.reject(systemError('EIO'));
      },
    });
    await using storage = await FileStorage.open({ directory, files, fileSystem });
    const seen: number[] = [];
    const onProgress = (checked: number): void => void seen.push(checked);
    expect((await new HashPool().checkPieces(storage, geometry, hashes, { onProgress })).isEmpty).toBe(true);
    expect(opened).toBe(0);
    expect(seen).toEqual([geometry.pieceCount]);
  });

  test('a file that is cut during the check loses only the pieces that it no longer holds', async () => {
    await using held = MemoryStorage.holding(content);
    const boundary = 10 * pieceLength + 5;
    const shrunk: Storage = {
      totalLength: content.length,
      read: async (offset, targets, signal) => {
        const length = targets.reduce((sum, target) => sum + target.length, 0);
        const whole = new MemoryStorage({ files: [{ length: content.length }] });
        await (offset + length > boundary ? whole : held).read(offset, targets, signal);
      },
      write: (offset, bytes) => held.write(offset, bytes),
      prepare: () => held.prepare(),
      presence: () => held.presence(),
      stamps: () => held.stamps(),
      setWanted: (wanted) => held.setWanted(wanted),
      move: (directory) => held.move(directory),
      rename: (file, path) => held.rename(file, path),
      flush: () => held.flush(),
      close: () => held.close(),
      [Symbol.asyncDispose]: () => held.close(),
    };
    const good = await new HashPool().checkPieces(shrunk, geometry, hashes);
    expect([...good.indices()]).toEqual([...Array(10).keys()]);
  });

  test('checks only the pieces asked for', async () => {
    await using storage = MemoryStorage.holding(content);
    const good = await new HashPool().checkPieces(storage, geometry, hashes, {
      pieces: [3, 4, 7, geometry.pieceCount - 1],
    });
    expect([...good.indices()]).toEqual([3, 4, 7, geometry.pieceCount - 1]);
    await expect(
      new HashPool().checkPieces(storage, geometry, hashes, { pieces: [geometry.pieceCount] }),
    ).rejects.toThrow(RangeError);
  });

  test('stops at the first failure of the disk and says what failed', async () => {
    const directory = await scratchDirectory();
    let reads = 0;
    const fileSystem = fileSystemWith({}, () => ({
      read: () => {
        reads += 1;
        return Promise.reject(systemError('EIO'));
      },
    }));
    await using storage = await FileStorage.open({ directory, files, fileSystem });
    await storage.prepare();
    const small = new HashPool({ concurrency: 1 });
    await expect(small.checkPieces(storage, geometry, hashes)).rejects.toMatchObject({ code: 'io' });
    expect(reads).toBeLessThanOrEqual(2);
    await expect(small.checkPieces(storage, geometry, hashes, { pieces: [3] })).rejects.toMatchObject({ code: 'io' });
  });

  test('an abort in the middle rejects with its reason once all reading has ended', async () => {
    await using storage = MemoryStorage.holding(content);
    const slabs = new SlabPool();
    const pool = new HashPool({ concurrency: 1, slabs });
    const abort = new AbortController();
    const reason = new Error('stopped by the user');
    const seen: number[] = [];
    const check = pool.checkPieces(storage, geometryOf(content.length, pieceLength), hashes, {
      pieces: Array.from({ length: 16 }, (_, index) => index * 2),
      signal: abort.signal,
      onProgress: (checked) => {
        seen.push(checked);
        if (checked === 5) abort.abort(reason);
      },
    });
    await expect(check).rejects.toBe(reason);
    expect(seen.at(-1)).toBeLessThan(16);
    expect(slabs.lentBytes).toBe(0);
  });

  test('a signal that has fired already keeps it from starting', async () => {
    await using storage = MemoryStorage.holding(content);
    const signal = AbortSignal.abort(new Error('before'));
    await expect(new HashPool().checkPieces(storage, geometry, hashes, { signal })).rejects.toThrow('before');
  });

  test('takes no more memory than its slabs allow, and goes on with a single one', async () => {
    await using storage = MemoryStorage.holding(content);
    const slabs = new SlabPool({ limitBytes: 1 });
    const good = await new HashPool({ concurrency: 4, slabs }).checkPieces(storage, geometry, hashes);
    expect(good.isFull).toBe(true);
    expect(slabs.bytes).toBe(0);
  });

  test('tells of every piece once, with its verdict, in whatever order they are given', async () => {
    const wrong = content.slice();
    wrong[0] = wrong[0]! ^ 1;
    await using storage = MemoryStorage.holding(wrong);
    const pieces = Array.from({ length: geometry.pieceCount }, (_, index) => geometry.pieceCount - 1 - index);
    const told = new Map<number, boolean>();
    const onPiece = (piece: number, isGood: boolean): void => {
      expect(told.has(piece)).toBe(false);
      told.set(piece, isGood);
    };
    await new HashPool().checkPieces(storage, geometry, hashes, { pieces, onPiece });
    expect(told.size).toBe(geometry.pieceCount);
    for (const [piece, isGood] of told) expect(isGood).toBe(piece !== 0);
  });

  test('refuses hashes and storages of another torrent', async () => {
    await using storage = MemoryStorage.holding(content);
    const pool = new HashPool();
    await expect(pool.checkPieces(storage, geometry, hashes.subarray(20))).rejects.toThrow(RangeError);
    await using other = MemoryStorage.holding(content.subarray(1));
    await expect(pool.checkPieces(other, geometry, hashes)).rejects.toThrow(RangeError);
  });

  test('finds whole what another program has put there', async () => {
    const directory = await scratchDirectory();
    await writeFile(path.join(directory, 'a'), content);
    await using storage = await FileStorage.open({ directory, files: [{ path: ['a'], length: content.length }] });
    expect((await new HashPool().checkPieces(storage, geometry, hashes)).isFull).toBe(true);
  });
});
