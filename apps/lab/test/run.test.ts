// `shoal-lab run` end to end: the real apps as processes, real sockets, real files.
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { RunResult } from '../src/picture.ts';
import { isRunning, lab, LabRun } from './lab-run.ts';

let place: string;
let temporary: string;
let folder: string;
/** Bytes of the files that the torrent holds. */
const folderBytes = 700_001 + 5 + 40_000;

beforeEach(async () => {
  place = await mkdtemp(join(tmpdir(), 'shoal-lab-test-'));
  temporary = join(place, 'tmp');
  folder = join(place, 'photos');
  await mkdir(temporary);
  await mkdir(join(folder, 'deep', 'er'), { recursive: true });
  await writeFile(join(folder, 'one.bin'), bytes(700_001, 1));
  await writeFile(join(folder, 'deep', 'two.txt'), 'hello');
  await writeFile(join(folder, 'deep', 'er', 'three.bin'), bytes(40_000, 3));
  await writeFile(join(folder, 'deep', 'empty'), '');
});
afterEach(() => rm(place, { recursive: true }));

/** Content without a pattern, the same for the same `salt`. */
function bytes(length: number, salt: number): Uint8Array {
  const content = new Uint8Array(length);
  let state = salt;
  for (let i = 0; i < length; i++) content[i] = (state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0) >>> 24;
  return content;
}

describe('a run', () => {
  test('ends with three equal copies of a folder, and its figures add up', async () => {
    const { code, stdout, stderr } = await lab(temporary, 'run', folder, '--peers', '3', '--json');
    expect({ code, stderr }).toMatchObject({ code: 0 });
    const result = JSON.parse(stdout) as RunResult;
    expect(result).toMatchObject({ ok: true, name: 'photos', bytes: folderBytes, files: 4, pieceLength: 16_384 });
    expect(result.infoHash).toMatch(/^[0-9a-f]{40}$/);
    expect(result.peers.map(({ name }) => name)).toEqual(['peer-1', 'peer-2', 'peer-3']);
    for (const peer of result.peers) {
      expect(peer).toMatchObject({ verified: true, downloadedBytes: folderBytes });
      expect(peer.fromOriginBytes + peer.fromPeersBytes).toBe(folderBytes);
      expect(peer.seconds).toBeGreaterThan(0);
    }
    expect(result.seconds).toBe(Math.max(...result.peers.map(({ seconds }) => seconds)));
    const sum = (of: (peer: RunResult['peers'][number]) => number): number =>
      result.peers.reduce((total, peer) => total + of(peer), 0);
    // What arrived twice was sent twice, but is of use once.
    expect(result.originUploadedBytes).toBeGreaterThanOrEqual(sum((peer) => peer.fromOriginBytes));
    expect(sum((peer) => peer.uploadedBytes)).toBeGreaterThanOrEqual(sum((peer) => peer.fromPeersBytes));
    expect(sum((peer) => peer.fromOriginBytes)).toBeGreaterThanOrEqual(folderBytes);
    expect(await readdir(temporary)).toEqual([]);
  });

  test('says what no torrent can hold, and does not ask the copies for it', async () => {
    await mkdir(join(folder, 'nothing'));
    await symlink('one.bin', join(folder, 'link'));
    await writeFile(join(folder, 'Thumbs.db'), 'junk');
    const { code, stdout, stderr } = await lab(temporary, 'run', folder, '--peers', '1', '--piece-length', '64KiB');
    expect(stderr).toContain('nothing is not in the torrent');
    expect(stderr).toContain('link is not in the torrent');
    expect(stderr).toContain('Thumbs.db is not in the torrent');
    expect(stdout).toContain('photos  722.7 KiB, 4 files, 12 pieces of 64 KiB');
    expect(stdout).toContain('the copy is equal to the original');
    expect(code).toBe(0);
  });

  test('keeps copies, torrent, events and result where --keep says, and the next run replaces them', async () => {
    const kept = join(place, 'kept');
    const file = join(folder, 'one.bin');
    expect(await lab(temporary, 'run', file, '--peers', '1', '--keep', kept, '--quiet')).toMatchObject({ code: 0 });
    await writeFile(join(kept, 'mine.txt'), 'stays');
    const again = await lab(temporary, 'run', file, '--peers', '1', '--keep', kept, '--json');
    expect(again).toMatchObject({ code: 0, stderr: expect.not.stringContaining('warning') });
    const left = ['.shoal-lab', 'events.jsonl', 'mine.txt', 'peer-1', 'run.json', 'swarm.torrent'];
    expect((await readdir(kept)).toSorted()).toEqual(left);
    expect(await readFile(join(kept, 'peer-1', 'one.bin'))).toEqual(await readFile(file));
    expect(JSON.parse(await readFile(join(kept, 'run.json'), 'utf8'))).toEqual(JSON.parse(again.stdout));
    const events = (await readFile(join(kept, 'events.jsonl'), 'utf8')).trimEnd().split('\n');
    expect(JSON.parse(events[0]!)).toMatchObject({ process: 'tracker', event: 'started' });
    expect(events.some((line) => line.includes('"process":"peer-1"') && line.includes('"completed"'))).toBe(true);
  });

  test('fails with 6 and says which files, when the original is not what was copied', async () => {
    await using run = new LabRun(temporary, 'run', folder, '--peers', '2', '--jsonl');
    await run.event(({ process, event }) => process === 'origin' && event === 'added');
    await writeFile(join(folder, 'deep', 'late.txt'), 'came after the torrent was made');
    const { code, stderr } = await run.end();
    expect(code).toBe(6);
    expect(stderr).toContain('peer-1: photos/deep/late.txt: missing');
    expect(stderr).toContain('peer-2: photos/deep/late.txt: missing');
    expect(run.events.at(-1)).toMatchObject({ event: 'result', ok: false, peers: [{ verified: false }, {}] });
  });
});

