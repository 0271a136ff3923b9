// The configuration file of a running tracker, edited as editors, tools and mounted volumes do it.
import { appendFileSync, writeFileSync } from 'node:fs';
import { mkdir, mkdtemp, rename, rm, symlink, unlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { StatedOptions } from '../src/configuration/configuration-file.ts';
import { readConfiguration } from '../src/configuration/configuration.ts';
import { createLog } from '../src/log.ts';
import { RunningTracker } from '../src/running-tracker.ts';

let folder: string;
let config: string;
let running: RunningTracker | undefined;
let logged: string[];
let hear: () => void;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'shoal-tracker-'));
  config = join(folder, 'tracker.toml');
  logged = [];
  hear = () => {};
});
afterEach(async () => {
  await running?.[Symbol.asyncDispose]();
  running = undefined;
  await rm(folder, { recursive: true });
});

/** A tracker whose file says `text`. */
async function opened(text: string, flags: StatedOptions = {}): Promise<RunningTracker> {
  await writeFile(config, text);
  const sources = { flags, config };
  const options = await readConfiguration(sources);
  const write = (line: string): void => {
    logged.push(line);
    hear();
  };
  const log = createLog({ level: 'info', format: 'text', addresses: 'off', timeless: true }, { write });
  running = await RunningTracker.open(sources, options, log);
  return running;
}

async function watched(text: string, flags: StatedOptions = {}): Promise<RunningTracker> {
  const tracker = await opened(text, flags);
  await tracker.configuration.watch(tracker.tellError);
  return tracker;
}

/** The first line, of those not looked at yet, that contains `words`. */
async function line(words: string): Promise<string> {
  for (;;) {
    const found = logged.shift();
    if (found?.includes(words) === true) return found;
    if (found === undefined) await new Promise<void>((resolve) => (hear = resolve));
  }
}

