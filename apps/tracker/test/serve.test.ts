import { createHash } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { type IncomingMessage, request } from 'node:http';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { encode } from '@shoal/bencode';
import { Run, announce, textOf } from './running-command.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'shoal-tracker-'));
});
afterEach(() => rm(folder, { recursive: true }));

/** Status of a GET whose path is sent as it is written. */
async function statusOf(url: unknown, path: string): Promise<number | undefined> {
  const [response] = (await once(request(String(url), { path, agent: false }).end(), 'response')) as [IncomingMessage];
  response.resume();
  return response.statusCode;
}

describe('shoal-tracker serve', () => {
  test.each(['SIGTERM', 'SIGINT'] as const)(
    'says where it listens, serves, and ends with totals and 0 on %s',
    async (signal) => {
      await using run = new Run(
        'serve',
        '--http',
        '127.0.0.1:0',
        '--udp',
        '127.0.0.1:0',
        '--interval',
        '77',
        '--jitter',
        '0',
        '--json',
      );
      const listening = await run.event();
      expect(listening).toEqual({
        event: 'listening',
        http: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+$/),
        udp: expect.stringMatching(/^udp:\/\/127\.0\.0\.1:\d+$/),
        websocket: expect.stringMatching(/^ws:\/\/127\.0\.0\.1:\d+$/),
      });
      expect(Object.keys(listening)).toEqual(['event', 'http', 'udp', 'websocket']);
      // fetch keeps the connection for its next request.
      expect((await announce(listening.http, new Uint8Array(20).fill(200), 0)).get('interval')).toBe(77);
      const socket = createSocket('udp4');
      socket.send(
        Buffer.from('00000417271019800000000000000007', 'hex'),
        Number(new URL(String(listening.udp)).port),
        '127.0.0.1',
      );
      const [reply] = (await once(socket, 'message')) as [Buffer];
      expect(reply.length).toBe(16);
      socket.close();
      const ended = run.end(signal);
      expect(await run.event()).toMatchObject({
        event: 'stopped',
        signal,
        swarms: { torrents: 1, seeders: 1, announces: 1 },
        http: { announces: 1 },
        udp: { connects: 1 },
      });
      expect(await ended).toEqual({ code: 0, stderr: '' });
    },
  );

  test('prints lines for people without --json, and leaves out what is off', async () => {
    await using run = new Run('serve', '--http', '127.0.0.1:0', '--udp', 'off');
    expect(await run.line()).toMatch(/^announce {2}http:\/\/127\.0\.0\.1:\d+\/announce$/);
    expect(await run.line()).toMatch(/^announce {2}ws:\/\/127\.0\.0\.1:\d+\/announce$/);
    expect(await run.line()).toMatch(/^stats {5}http:\/\/127\.0\.0\.1:\d+\/stats$/);
    const ended = run.end('SIGTERM');
    expect(await run.line()).toMatch(/^stopped {3}SIGTERM: 0 announces/);
    expect((await ended).code).toBe(0);
  });

  test('offers the torrents of a folder, with the counts of their swarms', async () => {
    const info = encode({ name: '<b>&"crop"', length: 22_169, 'piece length': 16_384, pieces: new Uint8Array(40) });
    const torrent = Buffer.concat([Buffer.from('d4:info'), info, Buffer.from('e')]);
    await writeFile(join(folder, 'crop 05:00.jpg.torrent'), torrent);
    await using run = new Run('serve', '--http', '127.0.0.1:0', '--udp', 'off', '--torrents', folder, '--json');
    const { http } = await run.event();
    await announce(http, createHash('sha1').update(info).digest(), 0);
    const page = await (await fetch(`${String(http)}/`)).text();
    expect(page).toContain(
      '<tr><td><a href="/torrents/crop%2005%3A00.jpg.torrent">&#60;b&#62;&#38;&#34;crop&#34;</a></td><td>21.6 KiB</td><td>1</td><td>0</td></tr>',
    );
    const response = await fetch(`${String(http)}/torrents/crop%2005%3A00.jpg.torrent`);
    expect(response.headers.get('content-type')).toBe('application/x-bittorrent');
    expect(Buffer.from(await response.arrayBuffer())).toEqual(torrent);
    for (const path of [
      '/torrents/../serve',
      '/torrents/..%2fx',
      '/torrents/%2e%2e/x',
      '/torrents/',
      '/torrents/%zz',
      '/torrents/x',
    ]) {
      expect([400, 404]).toContain(await statusOf(http, path));
    }
    expect((await run.end('SIGTERM')).code).toBe(0);
  });

  test('serves only what the allow list names, and reads it again on SIGHUP', async () => {
    const [one, other] = [new Uint8Array(20).fill(0xaa), new Uint8Array(20).fill(0xbb)];
    const file = join(folder, 'allow.txt');
    await writeFile(file, `${'aa'.repeat(20)} # one\n`);
    await using run = new Run('serve', '--http', '127.0.0.1:0', '--udp', 'off', '--allow', file, '--json');
    const { http } = await run.event();
    expect((await announce(http, one, 5)).has('failure reason')).toBe(false);
    expect((await announce(http, other, 5)).has('failure reason')).toBe(true);
    await writeFile(file, 'bb'.repeat(20));
    run.child.kill('SIGHUP');
    await run.logged('configuration read again');
    expect((await announce(http, other, 5)).has('failure reason')).toBe(false);
    expect((await announce(http, one, 5)).has('failure reason')).toBe(true);
    expect((await run.end('SIGTERM')).code).toBe(0);
  });

  test('a bad line in the allow list is exit 3, naming file and line', async () => {
    const file = join(folder, 'allow.txt');
    await writeFile(file, '# none\nnonsense\n');
    await using run = new Run('serve', '--http', '127.0.0.1:0', '--udp', 'off', '--allow', file);
    expect(await run.end()).toEqual({ code: 3, stderr: expect.stringContaining(`${file}:2:1: `) });
  });

  test('a missing folder of torrents is exit 3', async () => {
    await using run = new Run('serve', '--http', '127.0.0.1:0', '--torrents', join(folder, 'none'));
    expect(await run.end()).toEqual({ code: 3, stderr: expect.stringContaining('none') });
  });

  test('a port that is taken is exit 8 and says which, to people and to programs', async () => {
    const taken = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    const address = taken.address();
    const port = typeof address === 'object' ? address?.port : undefined;
    await using run = new Run('serve', '--http', `127.0.0.1:${port}`, '--udp', '127.0.0.1:0', '--json');
    const reason = expect.stringContaining(`127.0.0.1:${port}: the address is in use`) as string;
    expect(await run.event()).toEqual({ event: 'failed', error: { code: 'network', message: reason } });
    expect(await run.end()).toEqual({ code: 8, stderr: reason });
    taken.close();
  });

  test('goes on serving when nobody reads its output any more', async () => {
    await using run = new Run('serve', '--http', '127.0.0.1:0', '--udp', 'off');
    const url = (await run.line()).replace(/^announce {2}(.*)\/announce$/, '$1');
    run.child.stdout!.destroy();
    expect((await announce(url, new Uint8Array(20).fill(1), 0)).has('interval')).toBe(true);
    // It writes its totals to nobody.
    expect(await run.end('SIGTERM')).toEqual({ code: 0, stderr: '' });
  });

  test.each([[['serve', '--http', 'nonsense']], [[]]])('%j is exit 2, with usage on stderr', async (words) => {
    await using run = new Run(...words);
    const { code, stderr } = await run.end();
    expect([code, stderr]).toEqual([2, expect.stringMatching(/error|Usage/)]);
  });

  test('--help shows an example and exits with 0', async () => {
    await using run = new Run('serve', '--help');
    expect(await textOf(run.child.stdout!)).toContain('$ shoal-tracker serve --http 0.0.0.0:6969');
    expect((await run.end()).code).toBe(0);
  });
});
