import { readFile, stat, truncate, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import {
  FileStorage,
  type FileStorageOptions,
  OperationQueue,
  type Preallocation,
  type StorageFile,
} from '../src/index.ts';
import { bytesOf, faultyFileSystem, fileSystemWith, gate, randomBytes, scratchDirectory, treeOf } from './scratch.ts';

const file = (name: string, length: number): StorageFile => ({ path: name.split('/'), length });

const open = (
  directory: string,
  preallocation: Preallocation,
  files: readonly StorageFile[],
  options: Partial<FileStorageOptions> = {},
): Promise<FileStorage> => FileStorage.open({ directory, files, preallocation, ...options });

async function allocated(at: string): Promise<number> {
  return (await stat(at)).blocks * 512;
}

describe('full preallocation', () => {
  const length = 3_500_000;

  test('gives every byte its place on the device before anything is written', async () => {
    const directory = await scratchDirectory();
    await using storage = await open(directory, 'full', [file('a', length), file('empty', 0), file('b', 5)]);
    const progress: [number, number][] = [];
    await storage.prepare(undefined, { onProgress: (...step) => void progress.push(step) });
    expect(await allocated(path.join(directory, 'a'))).toBeGreaterThanOrEqual(length);
    expect((await stat(path.join(directory, 'a'))).size).toBe(length);
    expect(progress.at(-1)).toEqual([length + 5, length + 5]);
    expect(progress.length).toBe(5);
  });

  test('never overwrites what is there, to the byte, and fills the holes between', async () => {
    const directory = await scratchDirectory();
    const at = path.join(directory, 'a');
    const before = await open(directory, 'sparse', [file('a', length)]);
    const expected = new Uint8Array(length);
    for (const [offset, size] of [
      [1, 1],
      [8191, 2],
      [1_048_570, 12],
      [2_000_000, 70_000],
      [length - 1, 1],
    ] as const) {
      const bytes = randomBytes(size).map((byte) => byte | 1);
      await before.write(offset, bytes);
      expected.set(bytes, offset);
    }
    await before.close();
    expect(await allocated(at)).toBeLessThan(length);
    await using storage = await open(directory, 'full', [file('a', length)]);
    await storage.prepare();
    expect(await allocated(at)).toBeGreaterThanOrEqual(length);
    expect(Buffer.compare(await readFile(at), expected)).toBe(0);
  });

  test('keeps what is written meanwhile', async () => {
    const directory = await scratchDirectory();
    await using storage = await open(directory, 'full', [file('a', length), file('b', length)]);
    const bytes = randomBytes(2 * length);
    const writes: Promise<void>[] = [];
    await storage.prepare(undefined, {
      onProgress: () => {
        const at = writes.length * 777_777;
        if (at < 2 * length) writes.push(storage.write(at, bytes.subarray(at, at + 777_777)));
      },
    });
    expect(writes.length).toBeGreaterThan(7);
    for (let at = writes.length * 777_777; at < 2 * length; at += 777_777) {
      writes.push(storage.write(at, bytes.subarray(at, at + 777_777)));
    }
    await Promise.all(writes);
    const target = new Uint8Array(2 * length);
    await storage.read(0, [target]);
    expect(Buffer.compare(target, bytes)).toBe(0);
  });

  test('does nothing to files that are full already, nor to those that nobody wants', async () => {
    const directory = await scratchDirectory();
    const { fileSystem, faults } = faultyFileSystem();
    const files = [file('t/a', 100_000), file('t/b', 100_000)];
    await using storage = await open(directory, 'full', files, { fileSystem, wanted: [true, false] });
    await storage.prepare();
    faults.calls.length = 0;
    await storage.prepare();
    expect(faults.calls.filter((call) => call.startsWith('write'))).toEqual([]);
    expect(Object.keys(await treeOf(directory))).toEqual(['t/', 't/a']);
    await storage.setWanted([true, true]);
    await storage.prepare();
    expect(await allocated(path.join(directory, 't/b'))).toBeGreaterThanOrEqual(100_000);
  });

  test('of a full disk says so with the path, and goes on when there is room', async () => {
    const directory = await scratchDirectory();
    const { fileSystem, faults } = faultyFileSystem();
    let writes = 0;
    faults.errnoOf = (call) => (call === 'write' && ++writes > 2 ? 'ENOSPC' : undefined);
    await using storage = await open(directory, 'full', [file('a', length)], { fileSystem });
    const at = path.join(directory, 'a');
    await expect(storage.prepare()).rejects.toMatchObject({ name: 'StorageError', code: 'no-space', path: at });
    faults.errnoOf = () => undefined;
    await storage.prepare();
    expect(await allocated(at)).toBeGreaterThanOrEqual(length);
  });

  test('stops when it is told to, and goes on with the next call', async () => {
    const directory = await scratchDirectory();
    await using storage = await open(directory, 'full', [file('a', length)]);
    const abort = new AbortController();
    const reason = new Error('enough');
    const steps: number[] = [];
    const onProgress = (done: number): void => {
      steps.push(done);
      abort.abort(reason);
    };
    await expect(storage.prepare(undefined, { onProgress, signal: abort.signal })).rejects.toBe(reason);
    expect(steps.length).toBe(1);
    await storage.prepare();
    expect(await allocated(path.join(directory, 'a'))).toBeGreaterThanOrEqual(length);
  });

  test('lets a close through, and moves and choices of files too', async () => {
    const directory = await scratchDirectory();
    const target = await scratchDirectory();
    const storage = await open(directory, 'full', [file('t/a', length), file('t/b', length)]);
    const calls: Promise<void>[] = [];
    const onProgress = (): void => {
      if (calls.length === 0) calls.push(storage.move(target), storage.setWanted([true, false]));
    };
    await storage.prepare(undefined, { onProgress });
    await Promise.all(calls);
    expect(await allocated(path.join(target, 't/a'))).toBeGreaterThanOrEqual(length);
    expect(await allocated(path.join(target, 't/b'))).toBeLessThan(length);
    const prepared = storage
      .setWanted([true, true])
      .then(() => storage.prepare(undefined, { onProgress: () => void storage.close() }));
    await expect(prepared).rejects.toMatchObject({ code: 'closed' });
    await storage.close();
  });
});

describe('no preallocation', () => {
  const files = [file('t/a', 10), file('t/empty', 0), file('t/b', 10)];

  test('lets files grow to the last byte written, and makes none that are not written', async () => {
    const directory = await scratchDirectory();
    await using storage = await open(directory, 'none', files);
    await storage.prepare();
    expect(await treeOf(directory)).toEqual({ 't/': '', 't/empty': '' });
    await storage.write(3, bytesOf('aa'));
    expect(await treeOf(directory)).toEqual({ 't/': '', 't/empty': '', 't/a': '\0\0\0aa' });
    await expect(storage.read(4, [new Uint8Array(2)])).rejects.toMatchObject({ code: 'short' });
    const presence = await storage.presence();
    expect([presence.mayHold(0, 5), presence.mayHold(5, 1)]).toEqual([true, false]);
    await storage.write(0, bytesOf('aaaaaaaaaabbbbbbbbbb'));
    expect(await treeOf(directory)).toEqual({ 't/': '', 't/empty': '', 't/a': 'a'.repeat(10), 't/b': 'b'.repeat(10) });
    await storage.flush();
  });

  test('cuts files that are longer than in the torrent', async () => {
    const directory = await scratchDirectory();
    await writeFile(path.join(directory, 'a'), 'much too long');
    await using storage = await open(directory, 'none', [file('a', 4)]);
    await storage.prepare();
    expect(await treeOf(directory)).toEqual({ a: 'much' });
  });

  test('notices on flush that a file was cut below what was written', async () => {
    const directory = await scratchDirectory();
    await using storage = await open(directory, 'none', files);
    await storage.write(0, bytesOf('aaaa'));
    await storage.flush();
    await storage.write(4, bytesOf('aa'));
    await truncate(path.join(directory, 't/a'), 5);
    await expect(storage.flush()).rejects.toMatchObject({ code: 'short', path: path.join(directory, 't/a') });
    await storage.write(0, bytesOf('aaaaaa'));
    await storage.flush();
  });
});

test('zeros for one torrent keep no other torrent of the queue waiting for more than one of them', async () => {
  const [mine, theirs] = [await scratchDirectory(), await scratchDirectory()];
  const queue = new OperationQueue({ concurrency: 1 });
  const slow = gate();
  const order: string[] = [];
  const fileSystem = fileSystemWith({}, (opened) => ({
    write: async (bytes, position) => {
      await slow.opened;
      order.push('zeros');
      return opened.write(bytes, position);
    },
  }));
  await using filling = await open(mine, 'full', [file('a', 8_000_000)], { queue, fileSystem });
  await using other = await open(theirs, 'sparse', [file('b', 8)], { queue });
  const prepared = filling.prepare(undefined, {
    onProgress: (done) => {
      if (done === 2_097_152) void other.write(0, bytesOf('12345678')).then(() => void order.push('other'));
    },
  });
  slow.open();
  await prepared;
  expect(order.indexOf('other')).toBeLessThan(4);
  expect(order.indexOf('other')).toBeGreaterThan(0);
});
