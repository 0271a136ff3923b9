import { readdir, readlink } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { FileStorage, type FileMode, type Openable, OpenFiles, type OpenedFile, nodeFileSystem } from '../src/index.ts';
import { gate, randomBytes, scratchDirectory } from './scratch.ts';

/** A file that only counts how often it is open. */
class CountedFile implements Openable {
  static open = 0;
  static most = 0;
  readonly modes: FileMode[] = [];
  isOpen = 0;
  closeErrors: unknown[] = [];

  open(mode: FileMode): Promise<OpenedFile> {
    this.modes.push(mode);
    this.isOpen += 1;
    CountedFile.open += 1;
    CountedFile.most = Math.max(CountedFile.most, CountedFile.open);
    const unused = (): never => {
      throw new Error('not part of this test');
    };
    const close = async (): Promise<void> => {
      this.isOpen -= 1;
      CountedFile.open -= 1;
    };
    return Promise.resolve({ read: unused, write: unused, truncate: unused, facts: unused, sync: unused, close });
  }

  closeFailed(cause: unknown): void {
    this.closeErrors.push(cause);
  }
}

const nothing = (): Promise<void> => Promise.resolve();

describe('open files', () => {
  test('keeps a file open between uses', async () => {
    const openFiles = new OpenFiles();
    const file = new CountedFile();
    for (let turn = 0; turn < 5; turn += 1) await openFiles.use(file, 'read', nothing);
    expect(file.modes).toEqual(['read']);
    expect(openFiles.size).toBe(1);
    await openFiles.release([file]);
    expect(file.isOpen).toBe(0);
    expect(openFiles.size).toBe(0);
  });

  test('closes the file idle longest when another is needed', async () => {
    const openFiles = new OpenFiles({ limit: 2 });
    const [a, b, c] = [new CountedFile(), new CountedFile(), new CountedFile()];
    await openFiles.use(a, 'read', nothing);
    await openFiles.use(b, 'read', nothing);
    await openFiles.use(a, 'read', nothing);
    await openFiles.use(c, 'read', nothing);
    expect([a.isOpen, b.isOpen, c.isOpen]).toEqual([1, 0, 1]);
    await openFiles.release([a, b, c]);
  });

  test('a file in use makes no room while another is idle', async () => {
    const openFiles = new OpenFiles({ limit: 2 });
    const [busy, idle, wanted] = [new CountedFile(), new CountedFile(), new CountedFile()];
    const reading = gate();
    const use = openFiles.use(busy, 'read', () => reading.opened);
    await openFiles.use(idle, 'read', nothing);
    await openFiles.use(wanted, 'read', nothing);
    reading.open();
    await use;
    await openFiles.use(busy, 'read', nothing);
    expect(busy.modes).toEqual(['read']);
    expect([busy.isOpen, idle.isOpen, wanted.isOpen]).toEqual([1, 0, 1]);
    await openFiles.release([busy, idle, wanted]);
  });

  test('a file open for writing serves its readers; one open for reading is opened anew to write', async () => {
    const openFiles = new OpenFiles();
    const file = new CountedFile();
    await openFiles.use(file, 'read', nothing);
    await openFiles.use(file, 'write', nothing);
    await openFiles.use(file, 'read', nothing);
    expect(file.modes).toEqual(['read', 'write']);
    await openFiles.release([file]);
    expect(file.isOpen).toBe(0);
  });

  test('a file being read is opened to write even when only one may be open', async () => {
    const openFiles = new OpenFiles({ limit: 1 });
    const file = new CountedFile();
    const reading = gate();
    const read = openFiles.use(file, 'read', () => reading.opened);
    const write = openFiles.use(file, 'write', nothing);
    reading.open();
    await Promise.all([read, write]);
    expect(file.modes).toEqual(['read', 'write']);
    await openFiles.release([file]);
  });

  test('never has more than the limit open, waits instead, and serves everyone', async () => {
    const openFiles = new OpenFiles({ limit: 3 });
    const files = Array.from({ length: 40 }, () => new CountedFile());
    CountedFile.most = 0;
    let served = 0;
    const uses = Array.from({ length: 2000 }, (_, turn) =>
      openFiles.use(files[(turn * 31) % 40]!, turn % 3 === 0 ? 'write' : 'read', async () => {
        expect(openFiles.size).toBeLessThanOrEqual(3);
        await Promise.resolve();
        served += 1;
      }),
    );
    await Promise.all(uses);
    expect(served).toBe(2000);
    expect(CountedFile.most).toBe(3);
    await openFiles.release(files);
    expect(CountedFile.open).toBe(0);
    expect(openFiles.size).toBe(0);
  });

  test('a file that cannot be opened takes no place and can be tried again', async () => {
    const openFiles = new OpenFiles({ limit: 1 });
    const file = new CountedFile();
    const broken: Openable = { open: () => Promise.reject(new Error('no')), closeFailed: () => undefined };
    for (let turn = 0; turn < 3; turn += 1) {
      const both = [openFiles.use(broken, 'read', nothing), openFiles.use(broken, 'read', nothing)];
      for (const outcome of await Promise.allSettled(both)) expect(outcome.status).toBe('rejected');
    }
    await openFiles.use(file, 'read', nothing);
    await openFiles.release([file]);
    expect(openFiles.size).toBe(0);
  });

  test('a failing task gives the file back', async () => {
    const openFiles = new OpenFiles({ limit: 1 });
    const [a, b] = [new CountedFile(), new CountedFile()];
    await expect(openFiles.use(a, 'read', () => Promise.reject(new Error('task')))).rejects.toThrow('task');
    await openFiles.use(b, 'read', nothing);
    expect([a.isOpen, b.isOpen]).toEqual([0, 1]);
    await openFiles.release([b]);
  });

  test('release waits for a file in use', async () => {
    const openFiles = new OpenFiles();
    const file = new CountedFile();
    const busy = gate();
    const use = openFiles.use(file, 'read', () => busy.opened);
    const released = openFiles.release([file]).then(() => file.isOpen);
    busy.open();
    await use;
    expect(await released).toBe(0);
  });

  test('a failed close goes to the owner and frees the place', async () => {
    const openFiles = new OpenFiles({ limit: 1 });
    const file = new CountedFile();
    const open = file.open.bind(file);
    file.open = async (mode) => ({ ...(await open(mode)), close: () => Promise.reject(new Error('lost')) });
    await openFiles.use(file, 'write', nothing);
    await openFiles.release([file]);
    expect(file.closeErrors).toEqual([new Error('lost')]);
    expect(openFiles.size).toBe(0);
  });

  test.each([0, -1, 1.5, Number.NaN])('refuses a limit of %d', (limit) => {
    expect(() => new OpenFiles({ limit })).toThrow(RangeError);
  });
});

