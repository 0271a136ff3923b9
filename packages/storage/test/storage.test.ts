import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, test } from 'vitest';
import { FileStorage, type FileStorageOptions, MemoryStorage, NullStorage, OpenFiles } from '../src/index.ts';
import { type MakeStorage, type StorageCapability, storageContract } from '../src/testing/storage-contract.ts';
import { fileSystemWith, systemError } from './scratch.ts';

let scratch: string;
beforeAll(async () => {
  scratch = await mkdtemp(path.join(tmpdir(), 'shoal-storage-'));
});
afterAll(() => rm(scratch, { recursive: true }));

const newDirectory = (): Promise<string> => mkdtemp(path.join(scratch, 'case-'));

const inFiles =
  (options: Partial<FileStorageOptions> = {}): MakeStorage =>
  async (files) =>
    FileStorage.open({ directory: await newDirectory(), files, ...options });

/** Every move goes to another device. */
const devices = fileSystemWith({ rename: () => Promise.reject(systemError('EXDEV')) });

const all: readonly StorageCapability[] = ['content', 'zeros'];

const implementations: readonly (readonly [string, readonly StorageCapability[], MakeStorage])[] = [
  ['memory storage', all, async (files) => new MemoryStorage({ files })],
  ['sparse files', all, inFiles()],
  ['preallocated files', all, inFiles({ preallocation: 'full' })],
  ['files that grow', ['content'], inFiles({ preallocation: 'none' })],
  ['files on another device after each move', all, inFiles({ fileSystem: devices })],
  [
    'files of which one is open at a time, and one operation under way',
    all,
    async (files) => inFiles({ openFiles: new OpenFiles({ limit: 1 }), concurrency: 1 })(files),
  ],
  ['null storage', [], async (files) => new NullStorage({ files })],
];

describe.each(implementations)('%s', (_, capabilities, make) => {
  const cases = storageContract.filter((one) => one.needs.every((need) => capabilities.includes(need)));
  test.for(cases)('$name', (contractCase) => contractCase.run(make, newDirectory));
});