describe('a run that cannot succeed', () => {
  test('names the peer that was killed, fails with 1 and leaves no process and no file', async () => {
    const big = join(place, 'big.bin');
    await writeFile(big, bytes(16_000_000, 7));
    await using run = new LabRun(temporary, 'run', big, '--peers', '3', '--jsonl');
    const { pid = 0 } = await run.event(({ process, event }) => process === 'peer-2' && event === 'started');
    await run.event(({ process, event }) => process === 'peer-2' && event === 'added');
    process.kill(pid, 'SIGKILL');
    const { code, stderr } = await run.end();
    expect(stderr).toContain(`peer-2 (process ${pid}) was ended by SIGKILL`);
    expect(code).toBe(1);
    expect(run.events.at(-1)).toMatchObject({ event: 'result', ok: false, error: { code: 'other' } });
    // Tracker, torrent, origin, three peers.
    expect(run.pids).toHaveLength(6);
    expect(run.pids.filter(isRunning)).toEqual([]);
    expect(await readdir(temporary)).toEqual([]);
  });

  test.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)('ends on %s with %i after everybody said goodbye to the tracker', async (signal, code) => {
    const big = join(place, 'big.bin');
    await writeFile(big, bytes(16_000_000, 7));
    await using run = new LabRun(temporary, 'run', big, '--peers', '2', '--jsonl');
    await run.event(({ process, event }) => process === 'peer-2' && event === 'announced');
    run.child.kill(signal);
    const end = await run.end();
    expect(end).toMatchObject({ code, stderr: expect.stringContaining('nothing is left running') });
    const goodbye = run.events.find(({ process, event }) => process === 'tracker' && event === 'stopped');
    expect(goodbye).toMatchObject({ swarms: { seeders: 0, leechers: 0 } });
    expect(run.pids.filter(isRunning)).toEqual([]);
    expect(await readdir(temporary)).toEqual([]);
  });

  test('kills everything at once when it is asked twice', async () => {
    await using run = new LabRun(temporary, 'run', folder, '--peers', '2', '--jsonl');
    const { pid: peer = 0 } = await run.event(({ process, event }) => process === 'peer-1' && event === 'started');
    await run.event(({ process, event }) => process === 'peer-2' && event === 'started');
    const { pids } = run;
    process.kill(peer, 'SIGSTOP');
    run.child.kill('SIGINT');
    // peer-1 cannot say goodbye any more; once peer-2 has, the lab has surely taken the first signal.
    await run.event(({ process, event }) => process === 'peer-2' && event === 'ended');
    run.child.kill('SIGINT');
    expect(await run.end()).toMatchObject({ code: 130 });
    // Their parent is gone: whoever inherits them takes note of their end a moment later.
    await expect.poll(() => pids.filter(isRunning), { timeout: 5000 }).toEqual([]);
    expect(await readdir(temporary)).toEqual([]);
  });

  test('gives up with 7 after --timeout and says how far everybody was', async () => {
    const { code, stderr } = await lab(temporary, 'run', folder, '--peers', '1', '--timeout', '0.01');
    expect(stderr).toContain('not complete after 0.01 s: peer-1 has 0 %');
    expect(code).toBe(7);
  });

  test.each([
    { what: 'nothing at PATH', words: () => [join(place, 'none')], code: 4, says: 'there is no such file' },
    { what: 'a folder of nothing', words: () => [join(place, 'void')], code: 4, says: 'create' },
    {
      what: 'a folder somebody else filled',
      words: () => [folder, '--keep', join(place, 'full')],
      code: 3,
      says: 'no run of the lab',
    },
    { what: 'PATH in --keep', words: () => [join(folder, 'one.bin'), '--keep', folder], code: 3, says: 'overlap' },
    { what: 'no downloader', words: () => [folder, '--peers', '0'], code: 2, says: '1 to 200' },
    { what: 'an odd piece length', words: () => [folder, '--piece-length', '100000'], code: 3, says: 'power of two' },
    { what: 'two kinds of JSON', words: () => [folder, '--json', '--jsonl'], code: 2, says: 'cannot be used with' },
  ])('refuses $what with $code and says why', async ({ words, code, says }) => {
    await mkdir(join(place, 'void'));
    await mkdir(join(place, 'full', 'of', 'things'), { recursive: true });
    const end = await lab(temporary, 'run', ...words());
    expect(end).toMatchObject({ code, stderr: expect.stringContaining(says) });
    expect(await readdir(temporary)).toEqual([]);
  });
});
