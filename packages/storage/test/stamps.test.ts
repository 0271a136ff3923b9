import { chmod, mkdir, rename, rm, stat, symlink, truncate, utimes, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { FileStorage, type StorageFile } from '../src/index.ts';
import { fileSystemWith, randomBytes, scratchDirectory, systemError } from './scratch.ts';

const file = (name: string, length: number): StorageFile => ({ path: name.split('/'), length });

describe('stamps', () => {
  test('give length, time and identity of each file, and nothing for what is no file', async () => {
    const directory = await scratchDirectory();
    const files = [
      file('t/a', 5),
      { path: ['.pad'], length: 3, isPadding: true },
      file('t/missing', 4),
      { path: ['t', 'link'], length: 0, symlinkTarget: ['t', 'a'] },
      { path: ['t', 'skipped'], length: 0, isSkipped: true },
      file('t/empty', 0),
    ];
    await using storage = await FileStorage.open({ directory, files });
    expect(await storage.stamps()).toEqual(files.map(() => undefined));
    await storage.prepare([0, 3, 5]);
    await storage.write(0, randomBytes(5));
    const { size, mtimeNs, ino } = await stat(path.join(directory, 't/a'), { bigint: true });
    const stamps = await storage.stamps();
    expect(stamps[0]).toEqual({ length: Number(size), modifiedNs: mtimeNs, inode: ino });
    expect(stamps.map((stamp) => stamp?.length)).toEqual([5, undefined, undefined, undefined, undefined, 0]);
  });

  test('are taken only of the files asked for', async () => {
    const directory = await scratchDirectory();
    const looked: string[] = [];
    const real = fileSystemWith({});
    const fileSystem = fileSystemWith({
      lstat: (at) => {
        looked.push(path.basename(at));
        return real.lstat(at);
      },
    });
    await using storage = await FileStorage.open({ directory, files: [file('a', 1), file('b', 1)], fileSystem });
    await storage.write(0, new Uint8Array(2));
    looked.length = 0;
    expect((await storage.stamps([1])).map((stamp) => stamp?.length)).toEqual([undefined, 1]);
    expect(looked).toEqual(['b']);
    await expect(storage.stamps([2])).rejects.toThrow(RangeError);
  });

  test('change with every write of ours and of others', async () => {
    const directory = await scratchDirectory();
    const at = path.join(directory, 'a');
    await using storage = await FileStorage.open({ directory, files: [file('a', 10)] });
    await storage.write(0, randomBytes(10));
    await utimes(at, 1000, 1000);
    const [before] = await storage.stamps();
    expect(before?.modifiedNs).toBe(1_000_000_000_000n);
    await storage.write(0, randomBytes(1));
    const [after] = await storage.stamps();
    expect(after?.modifiedNs).toBeGreaterThan(before!.modifiedNs);
    await truncate(at, 4);
    expect((await storage.stamps())[0]).toMatchObject({ length: 4, inode: before!.inode });
  });

  test('let go of an open file that was removed, so that the next write makes it anew', async () => {
    const directory = await scratchDirectory();
    const at = path.join(directory, 't/a');
    await using storage = await FileStorage.open({ directory, files: [file('t/a', 10)] });
    await storage.write(0, randomBytes(10));
    await rm(path.join(directory, 't'), { recursive: true });
    expect(await storage.stamps()).toEqual([undefined]);
    await expect(storage.read(0, [new Uint8Array(1)])).rejects.toMatchObject({ code: 'not-found', path: at });
    await storage.write(0, randomBytes(10));
    expect((await stat(at)).size).toBe(10);
  });

  test('let go of an open file that another one replaced', async () => {
    const directory = await scratchDirectory();
    const at = path.join(directory, 'a');
    await using storage = await FileStorage.open({ directory, files: [file('a', 3)] });
    await storage.write(0, randomBytes(3));
    const [before] = await storage.stamps();
    await writeFile(path.join(directory, 'new'), 'NEW');
    await rename(path.join(directory, 'new'), at);
    const [after] = await storage.stamps();
    expect(after!.inode).not.toBe(before!.inode);
    const target = new Uint8Array(3);
    await storage.read(0, [target]);
    expect(new TextDecoder().decode(target)).toBe('NEW');
  });

  test.each(['t/a', 't'])('clients 62: let go of an open file when %s has become a link', async (linked) => {
    const directory = await scratchDirectory();
    const elsewhere = await scratchDirectory();
    await mkdir(path.join(elsewhere, 't'));
    await writeFile(path.join(elsewhere, 't/a'), 'secret!');
    await using storage = await FileStorage.open({ directory, files: [file('t/a', 7)] });
    await storage.write(0, randomBytes(7));
    await rm(path.join(directory, linked), { recursive: true });
    await symlink(path.join(elsewhere, linked), path.join(directory, linked));
    expect(await storage.stamps()).toEqual([undefined]);
    await expect(storage.read(0, [new Uint8Array(7)])).rejects.toMatchObject({ code: 'unsafe-path' });
  });

  test('keep a file open that is still the same', async () => {
    const directory = await scratchDirectory();
    let opens = 0;
    const real = fileSystemWith({});
    const fileSystem = fileSystemWith({
      open: (...call) => {
        opens += 1;
        return real.open(...call);
      },
    });
    await using storage = await FileStorage.open({ directory, files: [file('a', 3)], fileSystem });
    await storage.write(0, randomBytes(3));
    await storage.stamps();
    await chmod(path.join(directory, 'a'), 0o600);
    await storage.stamps();
    await storage.read(0, [new Uint8Array(3)]);
    expect(opens).toBe(1);
  });

  test.each([
    ['EACCES', 'permission'],
    ['EIO', 'io'],
  ])('that fail with %s reject as %s, and succeed when the cause is gone', async (errno, code) => {
    const directory = await scratchDirectory();
    let isBroken = false;
    const real = fileSystemWith({});
    const fileSystem = fileSystemWith({
      lstat: (at) => (isBroken ? Promise.reject(systemError(errno)) : real.lstat(at)),
    });
    await using storage = await FileStorage.open({ directory, files: [file('a', 3)], fileSystem });
    await storage.write(0, randomBytes(3));
    isBroken = true;
    await expect(storage.stamps()).rejects.toMatchObject({ code, path: path.join(directory, 'a') });
    isBroken = false;
    expect((await storage.stamps())[0]?.length).toBe(3);
  });
});
