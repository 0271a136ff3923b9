import { execFileSync } from 'node:child_process';
import { mkdir, readFile, readdir, readlink, rm, stat, symlink, truncate, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { FileStorage, OpenFiles, type StorageFile } from '../src/index.ts';
import { fileSystemWith, gate, randomBytes, scratchDirectory, systemError } from './scratch.ts';

const file = (name: string, length: number): StorageFile => ({ path: name.split('/'), length });

describe('files on disk', () => {
  test('opening makes no file and no folder', async () => {
    const directory = path.join(await scratchDirectory(), 'not', 'there');
    await using storage = await FileStorage.open({ directory, files: [file('t/a', 10)] });
    await expect(storage.read(0, [new Uint8Array(1)])).rejects.toMatchObject({ code: 'not-found' });
    expect((await storage.presence()).lengths).toEqual([undefined]);
    await expect(stat(directory)).rejects.toMatchObject({ code: 'ENOENT' });
  });

  test('the first write makes the folders and a sparse file of the final length, and only those', async () => {
    const directory = path.join(await scratchDirectory(), 'new');
    const length = 2 ** 30;
    await using storage = await FileStorage.open({ directory, files: [file('t/deep/a', length), file('t/b', 10)] });
    await storage.write(length - 5, randomBytes(5));
    const made = await stat(path.join(directory, 't/deep/a'));
    expect(made.size).toBe(length);
    expect(made.blocks * 512).toBeLessThan(1_000_000);
    expect(await readdir(path.join(directory, 't'))).toEqual(['deep']);
  });

  test('content lies in the files as BEP 3 orders them', async () => {
    const directory = await scratchDirectory();
    const files = [file('t/a', 3), file('t/empty', 0), file('t/sub/b', 4), file('t/c', 2)];
    await using storage = await FileStorage.open({ directory, files });
    await storage.write(0, Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8, 9));
    expect([...(await readFile(path.join(directory, 't/a')))]).toEqual([1, 2, 3]);
    expect([...(await readFile(path.join(directory, 't/sub/b')))]).toEqual([4, 5, 6, 7]);
    expect([...(await readFile(path.join(directory, 't/c')))]).toEqual([8, 9]);
  });

  test('clients 63: prepare makes empty files, whole lengths and no padding', async () => {
    const directory = await scratchDirectory();
    const padding = { path: ['t', '.pad', '100'], length: 100, isPadding: true };
    const files = [file('t/a', 412), padding, file('t/x/empty', 0), file('t/b', 7)];
    await using storage = await FileStorage.open({ directory, files });
    await storage.write(0, new Uint8Array(519).fill(1));
    await storage.prepare();
    expect((await readdir(path.join(directory, 't'))).toSorted()).toEqual(['a', 'b', 'x']);
    expect((await stat(path.join(directory, 't/x/empty'))).size).toBe(0);
    expect((await stat(path.join(directory, 't/b'))).size).toBe(7);
  });

  test.skipIf(process.platform === 'win32')('a new file is executable when the torrent says so', async () => {
    const directory = await scratchDirectory();
    const files = [file('a', 1), { ...file('b', 1), attributes: 'x' }];
    await using storage = await FileStorage.open({ directory, files });
    await storage.write(0, new Uint8Array(2));
    expect((await stat(path.join(directory, 'a'))).mode & 0o111).toBe(0);
    expect((await stat(path.join(directory, 'b'))).mode & 0o100).toBe(0o100);
  });

  test('prepare opens nothing that is whole already, so content that may only be read can be seeded', async () => {
    const directory = await scratchDirectory();
    await writeFile(path.join(directory, 'a'), new Uint8Array(5));
    const fileSystem = fileSystemWith({ open: () => Promise.reject(systemError('EACCES')) });
    await using storage = await FileStorage.open({ directory, files: [file('a', 5)], fileSystem });
    await storage.prepare();
    await writeFile(path.join(directory, 'a'), new Uint8Array(6));
    await expect(storage.prepare()).rejects.toMatchObject({ code: 'permission' });
  });

  test('the directory is made with all above it, several at a time, through links and where it is there already', async () => {
    const outer = await scratchDirectory();
    await symlink('.', path.join(outer, 'link'));
    const directories = ['a/b/c', 'a/b/d', 'link/e', 'a/b/c'].map((name) => path.join(outer, name));
    const storages = await Promise.all(
      directories.map((directory) => FileStorage.open({ directory, files: [file('x', 1)] })),
    );
    await Promise.all(storages.map((storage) => storage.prepare()));
    await Promise.all(storages.map((storage) => storage.close()));
    for (const made of ['a/b/c/x', 'a/b/d/x', 'e/x']) expect((await stat(path.join(outer, made))).size).toBe(1);
    const below = await FileStorage.open({ directory: path.join(outer, 'a/b/c/x/y'), files: [file('x', 1)] });
    await expect(below.prepare()).rejects.toMatchObject({ code: 'unsafe-path' });
  });

  test.skipIf(process.platform !== 'linux')(
    'a place that takes no folders is an error, not a wait for ever',
    async () => {
      await using storage = await FileStorage.open({ directory: '/proc/no/such', files: [file('x', 1)] });
      await expect(storage.prepare()).rejects.toMatchObject({ code: 'not-found' });
    },
  );

  test('prepare of some files leaves the others alone', async () => {
    const directory = await scratchDirectory();
    await using storage = await FileStorage.open({ directory, files: [file('a', 5), file('b', 5), file('c', 5)] });
    await storage.prepare([1]);
    expect(await readdir(directory)).toEqual(['b']);
    await expect(storage.prepare([3])).rejects.toThrow(RangeError);
  });

  test('a file that is longer than in the torrent is cut when it is written', async () => {
    const directory = await scratchDirectory();
    await writeFile(path.join(directory, 'a'), 'much too long');
    await using storage = await FileStorage.open({ directory, files: [file('a', 4)] });
    await storage.write(0, new TextEncoder().encode('M'));
    expect(await readFile(path.join(directory, 'a'), 'utf8')).toBe('Much');
  });

  test('presence tells missing, short and whole files apart', async () => {
    const directory = await scratchDirectory();
    await writeFile(path.join(directory, 'short'), new Uint8Array(60));
    await writeFile(path.join(directory, 'whole'), new Uint8Array(100));
    const files = [file('short', 100), file('whole', 100), file('gone', 100), file('no/folder/either', 1)];
    await using storage = await FileStorage.open({ directory, files });
    const presence = await storage.presence();
    expect(presence.lengths).toEqual([60, 100, undefined, undefined]);
    expect(presence.mayHold(0, 60)).toBe(true);
    expect(presence.mayHold(0, 61)).toBe(false);
    expect(presence.mayHold(100, 100)).toBe(true);
    expect(presence.mayHold(199, 2)).toBe(false);
    expect(presence.mayHold(200, 1)).toBe(false);
  });

  test('a read past the end of a short file says so, with the path', async () => {
    const directory = await scratchDirectory();
    await using storage = await FileStorage.open({ directory, files: [file('a', 100)] });
    await storage.write(0, randomBytes(100));
    await truncate(path.join(directory, 'a'), 40);
    await storage.read(0, [new Uint8Array(40)]);
    const failure = { name: 'StorageError', code: 'short', path: path.join(directory, 'a') };
    await expect(storage.read(30, [new Uint8Array(20)])).rejects.toMatchObject(failure);
  });

  test('folders that vanish meanwhile are an error once and made again at the next write', async () => {
    const directory = await scratchDirectory();
    const openFiles = new OpenFiles({ limit: 1 });
    const files = [file('t/a', 4), file('t/b', 4)];
    await using storage = await FileStorage.open({ directory, files, openFiles });
    await storage.write(0, randomBytes(8));
    await rm(path.join(directory, 't'), { recursive: true });
    await expect(storage.write(0, randomBytes(4))).rejects.toMatchObject({ code: 'not-found' });
    await storage.write(0, randomBytes(4));
    expect(new Uint8Array(await readFile(path.join(directory, 't/a')))).toEqual(randomBytes(4));
  });

  test('a relative directory keeps its meaning when the working directory changes', async () => {
    const directory = await scratchDirectory();
    const relative = path.relative(process.cwd(), directory);
    await using storage = await FileStorage.open({ directory: relative, files: [file('a', 1)] });
    expect(storage.directory).toBe(directory);
  });
});

