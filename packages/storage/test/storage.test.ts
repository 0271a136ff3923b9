import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, test } from 'vitest';
import { FileStorage, MemoryStorage, OpenFiles } from '../src/index.ts';
import { type MakeStorage, storageContract } from '../src/testing/storage-contract.ts';

let scratch: string;
beforeAll(async () => {
  scratch = await mkdtemp(path.join(tmpdir(), 'shoal-storage-'));
});
afterAll(() => rm(scratch, { recursive: true }));

const newDirectory = (): Promise<string> => mkdtemp(path.join(scratch, 'case-'));

const implementations: readonly (readonly [string, MakeStorage])[] = [
  ['memory storage', async (files) => new MemoryStorage({ files })],
  ['file storage', async (files) => FileStorage.open({ directory: await newDirectory(), files })],
  [
    'file storage with a single file open and one operation at a time',
    async (files) => {
      const openFiles = new OpenFiles({ limit: 1 });
      return FileStorage.open({ directory: await newDirectory(), files, openFiles, concurrency: 1 });
    },
  ],
];

describe.each(implementations)('%s', (_, make) => {
  test.for(storageContract)('$name', (contractCase) => contractCase.run(make));
});
