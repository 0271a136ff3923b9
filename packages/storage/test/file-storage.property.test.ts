import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { FileStorage, OpenFiles, type Preallocation, type StorageFile } from '../src/index.ts';
import { faultyFileSystem } from './scratch.ts';

/** Odd lengths, an empty file and padding among them. */
const lengths = [70, 0, 33, 5000, 1, 17];
const files: readonly StorageFile[] = lengths.map((length, index) => ({
  path: ['t', `folder ${index % 2}`, `${index}`],
  length,
  isPadding: index === 5,
}));
const totalLength = lengths.reduce((sum, length) => sum + length, 0);
const paddingBegin = totalLength - 17;

const flags = fc.array(fc.boolean(), { minLength: files.length, maxLength: files.length });
const step = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant('write' as const),
      at: fc.nat(totalLength - 1),
      length: fc.nat(300),
      seed: fc.nat(255),
    }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('want' as const), wanted: flags }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('move' as const), to: fc.nat(2), copies: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('rename' as const), file: fc.nat(4), name: fc.nat(3) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('restart' as const), wanted: fc.option(flags) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('prepare' as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('stamps' as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('flush' as const) }) },
);
type Step = typeof step extends fc.Arbitrary<infer Value> ? Value : never;

/** What the storage should hold: every byte that was written, wherever it was put since. */
class Model {
  readonly bytes: Uint8Array = new Uint8Array(totalLength);
  readonly isWritten: boolean[] = Array.from({ length: totalLength }, (_, at) => at >= paddingBegin);
  wanted: boolean[] = files.map(() => true);
  readonly paths: Map<number, readonly string[]> = new Map();
  directory: string;

  constructor(directory: string) {
    this.directory = directory;
  }

  write(at: number, bytes: Uint8Array): void {
    for (const [index, byte] of bytes.entries()) {
      if (at + index >= paddingBegin) continue;
      this.bytes[at + index] = byte;
      this.isWritten[at + index] = true;
    }
  }
}

async function run(root: string, preallocation: Preallocation, steps: readonly Step[]): Promise<void> {
  const { fileSystem, faults } = faultyFileSystem();
  const openFiles = new OpenFiles({ limit: 3 });
  const model = new Model(path.join(root, '0'));
  const open = (): Promise<FileStorage> =>
    FileStorage.open({
      directory: model.directory,
      wanted: model.wanted,
      paths: model.paths,
      files,
      preallocation,
      fileSystem,
      openFiles,
    });
  let storage = await open();
  for (const one of steps) {
    if (one.do === 'write') {
      const bytes = new Uint8Array(Math.min(one.length, totalLength - one.at)).fill(one.seed);
      await storage.write(one.at, bytes);
      model.write(one.at, bytes);
    } else if (one.do === 'want') {
      await storage.setWanted(one.wanted);
      model.wanted = one.wanted;
    } else if (one.do === 'move') {
      faults.errnoOf = (call) => (one.copies && call === 'rename' ? 'EXDEV' : undefined);
      await storage.move(path.join(root, `${one.to}`));
      faults.errnoOf = () => undefined;
      model.directory = path.join(root, `${one.to}`);
    } else if (one.do === 'rename') {
      const to = ['t', 'renamed', `${one.file}`, `${one.name}`];
      await storage.rename(one.file, to);
      model.paths.set(one.file, to);
    } else if (one.do === 'restart') {
      await storage.close();
      // With other flags the parts of what is wanted now have to come out of their file first.
      if (one.wanted !== null) model.wanted = one.wanted;
      storage = await open();
      if (one.wanted !== null) await storage.prepare();
    } else if (one.do === 'stamps') expect((await storage.stamps()).length).toBe(files.length);
    else await storage[one.do]();
    await requireAll(storage, model);
  }
  await storage.setWanted(files.map(() => true));
  await requireAll(storage, model);
  await storage.flush();
  await storage.close();
  expect(openFiles.size).toBe(0);
  const left = await readdir(root, { recursive: true });
  expect(left.filter((name) => name.endsWith('.parts'))).toEqual([]);
}

/** Every byte written reads as it was written, and `presence` knows of it. */
async function requireAll(storage: FileStorage, model: Pick<Model, 'bytes' | 'isWritten'>): Promise<void> {
  const presence = await storage.presence();
  for (let at = 0; at < totalLength;) {
    let end = at;
    while (end < totalLength && model.isWritten[end] === true) end += 1;
    if (end > at) {
      const target = new Uint8Array(end - at);
      await storage.read(at, [target]);
      expect(Buffer.compare(target, model.bytes.subarray(at, end))).toBe(0);
      expect(presence.mayHold(at, end - at)).toBe(true);
    }
    at = Math.max(end, at + 1);
  }
}

test.each(['sparse', 'full', 'none'] as const)(
  'any writes, choices of files, moves, renames and restarts lose no byte, %s',
  async (preallocation) => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 25 }), async (steps) => {
        const root = await mkdtemp(path.join(tmpdir(), 'shoal-storage-'));
        try {
          await run(root, preallocation, steps);
        } finally {
          await rm(root, { recursive: true });
        }
      }),
      { numRuns: 40 },
    );
  },
);
