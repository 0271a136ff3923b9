import { readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { FileStorage, type FileStorageOptions, OpenFiles, type StorageFile } from '../src/index.ts';
import { bytesOf, faultyFileSystem, scratchDirectory, textAt, treeOf } from './scratch.ts';

const file = (name: string, length: number): StorageFile => ({ path: name.split('/'), length });
/** Pieces of 8 bytes reach from one file into the next. */
const files = [file('t/a', 10), file('t/b', 10), file('t/c', 10)];
const content = 'aaaaaaaaaabbbbbbbbbbcccccccccc';

const open = (directory: string, options: Partial<FileStorageOptions> = {}): Promise<FileStorage> =>
  FileStorage.open({ directory, files, wanted: [true, false, true], ...options });

describe('files that are not wanted', () => {
  test('are never made; what is written to them is in a hidden file and read back from there', async () => {
    const directory = await scratchDirectory();
    await using storage = await open(directory);
    await storage.write(8, bytesOf(content.slice(8, 16)));
    await storage.prepare();
    await storage.prepare([1]);
    expect(Object.keys(await treeOf(directory)).toSorted()).toEqual(['.t.parts', 't/', 't/a', 't/c']);
    expect(await textAt(storage, 8, 8)).toBe(content.slice(8, 16));
    expect((await storage.presence()).lengths).toEqual([10, undefined, 10]);
  });

  test('are known after a restart, byte by byte', async () => {
    const directory = await scratchDirectory();
    const first = await open(directory);
    await first.write(8, bytesOf(content.slice(8, 16)));
    await first.write(18, bytesOf(content.slice(18, 22)));
    await first.close();
    await using storage = await open(directory);
    const presence = await storage.presence();
    for (const [offset, length, isHeld] of [
      [10, 6, true],
      [10, 7, false],
      [16, 2, false],
      [18, 2, true],
      [18, 3, true],
      [17, 2, false],
    ] as const) {
      expect(presence.mayHold(offset, length)).toBe(isHeld);
    }
    expect(await textAt(storage, 8, 8)).toBe(content.slice(8, 16));
    await expect(storage.read(14, [new Uint8Array(5)])).rejects.toMatchObject({ code: 'not-found' });
  });

  test('get their bytes when they become wanted, and the hidden file goes when nobody needs it', async () => {
    const directory = await scratchDirectory();
    await using storage = await open(directory, { wanted: [false, false, true] });
    await storage.write(6, bytesOf(content.slice(6, 16)));
    await storage.setWanted([false, true, true]);
    expect(await treeOf(directory)).toMatchObject({ 't/b': 'bbbbbb\0\0\0\0' });
    expect(Object.keys(await treeOf(directory)).toSorted()).toEqual(['.t.parts', 't/', 't/b']);
    await storage.setWanted([true, true, true]);
    expect(await treeOf(directory)).toEqual({ 't/': '', 't/a': '\0\0\0\0\0\0aaaa', 't/b': 'bbbbbb\0\0\0\0' });
    await storage.flush();
    expect(await textAt(storage, 6, 10)).toBe(content.slice(6, 16));
  });

  test('stay when they exist already, and are used where they are', async () => {
    const directory = await scratchDirectory();
    await using storage = await open(directory, { wanted: [true, true, true] });
    await storage.write(0, bytesOf(content));
    await storage.setWanted([false, false, false]);
    await storage.write(12, bytesOf('BB'));
    expect(await treeOf(directory)).toEqual({
      't/': '',
      't/a': 'aaaaaaaaaa',
      't/b': 'bbBBbbbbbb',
      't/c': 'cccccccccc',
    });
  });

  test('that are removed while nobody wants them are not made again', async () => {
    const directory = await scratchDirectory();
    await using storage = await open(directory, { wanted: [true, true, true] });
    await storage.write(0, bytesOf(content));
    await storage.setWanted([true, false, true]);
    expect(await textAt(storage, 10, 10)).toBe('bbbbbbbbbb');
    await rm(path.join(directory, 't/b'));
    expect((await storage.stamps())[1]).toBeUndefined();
    await expect(storage.read(10, [new Uint8Array(10)])).rejects.toMatchObject({ code: 'not-found' });
    await storage.write(18, bytesOf('bbcc'));
    expect(Object.keys(await treeOf(directory)).toSorted()).toEqual(['.t.parts', 't/', 't/a', 't/c']);
  });

  test('that are removed unnoticed fail once, and are not made again either', async () => {
    const directory = await scratchDirectory();
    const first = await open(directory, { wanted: [true, true, true] });
    await first.write(0, bytesOf(content));
    await first.close();
    await using storage = await open(directory, { openFiles: new OpenFiles({ limit: 1 }) });
    expect(await textAt(storage, 10, 10)).toBe('bbbbbbbbbb');
    expect(await textAt(storage, 0, 10)).toBe('aaaaaaaaaa');
    await rm(path.join(directory, 't/b'));
    await expect(storage.write(12, bytesOf('BB'))).rejects.toMatchObject({ code: 'not-found' });
    await storage.write(12, bytesOf('BB'));
    expect(await textAt(storage, 12, 2)).toBe('BB');
    expect(Object.keys(await treeOf(directory)).toSorted()).toEqual(['.t.parts', 't/', 't/a', 't/c']);
  });

  test('have the stamp of what holds their bytes, and the length of what is there', async () => {
    const directory = await scratchDirectory();
    await using storage = await open(directory);
    expect(await storage.stamps()).toEqual([undefined, undefined, undefined]);
    await storage.write(8, bytesOf(content.slice(8, 16)));
    const { ino, mtimeNs } = await stat(path.join(directory, '.t.parts'), { bigint: true });
    expect((await storage.stamps())[1]).toEqual({ length: 6, modifiedNs: mtimeNs, inode: ino });
    await storage.setWanted([true, true, true]);
    expect((await storage.stamps())[1]).toMatchObject({ length: 10 });
  });

  test('take only what they hold, however large the torrent', async () => {
    const directory = await scratchDirectory();
    const huge = [file('t/a', 2 ** 40), file('t/b', 2 ** 40)];
    await using storage = await FileStorage.open({ directory, files: huge, wanted: [true, false] });
    await storage.write(2 ** 40 + 1000, bytesOf('far'));
    expect((await stat(path.join(directory, '.t.parts'))).blocks * 512).toBeLessThan(200_000);
    expect(await textAt(storage, 2 ** 40 + 1000, 3)).toBe('far');
    await storage.setWanted([true, true]);
    expect(await textAt(storage, 2 ** 40 + 1000, 3)).toBe('far');
    expect((await stat(path.join(directory, 't/b'))).blocks * 512).toBeLessThan(200_000);
  });

  test('that a run left in the hidden file come out of it with prepare, unless a file is there', async () => {
    const directory = await scratchDirectory();
    const first = await open(directory, { wanted: [false, false, false] });
    await first.write(0, bytesOf(content));
    await first.close();
    await writeFile(path.join(directory, 'x'), '');
    await rm(path.join(directory, 'x'));
    await using storage = await open(directory, { wanted: [true, true, true] });
    await storage.write(20, bytesOf('C'));
    await storage.prepare();
    expect(await treeOf(directory)).toEqual({
      't/': '',
      't/a': 'aaaaaaaaaa',
      't/b': 'bbbbbbbbbb',
      't/c': 'C\0\0\0\0\0\0\0\0\0',
    });
  });

  test('can have their bytes in a file of another name', async () => {
    const directory = await scratchDirectory();
    await using storage = await open(directory, { partFile: '.mine' });
    await storage.write(8, bytesOf(content.slice(8, 16)));
    expect(Object.keys(await treeOf(directory)).toSorted()).toEqual(['.mine', 't/', 't/a']);
    await expect(open(directory, { partFile: '../up' })).rejects.toMatchObject({ code: 'unsafe-path' });
    const taken = [file('.t.parts', 3)];
    const clash = FileStorage.open({ directory, files: taken, partFile: '.t.parts' });
    await expect(clash).rejects.toMatchObject({ code: 'unsafe-path' });
  });

  test('of a torrent with the longest of names fit into the file system', async () => {
    const directory = await scratchDirectory();
    const long = [file(`${'ä'.repeat(127)}/a`, 5), file(`${'ä'.repeat(127)}/b`, 5)];
    await using storage = await FileStorage.open({ directory, files: long, wanted: [false, false] });
    await storage.write(0, bytesOf('aaaaabbbbb'));
    expect(await textAt(storage, 3, 4)).toBe('aabb');
  });
});

describe('the hidden file', () => {
  test.each(['short', 'something else that is longer than all of the torrent and a record'])(
    'is refused when it is none of ours: %s',
    async (foreign) => {
      const directory = await scratchDirectory();
      const at = path.join(directory, '.t.parts');
      await writeFile(at, foreign);
      await using storage = await open(directory);
      const refusal = { name: 'StorageError', code: 'exists', path: at };
      await expect(storage.write(8, bytesOf('aabb'))).rejects.toMatchObject(refusal);
      await expect(storage.read(10, [new Uint8Array(1)])).rejects.toMatchObject(refusal);
      await storage.setWanted([true, true, true]);
      await storage.prepare();
      await storage.setWanted([true, false, true]);
      await rm(path.join(directory, 't/b'));
      expect(await readFile(at, 'utf8')).toBe(foreign);
      expect((await storage.presence()).mayHold(10, 1)).toBe(false);
      expect((await storage.stamps())[1]).toBeUndefined();
      await rm(at);
      await storage.stamps();
      await storage.write(8, bytesOf('aabb'));
      expect(await textAt(storage, 8, 4)).toBe('aabb');
    },
  );

  test('that was cut among its records gives back only what it has, and goes on', async () => {
    const directory = await scratchDirectory();
    const at = path.join(directory, '.t.parts');
    const first = await open(directory, { wanted: [false, false, false] });
    await first.write(0, bytesOf(content.slice(0, 12)));
    await first.write(20, bytesOf(content.slice(20, 30)));
    await first.close();
    const whole = await readFile(at);
    for (let length = whole.length - 1; length >= 0; length -= 1) {
      await writeFile(at, whole);
      await truncate(at, length);
      if (length > 0 && length < 30 + 24) continue;
      await using storage = await open(directory, { wanted: [false, false, false] });
      const presence = await storage.presence();
      for (let offset = 0; offset < 30; offset += 1) {
        if (presence.mayHold(offset, 1)) expect(await textAt(storage, offset, 1)).toBe(content[offset]);
      }
      expect(presence.mayHold(20, 10)).toBe(false);
      await storage.write(20, bytesOf('CCCCCCCCCC'));
      expect(await textAt(storage, 20, 10)).toBe('CCCCCCCCCC');
    }
  });

  test('with a damaged record has lost what that says, and nothing else', async () => {
    const directory = await scratchDirectory();
    const at = path.join(directory, '.t.parts');
    const first = await open(directory, { wanted: [false, false, false] });
    for (const begin of [0, 10, 20]) await first.write(begin, bytesOf(content.slice(begin, begin + 5)));
    await first.close();
    const bytes = await readFile(at);
    bytes[30 + 2 * 24 + 7]! ^= 1;
    await writeFile(at, bytes);
    await using storage = await open(directory, { wanted: [false, false, false] });
    const presence = await storage.presence();
    expect([0, 10, 20].map((begin) => presence.mayHold(begin, 5))).toEqual([true, false, true]);
  });

  test('that somebody removed is made anew', async () => {
    const directory = await scratchDirectory();
    await using storage = await open(directory, { wanted: [false, false, false] });
    await storage.write(0, bytesOf(content));
    await rm(path.join(directory, '.t.parts'));
    expect(await storage.stamps()).toEqual([undefined, undefined, undefined]);
    await expect(storage.read(0, [new Uint8Array(1)])).rejects.toMatchObject({ code: 'not-found' });
    await storage.write(3, bytesOf('aaa'));
    await storage.close();
    await using again = await open(directory, { wanted: [false, false, false] });
    expect(await textAt(again, 3, 3)).toBe('aaa');
  });

  test('that was removed unnoticed fails once, and what is written then is known after a restart', async () => {
    const directory = await scratchDirectory();
    await using storage = await open(directory, {
      wanted: [true, false, false],
      openFiles: new OpenFiles({ limit: 1 }),
    });
    await storage.write(0, bytesOf(content));
    expect(await textAt(storage, 0, 10)).toBe('aaaaaaaaaa');
    await rm(path.join(directory, '.t.parts'));
    await expect(storage.read(10, [new Uint8Array(10)])).rejects.toMatchObject({ code: 'not-found' });
    expect((await storage.presence()).mayHold(10, 10)).toBe(false);
    await storage.write(10, bytesOf(content.slice(10, 20)));
    await storage.close();
    await using again = await open(directory, { wanted: [true, false, false] });
    expect(await textAt(again, 10, 10)).toBe('bbbbbbbbbb');
    expect((await again.presence()).mayHold(20, 10)).toBe(false);
  });

  test('does not hold any more what has moved into a file, also after a restart', async () => {
    const directory = await scratchDirectory();
    const first = await open(directory, { wanted: [false, false, false] });
    await first.write(0, bytesOf(content));
    await first.setWanted([false, true, false]);
    await first.close();
    await rm(path.join(directory, 't/b'));
    await using storage = await open(directory, { wanted: [false, false, false] });
    const presence = await storage.presence();
    expect([0, 10, 20].map((begin) => presence.mayHold(begin, 10))).toEqual([true, false, true]);
  });

  test('takes part in flush', async () => {
    const directory = await scratchDirectory();
    const { fileSystem, faults } = faultyFileSystem();
    await using storage = await open(directory, { fileSystem });
    await storage.write(8, bytesOf(content.slice(8, 16)));
    await storage.flush();
    expect(faults.calls.filter((call) => call.startsWith('sync')).toSorted()).toEqual(['sync .t.parts', 'sync a']);
    await storage.write(10, bytesOf('b'));
    await storage.setWanted([true, true, true]);
    await storage.flush();
  });
});
