import { once } from 'node:events';
import { access, mkdir, mkdtemp, rename, rm, stat, utimes } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { makeInnerFolder } from '../../src/workers/inner-folder.ts';

let parent: string;
beforeEach(async () => {
  parent = await mkdtemp(join(tmpdir(), 'shoal-test-'));
});
afterEach(() => rm(parent, { recursive: true }));

const old = new Date(Date.now() - 60_000);

/** A folder as a process leaves it that was killed: with a socket that nobody listens at. */
async function leftover(name: string): Promise<string> {
  const folder = join(parent, name);
  await mkdir(folder);
  const server = createServer().listen(join(parent, 'socket'));
  await once(server, 'listening');
  // A server that closes removes its socket where it was.
  await rename(join(parent, 'socket'), join(folder, 'http'));
  await new Promise((resolve) => server.close(resolve));
  await utimes(folder, old, old);
  return folder;
}

const isThere = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );

describe.runIf(process.platform !== 'win32')('the folder of the socket between threads', () => {
  test('can be entered by nobody else, and is gone when it was disposed', async () => {
    const folder = await makeInnerFolder(parent);
    expect((await stat(dirname(folder.socket))).mode & 0o777).toBe(0o700);
    await folder[Symbol.asyncDispose]();
    expect(await isThere(dirname(folder.socket))).toBe(false);
  });

  test('takes those with it that killed processes left', async () => {
    const dead = await leftover('shoal-tracker-threads-dead');
    await using _folder = await makeInnerFolder(parent);
    expect(await isThere(dead)).toBe(false);
  });

  test('leaves those alone that are in use, that are new, or that are something else', async () => {
    const living = await makeInnerFolder(parent);
    const server = createServer().listen(living.socket);
    await once(server, 'listening');
    await utimes(dirname(living.socket), old, old);
    const [young, other] = [await leftover('shoal-tracker-threads-young'), await leftover('shoal-tracker-folder')];
    await utimes(young, new Date(), new Date());
    const empty = join(parent, 'shoal-tracker-threads-empty');
    await mkdir(empty);
    await utimes(empty, old, old);
    await using _folder = await makeInnerFolder(parent);
    for (const path of [living.socket, young, other, empty]) expect(await isThere(path)).toBe(true);
    await new Promise((resolve) => server.close(resolve));
    await living[Symbol.asyncDispose]();
  });
});
