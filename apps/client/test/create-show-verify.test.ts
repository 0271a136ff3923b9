// The commands that touch no network, as processes.
import { appendFile, mkdir, readFile, rename, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import http from 'node:http';
import path from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { createMetainfo } from '@shoal/metainfo';
import { jsonOf, shoal, start } from './command.ts';
import { listing, randomFile, randomFolder, temporaryFolder } from './content.ts';

interface Created {
  readonly ok: boolean;
  readonly file: string;
  readonly infoHash: string;
  readonly magnet: string;
}

interface Verified {
  readonly ok: boolean;
  readonly error?: { readonly code: string; readonly message: string };
  readonly pieces: { readonly total: number; readonly good: number; readonly bad: [number, number][] };
  readonly files: { readonly path: string; readonly status: string; readonly badPieces: [number, number][] }[];
}

/** A web server that answers as told. */
async function webServer(answer: http.RequestListener): Promise<string> {
  const server = http.createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  onTestFinished(() => server.closeAllConnections());
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return `http://127.0.0.1:${address.port}`;
}

describe('create, show and verify', () => {
  test('what is created is shown with all it was made with, and verifies', async () => {
    const { folder } = await randomFolder({ 'a.bin': 100_000, 'sub/b.bin': 5000, empty: 0 });
    const file = path.join(await temporaryFolder(), 'made.torrent');
    const words = [
      'create',
      path.join(folder, 'content'),
      '-o',
      file,
      '-a',
      'http://one.example/announce,udp://two.example:1',
    ];
    words.push('-a', 'http://three.example/announce', '--piece-length', '16KiB', '--private', '--source', 'SRC');
    words.push('--comment', 'for you', '--name', 'renamed', '--web-seed', 'http://web.example/', '--json');
    const created = await shoal(words);
    expect(created).toMatchObject({ code: 0, stderr: '' });
    const { infoHash, magnet } = jsonOf<Created>(created);
    expect(jsonOf<Created>(created)).toMatchObject({
      ok: true,
      file,
      name: 'renamed',
      bytes: 105_000,
      pieces: 7,
      pieceLength: 16_384,
      files: 3,
    });
    expect(magnet).toContain(`xt=urn:btih:${infoHash}&dn=renamed&tr=http%3A%2F%2Fone.example`);

    const shown = await shoal(['show', file, '--json']);
    expect(jsonOf<object>(shown)).toMatchObject({
      ok: true,
      infoHash,
      magnet,
      name: 'renamed',
      isPrivate: true,
      source: 'SRC',
      comment: 'for you',
      trackers: [['http://one.example/announce', 'udp://two.example:1'], ['http://three.example/announce']],
      webSeeds: ['http://web.example/'],
      files: [
        { path: 'renamed/a.bin', length: 100_000 },
        { path: 'renamed/empty', length: 0 },
        { path: 'renamed/sub/b.bin', length: 5000 },
      ],
    });
    const lines = (await shoal(['show', file])).stdout.trimEnd().split('\n');
    expect(lines).toContain(`info-hash\t${infoHash}`);
    expect(lines).toContain('size\t105000');
    expect(lines).toContain('file 1\trenamed/a.bin\t100000');

    const verified = await shoal(['verify', file, path.join(folder, 'content')]);
    expect(verified).toMatchObject({ code: 0, stdout: 'renamed: all 7 pieces and 3 files are right\n', stderr: '' });
  });

  test('the same content gives the same file with --no-date, on standard output too', async () => {
    const { folder, name } = await randomFile(50_000);
    const content = path.join(folder, name);
    const file = path.join(folder, 'a.torrent');
    const words = ['create', content, '-a', 'http://t.example/announce', '--no-date', '-o'];
    const made = await shoal([...words, file]);
    expect(made.stdout).toMatch(/^info-hash\t[0-9a-f]{40}\nmagnet\tmagnet:\?xt=\S+\ntorrent\t.+a\.torrent\n$/);
    const piped = await shoal([...words, '-']);
    expect(piped.code).toBe(0);
    expect(piped.stderr).toMatch(/^info-hash [0-9a-f]{40}\nmagnet magnet:/);
    // Text of the output: the bytes of hashes are not UTF-8, the rest is.
    expect(piped.stdout).toBe(await readFile(file, 'utf8'));
  });

  test('a file that exists is overwritten only with -f, and that is said before the work', async () => {
    const { folder, name } = await randomFile(50_000);
    const file = path.join(folder, 'precious');
    await writeFile(file, 'precious');
    const words = ['create', path.join(folder, name), '-o', file, '-a', 'http://t.example/announce'];
    const refused = await shoal(words);
    expect(refused).toMatchObject({
      code: 5,
      stdout: '',
      stderr: `shoal: disk: ${file} exists already; -f overwrites it\n`,
    });
    expect(await readFile(file, 'utf8')).toBe('precious');
    expect(await shoal([...words, '-f'])).toMatchObject({ code: 0 });
    expect(jsonOf<Created>(await shoal(['show', file, '--json'])).ok).toBe(true);
  });

  test.each<[string, string[], number, RegExp]>([
    ['a source that is not there', ['create', 'none', '-o', 'x'], 4, /^shoal: input: .*none/],
    ['nothing to share', ['create', 'folder', '-o', 'x'], 4, /holds nothing to share/],
    [
      'a folder that is not there',
      ['create', 'content.bin', '-o', 'none/x'],
      5,
      /^shoal: disk: cannot write none\/x: the folder .* make it first/,
    ],
    ['a folder in the place of the file', ['create', 'content.bin', '-f', '-o', 'folder'], 5, /folder; name the file/],
    [
      'a piece length that is no power of two',
      ['create', 'content.bin', '-o', 'x', '--piece-length', '30000'],
      3,
      /^shoal: configuration: piece length 30000/,
    ],
    [
      'a tracker that is none',
      ['create', 'content.bin', '-o', 'x', '-a', 'tracker'],
      3,
      /"tracker" is no address of a tracker/,
    ],
    ['a name that leaves the folder', ['create', 'content.bin', '-o', 'x', '--name', '../x'], 3, /is no name/],
    ['a .torrent that is not there', ['show', 'none'], 4, /^shoal: input: cannot read none: no such file\n$/],
    ['a folder as .torrent', ['show', 'folder'], 4, /cannot read folder: a folder, not a \.torrent file/],
    ['no .torrent at all', ['show', 'content.bin'], 4, /content\.bin is not a usable torrent: /],
    ['an address that is no URL', ['show', 'http://'], 4, /http:\/\/ is not a URL/],
    ['content that is not there', ['verify', 'good.torrent', 'none'], 4, /none: no such file or folder/],
    ['a magnet link cut short', ['show', 'magnet:?xt=urn:btih:0123'], 4, /check that the link is whole/],
    [
      'an info-hash alone',
      ['show', '0123456789abcdef0123456789abcdef01234567'],
      4,
      /not supported yet: give the \.torrent file/,
    ],
  ])('%s is a failure with a name, a cause and a next step', async (_what, words, code, message) => {
    const { folder, torrent } = await randomFile(1000);
    await mkdir(path.join(folder, 'folder'));
    await rename(torrent, path.join(folder, 'good.torrent'));
    const ended = await shoal(words, { cwd: folder });
    expect(ended).toMatchObject({ code, stdout: '' });
    expect(ended.stderr.replace(/^warning: .*\n/gm, '')).toMatch(message);
    expect(ended.stderr).not.toContain('    at ');
  });

  test('a file of any size that is no .torrent is not read into memory', async () => {
    const file = path.join(await temporaryFolder(), 'huge');
    await writeFile(file, '');
    await truncate(file, 2 ** 33);
    expect(await shoal(['show', file])).toMatchObject({
      code: 4,
      stderr: expect.stringContaining('longer than') as string,
    });
  });

  test('a torrent is read from standard input and from the web, redirects followed', async () => {
    const { torrent, metainfo } = await randomFile(1000);
    const bytes = await readFile(torrent);
    const base = await webServer((request, response) => {
      if (request.url === '/moved') response.writeHead(302, { location: '/x.torrent' }).end();
      else if (request.url === '/x.torrent') response.end(bytes);
      else if (request.url === '/file') response.writeHead(302, { location: 'file:///etc/passwd' }).end();
      else if (request.url === '/loop') response.writeHead(302, { location: '/loop' }).end();
      else if (request.url === '/cut')
        response.writeHead(200, { 'content-length': 5000 }).write('d8:announce', () => response.destroy());
      else if (request.url === '/endless') {
        const more = (error?: Error | null): void => {
          if (error === undefined || error === null) response.write(Buffer.alloc(1_000_000), more);
        };
        more();
      } else response.writeHead(404).end();
    });
    expect((await shoal(['show', '-'], { input: bytes })).stdout).toContain(metainfo.infoHash);
    expect((await shoal(['show', `${base}/moved`])).stdout).toContain(metainfo.infoHash);
    const failures = ['/none', '/file', '/loop', '/cut', '/endless'].map((place) =>
      shoal(['show', base + place, '--json']),
    );
    const told = (await Promise.all(failures)).map((ended) => jsonOf<Verified>(ended).error);
    expect(told).toEqual([
      { code: 'network', message: `cannot fetch ${base}/none: the server answered 404 Not Found` },
      {
        code: 'network',
        message: `cannot fetch ${base}/file: it redirects to file:///etc/passwd, which is not followed`,
      },
      { code: 'network', message: `cannot fetch ${base}/loop: it redirects more than 5 times` },
      { code: 'network', message: expect.stringMatching(/\/cut: the answer broke off: /) as string },
      { code: 'input', message: expect.stringContaining('longer than') as string },
    ]);
  });

  test('of a magnet link is shown what is known, from the command line or standard input', async () => {
    const link =
      'magnet:?xt=urn:btih:0123456789abcdef0123456789abcdef01234567&dn=a%20name&tr=http%3A%2F%2Ft.example%2Fannounce';
    const shown = await shoal(['show', link]);
    expect(shown.stdout).toBe(
      'info-hash\t0123456789abcdef0123456789abcdef01234567\nname\ta name\ntracker\thttp://t.example/announce\n',
    );
    expect(await shoal(['show', '-'], { input: `${link}\n` })).toEqual(shown);
    expect(jsonOf<object>(await shoal(['show', link, '--json']))).toMatchObject({ ok: true, name: 'a name' });
  });

  test('names that would drive the terminal are shown harmless', async () => {
    const folder = await temporaryFolder();
    await writeFile(path.join(folder, 'x'), 'x');
    const { bytes } = await createMetainfo(path.join(folder, 'x'), {
      comment: '\u001b[2J\nfile\t/etc/passwd\t1',
      source: '\u009b31m',
    });
    const { stdout } = await shoal(['show', '-'], { input: bytes });
    // oxlint-disable-next-line no-control-regex -- control characters are what this is about
    expect(stdout).not.toMatch(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/);
    expect(stdout.match(/^file 1\t/gm)).toHaveLength(1);
  });
});

describe('verify', () => {
  test('says which files and pieces are missing, short, too long or wrong, with exit code 6', async () => {
    const files = { a: 3 * 65_536, b: 65_536, c: 65_536, d: 65_536, e: 65_536, empty: 0 };
    const { folder, torrent } = await randomFolder(files);
    const content = path.join(folder, 'content');
    const bytes = await readFile(path.join(content, 'a'));
    bytes.writeUInt8(bytes.readUInt8(65_536) ^ 1, 65_536);
    await writeFile(path.join(content, 'a'), bytes);
    await rm(path.join(content, 'b'));
    await truncate(path.join(content, 'c'), 10);
    await appendFile(path.join(content, 'd'), 'more');
    await rm(path.join(content, 'empty'));
    const verified = await shoal(['verify', torrent, folder, '--json']);
    expect(verified.code).toBe(6);
    expect(jsonOf<Verified>(verified)).toMatchObject({
      ok: false,
      error: { code: 'verification-failed' },
      pieces: {
        total: 7,
        good: 4,
        bad: [
          [1, 1],
          [3, 4],
        ],
      },
      files: [
        { path: 'content/a', length: 196_608, status: 'wrong', badPieces: [[1, 1]] },
        { path: 'content/b', length: 65_536, status: 'missing', badPieces: [[3, 3]] },
        { path: 'content/c', length: 65_536, status: 'short', badPieces: [[4, 4]] },
        { path: 'content/d', length: 65_536, status: 'too long', badPieces: [] },
        { path: 'content/e', length: 65_536, status: 'ok', badPieces: [] },
        { path: 'content/empty', length: 0, status: 'missing', badPieces: [] },
      ],
    });
    const forPeople = await shoal(['verify', torrent, folder]);
    expect(forPeople.stdout.split('\n')).toEqual([
      'wrong\tcontent/a\tpieces 1',
      'missing\tcontent/b\tpieces 3',
      'short\tcontent/c\tpieces 4',
      'too long\tcontent/d',
      'missing\tcontent/empty',
      '',
    ]);
    expect(forPeople.stderr).toBe(
      'shoal: verification-failed: content: 3 of 7 pieces are missing or wrong (1, 3-4), in 5 of 6 files; shoal download fetches what is missing\n',
    );
  });

  test('takes the folder that holds the name, the content itself, under another name or through a link', async () => {
    const { folder, torrent } = await randomFolder({ 'content/a': 70_000, b: 5 });
    const ok = { code: 0, stderr: '' };
    expect(await shoal(['verify', torrent, folder])).toMatchObject(ok);
    // It holds a folder of its own name.
    expect(await shoal(['verify', torrent, path.join(folder, 'content')])).toMatchObject(ok);
    await rename(path.join(folder, 'content'), path.join(folder, 'other'));
    await symlink('other', path.join(folder, 'link'));
    expect(await shoal(['verify', torrent, path.join(folder, 'other')])).toMatchObject(ok);
    expect(await shoal(['verify', torrent, path.join(folder, 'link')])).toMatchObject(ok);
    expect(await shoal(['verify', torrent, folder])).toMatchObject({ code: 6 });
    expect(await shoal(['verify', torrent, path.join(folder, 'other', 'b')])).toMatchObject({ code: 4 });

    const single = await randomFile(100);
    expect(await shoal(['verify', single.torrent, single.folder])).toMatchObject(ok);
    await rename(path.join(single.folder, 'content.bin'), path.join(single.folder, 'x'));
    expect(await shoal(['verify', single.torrent, path.join(single.folder, 'x')])).toMatchObject(ok);
    expect(await shoal(['verify', single.torrent, single.folder])).toMatchObject({ code: 6 });
  });

  test('writes nothing', async () => {
    const { folder, torrent } = await randomFolder({ a: 70_000, b: 0 });
    await rm(path.join(folder, 'content', 'b'));
    await truncate(path.join(folder, 'content', 'a'), 100);
    await shoal(['verify', torrent, folder]);
    expect(await listing(folder)).toEqual(['content/', 'content/a']);
    expect((await readFile(path.join(folder, 'content', 'a'))).length).toBe(100);
  });
});

describe('a stop in the middle', () => {
  test('of a fetch that hangs ends the command at once', async () => {
    const { promise: asked, resolve } = Promise.withResolvers<void>();
    const base = await webServer(() => resolve());
    const run = start(['verify', `${base}/x.torrent`, '.', '--json']);
    await asked;
    const ended = await run.kill('SIGINT');
    expect(ended).toMatchObject({ code: 130, stderr: 'shoal: interrupted: not everything was checked\n' });
    expect(jsonOf<Verified>(ended).error?.code).toBe('interrupted');
  });

  test('of hashing leaves no file', async () => {
    const folder = await temporaryFolder();
    await writeFile(path.join(folder, 'sparse'), '');
    await truncate(path.join(folder, 'sparse'), 2 ** 34);
    const file = path.join(folder, 'x.torrent');
    const run = start([
      'create',
      path.join(folder, 'sparse'),
      '-o',
      file,
      '-a',
      'http://t.example/announce',
      '--jsonl',
    ]);
    await run.until('hashing');
    expect(await run.kill('SIGTERM')).toMatchObject({ code: 143 });
    expect(run.last('result')).toMatchObject({
      ok: false,
      error: { code: 'terminated', message: `${file} was not written` },
    });
    expect(await listing(folder)).toEqual(['sparse']);
  });
});