describe('a configuration file that changes while the tracker runs', () => {
  test('holds by itself; flags go on winning, and what needs a restart is named', async () => {
    const { configuration } = await watched('interval = 900', { jitter: 5 });
    await writeFile(config, 'interval = 600\njitter = 20\nhttp = "127.0.0.1:1"\nworkers = 2');
    expect(await line('read again')).toContain('applied=["interval"]');
    expect(await line('next start')).toBe('warn: http, workers: changed, but takes effect at the next start\n');
    expect(configuration.options).toMatchObject({ interval: 600, jitter: 5, workers: 1 });
    expect(configuration.view).toMatchObject({ file: config, problem: undefined, later: ['http', 'workers'] });
  });

  test('may be replaced by another file', async () => {
    const { configuration } = await watched('interval = 900');
    await writeFile(join(folder, 'new'), 'interval = 600');
    await rename(join(folder, 'new'), config);
    expect(await line('read again')).toContain('applied=["interval"]');
    expect(configuration.options.interval).toBe(600);
  });

  test('may be swapped together with its folder, as mounted volumes do it', async () => {
    for (const [name, text] of [
      ['one', 'interval = 900'],
      ['two', 'interval = 600'],
    ] as const) {
      await mkdir(join(folder, name));
      await writeFile(join(folder, name, 'tracker.toml'), text);
    }
    await symlink('one', join(folder, 'data'));
    config = join(folder, 'link.toml');
    await symlink(join('data', 'tracker.toml'), config);
    const { configuration } = await watched('interval = 900');
    await symlink('two', join(folder, 'data.new'));
    await rename(join(folder, 'data.new'), join(folder, 'data'));
    expect(await line('read again')).toContain('applied=["interval"]');
    expect(configuration.options.interval).toBe(600);
  });

  test('may be written in steps: it is read when its writer has come to rest', async () => {
    const { configuration } = await watched('interval = 900\njitter = 1');
    writeFileSync(config, '');
    writeFileSync(config, 'interval = 600\n');
    appendFileSync(config, 'jitter = 2\n');
    expect(await line('read again')).toContain('applied=["interval","jitter"]');
    expect(configuration.options).toMatchObject({ interval: 600, jitter: 2 });
  });

  test('changes nothing while it is empty, however long its writer rests then', async () => {
    const deny = join(folder, 'deny.txt');
    await writeFile(deny, '01'.repeat(20));
    const { configuration, lists } = await watched('deny = "deny.txt"');
    await writeFile(config, '\n');
    expect(await line('holds')).toBe(
      `error: ${config} is empty: somebody is writing it, or it lacks a comment; what held before holds\n`,
    );
    expect(lists.find('deny')?.view.entries).toBe(1);
    await writeFile(config, 'deny = "deny.txt"\ninterval = 600');
    expect(await line('read again')).toContain('applied=["interval"]');
    expect(configuration.options.deny).toBe(deny);
  });

  test.each([
    ['is no TOML', 'interval = = 1', /tracker\.toml:1: /],
    ['has a value that is none', 'jitter = 3\ninterval = 0', /tracker\.toml:2: interval: it must be a whole number/],
    ['names a list that is not there', 'interval = 600\ndeny = "none.txt"', /cannot use the deny list .*none\.txt/],
    ['does not go together', 'interval = 800\nmin-interval = 1000', /minInterval/],
    ['asks for what no store can', 'store = "redis://127.0.0.1:1"\nfull-scrape = 5', /full-scrape .* store/],
  ])('changes nothing and is told when it %s; then it is mended', async (_, text, problem) => {
    const { configuration } = await watched('interval = 900\njitter = 1');
    await writeFile(config, text);
    expect(await line('holds')).toMatch(problem);
    expect(configuration.options).toMatchObject({ interval: 900, jitter: 1, deny: undefined });
    expect(configuration.view.problem).toMatch(problem);
    expect(configuration.isCurrent).toBe(false);
    await writeFile(config, 'interval = 300');
    expect(await line('read again')).toContain('applied=["interval","jitter"]');
    expect(configuration.view.problem).toBe(undefined);
    expect([configuration.isCurrent, configuration.reloads]).toEqual([true, { ok: 1, failed: 1 }]);
  });

  test('may go and come back', async () => {
    const { configuration } = await watched('interval = 900');
    await unlink(config);
    expect(await line('holds')).toContain(`cannot read the configuration ${config}`);
    expect(configuration.options.interval).toBe(900);
    await writeFile(config, 'interval = 600');
    expect(await line('read again')).toContain('applied=["interval"]');
  });

  test('may have changed since it was first read', async () => {
    const { configuration, tellError } = await opened('interval = 900');
    await writeFile(config, 'interval = 600');
    await configuration.watch(tellError);
    expect(configuration.options.interval).toBe(600);
    await line('applied=["interval"]');
  });

  test('and a list that changes by itself are counted, each reading once', async () => {
    await writeFile(join(folder, 'deny.txt'), '');
    const { configuration } = await watched('deny = "deny.txt"');
    await writeFile(join(folder, 'deny.txt'), 'nonsense');
    await line('deny.txt:1:1');
    expect([configuration.reloads, configuration.isCurrent]).toEqual([{ ok: 0, failed: 1 }, false]);
    await configuration.reload();
    expect(configuration.reloads).toEqual({ ok: 0, failed: 2 });
    await writeFile(join(folder, 'deny.txt'), '01'.repeat(20));
    await line('list read again');
    expect([configuration.reloads, configuration.isCurrent]).toEqual([{ ok: 1, failed: 2 }, true]);
  });

  test('is not read twice for one change that was asked for', async () => {
    await writeFile(join(folder, 'deny.txt'), '');
    const { configuration } = await watched('deny = "deny.txt"');
    await writeFile(config, 'deny = "deny.txt"\ninterval = 600');
    await configuration.reload();
    // When this list is read again the folder has come to rest for the configuration too.
    await writeFile(join(folder, 'deny.txt'), '01'.repeat(20));
    await line('list read again list=deny entries=1');
    await configuration.reload();
    expect(configuration.reloads).toEqual({ ok: 3, failed: 0 });
  });
});

test('a failure of our own in one reading leaves the next ones as they are', async () => {
  const { configuration } = await opened('interval = 900');
  let isOurs = false;
  configuration.onOptions(() => {
    if (isOurs) throw new Error('ours');
  });
  isOurs = true;
  await writeFile(config, 'interval = 600');
  await expect(configuration.reload()).rejects.toThrow('ours');
  isOurs = false;
  await writeFile(config, 'interval = 300');
  expect(await configuration.reload()).toMatchObject({ applied: ['interval'], problems: [] });
});
