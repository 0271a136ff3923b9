// What a tracker keeps in its folder of state, as processes of their own that end in every way.
import { once } from 'node:events';
import { mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Run, announce } from './running-command.ts';

let folder: string;
let state: string[];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'shoal-state-'));
  state = ['--http', '127.0.0.1:0', '--udp', 'off', '--json', '--state', join(folder, 'state')];
});
afterEach(() => rm(folder, { recursive: true }));

const torrent = (number: number): Uint8Array => new Uint8Array(20).fill(number);

describe('a tracker with a folder of state', () => {
  test('knows after a stop and a start who was there, what was completed, and whose tracker ids are good', async () => {
    let given = '';
    {
      await using run = new Run('serve', ...state);
      const { http } = await run.event();
      given = Buffer.from((await announce(http, torrent(1), 5)).get('tracker id') as Uint8Array).toString();
      await announce(http, torrent(1), 0);
      expect((await run.end('SIGTERM')).code).toBe(0);
    }
    await using again = new Run('serve', ...state);
    const { http } = await again.event();
    expect(await again.logged('swarms read')).toContain('peers=1 expired=0 unlisted=0');
    const answer = await announce(http, torrent(1), 0);
    expect([answer.get('complete'), answer.get('downloaded')]).toEqual([1, 1]);
    const echoed = `${String(http)}/announce?info_hash=${'%01'.repeat(20)}&peer_id=${'p'.repeat(20)}&port=6881&left=0&compact=1`;
    const kept = await (await fetch(`${echoed}&trackerid=${given}`)).text();
    const renewed = await (await fetch(`${echoed}&trackerid=nonsense`)).text();
    expect(kept).not.toContain('tracker id');
    expect(renewed).toContain('tracker id');
  });

  test('loses to a SIGKILL no more than what came after its last snapshot', async () => {
    {
      await using run = new Run('serve', ...state, '--snapshot-every', '1', '--log-level', 'debug');
      const { http } = await run.event();
      await announce(http, torrent(1), 5);
      // The one that is being written may be from before.
      await run.logged('swarms written');
      await run.logged('swarms written');
      await announce(http, torrent(2), 5);
      await run.end('SIGKILL');
    }
    await using again = new Run('serve', ...state);
    const { http } = await again.event();
    expect((await announce(http, torrent(1), 0)).get('complete')).toBe(1);
    const { swarms } = (await (await fetch(`${String(http)}/stats.json`)).json()) as { swarms: { torrents: number } };
    expect(swarms.torrents).toBeLessThanOrEqual(2);
  });

  test('takes in what stands before damage, and says where that is', async () => {
    {
      await using run = new Run('serve', ...state);
      await announce((await run.event())['http'], torrent(1), 5);
      await run.end('SIGTERM');
    }
    const file = join(folder, 'state', 'swarms');
    const bytes = await readFile(file);
    bytes[40]! ^= 1;
    await writeFile(file, bytes);
    await using again = new Run('serve', ...state);
    expect((await again.event())['event']).toBe('listening');
    expect(await again.logged('damaged')).toContain(`warn: ${file} is damaged at block 1`);
  });

  test('does not start over a snapshot of another version: exit 3, naming both', async () => {
    {
      await using run = new Run('serve', ...state);
      await run.event();
      await run.end('SIGTERM');
    }
    const file = join(folder, 'state', 'swarms');
    const bytes = await readFile(file);
    bytes[11] = 7;
    await writeFile(file, bytes);
    await using again = new Run('serve', ...state);
    const { code, stderr } = await again.end();
    expect(code).toBe(3);
    expect(stderr).toContain(`${file} is a snapshot of version 7, and this program reads version 1`);
    expect(await readdir(join(folder, 'state'))).toEqual(
      expect.arrayContaining(['swarms', 'tracker-id.key']) as string[],
    );
  });

  test('tells how old, how large and how slow its last snapshot is', async () => {
    await using run = new Run(
      'serve',
      ...state,
      '--metrics',
      'public',
      '--snapshot-every',
      '1',
      '--log-level',
      'debug',
    );
    const { http } = await run.event();
    await run.logged('swarms written');
    const text = await (await fetch(`${String(http)}/metrics`)).text();
    expect(text).toMatch(/^btt_snapshot_age_seconds \d/m);
    expect(text).toMatch(/^btt_snapshot_bytes 28$/m);
    expect(text).toMatch(/^btt_snapshot_duration_seconds \d/m);
  });

  test('and a shared store is exit 3: there is no state to keep', async () => {
    await using run = new Run('serve', ...state, '--store', 'redis://127.0.0.1:1');
    expect(await run.end()).toEqual({ code: 3, stderr: expect.stringContaining('no state to keep') as string });
  });

  test('that cannot be used does not start: exit 3, naming it', async () => {
    await writeFile(join(folder, 'state'), 'a file');
    await using run = new Run('serve', ...state);
    expect(await run.end()).toEqual({ code: 3, stderr: expect.stringContaining(join(folder, 'state')) as string });
  });

  test('leaves nothing unfinished in it when it is stopped at once', async () => {
    await using run = new Run('serve', ...state);
    await run.event();
    const exit = once(run.child, 'exit');
    run.child.kill('SIGTERM');
    expect(await exit).toEqual([0, null]);
    expect((await readdir(join(folder, 'state'))).toSorted()).toEqual(['swarms', 'tracker-id.key']);
  });
});
