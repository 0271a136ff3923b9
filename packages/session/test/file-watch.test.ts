import { describe, expect, test } from 'vitest';
import type { FileStamp, Storage } from '@shoal/storage';
import { MemoryStorage } from '@shoal/storage';
import { FileWatch } from '../src/file-watch.ts';

/** A storage whose files are what the test says. */
function filesOf(stamps: (FileStamp | undefined)[]): { storage: Storage; asked: number[][] } {
  const storage = new MemoryStorage({ files: stamps.map(() => ({ length: 1 })) });
  const asked: number[][] = [];
  storage.stamps = async (only = stamps.keys()) => {
    const files = new Set(only);
    asked.push([...files]);
    return stamps.map((stamp, file) => (files.has(file) ? stamp : undefined));
  };
  return { storage, asked };
}

const stampOf = (inode: number, length = 100): FileStamp => ({ length, inode: BigInt(inode), modifiedNs: 1n });

describe('a watch of files', () => {
  test('notices files that are deleted, replaced and cut, once each', async () => {
    const stamps: (FileStamp | undefined)[] = [stampOf(1), stampOf(2), stampOf(3), stampOf(4)];
    const watch = new FileWatch(filesOf(stamps).storage, stamps.length);
    expect(await watch.look()).toEqual([]);
    stamps[0] = undefined;
    stamps[1] = stampOf(22);
    stamps[2] = stampOf(3, 99);
    expect(await watch.look()).toEqual([
      { file: 0, change: 'deleted' },
      { file: 1, change: 'replaced' },
      { file: 2, change: 'cut' },
    ]);
    expect(await watch.look()).toEqual([]);
  });

  test('finds nothing in files that grow, appear, or were moved by ourselves', async () => {
    const stamps: (FileStamp | undefined)[] = [stampOf(1, 10), undefined, stampOf(3)];
    const watch = new FileWatch(filesOf(stamps).storage, stamps.length);
    await watch.look();
    stamps[0] = stampOf(1, 100);
    stamps[1] = stampOf(2);
    expect(await watch.look()).toEqual([]);
    stamps[2] = stampOf(33);
    watch.forget();
    expect(await watch.look()).toEqual([]);
  });

  test('looks at what was written first and at every file in time, at few of them at once', async () => {
    const stamps = Array.from({ length: 1000 }, (_, file) => stampOf(file + 1));
    const { storage, asked } = filesOf(stamps);
    const watch = new FileWatch(storage, stamps.length);
    watch.wrote(777);
    for (let look = 0; look < 16; look++) await watch.look();
    expect(asked[0]![0]).toBe(777);
    expect(Math.max(...asked.map((files) => files.length))).toBeLessThanOrEqual(65);
    expect(new Set(asked.flat()).size).toBe(1000);
  });
});
