// Downloading and seeding between processes over real sockets.
import { appendFile, mkdir, readFile, truncate, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { jsonOf, shoal, start, startTracker } from './command.ts';
import { digests, randomFile, randomFolder, temporaryFolder, type Content } from './content.ts';
import { freePort } from './raw-peer.ts';
import { loopback, seeding } from './seeder.ts';
import { ThrottlingProxy } from './throttling-proxy.ts';

interface Downloaded {
  readonly ok: boolean;
  readonly error?: { readonly code: string; readonly message: string };
  readonly torrents: {
    readonly complete: boolean;
    readonly state: string;
    readonly leftBytes: number;
    readonly downloadedBytes: number;
    readonly uploadedBytes: number;
    readonly wastedBytes: number;
    readonly seconds: number;
    readonly contributions: { readonly peerId: string; readonly downloadedBytes: number }[];
  }[];
}

describe('download', () => {
  test('gets a folder from a named peer, and ends when it is complete', async () => {
    const content = await randomFolder({ a: 3_000_000, 'deep/er/b': 70_000, 'deep/empty': 0, c: 1 });
    const { peer, run } = await seeding(content);
    const directory = path.join(await temporaryFolder(), 'made', 'for it');
    const ended = await shoal(['download', content.torrent, '-d', directory, ...loopback, '--peer', peer, '--json']);
    expect(ended.code).toBe(0);
    expect(jsonOf<Downloaded>(ended)).toMatchObject({
      ok: true,
      torrents: [
        {
          infoHash: content.metainfo.infoHash,
          complete: true,
          state: 'seeding',
          leftBytes: 0,
          downloadedBytes: 3_070_001,
        },
      ],
    });
    expect(jsonOf<Downloaded>(ended).torrents[0]?.contributions).toEqual([
      { peerId: run.last('added')?.['peerId'], downloadedBytes: 3_070_001, uploadedBytes: 0 },
    ]);
    expect(await digests(directory)).toEqual(await digests(content.folder));
    expect(await shoal(['verify', content.torrent, directory])).toMatchObject({ code: 0 });
  });

  test('finds peers through the tracker, and tells it of start, completion and end', async () => {
    const tracker = await startTracker();
    const content = await randomFile(2_000_000, { trackers: [[tracker.announceUrl]] });
    const { run } = await seeding(content);
    await run.until('announced');
    const directory = await temporaryFolder();
    const download = start(['download', content.torrent, '-d', directory, ...loopback, '--jsonl']);
    expect((await download.ended).code).toBe(0);
    const names = download.events.map(({ event }) => event).filter((event) => event !== 'progress');
    expect(names.slice(0, 3)).toEqual(['listening', 'added', 'announced']);
    expect(names.slice(-2)).toEqual(['stopped', 'result']);
    const announced = download.events
      .filter(({ event }) => event === 'announced')
      .map((event) => event['announceEvent']);
    expect(announced).toEqual(['started', 'completed', 'stopped']);
    expect(await tracker.swarms()).toMatchObject({ seeders: 1, leechers: 0, completed: 1 });
    expect(await digests(directory)).toEqual(await digests(content.folder));
  });

  test('tells of it all in the events that programs read', async () => {
    const content = await randomFile(300_000);
    const { peer } = await seeding(content);
    const words = ['download', content.torrent, '-d', await temporaryFolder(), ...loopback, '--peer', peer, '--jsonl'];
    const download = start([...words, '--interval-ms', '20']);
    expect(await download.ended).toMatchObject({ code: 0 });
    const { infoHash } = content.metainfo;
    const hex40 = expect.stringMatching(/^[0-9a-f]{40}$/) as string;
    const count = expect.any(Number) as number;
    expect(download.last('listening')).toEqual({ event: 'listening', port: count });
    expect(download.last('added')).toEqual({
      event: 'added',
      infoHash,
      name: 'content.bin',
      peerId: hex40,
      totalBytes: 300_000,
      pieces: 5,
      havePieces: 0,
      checkingPieces: 0,
    });
    expect(download.last('completed')).toEqual({ event: 'completed', infoHash, seconds: count });
    const figures = {
      infoHash,
      state: 'seeding',
      havePieces: 5,
      pieces: 5,
      checkingPieces: 0,
      leftBytes: 0,
      wantedLeftBytes: 0,
      totalBytes: 300_000,
      downloadedBytes: 300_000,
      uploadedBytes: 0,
      downloadRate: count,
      uploadRate: 0,
      peers: count,
      contributions: [{ peerId: hex40, downloadedBytes: 300_000, uploadedBytes: 0 }],
    };
    expect(download.last('progress')).toEqual({ event: 'progress', ...figures });
    expect(download.last('stopped')).toEqual({ event: 'stopped', ...figures });
    expect(download.last('peer-joined')).toEqual({
      event: 'peer-joined',
      infoHash,
      peerId: hex40,
      endpoint: { ip: '127.0.0.1', port: Number(peer.split(':')[1]) },
    });
    expect(download.last('peer-left')).toMatchObject({ infoHash, reason: expect.any(String) as string });
  });

  test('several torrents at once, one of them complete already, and one that cannot be written', async () => {
    const contents = await Promise.all([randomFile(500_000), randomFile(100), randomFolder({ a: 1000 })]);
    const [big, small, folder] = contents as [Content, Content, Content];
    const directory = await temporaryFolder();
    // Both of the others are called content.bin: each has a folder of its own.
    const { peer } = await seeding(big);
    await writeFile(path.join(directory, 'content'), 'in the way');
    const words = ['download', big.torrent, folder.torrent, '-d', directory, ...loopback, '--peer', peer, '--json'];
    const ended = await shoal(words);
    expect(ended.code).toBe(5);
    expect(ended.stderr).toMatch(/^shoal: disk: .*content.*move it away/m);
    expect(jsonOf<Downloaded>(ended)).toMatchObject({
      ok: false,
      error: { code: 'disk' },
      torrents: [{ complete: true }],
    });
    expect(await readFile(path.join(directory, 'content'), 'utf8')).toBe('in the way');
    const again = await shoal(['download', small.torrent, '-d', small.folder, ...loopback]);
    expect(again).toMatchObject({
      code: 0,
      stderr: expect.stringContaining('content.bin: complete already') as string,
    });
  });

  test('mends what is wrong on disk and fetches nothing else', async () => {
    const content = await randomFolder({ a: 4 * 65_536, b: 65_536, empty: 0 });
    const { peer } = await seeding(content);
    const directory = await temporaryFolder();
    await mkdir(path.join(directory, 'content'));
    for (const [name, bytes] of Object.entries({ a: await readFile(path.join(content.folder, 'content/a')) }))
      await writeFile(path.join(directory, 'content', name), bytes);
    await truncate(path.join(directory, 'content/a'), 3 * 65_536 + 5);
    await writeFile(path.join(directory, 'content/b'), await readFile(path.join(content.folder, 'content/b')));
    await appendFile(path.join(directory, 'content/b'), 'too long');
    const ended = await shoal(['download', content.torrent, '-d', directory, ...loopback, '--peer', peer, '--json']);
    expect(jsonOf<Downloaded>(ended).torrents[0]).toMatchObject({ complete: true, downloadedBytes: 65_536 });
    expect(await digests(directory)).toEqual(await digests(content.folder));
  });

  test('runs --on-done with the variables that scripts for Transmission read, and outlives its failure', async () => {
    const content = await randomFile(50_000, { trackers: [[`http://127.0.0.1:${await freePort()}/announce`]] });
    const { peer } = await seeding(content);
    const directory = await temporaryFolder();
    const seen = path.join(await temporaryFolder(), 'seen');
    const hook = `env | grep ^TR_ | sort > '${seen}'; echo spoken; exit 3`;
    const words = ['download', content.torrent, '-d', directory, ...loopback, '--peer', peer, '--on-done', hook];
    const ended = await shoal(words);
    expect(ended).toMatchObject({ code: 0, stdout: '' });
    expect(ended.stderr).toContain('spoken\n');
    expect(ended.stderr).toContain('warning: --on-done for content.bin: ended with status 3\n');
    const variables = (await readFile(seen, 'utf8')).trimEnd().split('\n');
    expect(variables).toEqual([
      expect.stringMatching(/^TR_APP_VERSION=\d+\.\d+\.\d+/),
      expect.stringMatching(/^TR_TIME_LOCALTIME=[A-Z][a-z]{2} [A-Z][a-z]{2} \d\d \d\d:\d\d:\d\d \d{4}$/),
      'TR_TORRENT_BYTES_DOWNLOADED=50000',
      `TR_TORRENT_DIR=${directory}`,
      `TR_TORRENT_HASH=${content.metainfo.infoHash}`,
      'TR_TORRENT_ID=1',
      'TR_TORRENT_LABELS=',
      'TR_TORRENT_NAME=content.bin',
      'TR_TORRENT_PRIORITY=0',
      `TR_TORRENT_TRACKERS=${content.metainfo.announceTiers[0]?.[0]}`,
    ]);
  });

  test('--seed-until ratio ends once that much was given', async () => {
    const content = await randomFile(1_000_000);
    const words = ['-d', content.folder, ...loopback, '--jsonl', '--seed-until', 'ratio=0.9,time=1h'];
    const giver = start(['download', content.torrent, ...words]);
    const { port } = await giver.until('listening');
    await giver.until('completed');
    const taken = await temporaryFolder();
    const taker = ['download', content.torrent, '-d', taken, ...loopback, '--peer', `localhost:${String(port)}`];
    expect(await shoal(taker)).toMatchObject({ code: 0 });
    expect((await giver.ended).code).toBe(0);
    expect(giver.last('stopped')).toMatchObject({ uploadedBytes: 1_000_000 });
  });

  test('--seed-until time ends after that time, and gives to nobody afterwards', async () => {
    const content = await randomFile(1000);
    const words = ['download', content.torrent, '-d', content.folder, ...loopback, '--seed-until', 'time=0.3'];
    expect(await shoal(words)).toMatchObject({
      code: 0,
      stderr: expect.stringContaining('content.bin: seeding') as string,
    });
  });

  test('without a tracker or peer says that nobody will come', async () => {
    const content = await randomFile(1000);
    const run = start(['download', content.torrent, '-d', await temporaryFolder(), ...loopback, '--jsonl']);
    await run.until('added');
    const ended = await run.kill('SIGTERM');
    expect(ended.code).toBe(143);
    expect(ended.stderr).toMatch(
      /^warning: content\.bin: the torrent names no tracker and no peer was given: give --tracker or --peer/,
    );
    expect(ended.stderr).toMatch(/shoal: terminated: 1 of 1 torrent not complete; the same command continues\n$/);
  });

  test.each<[string, string[], number, RegExp]>([
    [
      'a magnet link',
      ['magnet:?xt=urn:btih:0123456789abcdef0123456789abcdef01234567&dn=x'],
      4,
      /the magnet link of "x" names a torrent but does not hold it.*not supported yet/,
    ],
    ['the same torrent twice', ['T', 'T'], 2, /are the same torrent/],
    ['standard input twice', ['-', '-'], 2, /only once/],
    [
      'a peer whose name has no address',
      ['T', '--peer', 'no.such.host.invalid:1'],
      8,
      /--peer no\.such\.host\.invalid:1: the name has no address/,
    ],
    ['an address that is not ours', ['T', '--bind', '192.0.2.1'], 8, /cannot listen on 192\.0\.2\.1, port 0.*--bind/],
  ])('%s is refused before anything is opened or written', async (_what, words, code, message) => {
    const content = await randomFile(1000);
    const directory = path.join(await temporaryFolder(), 'none');
    const given = words.map((word) => (word === 'T' ? content.torrent : word));
    const ended = await shoal(['download', '-d', directory, '--port', '0', '--json', ...given], { input: '' });
    expect(ended).toMatchObject({ code, stderr: expect.stringMatching(message) as string });
    expect(jsonOf<Downloaded>(ended)).toMatchObject({
      ok: false,
      error: { message: expect.stringMatching(message) as string },
    });
    await expect(readFile(directory)).rejects.toMatchObject({ code: 'ENOENT' });
  });

  test('a port that is taken is said to be, with what to do', async () => {
    const content = await randomFile(1000);
    const { port } = await seeding(content);
    const words = ['seed', content.torrent, '-d', content.folder, '--bind', '127.0.0.1', '--port', String(port)];
    expect(await shoal(words)).toMatchObject({
      code: 8,
      stderr: expect.stringContaining(`port ${port} is in use; choose another with --port`) as string,
    });
  });
});

describe('seed', () => {
  test('prints info-hash and magnet link, with the trackers it announces to, before it checks', async () => {
    const content = await randomFile(1000, { trackers: [['http://own.example/announce']] });
    const url = `http://127.0.0.1:${await freePort()}/announce`;
    const run = start(['seed', content.torrent, '-d', content.folder, ...loopback, '--tracker', url]);
    const [first] = await new Promise<Buffer[]>((resolve) =>
      run.child.stdout?.once('data', (chunk: Buffer) => resolve([chunk])),
    );
    expect(first?.toString()).toBe(
      `info-hash\t${content.metainfo.infoHash}\nmagnet\tmagnet:?xt=urn:btih:${content.metainfo.infoHash}&dn=content.bin&tr=${encodeURIComponent(url)}\n`,
    );
    await run.kill('SIGTERM');
  });

  test('of content that is not complete says what is missing, downloads and writes nothing, and ends with 6', async () => {
    const content = await randomFolder({ a: 4 * 65_536, b: 10, c: 10 });
    const { peer } = await seeding(content);
    const part = await temporaryFolder();
    await mkdir(path.join(part, 'content'));
    await writeFile(
      path.join(part, 'content/a'),
      (await readFile(path.join(content.folder, 'content/a'))).subarray(0, 65_536),
    );
    await writeFile(path.join(part, 'content/c'), 'something!');
    const ended = await shoal(['seed', content.torrent, '-d', part, ...loopback, '--peer', peer, '--json']);
    expect(ended.code).toBe(6);
    expect(ended.stderr).toContain('warning: short    content/a  pieces 1-3\n');
    expect(ended.stderr).toContain('warning: missing  content/b  pieces 4\n');
    expect(ended.stderr).toMatch(
      /^shoal: verification-failed: "content" in .*: 4 of 5 pieces are missing or wrong \(1-4\), in 3 of 3 files; shoal download/m,
    );
    expect(jsonOf<object>(ended)).toMatchObject({
      ok: false,
      error: { code: 'verification-failed' },
      pieces: { bad: [[1, 4]] },
    });
    expect(Object.keys(await digests(part))).toEqual(['content/a', 'content/c']);
  });

  test('through a slow line gives every byte all the same', async () => {
    const content = await randomFile(2_000_000);
    const { port } = await seeding(content);
    const proxy = await ThrottlingProxy.start({ host: '127.0.0.1', port }, { bytesPerSecond: 4_000_000 });
    const directory = await temporaryFolder();
    const words = ['download', content.torrent, '-d', directory, ...loopback, '--peer', proxy.peer];
    expect(await shoal(words)).toMatchObject({ code: 0 });
    expect(await digests(directory)).toEqual(await digests(content.folder));
  });
});
