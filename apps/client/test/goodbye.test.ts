// How running commands end: by signals, with trackers that listen and trackers that hang, and when nobody reads them.
import { once } from 'node:events';
import type net from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { start, startTracker, type Run } from './command.ts';
import { listing, randomFile, temporaryFolder, type Content } from './content.ts';
import { listenOn } from './raw-peer.ts';

const loopback = ['--port', '0', '--bind', '127.0.0.1'];

/** The goodbye may take 5 s; the rest is for the process to end on a busy machine. */
const longestEndMs = 6500;

function seeding(content: Content, ...words: string[]): Run {
  return start(['seed', content.torrent, '-d', content.folder, ...loopback, ...words]);
}

/** How the run ended and how long that took. */
async function endedBy(run: Run, signal: NodeJS.Signals): Promise<{ code: number | null; ms: number; stderr: string }> {
  const since = performance.now();
  const { code, stderr } = await run.kill(signal);
  return { code, stderr, ms: performance.now() - since };
}

/** A tracker over HTTP that answers every announce but those of `deafTo`. */
async function hangingTracker(deafTo: (query: string) => boolean): Promise<{ url: string; heard: Promise<string> }> {
  const { promise: heard, resolve } = Promise.withResolvers<string>();
  const { host, port } = await listenOn('127.0.0.1', (socket: net.Socket) => {
    socket.on('data', (chunk: Buffer) => {
      const [, query = ''] = /^GET (\S+) HTTP/.exec(chunk.toString('latin1')) ?? [];
      if (deafTo(query)) return resolve(query);
      const body = 'd8:intervali1800e5:peers0:e';
      socket.end(`HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n${body}`);
    });
  });
  return { url: `http://${host}:${port}/announce`, heard };
}

describe('a signal', () => {
  test.each([
    ['SIGTERM', 143, 'terminated'],
    ['SIGINT', 130, 'interrupted'],
    ['SIGHUP', 143, 'terminated'],
  ] as const)('%s says goodbye to the tracker and ends with %d', async (signal, code, name) => {
    const tracker = await startTracker();
    const content = await randomFile(100_000, { trackers: [[tracker.announceUrl]] });
    const seed = seeding(content, '--jsonl');
    await seed.until('announced');
    const words = ['--peer', '127.0.0.1:1', '--jsonl'];
    const [empty, other] = [await temporaryFolder(), await randomFile(1000)];
    const download = start([
      'download',
      other.torrent,
      '-d',
      empty,
      ...loopback,
      '--tracker',
      tracker.announceUrl,
      ...words,
    ]);
    await download.until('announced');
    expect(await tracker.swarms()).toMatchObject({ seeders: 1, leechers: 1 });
    const ends = await Promise.all([endedBy(seed, signal), endedBy(download, signal)]);
    for (const end of ends) {
      expect(end.code).toBe(code);
      expect(end.ms).toBeLessThan(longestEndMs);
      expect(end.stderr).toContain(`shoal: ${name}: `);
    }
    expect(await tracker.swarms()).toMatchObject({ seeders: 0, leechers: 0 });
    expect(seed.last('announced')).toMatchObject({ announceEvent: 'stopped' });
    expect(download.last('result')).toMatchObject({ ok: false, error: { code: name } });
  });

  test('ends within the time for goodbyes when the tracker never answers at all', async () => {
    const { url, heard } = await hangingTracker(() => true);
    const content = await randomFile(1000);
    const seed = seeding(content, '--tracker', url, '--jsonl');
    expect(await heard).toContain('event=started');
    const end = await endedBy(seed, 'SIGTERM');
    expect(end.code).toBe(143);
    expect(end.ms).toBeLessThan(longestEndMs);
  });

  test('ends within the time for goodbyes when the tracker hangs at the goodbye', async () => {
    const { url, heard } = await hangingTracker((query) => query.includes('event=stopped'));
    const content = await randomFile(1000);
    const seed = seeding(content, '--tracker', url, '--jsonl');
    await seed.until('announced');
    const end = await endedBy(seed, 'SIGINT');
    expect(await heard).toContain('event=stopped');
    expect(end.code).toBe(130);
    expect(end.ms).toBeLessThan(longestEndMs);
    expect(seed.last('result')).toMatchObject({ ok: true });
  });

  test('given twice ends at once, goodbye or not', async () => {
    const { url, heard } = await hangingTracker((query) => query.includes('event=stopped'));
    const content = await randomFile(1000);
    const seed = seeding(content, '--tracker', url, '--jsonl');
    await seed.until('announced');
    seed.child.kill('SIGINT');
    await heard;
    const end = await endedBy(seed, 'SIGTERM');
    expect(end.code).toBe(143);
    expect(end.ms).toBeLessThan(2000);
  });

  test('while content is checked ends the check', async () => {
    const content = await randomFile(40 * 1024 * 1024, { pieceLength: 16_384 });
    const run = start(['seed', content.torrent, '-d', content.folder, ...loopback, '--jsonl']);
    await run.until('checking');
    const end = await endedBy(run, 'SIGTERM');
    expect(end.code).toBe(143);
    expect(end.ms).toBeLessThan(longestEndMs);
  });

  test('while --on-done runs leaves that to itself', async () => {
    const content = await randomFile(1000);
    const folder = await temporaryFolder();
    const hook = `touch '${folder}/began'; echo "began as $$"; exec sleep 30`;
    const run = start(['download', content.torrent, '-d', content.folder, ...loopback, '--on-done', hook]);
    while (!/began as \d+\n/.test(run.stderr)) await once(run.child.stderr!, 'data');
    const hookPid = Number(/began as (\d+)\n/.exec(run.stderr)?.[1]);
    onTestFinished(() => void process.kill(hookPid));
    const since = performance.now();
    run.child.kill('SIGTERM');
    const [code] = (await once(run.child, 'exit')) as [number];
    expect(code).toBe(143);
    expect(performance.now() - since).toBeLessThan(longestEndMs);
    expect(run.stderr).toContain('warning: --on-done for content.bin: still running; it is left to itself\n');
    expect(await listing(folder)).toEqual(['began']);
  });
});

describe('a reader who goes away', () => {
  test('ends a download, which says goodbye and that it is unfinished', async () => {
    const tracker = await startTracker();
    const content = await randomFile(1000, { trackers: [[tracker.announceUrl]] });
    const words = [
      'download',
      content.torrent,
      '-d',
      await temporaryFolder(),
      ...loopback,
      '--jsonl',
      '--interval-ms',
      '20',
    ];
    const run = start(words);
    await run.until('announced');
    expect(await tracker.swarms()).toMatchObject({ leechers: 1 });
    run.child.stdout?.destroy();
    const [code] = (await once(run.child, 'exit')) as [number];
    expect(code).toBe(7);
    expect(run.stderr).toContain('shoal: unfinished: 1 of 1 torrent not complete; the same command continues\n');
    expect(await tracker.swarms()).toMatchObject({ leechers: 0 });
  });

  test('of a list is no failure', async () => {
    const content = await randomFile(1000);
    const run = start(['show', content.torrent]);
    run.child.stdout?.destroy();
    const [code] = (await once(run.child, 'exit')) as [number];
    expect(code).toBe(0);
    expect(run.stderr).toBe('');
  });
});