test.skipIf(process.platform !== 'linux')(
  'two torrents of 200 files share five descriptors of the process',
  async () => {
    const openFiles = new OpenFiles({ limit: 5 });
    const directory = await scratchDirectory();
    const files = Array.from({ length: 200 }, (_, index) => ({ path: ['t', `${index}`], length: 100 }));
    let most = 0;
    const fileSystem = {
      ...nodeFileSystem,
      async open(at: string, flags: number, mode: number): Promise<OpenedFile> {
        const opened = await nodeFileSystem.open(at, flags, mode);
        most = Math.max(most, await descriptorsBelow(directory));
        return opened;
      },
    };
    const storages = await Promise.all(
      ['one', 'two'].map((name) =>
        FileStorage.open({ directory: path.join(directory, name), files, openFiles, fileSystem }),
      ),
    );
    await Promise.all(storages.map((storage) => storage.write(0, randomBytes(20_000))));
    await Promise.all(storages.map((storage) => storage.read(0, [new Uint8Array(20_000)])));
    expect(most).toBeGreaterThan(1);
    expect(most).toBeLessThanOrEqual(5);
    await Promise.all(storages.map((storage) => storage.close()));
    expect(await descriptorsBelow(directory)).toBe(0);
  },
);

async function descriptorsBelow(directory: string): Promise<number> {
  const names = await readdir('/proc/self/fd');
  const targets = await Promise.allSettled(names.map((name) => readlink(path.join('/proc/self/fd', name))));
  return targets.filter((target) => target.status === 'fulfilled' && target.value.startsWith(directory)).length;
}