describe('paths that lead elsewhere', () => {
  const hostile: readonly (readonly string[])[] = [
    [],
    [''],
    ['.'],
    ['..'],
    ['..', 'a'],
    ['t', '..', '..', 'a'],
    ['t/../../a'],
    ['t\\a'],
    ['/etc/passwd'],
    ['a\0b'],
    ['t', ''],
  ];
  test.each(hostile)('clients 60: refuses %j %j %j', async (...elements) => {
    const directory = await scratchDirectory();
    const opened = FileStorage.open({ directory, files: [{ path: elements, length: 1 }] });
    await expect(opened).rejects.toMatchObject({ name: 'StorageError', code: 'unsafe-path' });
  });

  test('clients 61: refuses two files of one path, and a file that is also a folder', async () => {
    const directory = await scratchDirectory();
    const refused = { code: 'unsafe-path' };
    const twice = [file('t/a', 1), file('t/a', 1)];
    await expect(FileStorage.open({ directory, files: twice })).rejects.toMatchObject(refused);
    for (const folder of ['t/a', 't']) {
      const both = [file('t/a/b', 1), file(folder, 1)];
      await expect(FileStorage.open({ directory, files: both })).rejects.toMatchObject(refused);
    }
  });

  test('padding files may share a path, since none is ever made', async () => {
    const directory = await scratchDirectory();
    const padding = { path: ['.pad', '5'], length: 5, isPadding: true };
    await using storage = await FileStorage.open({ directory, files: [file('a', 1), padding, file('b', 1), padding] });
    expect(storage.totalLength).toBe(12);
  });

  test('clients 62: follows no link in place of a file, neither to read nor to write', async () => {
    const directory = await scratchDirectory();
    const victim = path.join(await scratchDirectory(), 'victim');
    await writeFile(victim, 'keep me');
    await symlink(victim, path.join(directory, 'a'));
    await using storage = await FileStorage.open({ directory, files: [file('a', 7)] });
    const refused = { code: 'unsafe-path', path: path.join(directory, 'a') };
    await expect(storage.read(0, [new Uint8Array(7)])).rejects.toMatchObject(refused);
    await expect(storage.write(0, new Uint8Array(7))).rejects.toMatchObject(refused);
    await expect(storage.prepare()).rejects.toMatchObject(refused);
    await expect(storage.presence()).rejects.toMatchObject(refused);
    expect(await readFile(victim, 'utf8')).toBe('keep me');
  });

  test('clients 62: makes no file through a link that leads nowhere yet', async () => {
    const directory = await scratchDirectory();
    const elsewhere = path.join(await scratchDirectory(), 'new');
    await symlink(elsewhere, path.join(directory, 'a'));
    await using storage = await FileStorage.open({ directory, files: [file('a', 7)] });
    await expect(storage.write(0, new Uint8Array(7))).rejects.toMatchObject({ code: 'unsafe-path' });
    await expect(stat(elsewhere)).rejects.toMatchObject({ code: 'ENOENT' });
  });

  test.each(['t', 't/sub'])('clients 62: follows no link in place of the folder %s', async (linked) => {
    const directory = await scratchDirectory();
    const elsewhere = await scratchDirectory();
    await mkdir(path.join(elsewhere, 'sub'));
    await writeFile(path.join(elsewhere, 'a'), 'secret!');
    await writeFile(path.join(elsewhere, 'sub/a'), 'secret!');
    await mkdir(path.dirname(path.join(directory, linked)), { recursive: true });
    await symlink(elsewhere, path.join(directory, linked));
    await using storage = await FileStorage.open({ directory, files: [file('t/sub/a', 7)] });
    const refused = { code: 'unsafe-path', path: path.join(directory, linked) };
    await expect(storage.read(0, [new Uint8Array(7)])).rejects.toMatchObject(refused);
    await expect(storage.write(0, new Uint8Array(7))).rejects.toMatchObject(refused);
    await expect(storage.prepare()).rejects.toMatchObject(refused);
    await expect(storage.presence()).rejects.toMatchObject(refused);
    expect(await readFile(path.join(elsewhere, 'sub/a'), 'utf8')).toBe('secret!');
  });

  test('the directory itself may be a link: it is the choice of the user', async () => {
    const directory = await scratchDirectory();
    const link = path.join(await scratchDirectory(), 'link');
    await symlink(directory, link);
    await using storage = await FileStorage.open({ directory: link, files: [file('t/a', 3)] });
    await storage.write(0, randomBytes(3));
    expect(new Uint8Array(await readFile(path.join(directory, 't/a')))).toEqual(randomBytes(3));
  });

  test.skipIf(process.platform === 'win32')('a FIFO in place of a file is refused and holds nothing up', async () => {
    const directory = await scratchDirectory();
    execFileSync('mkfifo', [path.join(directory, 'a')]);
    await using storage = await FileStorage.open({ directory, files: [file('a', 7)] });
    await expect(storage.read(0, [new Uint8Array(7)])).rejects.toMatchObject({ code: 'unsafe-path' });
    await expect(storage.write(0, new Uint8Array(7))).rejects.toMatchObject({ code: 'unsafe-path' });
  });

  test('a folder in place of a file, and a file in place of a folder, are refused', async () => {
    const directory = await scratchDirectory();
    await mkdir(path.join(directory, 'a'));
    await writeFile(path.join(directory, 'f'), '');
    await using storage = await FileStorage.open({ directory, files: [file('a', 1), file('f/b', 1)] });
    for (const offset of [0, 1]) {
      await expect(storage.read(offset, [new Uint8Array(1)])).rejects.toMatchObject({ code: 'unsafe-path' });
      await expect(storage.write(offset, new Uint8Array(1))).rejects.toMatchObject({ code: 'unsafe-path' });
    }
  });
});

