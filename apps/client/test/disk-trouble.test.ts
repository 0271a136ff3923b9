// A disk that takes no more: a limit on the length of files stands for it, which can be raised while the process runs.
import { execFileSync, spawnSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { start } from './command.ts';
import { digests, randomFile, temporaryFolder } from './content.ts';
import { loopback, seeding } from './seeder.ts';

const length = 2_000_000;
/** A file may grow to half the content; files that are allowed to grow only. */
const through = ['prlimit', `--fsize=${length / 2}:`];
const hasLimits = spawnSync('prlimit', ['--version']).status === 0;
if (!hasLimits) console.warn('SKIPPED: no prlimit (util-linux), so nothing here can fill up');

describe.runIf(hasLimits)('a disk that takes no more', () => {
  const begin = async (...words: string[]) => {
    const content = await randomFile(length);
    const { peer } = await seeding(content);
    const directory = await temporaryFolder();
    const all = ['download', content.torrent, '-d', directory, ...loopback, '--jsonl', '--peer', peer, ...words];
    return { content, directory, words: all };
  };

  test('ends the download with its reason, and the same command continues when there is room', async () => {
    const { content, directory, words } = await begin('--preallocate', 'none');
    const first = start(words, { through });
    const ended = await first.ended;
    expect(ended).toMatchObject({
      code: 5,
      stderr: expect.stringMatching(/^shoal: disk: cannot write .*content\.bin/m) as string,
    });
    expect(first.last('suspended')).toMatchObject({ reason: expect.stringContaining('cannot write') as string });
    expect(first.last('stopped')).toMatchObject({ state: 'suspended' });
    expect(first.last('result')).toMatchObject({ ok: false, error: { code: 'disk' }, torrents: [{ complete: false }] });
    const second = start(words);
    expect((await second.ended).code).toBe(0);
    expect(await digests(directory)).toEqual(await digests(content.folder));
  });

  test('is waited for with --on-disk-error wait, and the download goes on by itself when there is room', async () => {
    const { content, directory, words } = await begin('--preallocate', 'none', '--on-disk-error', 'wait');
    const run = start(words, { through });
    await run.until('suspended');
    await run.until('progress', ({ state }) => state === 'suspended');
    execFileSync('prlimit', ['--pid', String(run.pid), '--fsize=unlimited:']);
    const ended = await run.ended;
    expect(ended).toMatchObject({
      code: 0,
      stderr: expect.stringContaining('suspended until the disk works again') as string,
    });
    expect(run.last('resumed')).toBeDefined();
    expect(await digests(directory)).toEqual(await digests(content.folder));
  });

  test('is found before anything is fetched when all space is taken at once', async () => {
    const { words } = await begin('--preallocate', 'full');
    const run = start(words, { through });
    expect(await run.ended).toMatchObject({
      code: 5,
      stderr: expect.stringMatching(/^shoal: disk: cannot/m) as string,
    });
    expect(run.last('added')).toBeUndefined();
  });
});

test('notes that cannot be kept are a warning, and the download goes on', async () => {
  const content = await randomFile(100_000);
  const { peer } = await seeding(content);
  const inTheWay = path.join(await temporaryFolder(), 'file');
  await writeFile(inTheWay, '');
  const words = ['download', content.torrent, '-d', await temporaryFolder(), ...loopback, '--peer', peer];
  const ended = await start(words, { env: { XDG_STATE_HOME: inTheWay } }).ended;
  expect(ended).toMatchObject({
    code: 0,
    stderr: expect.stringMatching(/^warning: the folder for resume data/m) as string,
  });
  const asked = await start([...words, '--resume-dir', path.join(inTheWay, 'x')]).ended;
  expect(asked).toMatchObject({ code: 3, stderr: expect.stringMatching(/^shoal: configuration: /m) as string });
});
