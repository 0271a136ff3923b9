// Some files of a torrent instead of all, and one of them to standard output, between processes over real sockets.
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { jsonOf, peakMemoryOf, shoal, start } from './command.ts';
import { digests, listing, randomFile, randomFolder, temporaryFolder } from './content.ts';
import { loopback, seeding } from './seeder.ts';

const mebibyte = 1_048_576;

/** Files that share pieces of 64 KiB with their neighbours. */
const album = { 'a.flac': 300_000, 'b.flac': 200_000, 'disc/c.txt': 1000, 'disc/d.jpg': 70_000 };

describe('a selection of files', () => {
  test('is all that is created and completed, and the rest follows when it is asked for', async () => {
    const content = await randomFolder(album);
    const { peer } = await seeding(content);
    const directory = await temporaryFolder();
    const words = ['download', content.torrent, '-d', directory, ...loopback, '--peer', peer, '--json'];
    const some = await shoal([...words, '--select', 'disc', '--select', '1', '--skip', '*.jpg']);
    expect(some.code).toBe(0);
    const { leftBytes } = jsonOf<{ torrents: { leftBytes: number }[] }>(some).torrents[0] ?? {};
    expect(jsonOf<object>(some)).toMatchObject({ ok: true, torrents: [{ complete: true, wantedLeftBytes: 0 }] });
    expect(leftBytes).toBeGreaterThan(0);
    const wanted = ['content/a.flac', 'content/disc/c.txt'];
    const isVisible = (name: string): boolean => name.startsWith('content/') && !name.endsWith('/');
    expect((await listing(directory)).filter(isVisible)).toEqual(wanted);
    const given = await digests(content.folder);
    for (const name of wanted) expect((await digests(directory))[name]).toBe(given[name]);

    const all = await shoal(words);
    expect(jsonOf<object>(all)).toMatchObject({ ok: true, torrents: [{ complete: true, leftBytes: 0 }] });
    // Of what was there, the two pieces that cross into files that were not may be fetched again.
    const { downloadedBytes } = jsonOf<{ torrents: { downloadedBytes: number }[] }>(all).torrents[0] ?? {};
    expect(downloadedBytes).toBeLessThanOrEqual(Number(leftBytes) + 2 * 65_536);
    expect(await digests(directory)).toEqual(given);
  });

  test('is told while it goes on: what is left of it, beside what is left of all', async () => {
    const content = await randomFolder(album);
    const { peer } = await seeding(content);
    const words = ['download', content.torrent, '-d', await temporaryFolder(), ...loopback, '--peer', peer, '--jsonl'];
    const run = start([...words, '--select', '*.txt']);
    expect(await run.ended).toMatchObject({ code: 0 });
    // The file lies in one piece.
    expect(run.last('stopped')).toMatchObject({ state: 'seeding', havePieces: 1, wantedLeftBytes: 0 });
    expect(run.last('stopped')?.['leftBytes']).toBe(content.metainfo.geometry.totalLength - 65_536);
  });

  test('may be looked at before, as a table or as JSON, without a folder', async () => {
    const content = await randomFolder(album);
    const listed = await shoal(['download', content.torrent, '--list', '--select', '*.flac', '--prefer', 'a*']);
    expect(listed).toMatchObject({ code: 0, stderr: '' });
    expect(listed.stdout.split('\n')).toEqual([
      '1\tcontent/a.flac\t300000\thigh',
      '2\tcontent/b.flac\t200000\tnormal',
      '3\tcontent/disc/c.txt\t1000\tskip',
      '4\tcontent/disc/d.jpg\t70000\tskip',
      '',
    ]);
    const json = await shoal(['download', content.torrent, '--list', '--json']);
    expect(jsonOf<object>(json)).toMatchObject({
      ok: true,
      torrents: [
        {
          name: 'content',
          files: [{ number: 1, path: 'content/a.flac', length: 300_000, priority: 'normal' }, {}, {}, {}],
        },
      ],
    });
    const shown = await shoal(['show', content.torrent]);
    expect(shown.stdout).toContain('file 4\tcontent/disc/d.jpg\t70000\n');
  });

  test('that matches nothing is refused with what there is, before anything is opened or written', async () => {
    const content = await randomFolder(album);
    const directory = path.join(await temporaryFolder(), 'none');
    const ended = await shoal(['download', content.torrent, '-d', directory, ...loopback, '--select', '*.mp3']);
    expect(ended.code).toBe(2);
    expect(ended.stderr).toBe(
      'shoal: usage: no file matches *.mp3; there are:\n' +
        '  1  content/a.flac\n  2  content/b.flac\n  3  content/disc/c.txt\n  4  content/disc/d.jpg\n',
    );
    await expect(readFile(directory)).rejects.toMatchObject({ code: 'ENOENT' });
  });
});

