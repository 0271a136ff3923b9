import { constants } from 'node:fs';
import { stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { nodeFileSystem } from '../src/index.ts';
import { bytesOf, scratchDirectory } from './scratch.ts';

describe('the file system of the machine', () => {
  test('passes on the errors of reads and writes', async () => {
    const at = path.join(await scratchDirectory(), 'a');
    await writeFile(at, 'abc');
    const forReading = await nodeFileSystem.open(at, constants.O_RDONLY, 0);
    const forWriting = await nodeFileSystem.open(at, constants.O_WRONLY, 0);
    await expect(forReading.write(bytesOf('x'), 0)).rejects.toMatchObject({ code: 'EBADF' });
    await expect(forWriting.read([new Uint8Array(1)], 0)).rejects.toMatchObject({ code: 'EBADF' });
    await expect(forWriting.read([new Uint8Array(1), new Uint8Array(1)], 0)).rejects.toMatchObject({ code: 'EBADF' });
    await Promise.all([forReading.close(), forWriting.close()]);
  });

  test('says how much it read at the end of a file, into one target or many', async () => {
    const at = path.join(await scratchDirectory(), 'a');
    await writeFile(at, 'abc');
    const opened = await nodeFileSystem.open(at, constants.O_RDONLY, 0);
    expect(await opened.read([new Uint8Array(9)], 1)).toBe(2);
    expect(await opened.read([new Uint8Array(1), new Uint8Array(9)], 0)).toBe(3);
    expect(await opened.read([new Uint8Array(1)], 3)).toBe(0);
    await opened.close();
  });

  test('tells length, room, time and identity of a file', async () => {
    const at = path.join(await scratchDirectory(), 'a');
    await writeFile(at, 'abc');
    const { mtimeNs, ino, dev, blocks } = await stat(at, { bigint: true });
    expect(await nodeFileSystem.lstat(at)).toEqual({
      isFile: true,
      isDirectory: false,
      isLink: false,
      length: 3,
      allocated: Number(blocks) * 512,
      modifiedNs: mtimeNs,
      inode: ino,
      device: dev,
    });
  });
});
