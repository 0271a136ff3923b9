import { mkdir, mkdtemp, readdir, rename, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { FileStorage, type FileStorageOptions, type StorageFile } from '../src/index.ts';
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
const files = [
  file('t/a', 10),
  file('t/deep/er/b', 10),
  file('t/c', 10),
  { path: ['t', 'link'], length: 0, symlinkTarget: ['t', 'deep', 'er', 'b'] },
];
const content = 'aaaaaaaaaabbbbbbbbbbcccccccccc';
const whole = {
  't/': '',
  't/a': 'aaaaaaaaaa',
  't/deep/': '',
  't/deep/er/': '',
  't/deep/er/b': 'bbbbbbbbbb',
  't/c': 'cccccccccc',
  't/link': '-> deep/er/b',
};

async function filled(directory: string, options: Partial<FileStorageOptions> = {}): Promise<FileStorage> {
  const storage = await FileStorage.open({ directory, files, ...options });
  onTestFinished(() => storage.close());
  await storage.prepare();
  await storage.write(0, bytesOf(content));
  return storage;
}

const otherDevice = '/dev/shm';

function hasOtherDevice(): boolean {
  const facts = statSync(otherDevice, { throwIfNoEntry: false });
  return facts !== undefined && facts.dev !== statSync(tmpdir()).dev;
}

describe('moving', () => {
  test('takes everything along, and leaves behind no folder that is empty then', async () => {
    const directory = await scratchDirectory();
    const target = path.join(await scratchDirectory(), 'new', 'place');
    const storage = await filled(directory, { wanted: [true, true, false, true] });
    await writeFile(path.join(directory, 'not ours'), 'stays');
    expect(await treeOf(directory)).toHaveProperty(['.t.parts']);
    const progress: [number, number][] = [];
    await storage.move(target, { onProgress: (done, total) => void progress.push([done, total]) });
    expect(await treeOf(directory)).toEqual({ 'not ours': 'stays' });
    expect(Object.keys(await treeOf(target)).toSorted()).toEqual(
      ['.t.parts', ...Object.keys(whole).filter((name) => name !== 't/c')].toSorted(),
    );
    expect(storage.directory).toBe(target);
    expect(storage.pathOf(0)).toBe(path.join(target, 't/a'));
    expect(progress.at(-1)?.[0]).toBe(progress.at(-1)?.[1]);
    expect(progress.length).toBe(4);
    expect(await textAt(storage, 0, 30)).toBe(content);
    await storage.setWanted([true, true, true, true]);
    expect(await treeOf(target)).toEqual(whole);
  });

  test('keeps folders in which something else is, below the torrent too', async () => {
    const directory = await scratchDirectory();
    const storage = await filled(directory);
    await writeFile(path.join(directory, 't/deep/note'), 'mine');
    await storage.move(await scratchDirectory());
    expect(await treeOf(directory)).toEqual({ 't/': '', 't/deep/': '', 't/deep/note': 'mine' });
  });

  test('into a folder of its own is a move like any other, and to where it is none at all', async () => {
    const directory = await scratchDirectory();
    const storage = await filled(directory);
    await storage.move(directory);
    expect(await treeOf(directory)).toEqual(whole);
    await storage.move(path.join(directory, 't'));
    expect(await treeOf(path.join(directory, 't'))).toEqual(whole);
    expect(await textAt(storage, 0, 30)).toBe(content);
  });

  test('moves what is there, and what comes later goes to the new place', async () => {
    const directory = await scratchDirectory();
    const target = await scratchDirectory();
    await using storage = await FileStorage.open({ directory: path.join(directory, 'never made'), files });
    await storage.move(target);
    expect(await treeOf(target)).toEqual({});
    await storage.write(0, bytesOf('a'));
    expect(Object.keys(await treeOf(target))).toEqual(['t/', 't/a']);
    await rm(path.join(target, 't'), { recursive: true });
    await storage.move(path.join(target, 'made', 'later'));
    await storage.write(0, bytesOf('a'));
    expect(Object.keys(await treeOf(path.join(target, 'made')))).toEqual(['later/', 'later/t/', 'later/t/a']);
  });

  test.each(['t/a', 't/c', 't/link', '.t.parts'])(
    'refuses when %s is there already, and changes nothing',
    async (name) => {
      const directory = await scratchDirectory();
      const target = await scratchDirectory();
      await mkdir(path.join(target, 't'));
      await writeFile(path.join(target, name), 'theirs');
      const storage = await filled(directory);
      const before = await treeOf(target);
      const refusal = { name: 'StorageError', code: 'exists', path: path.join(target, name) };
      await expect(storage.move(target)).rejects.toMatchObject(refusal);
      expect(await treeOf(directory)).toEqual(whole);
      expect(await treeOf(target)).toEqual(before);
      expect(storage.directory).toBe(directory);
      await rm(path.join(target, name));
      await storage.move(target);
      expect(await treeOf(target)).toEqual(whole);
    },
  );

  test('overwrites nothing that comes into its way meanwhile', async () => {
    const directory = await scratchDirectory();
    const target = await scratchDirectory();
    const storage = await filled(directory);
    const onProgress = (): void => writeFileSync(path.join(target, 't/c'), 'theirs');
    await expect(storage.move(target, { onProgress })).rejects.toMatchObject({ code: 'exists' });
    expect(await treeOf(directory)).toEqual(whole);
    expect(await treeOf(target)).toEqual({ 't/': '', 't/c': 'theirs' });
  });

  test('clients 62: takes nothing along from behind a link', async () => {
    const directory = await scratchDirectory();
    const elsewhere = await scratchDirectory();
    const storage = await filled(directory);
    await rename(path.join(directory, 't/deep'), path.join(elsewhere, 'deep'));
    await symlink(path.join(elsewhere, 'deep'), path.join(directory, 't/deep'));
    await expect(storage.move(await scratchDirectory())).rejects.toMatchObject({ code: 'unsafe-path' });
    expect(await treeOf(path.join(elsewhere, 'deep'))).toEqual({ 'er/': '', 'er/b': 'bbbbbbbbbb' });
  });

  test('clients 62: follows no link in place of a folder, neither there nor here', async () => {
    const directory = await scratchDirectory();
    const [target, elsewhere] = [await scratchDirectory(), await scratchDirectory()];
    const storage = await filled(directory);
    await symlink(elsewhere, path.join(target, 't'));
    await expect(storage.move(target)).rejects.toMatchObject({ code: 'unsafe-path' });
    expect(await treeOf(elsewhere)).toEqual({});
    expect(await treeOf(directory)).toEqual(whole);
    await rm(path.join(target, 't'));
    await rm(path.join(directory, 't/c'));
    await symlink(path.join(elsewhere, 'c'), path.join(directory, 't/c'));
    await expect(storage.move(target)).rejects.toMatchObject({ code: 'unsafe-path' });
    expect(await treeOf(target)).toEqual({});
  });

  test('waits for operations under way; those called later see the new place', async () => {
    const directory = await scratchDirectory();
    const target = await scratchDirectory();
    const slow = gate();
    let isSlow = false;
    const fileSystem = fileSystemWith({}, (opened) => ({
      write: async (bytes, position) => {
        if (isSlow) await slow.opened;
        return opened.write(bytes, position);
      },
    }));
    const storage = await filled(directory, { fileSystem });
    isSlow = true;
    const write = storage.write(0, bytesOf('A'));
    const moved = storage.move(target);
    const late = storage.write(1, bytesOf('A'));
    expect(await treeOf(directory)).toEqual(whole);
    slow.open();
    await Promise.all([write, moved, late]);
    expect(await treeOf(target)).toEqual({ ...whole, 't/a': 'AAaaaaaaaa' });
  });

  test('what was written before is flushed from the new place', async () => {
    const target = await scratchDirectory();
    const { fileSystem, faults } = faultyFileSystem();
    const storage = await filled(await scratchDirectory(), { fileSystem });
    await storage.move(target);
    faults.calls.length = 0;
    await storage.flush();
    expect(faults.calls.filter((call) => call.startsWith('sync')).toSorted()).toEqual(['sync a', 'sync b', 'sync c']);
  });

  test.skipIf(!hasOtherDevice())(
    'to another device copies, with holes and modes, and removes the originals',
    async () => {
      const directory = await scratchDirectory();
      const target = await mkdtemp(path.join(otherDevice, 'shoal-storage-'));
      onTestFinished(() => rm(target, { recursive: true }));
      const large = [...files, { ...file('t/large', 2 ** 26), attributes: 'x' }];
      await using storage = await FileStorage.open({ directory, files: large });
      await storage.prepare();
      await storage.write(0, bytesOf(content));
      await storage.write(30 + 2 ** 25, bytesOf('far'));
      const progress: number[] = [];
      await storage.move(target, { onProgress: (done) => void progress.push(done) });
      expect(await treeOf(directory)).toEqual({});
      const facts = await stat(path.join(target, 't/large'));
      expect([facts.size, facts.mode & 0o100]).toEqual([2 ** 26, 0o100]);
      expect(facts.blocks * 512).toBeLessThan(2 ** 22);
      expect(progress).toEqual(progress.toSorted((a, b) => a - b));
      expect(progress.length).toBeGreaterThan(60);
      expect(await textAt(storage, 0, 30)).toBe(content);
      expect(await textAt(storage, 30 + 2 ** 25, 4)).toBe('far\0');
      const { 't/large': _, ...rest } = await treeOf(target);
      expect(rest).toEqual(whole);
    },
  );

  test('of preallocated files to another device leaves no holes', async () => {
    const { fileSystem, faults } = faultyFileSystem();
    faults.errnoOf = (call) => (call === 'rename' ? 'EXDEV' : undefined);
    const target = await scratchDirectory();
    const zeros = [file('a', 300_000)];
    await using storage = await FileStorage.open({
      directory: await scratchDirectory(),
      files: zeros,
      fileSystem,
      preallocation: 'full',
    });
    await storage.prepare();
    await storage.move(target);
    expect((await stat(path.join(target, 'a'))).blocks * 512).toBeGreaterThanOrEqual(300_000);
  });
});

/** What can fail in a move to another device, and in one on the same. */
const failures: readonly (readonly [string, boolean, FileCall, string, string, string])[] = [
  ['a full disk', true, 'write', 'c', 'ENOSPC', 'no-space'],
  ['a full disk that shows late', true, 'sync', 'b', 'ENOSPC', 'no-space'],
  ['a full disk that shows at the end', true, 'close', 'b', 'EDQUOT', 'no-space'],
  ['a folder that takes nothing', true, 'open', 'b', 'EROFS', 'permission'],
  ['a folder that cannot be made', true, 'mkdir', 'er', 'EACCES', 'permission'],
  ['an original that cannot be read', true, 'read', 'c', 'EIO', 'io'],
  ['an original that cannot be removed', true, 'unlink', 'a', 'EACCES', 'permission'],
  ['a link that cannot be made', true, 'symlink', 'link', 'EPERM', 'permission'],
  ['a refused rename', false, 'rename', 'c', 'EACCES', 'permission'],
  ['a folder that cannot be made', false, 'mkdir', 't', 'EROFS', 'permission'],
];

describe('a move that fails', () => {
  test.each(failures)(
    'because of %s (copies: %s) leaves all where it was',
    async (_, copies, call, name, errno, code) => {
      const directory = await scratchDirectory();
      const target = await scratchDirectory();
      const { fileSystem, faults } = faultyFileSystem();
      const storage = await filled(directory, { fileSystem });
      const across = (one: FileCall): string | undefined => (copies && one === 'rename' ? 'EXDEV' : undefined);
      faults.errnoOf = (one, at) => {
        const isIt = one === call && path.basename(at) === name;
        const isThere =
          one === 'read' || one === 'unlink' || one === 'rename' ? at.startsWith(directory) : at.startsWith(target);
        return isIt && isThere ? errno : across(one);
      };
      const failure = { name: 'StorageError', code, path: expect.stringContaining(path.sep), cause: { code: errno } };
      await expect(storage.move(target)).rejects.toMatchObject(failure);
      faults.errnoOf = across;
      expect(await treeOf(directory)).toEqual(whole);
      expect(await treeOf(target)).toEqual({});
      expect(storage.directory).toBe(directory);
      expect(await textAt(storage, 0, 30)).toBe(content);
      await storage.write(0, bytesOf('A'));
      await storage.flush();
      await storage.move(target);
      expect(await treeOf(directory)).toEqual({});
      expect(await treeOf(target)).toEqual({ ...whole, 't/a': 'Aaaaaaaaaa' });
    },
  );

  test.each([true, false])('because it is aborted (copies: %s) leaves all where it was', async (copies) => {
    const directory = await scratchDirectory();
    const target = await scratchDirectory();
    const { fileSystem, faults } = faultyFileSystem();
    const storage = await filled(directory, { fileSystem });
    faults.errnoOf = (call) => (copies && call === 'rename' ? 'EXDEV' : undefined);
    const abort = new AbortController();
    const reason = new Error('enough');
    const onProgress = (done: number): void => {
      if (done > 10) abort.abort(reason);
    };
    await expect(storage.move(target, { onProgress, signal: abort.signal })).rejects.toBe(reason);
    expect(await treeOf(directory)).toEqual(whole);
    expect(await treeOf(target)).toEqual({});
    expect(await textAt(storage, 0, 30)).toBe(content);
  });

  test('leaves no directory behind that it made itself', async () => {
    const outer = await scratchDirectory();
    const { fileSystem, faults } = faultyFileSystem();
    const storage = await filled(await scratchDirectory(), { fileSystem });
    faults.errnoOf = (call) => (call === 'rename' ? 'EACCES' : undefined);
    await expect(storage.move(path.join(outer, 'new'))).rejects.toMatchObject({ code: 'permission' });
    expect(await treeOf(outer)).toEqual({});
  });

  test('because it is aborted stops within a long file', async () => {
    const { fileSystem, faults } = faultyFileSystem();
    faults.errnoOf = (call) => (call === 'rename' ? 'EXDEV' : undefined);
    const directory = await scratchDirectory();
    await using storage = await FileStorage.open({ directory, files: [file('a', 8_000_000)], fileSystem });
    await storage.prepare();
    const abort = new AbortController();
    const steps: number[] = [];
    const onProgress = (done: number): void => {
      steps.push(done);
      abort.abort();
    };
    await expect(storage.move(await scratchDirectory(), { onProgress, signal: abort.signal })).rejects.toThrow(/abort/);
    expect(steps.length).toBe(1);
    expect(await readdir(directory)).toEqual(['a']);
  });

  test('and cannot be undone says what is where', async () => {
    const directory = await scratchDirectory();
    const target = await scratchDirectory();
    const { fileSystem, faults } = faultyFileSystem();
    const storage = await filled(directory, { fileSystem });
    faults.errnoOf = (call, at) =>
      call === 'rename' && (at.startsWith(target) || path.basename(at) === 'c') ? 'EACCES' : undefined;
    const moved = storage.move(target);
    await expect(moved).rejects.toMatchObject({ code: 'io', cause: { code: 'permission' } });
    await expect(moved).rejects.toThrow(/could not be put back.*deep/);
  });

  test('only to remove originals has moved everything, and says what stayed', async () => {
    const directory = await scratchDirectory();
    const target = await scratchDirectory();
    const { fileSystem, faults } = faultyFileSystem();
    const storage = await filled(directory, { fileSystem });
    faults.errnoOf = (call, at) => {
      if (call === 'rename') return 'EXDEV';
      return call === 'unlink' && path.basename(at) === 'c' ? 'EACCES' : undefined;
    };
    const failure = { code: 'permission', path: path.join(directory, 't/c') };
    await expect(storage.move(target)).rejects.toMatchObject(failure);
    expect(await treeOf(directory)).toEqual({ 't/': '', 't/c': 'cccccccccc' });
    expect(await treeOf(target)).toEqual(whole);
    expect(storage.directory).toBe(target);
    expect(await textAt(storage, 0, 30)).toBe(content);
  });
});

describe('renaming', () => {
  test('moves one file, makes its folders and removes empty ones', async () => {
    const directory = await scratchDirectory();
    const storage = await filled(directory);
    await storage.rename(1, ['t', 'new', 'B']);
    const { 't/deep/': _, 't/deep/er/': __, 't/deep/er/b': ___, ...rest } = whole;
    expect(await treeOf(directory)).toEqual({ ...rest, 't/new/': '', 't/new/B': 'bbbbbbbbbb' });
    expect(storage.pathOf(1)).toBe(path.join(directory, 't/new/B'));
    expect(await textAt(storage, 0, 30)).toBe(content);
    await storage.rename(1, ['t', 'new', 'B']);
  });

  test('is given back to the next run', async () => {
    const directory = await scratchDirectory();
    const first = await filled(directory);
    await first.rename(0, ['other']);
    await first.close();
    await using storage = await FileStorage.open({ directory, files, paths: new Map([[0, ['other']]]) });
    expect(await textAt(storage, 0, 30)).toBe(content);
    const paths = new Map([[0, ['..', 'other']]]);
    await expect(FileStorage.open({ directory, files, paths })).rejects.toMatchObject({ code: 'unsafe-path' });
  });

  test('a link makes it anew, so that it leads where it led', async () => {
    const directory = await scratchDirectory();
    const storage = await filled(directory);
    await storage.rename(3, ['t', 'deep', 'link']);
    const { 't/link': _, ...rest } = whole;
    expect(await treeOf(directory)).toEqual({ ...rest, 't/deep/link': `-> ${path.join('er', 'b')}` });
  });

  test('refuses a path that is taken, in the torrent or on disk', async () => {
    const directory = await scratchDirectory();
    const storage = await filled(directory);
    await rm(path.join(directory, 't/c'));
    await writeFile(path.join(directory, 't/theirs'), 'theirs');
    for (const taken of ['t/c', 't/theirs', '.t.parts']) {
      const refusal = { name: 'StorageError', code: 'exists', path: path.join(directory, taken) };
      await expect(storage.rename(0, taken.split('/'))).rejects.toMatchObject(refusal);
    }
    const { 't/c': _, ...rest } = whole;
    expect(await treeOf(directory)).toEqual({ ...rest, 't/theirs': 'theirs' });
    for (const mixed of [
      ['t', 'c', 'below'],
      ['t', 'deep'],
    ]) {
      await expect(storage.rename(0, mixed)).rejects.toMatchObject({ code: 'unsafe-path' });
    }
    expect(await textAt(storage, 0, 10)).toBe('aaaaaaaaaa');
  });

  test.each([
    ['rename', 'a', 'EACCES', 'permission'],
    ['mkdir', 'new', 'ENOSPC', 'no-space'],
    ['lstat', 'x', 'EIO', 'io'],
  ])('that fails in %s of %s leaves the file where it was', async (call, name, errno, code) => {
    const directory = await scratchDirectory();
    const { fileSystem, faults } = faultyFileSystem();
    const storage = await filled(directory, { fileSystem });
    faults.errnoOf = (one, at) => (one === call && path.basename(at) === name ? errno : undefined);
    await expect(storage.rename(0, ['new', 'x'])).rejects.toMatchObject({ code, cause: { code: errno } });
    expect(await treeOf(directory)).toEqual(whole);
    faults.errnoOf = () => undefined;
    await storage.rename(0, ['new', 'x']);
    expect(await textAt(storage, 0, 10)).toBe('aaaaaaaaaa');
  });
});

test('an error of close before a move reaches the next flush', async () => {
  const { fileSystem, faults } = faultyFileSystem();
  const storage = await filled(await scratchDirectory(), { fileSystem });
  faults.errnoOf = (call, at) => (call === 'close' && path.basename(at) === 'a' ? 'EDQUOT' : undefined);
  await storage.move(await scratchDirectory());
  faults.errnoOf = () => undefined;
  await expect(storage.flush()).rejects.toMatchObject({ code: 'no-space', cause: systemError('EDQUOT') });
  await storage.flush();
});