describe('--stdout', () => {
  test('pipes a file in order while it is being downloaded, and keeps nothing without -d', async () => {
    const content = await randomFolder({ 'a.txt': 100_000, 'film.mkv': 4 * mebibyte, 'z.txt': 100_000 });
    const { peer, run: seeder } = await seeding(content, '--upload-limit', '2MiB', '--interval-ms', '20');
    const TMPDIR = await temporaryFolder();
    const words = ['download', content.torrent, ...loopback, '--peer', peer, '--stdout', 'film.mkv'];
    // Node keeps compiled code there otherwise.
    const NODE_COMPILE_CACHE = await temporaryFolder();
    const run = start(words, { env: { TMPDIR, NODE_COMPILE_CACHE } });
    const sentAtFirst = new Promise<number>((resolve) => {
      run.child.stdout?.once('data', () => resolve(Number(seeder.last('progress')?.['uploadedBytes'])));
    });
    expect(await sentAtFirst).toBeLessThan(3 * mebibyte);
    const ended = await run.ended;
    expect(ended).toMatchObject({ code: 0, stderr: expect.stringContaining('content: complete') as string });
    const film = await readFile(path.join(content.folder, 'content/film.mkv'));
    expect(film.equals(ended.bytes)).toBe(true);
    expect(await listing(TMPDIR)).toEqual([]);
    // The others share its first and last piece, and that is all that is fetched of them.
    expect(seeder.last('progress')?.['uploadedBytes']).toBeLessThanOrEqual(film.length + 2 * 65_536);
  });

  test('of the only file needs no name, wherever the word stands, and with -d the content stays', async () => {
    const content = await randomFile(300_000);
    const { peer } = await seeding(content);
    const directory = await temporaryFolder();
    const words = [...loopback, '--peer', peer];
    const bytes = await readFile(path.join(content.folder, 'content.bin'));
    for (const named of [
      ['--stdout', content.torrent],
      [content.torrent, '--stdout', '-d', directory],
    ]) {
      const ended = await shoal(['download', ...words, ...named]);
      expect(ended.code).toBe(0);
      expect(bytes.equals(ended.bytes)).toBe(true);
    }
    expect(await digests(directory)).toEqual(await digests(content.folder));
  });

  test.runIf(process.platform === 'linux')(
    'waits for who reads it, and holds none of what waits in memory',
    async () => {
      const content = await randomFile(160 * mebibyte, { pieceLength: mebibyte });
      // So slowly that who did not wait could hold nearly all of it by the end.
      const { peer } = await seeding(content, '--upload-limit', '60MiB');
      const run = start(['download', content.torrent, ...loopback, '--peer', peer, '--stdout']);
      run.child.stdout?.pause();
      await new Promise<void>((resolve) => {
        run.child.stderr?.on('data', () => {
          if (run.stderr.includes('content.bin: complete')) resolve();
        });
      });
      const status = await readFile(`/proc/${run.pid}/status`, 'utf8');
      expect(peakMemoryOf(status)).toBeLessThan(200_000_000);
      run.child.stdout?.resume();
      const ended = await run.ended;
      expect(ended.code).toBe(0);
      expect((await readFile(path.join(content.folder, 'content.bin'))).equals(ended.bytes)).toBe(true);
    },
  );

  test('ends quietly when who reads it has enough', async () => {
    const content = await randomFile(8 * mebibyte);
    const { peer } = await seeding(content, '--upload-limit', '4MiB');
    const run = start(['download', content.torrent, ...loopback, '--peer', peer, '--stdout']);
    run.child.stdout?.once('data', () => run.child.stdout?.destroy());
    const ended = await run.ended;
    expect(ended.code).toBe(0);
    expect(ended.stderr).not.toMatch(/shoal:|warning|stopping|complete/);
  });

  test.each<[string, string[], RegExp]>([
    [
      'of a folder needs a name',
      ['T', '--stdout'],
      /"content" has 2 files: --stdout FILE says which; there are:\n {2}1/,
    ],
    ['of a file that is not there', ['T', '--stdout', 'c'], /there is no file c in "content"/],
    ['beside JSON', ['T', '--stdout', 'a', '--jsonl'], /cannot be used with/],
    ['of two torrents', ['T', 'T', '--stdout', 'a'], /--stdout takes one torrent/],
    ['beside --list', ['T', '--stdout', 'a', '--list'], /cannot be used with/],
    ['of nothing', ['--stdout'], /missing required argument 'source'/],
  ])('%s is a usage error', async (_what, words, message) => {
    const content = await randomFolder({ a: 10, b: 10 });
    const given = words.map((word) => (word === 'T' ? content.torrent : word));
    const ended = await shoal(['download', ...loopback, ...given]);
    expect(ended).toMatchObject({ code: 2, stderr: expect.stringMatching(message) as string });
  });
});