describe('links that a torrent describes', () => {
  const link = (name: string, target: string): StorageFile => ({
    path: name.split('/'),
    length: 0,
    symlinkTarget: target.split('/'),
  });

  test('clients 62: prepare makes them relative, so that the folder can be moved', async () => {
    const directory = await scratchDirectory();
    const files = [file('t/lib/a.so.1', 4), link('t/a.so', 't/lib/a.so.1'), link('t/deep/er/b', 't/lib/a.so.1')];
    await using storage = await FileStorage.open({ directory, files });
    await storage.prepare();
    await storage.prepare();
    expect(await readlink(path.join(directory, 't/a.so'))).toBe(path.join('lib', 'a.so.1'));
    expect(await readlink(path.join(directory, 't/deep/er/b'))).toBe(path.join('..', '..', 'lib', 'a.so.1'));
    expect((await storage.presence()).lengths).toEqual([4, 0, 0]);
  });

  test('clients 62: a target outside the directory is refused', async () => {
    const directory = await scratchDirectory();
    const files = [{ path: ['t', 'a'], length: 0, symlinkTarget: ['..', '..', 'etc'] }];
    await expect(FileStorage.open({ directory, files })).rejects.toMatchObject({ code: 'unsafe-path' });
  });

  test('clients 62: no file is written through a link of the same torrent', async () => {
    const directory = await scratchDirectory();
    const files = [file('t/real/x', 1), link('t/alias', 't/real')];
    await using first = await FileStorage.open({ directory, files });
    await first.prepare();
    await using second = await FileStorage.open({ directory, files: [file('t/alias/y', 1)] });
    await expect(second.write(0, new Uint8Array(1))).rejects.toMatchObject({ code: 'unsafe-path' });
  });

  test('clients 62: nothing is made for a link that leads nowhere, unless it has content after all', async () => {
    const directory = await scratchDirectory();
    const skipped = { path: ['gone'], length: 0, isSkipped: true };
    const files = [file('a', 1), skipped, { ...skipped, path: ['kept'], length: 2 }];
    await using storage = await FileStorage.open({ directory, files });
    await storage.prepare();
    expect((await readdir(directory)).toSorted()).toEqual(['a', 'kept']);
    expect((await storage.presence()).lengths).toEqual([1, 0, 2]);
  });

  test('what is already in the place of a link stays', async () => {
    const directory = await scratchDirectory();
    await writeFile(path.join(directory, 'a'), 'mine');
    await using storage = await FileStorage.open({ directory, files: [file('b', 1), link('a', 'b')] });
    await storage.prepare();
    expect(await readFile(path.join(directory, 'a'), 'utf8')).toBe('mine');
  });

  test('an entry with content is a file, whatever target it names', async () => {
    const directory = await scratchDirectory();
    const files = [{ path: ['a'], length: 3, symlinkTarget: ['b'] }];
    await using storage = await FileStorage.open({ directory, files });
    await storage.write(0, randomBytes(3));
    await storage.prepare();
    expect(new Uint8Array(await readFile(path.join(directory, 'a')))).toEqual(randomBytes(3));
    await rm(path.join(directory, 'a'));
    expect((await storage.presence()).lengths).toEqual([undefined]);
  });
});

