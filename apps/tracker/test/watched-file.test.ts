import { writeFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { WatchedFile } from '../src/lists/watched-file.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'shoal-tracker-'));
});
afterEach(() => rm(folder, { recursive: true }));

test('a file that changes while it is read for the first time is read again', async () => {
  const path = join(folder, 'file');
  await writeFile(path, 'old');
  let readings = 0;
  using file = await WatchedFile.open(path, {
    name: 'the file',
    read: async (bytes) => {
      if (readings++ === 0) await writeFile(path, 'newer');
      return Buffer.from(bytes).toString();
    },
    changed: () => {},
    failed: () => {},
  });
  expect(file.content).toBe('newer');
});

test('a file that changes in a folder that is never quiet is read again', async () => {
  const path = join(folder, 'file');
  await writeFile(path, 'old');
  const { promise: changed, resolve } = Promise.withResolvers<string>();
  using _file = await WatchedFile.open(path, {
    name: 'the file',
    read: async (bytes) => Buffer.from(bytes).toString(),
    changed: resolve,
    failed: () => {},
  });
  using _noise = setInterval(() => writeFileSync(join(folder, 'log'), 'again'), 20);
  await writeFile(path, 'newer');
  expect(await changed).toBe('newer');
});
