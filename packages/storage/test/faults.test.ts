import { chmod, mkdir, rename, rm, stat, symlink, truncate, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { FileStorage, OpenFiles, OperationQueue, type Storage, type StorageFile } from '../src/index.ts';
import {
  bytesOf,
  type FileCall,
  faultyFileSystem,
  fileSystemWith,
  gate,
  scratchDirectory,
  systemError,
  textAt,
  treeOf,
} from './scratch.ts';

const file = (name: string, length: number): StorageFile => ({ path: name.split('/'), length });
const files = [file('t/a', 10), file('t/b', 10)];

type Operation = (storage: Storage) => Promise<unknown>;
const operations: Readonly<Record<string, Operation>> = {
  write: (storage) => storage.write(0, bytesOf('aaaaaaaaaabbbbbbbbbb')),
  read: (storage) => textAt(storage, 0, 20),
  flush: (storage) => storage.flush(),
  presence: (storage) => storage.presence(),
  prepare: (storage) => storage.prepare(),
  stamps: (storage) => storage.stamps(),
  want: (storage) => storage.setWanted([true, true]),
};

/** What is asked, which call fails with what, whether all of it was written before, and what that is reported as. */
const faultTable: readonly (readonly [keyof typeof operations, FileCall, string, 'new' | 'written', string])[] = [
  ['write', 'write', 'ENOSPC', 'new', 'no-space'],
  ['write', 'write', 'EDQUOT', 'written', 'no-space'],
  ['write', 'write', 'EIO', 'written', 'io'],
  ['write', 'write', 'ESTALE', 'written', 'io'],
  ['write', 'truncate', 'ENOSPC', 'new', 'no-space'],
  ['write', 'truncate', 'EFBIG', 'new', 'io'],
  ['write', 'open', 'EACCES', 'new', 'permission'],
  ['write', 'open', 'EROFS', 'new', 'permission'],
  ['write', 'open', 'EMFILE', 'new', 'io'],
  ['write', 'mkdir', 'EACCES', 'new', 'permission'],
  ['write', 'mkdir', 'ENOSPC', 'new', 'no-space'],
  ['write', 'facts', 'EIO', 'new', 'io'],
  ['read', 'read', 'EIO', 'written', 'io'],
  ['read', 'read', 'ESTALE', 'written', 'io'],
  ['flush', 'sync', 'EIO', 'written', 'io'],
  ['flush', 'sync', 'ENOSPC', 'written', 'no-space'],
  ['flush', 'lstat', 'EACCES', 'written', 'permission'],
  ['presence', 'lstat', 'EACCES', 'written', 'permission'],
  ['stamps', 'lstat', 'EIO', 'written', 'io'],
  ['prepare', 'open', 'EROFS', 'new', 'permission'],
  ['prepare', 'truncate', 'ENOSPC', 'new', 'no-space'],
];

describe('every fault has its code, path and advice, and is over when its cause is gone', () => {
  test.each(faultTable)('%s, when %s fails with %s, %s', async (name, call, errno, before, code) => {
    const directory = await scratchDirectory();
    const { fileSystem, faults } = faultyFileSystem();
    await using storage = await FileStorage.open({ directory, files, fileSystem });
    if (before === 'written') await storage.write(0, bytesOf('aaaaaaaaaabbbbbbbbbb'));
    faults.errnoOf = (one) => (one === call ? errno : undefined);
    const failure = { name: 'StorageError', code, path: expect.stringContaining(directory), cause: { code: errno } };
    for (let turn = 0; turn < 2; turn += 1) {
      const outcome = operations[name]!(storage);
      await expect(outcome).rejects.toMatchObject(failure);
      await expect(outcome).rejects.toThrow(/^cannot .*: .*[a-z]{4}.*\(.*as the test wants it\)$/);
    }
    faults.errnoOf = () => undefined;
    await operations[name]!(storage);
    await storage.write(0, bytesOf('aaaaaaaaaabbbbbbbbbb'));
    await storage.flush();
    expect(await textAt(storage, 0, 20)).toBe('aaaaaaaaaabbbbbbbbbb');
  });

  test.each(['write', 'open', 'mkdir'] as const)('a full disk for the parts of unwanted files, in %s', async (call) => {
    const directory = await scratchDirectory();
    const { fileSystem, faults } = faultyFileSystem();
    const options = { directory: path.join(directory, 'new'), files, fileSystem, wanted: [false, false] };
    await using storage = await FileStorage.open(options);
    faults.errnoOf = (one) => (one === call ? 'ENOSPC' : undefined);
    const failure = { code: 'no-space', path: path.join(directory, 'new', '.t.parts') };
    for (let turn = 0; turn < 2; turn += 1) {
      await expect(storage.write(5, bytesOf('aaaaabbbbb'))).rejects.toMatchObject(failure);
      expect((await storage.presence()).mayHold(5, 10)).toBe(false);
    }
    faults.errnoOf = () => undefined;
    await storage.write(5, bytesOf('aaaaabbbbb'));
    expect(await textAt(storage, 5, 10)).toBe('aaaaabbbbb');
  });

  test.each([
    ['write', 'ENOSPC', 'no-space'],
    ['open', 'EACCES', 'permission'],
    ['sync', 'EIO', 'io'],
  ] as const)('wanting files when %s fails with %s leaves everything as it was', async (call, errno, code) => {
    const directory = await scratchDirectory();
    const { fileSystem, faults } = faultyFileSystem();
    await using storage = await FileStorage.open({ directory, files, fileSystem, wanted: [false, false] });
    await storage.write(5, bytesOf('aaaaabbbbb'));
    const before = await treeOf(directory);
    faults.errnoOf = (one, at) => (one === call && path.basename(at) === 'b' ? errno : undefined);
    const failure = { code, path: path.join(directory, 't/b') };
    await expect(storage.setWanted([false, true])).rejects.toMatchObject(failure);
    faults.errnoOf = () => undefined;
    expect({ ...(await treeOf(directory)), 't/': '' }).toEqual({ ...before, 't/': '' });
    expect(await textAt(storage, 5, 10)).toBe('aaaaabbbbb');
    await storage.setWanted([true, true]);
    expect(await treeOf(directory)).toEqual({ 't/': '', 't/a': '\0\0\0\0\0aaaaa', 't/b': 'bbbbb\0\0\0\0\0' });
  });

  test('one file that cannot be prepared keeps no other from it', async () => {
    const directory = await scratchDirectory();
    const { fileSystem, faults } = faultyFileSystem();
    const many = Array.from({ length: 40 }, (_, index) => file(`t/${index}`, 10));
    await using storage = await FileStorage.open({ directory, files: many, fileSystem });
    faults.errnoOf = (call, at) => (call === 'open' && Number(path.basename(at)) < 20 ? 'EACCES' : undefined);
    await expect(storage.prepare()).rejects.toMatchObject({ code: 'permission' });
    expect(Object.keys(await treeOf(directory)).length).toBe(21);
  });

  test('a handle that failed is not used again', async () => {
    const directory = await scratchDirectory();
    let opens = 0;
    let isStale = false;
    const real = fileSystemWith({});
    const fileSystem = fileSystemWith(
      {
        open: (...call) => {
          opens += 1;
          isStale = false;
          return real.open(...call);
        },
      },
      (opened) => ({
        read: (targets, position) => (isStale ? Promise.reject(systemError('ESTALE')) : opened.read(targets, position)),
      }),
    );
    await using storage = await FileStorage.open({ directory, files, fileSystem });
    await storage.write(0, bytesOf('aaaa'));
    isStale = true;
    await expect(textAt(storage, 0, 4)).rejects.toMatchObject({ code: 'io' });
    expect(await textAt(storage, 0, 4)).toBe('aaaa');
    expect(opens).toBe(2);
  });

  test('a close that fails costs neither a place among the open files nor the file', async () => {
    const { fileSystem, faults } = faultyFileSystem();
    const openFiles = new OpenFiles({ limit: 1 });
    const storage = await FileStorage.open({ directory: await scratchDirectory(), files, fileSystem, openFiles });
    faults.errnoOf = (call) => (call === 'close' ? 'EIO' : undefined);
    for (let turn = 0; turn < 5; turn += 1) {
      await storage.write(0, bytesOf('aaaaaaaaaabbbbbbbbbb'));
      expect(await textAt(storage, 5, 10)).toBe('aaaaabbbbb');
    }
    await expect(storage.flush()).rejects.toMatchObject({ code: 'io' });
    faults.errnoOf = () => undefined;
    await expect(storage.close()).rejects.toMatchObject({ code: 'io' });
    expect(openFiles.size).toBe(0);
  });
});

describe('what others do to files that are open', () => {
  const lost: readonly (readonly [string, string, (directory: string) => Promise<void>])[] = [
    ['removed', 'not-found', (directory) => rm(path.join(directory, 't/a'))],
    ['removed with its folder', 'not-found', (directory) => rm(path.join(directory, 't'), { recursive: true })],
    [
      'replaced by another file',
      'not-found',
      async (directory) => {
        await writeFile(path.join(directory, 'new'), 'AAAAAAAAAA');
        await rename(path.join(directory, 'new'), path.join(directory, 't/a'));
      },
    ],
    ['cut', 'short', (directory) => truncate(path.join(directory, 't/a'), 3)],
    [
      'replaced by a link',
      'unsafe-path',
      async (directory) => {
        await rename(path.join(directory, 't/a'), path.join(directory, 'moved'));
        await symlink('../moved', path.join(directory, 't/a'));
      },
    ],
    [
      'replaced by a folder',
      'unsafe-path',
      async (directory) => {
        await rm(path.join(directory, 't/a'));
        await mkdir(path.join(directory, 't/a'));
      },
    ],
  ];

  test.each(lost)('a file that was %s is noticed by flush as %s, once', async (what, code, spoil) => {
    const directory = await scratchDirectory();
    await using storage = await FileStorage.open({ directory, files });
    await storage.write(0, bytesOf('aaaaaaaaaabbbbbbbbbb'));
    await spoil(directory);
    const failure = { name: 'StorageError', code, path: path.join(directory, 't/a') };
    await expect(storage.flush()).rejects.toMatchObject(failure);
    const other = { ...failure, path: path.join(directory, 't/b') };
    if (what === 'removed with its folder') await expect(storage.flush()).rejects.toMatchObject(other);
    await storage.flush();
  });

  test.each(lost)('a file that was %s is used no more after stamps', async (_, code, spoil) => {
    const directory = await scratchDirectory();
    await using storage = await FileStorage.open({ directory, files });
    await storage.write(0, bytesOf('aaaaaaaaaabbbbbbbbbb'));
    const [before] = await storage.stamps();
    await spoil(directory);
    const [after] = await storage.stamps();
    expect(after).not.toEqual(before);
    const seen = await textAt(storage, 0, 10).catch((error: unknown) => error);
    const isReplaced = after !== undefined && after.inode !== before!.inode;
    if (isReplaced) expect(seen).toBe('AAAAAAAAAA');
    else expect(seen).toMatchObject({ code, path: path.join(directory, 't/a') });
    await rm(path.join(directory, 't/a'), { recursive: true, force: true });
    await storage.stamps();
    await storage.write(0, bytesOf('aaaaaaaaaabbbbbbbbbb'));
    await storage.flush();
    expect((await stat(path.join(directory, 't/a'))).size).toBe(10);
  });

  test('a directory that is gone is never made again: its disk may come back', async () => {
    const directory = path.join(await scratchDirectory(), 'disk');
    const elsewhere = path.join(directory, '..', 'unplugged');
    await using storage = await FileStorage.open({ directory, files });
    await storage.write(0, bytesOf('aaaaaaaaaabbbbbbbbbb'));
    await rename(directory, elsewhere);
    expect(await storage.stamps()).toEqual([undefined, undefined]);
    for (let turn = 0; turn < 3; turn += 1) {
      await expect(storage.write(0, bytesOf('AA'))).rejects.toMatchObject({ code: 'not-found' });
      await expect(storage.prepare()).rejects.toMatchObject({ code: 'not-found' });
    }
    await expect(stat(directory)).rejects.toMatchObject({ code: 'ENOENT' });
    await rename(elsewhere, directory);
    await storage.write(0, bytesOf('AA'));
    expect(await textAt(storage, 0, 20)).toBe('AAaaaaaaaabbbbbbbbbb');
  });

  test('a file that was cut after it was opened again only to be read is noticed by flush', async () => {
    const directory = await scratchDirectory();
    await using storage = await FileStorage.open({ directory, files, openFiles: new OpenFiles({ limit: 1 }) });
    await storage.write(0, bytesOf('aaaaaaaaaabbbbbbbbbb'));
    expect(await textAt(storage, 10, 10)).toBe('bbbbbbbbbb');
    expect(await textAt(storage, 0, 10)).toBe('aaaaaaaaaa');
    await truncate(path.join(directory, 't/a'), 3);
    await expect(storage.flush()).rejects.toMatchObject({ code: 'short', path: path.join(directory, 't/a') });
  });

  test('a file that was removed after it was closed for another is not made anew by flush', async () => {
    const directory = await scratchDirectory();
    const openFiles = new OpenFiles({ limit: 1 });
    await using storage = await FileStorage.open({ directory, files, openFiles });
    await storage.write(0, bytesOf('aaaaaaaaaabbbbbbbbbb'));
    await rm(path.join(directory, 't/a'));
    await expect(storage.flush()).rejects.toMatchObject({ code: 'not-found' });
    expect(Object.keys(await treeOf(directory))).toEqual(['t/', 't/b']);
  });

  test.skipIf(process.platform === 'win32' || process.getuid?.() === 0)(
    'a file that became unreadable is noticed when it is opened again',
    async () => {
      const directory = await scratchDirectory();
      const first = await FileStorage.open({ directory, files });
      await first.write(0, bytesOf('aaaaaaaaaa'));
      await first.close();
      await chmod(path.join(directory, 't/a'), 0);
      await using storage = await FileStorage.open({ directory, files });
      await expect(textAt(storage, 0, 10)).rejects.toMatchObject({ code: 'permission' });
      await chmod(path.join(directory, 't/a'), 0o600);
      expect(await textAt(storage, 0, 10)).toBe('aaaaaaaaaa');
    },
  );
});

describe('a disk that does not answer', () => {
  test('holds up neither other files of the torrent nor other torrents, and keeps the order', async () => {
    const queue = new OperationQueue({ concurrency: 4 });
    const slow = gate();
    const fileSystem = fileSystemWith({}, (opened) => ({
      write: async (bytes, position) => {
        if (bytes[0] === 'a'.charCodeAt(0)) await slow.opened;
        return opened.write(bytes, position);
      },
    }));
    const options = { files, fileSystem, queue };
    await using mine = await FileStorage.open({ ...options, directory: await scratchDirectory() });
    await using theirs = await FileStorage.open({ ...options, directory: await scratchDirectory() });
    await Promise.all([mine.prepare(), theirs.prepare()]);
    const order: string[] = [];
    const stuck = mine.write(0, bytesOf('aaaa')).then(() => void order.push('stuck'));
    const behind = mine.write(2, bytesOf('AAAA')).then(() => void order.push('behind'));
    const reading = textAt(mine, 0, 8).then((text) => void order.push(text));
    await mine.write(10, bytesOf('bbbb'));
    for (let turn = 0; turn < 20; turn += 1) {
      await theirs.write(0, bytesOf('xxxx'));
      expect(await textAt(theirs, 0, 4)).toBe('xxxx');
    }
    expect(await textAt(mine, 10, 4)).toBe('bbbb');
    expect(order).toEqual([]);
    slow.open();
    await Promise.all([stuck, behind, reading]);
    expect(order).toEqual(['stuck', 'behind', 'aaAAAA\0\0']);
  });

  test('takes turns with other torrents even when one fills the queue', async () => {
    const queue = new OperationQueue({ concurrency: 2 });
    const slow = gate();
    const order: string[] = [];
    const fileSystem = fileSystemWith({}, (opened) => ({
      write: async (bytes, position) => {
        await slow.opened;
        return opened.write(bytes, position);
      },
    }));
    const many = Array.from({ length: 50 }, (_, index) => file(`t/${index}`, 10));
    const busyOptions = { files: many, fileSystem, queue, directory: await scratchDirectory() };
    await using busy = await FileStorage.open(busyOptions);
    await using modest = await FileStorage.open({ files, queue, directory: await scratchDirectory() });
    const writes = many.map((_, index) =>
      busy.write(index * 10, bytesOf('aaaaaaaaaa')).then(() => void order.push('busy')),
    );
    const write = modest.write(0, bytesOf('b')).then(() => void order.push('modest'));
    slow.open();
    await Promise.all([...writes, write]);
    expect(order.indexOf('modest')).toBeLessThan(8);
  });

  test('lets what waits for it wait in setWanted, move and close, then goes on', async () => {
    const slow = gate();
    let isSlow = true;
    const fileSystem = fileSystemWith({}, (opened) => ({
      write: async (bytes, position) => {
        if (isSlow) await slow.opened;
        return opened.write(bytes, position);
      },
    }));
    const target = await scratchDirectory();
    const storage = await FileStorage.open({ directory: await scratchDirectory(), files, fileSystem });
    const order: string[] = [];
    const calls = [
      storage.write(0, bytesOf('aaaa')).then(() => void order.push('write')),
      storage.setWanted([true, false]).then(() => void order.push('want')),
      storage.move(target).then(() => void order.push('move')),
      textAt(storage, 0, 4).then((text) => void order.push(text)),
      storage.close().then(() => void order.push('close')),
    ];
    isSlow = false;
    slow.open();
    await Promise.all(calls);
    expect(order).toEqual(['write', 'want', 'move', 'aaaa', 'close']);
  });
});