describe('a file system that fails', () => {
  test.each([
    ['ENOSPC', 'no-space'],
    ['EDQUOT', 'no-space'],
    ['EACCES', 'permission'],
    ['EPERM', 'permission'],
    ['EROFS', 'permission'],
    ['EIO', 'io'],
    ['EMFILE', 'io'],
    ['EFBIG', 'io'],
  ])('a write that fails with %s rejects as %s, with path, cause and advice', async (errno, code) => {
    const directory = await scratchDirectory();
    const cause = systemError(errno);
    const fileSystem = fileSystemWith({}, () => ({ write: () => Promise.reject(cause) }));
    await using storage = await FileStorage.open({ directory, files: [file('a', 10)], fileSystem });
    const at = path.join(directory, 'a');
    const failure = {
      name: 'StorageError',
      code,
      path: at,
      cause,
      message: expect.stringMatching(/^cannot write .*a: /),
    };
    await expect(storage.write(0, new Uint8Array(10))).rejects.toMatchObject(failure);
  });

  test.each(['open', 'mkdir', 'lstat'] as const)('a refused %s rejects as permission', async (call) => {
    const directory = await scratchDirectory();
    const fileSystem = fileSystemWith({ [call]: () => Promise.reject(systemError('EACCES')) });
    await using storage = await FileStorage.open({ directory, files: [file('t/a', 10)], fileSystem });
    const failure = { code: 'permission', path: path.join(directory, 't/a') };
    await expect(storage.write(0, new Uint8Array(10))).rejects.toMatchObject(failure);
  });

  test('after a full disk the same write succeeds once there is room', async () => {
    const directory = await scratchDirectory();
    let isFull = true;
    const fileSystem = fileSystemWith({}, (opened) => ({
      write: (bytes, position) => (isFull ? Promise.reject(systemError('ENOSPC')) : opened.write(bytes, position)),
    }));
    await using storage = await FileStorage.open({ directory, files: [file('a', 10)], fileSystem });
    await expect(storage.write(0, randomBytes(10))).rejects.toMatchObject({ code: 'no-space' });
    isFull = false;
    await storage.write(0, randomBytes(10));
    expect(new Uint8Array(await readFile(path.join(directory, 'a')))).toEqual(randomBytes(10));
  });

  test('short reads and writes are continued until all is done', async () => {
    const directory = await scratchDirectory();
    const fileSystem = fileSystemWith({}, (opened) => ({
      write: (bytes, position) => opened.write(bytes.subarray(0, 7), position),
      read: (targets, position) => opened.read([targets[0]!.subarray(0, 5)], position),
    }));
    await using storage = await FileStorage.open({ directory, files: [file('a', 100), file('b', 30)], fileSystem });
    await storage.write(0, randomBytes(130));
    const targets = [new Uint8Array(33), new Uint8Array(64), new Uint8Array(33)];
    await storage.read(0, targets);
    expect(new Uint8Array(Buffer.concat(targets))).toEqual(randomBytes(130));
  });

  test('a system that writes nothing and gives no reason is an error, not an endless loop', async () => {
    const directory = await scratchDirectory();
    const fileSystem = fileSystemWith({}, () => ({ write: () => Promise.resolve(0) }));
    await using storage = await FileStorage.open({ directory, files: [file('a', 10)], fileSystem });
    await expect(storage.write(0, new Uint8Array(10))).rejects.toMatchObject({ code: 'io' });
  });

  test('a failed write to one file settles only when the other files are at rest', async () => {
    const directory = await scratchDirectory();
    const slow = gate();
    let isDone = false;
    const fileSystem = fileSystemWith({}, (opened) => ({
      write: async (bytes, position) => {
        if (bytes.length === 1) throw systemError('ENOSPC');
        await slow.opened;
        isDone = true;
        return opened.write(bytes, position);
      },
    }));
    await using storage = await FileStorage.open({ directory, files: [file('a', 1), file('b', 9)], fileSystem });
    const outcome = storage.write(0, new Uint8Array(10)).then(
      () => 'written',
      () => isDone,
    );
    slow.open();
    expect(await outcome).toBe(true);
  });

  test('a failed operation holds up none that comes after it', async () => {
    const directory = await scratchDirectory();
    let calls = 0;
    const fileSystem = fileSystemWith({}, (opened) => ({
      write: (bytes, position) => (calls++ === 0 ? Promise.reject(systemError('EIO')) : opened.write(bytes, position)),
    }));
    await using storage = await FileStorage.open({ directory, files: [file('a', 10)], fileSystem });
    const first = storage.write(0, new Uint8Array(10));
    const second = storage.write(0, randomBytes(10));
    await expect(first).rejects.toMatchObject({ code: 'io' });
    await second;
    expect(new Uint8Array(await readFile(path.join(directory, 'a')))).toEqual(randomBytes(10));
  });

  test('flush reaches every file written, and tries again what it could not flush', async () => {
    const directory = await scratchDirectory();
    let isBroken = true;
    let synced = 0;
    const fileSystem = fileSystemWith({}, (opened) => ({
      sync: () => {
        if (isBroken) return Promise.reject(systemError('EIO'));
        synced += 1;
        return opened.sync();
      },
    }));
    await using storage = await FileStorage.open({
      directory,
      files: [file('a', 1), file('b', 1), file('c', 1)],
      fileSystem,
    });
    await storage.write(0, new Uint8Array(2));
    await expect(storage.flush()).rejects.toMatchObject({ code: 'io' });
    isBroken = false;
    await storage.flush();
    expect(synced).toBe(2);
    await storage.flush();
    expect(synced).toBe(2);
  });

  test('flush waits for the writes called before it', async () => {
    const directory = await scratchDirectory();
    const slow = gate();
    const calls: string[] = [];
    const fileSystem = fileSystemWith({}, (opened) => ({
      write: async (bytes, position) => {
        await slow.opened;
        calls.push('write');
        return opened.write(bytes, position);
      },
      sync: () => {
        calls.push('sync');
        return opened.sync();
      },
    }));
    await using storage = await FileStorage.open({ directory, files: [file('a', 1)], fileSystem });
    const write = storage.write(0, new Uint8Array(1));
    const flush = storage.flush();
    slow.open();
    await Promise.all([write, flush]);
    expect(calls).toEqual(['write', 'sync']);
  });

  test('what a system says only when a file is closed reaches the next flush', async () => {
    const directory = await scratchDirectory();
    let closes = 0;
    const fileSystem = fileSystemWith({}, (opened) => ({
      close: async () => {
        await opened.close();
        closes += 1;
        if (closes === 1) throw systemError('EDQUOT');
      },
    }));
    const openFiles = new OpenFiles({ limit: 1 });
    await using storage = await FileStorage.open({
      directory,
      files: [file('a', 1), file('b', 1)],
      fileSystem,
      openFiles,
    });
    await storage.write(0, new Uint8Array(2));
    await expect(storage.flush()).rejects.toMatchObject({ code: 'no-space' });
    await storage.flush();
  });

  test('and close rejects with it when nobody flushed', async () => {
    const directory = await scratchDirectory();
    const fileSystem = fileSystemWith({}, (opened) => ({
      close: async () => {
        await opened.close();
        throw systemError('EDQUOT');
      },
    }));
    const storage = await FileStorage.open({ directory, files: [file('a', 1)], fileSystem });
    await storage.write(0, new Uint8Array(1));
    await expect(storage.close()).rejects.toMatchObject({ code: 'no-space', path: path.join(directory, 'a') });
  });

  test('one write serves a whole piece, and one each its part in every file', async () => {
    const directory = await scratchDirectory();
    const writes: number[] = [];
    const fileSystem = fileSystemWith({}, (opened) => ({
      write: (bytes, position) => {
        writes.push(bytes.length);
        return opened.write(bytes, position);
      },
    }));
    const files = [file('a', 2 ** 21), file('b', 100), file('c', 200)];
    await using storage = await FileStorage.open({ directory, files, fileSystem });
    await storage.write(0, new Uint8Array(2 ** 20));
    await storage.write(2 ** 20, new Uint8Array(2 ** 20 + 300));
    expect(writes.toSorted((a, b) => a - b)).toEqual([100, 200, 2 ** 20, 2 ** 20]);
  });

  test('an abort stops a read that has not reached the disk yet', async () => {
    const directory = await scratchDirectory();
    const slow = gate();
    let reads = 0;
    const fileSystem = fileSystemWith({}, (opened) => ({
      read: async (targets, position) => {
        reads += 1;
        await slow.opened;
        return opened.read(targets, position);
      },
    }));
    await using storage = await FileStorage.open({ directory, files: [file('a', 10)], fileSystem, concurrency: 1 });
    await storage.write(0, randomBytes(10));
    const first = storage.read(0, [new Uint8Array(10)]);
    const abort = new AbortController();
    const second = storage.read(0, [new Uint8Array(10)], abort.signal);
    const reason = new Error('no longer wanted');
    abort.abort(reason);
    slow.open();
    await first;
    await expect(second).rejects.toBe(reason);
    expect(reads).toBe(1);
  });
});
