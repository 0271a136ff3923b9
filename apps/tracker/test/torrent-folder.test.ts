import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { encode } from '@shoal/bencode';
import { ConfigurationError } from '../src/errors.ts';
import { formatSize } from '../src/index-page.ts';
import { TorrentFolder, parseTorrent } from '../src/torrent-folder.ts';

let root: string;
let shared: string;
let log: string[];

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'shoal-tracker-'));
  shared = join(root, 'shared');
  await mkdir(shared);
  log = [];
});
afterEach(() => rm(root, { recursive: true }));

function torrentOf(name: string, content: object = { length: 5 }): Uint8Array {
  return encode({
    announce: 'http://localhost/announce',
    info: { name, 'piece length': 16_384, pieces: new Uint8Array(20), ...content },
  });
}

function opened(): Promise<TorrentFolder> {
  return TorrentFolder.open(shared, (message) => log.push(message));
}

describe('a folder of torrents', () => {
  test('lists name, size and info-hash, sorted by name', async () => {
    await writeFile(join(shared, 'a.torrent'), torrentOf('zebra'));
    await writeFile(
      join(shared, 'b.torrent'),
      torrentOf('Ähre', {
        files: [
          { length: 7, path: ['x'] },
          { length: 8, path: ['y'] },
        ],
      }),
    );
    const list = await (await opened()).list(0);
    expect(list.map(({ file, name, size }) => [file, name, size])).toEqual([
      ['b.torrent', 'Ähre', 15],
      ['a.torrent', 'zebra', 5],
    ]);
    const info = encode({ name: 'zebra', 'piece length': 16_384, pieces: new Uint8Array(20), length: 5 });
    expect(Buffer.from(list[1]!.infoHash).toString('hex')).toBe(createHash('sha1').update(info).digest('hex'));
  });

  test('the info-hash is of the bytes as they are, even where they are out of order', () => {
    const info = 'd4:name1:x6:lengthi3ee';
    const torrent = parseTorrent('x.torrent', Buffer.from(`d4:info${info}e`, 'latin1'));
    expect(Buffer.from(torrent!.infoHash).toString('hex')).toBe(createHash('sha1').update(info).digest('hex'));
  });

  test('offers only regular files that are torrents, and says of each other one once why not', async () => {
    await writeFile(join(shared, 'good.torrent'), torrentOf('good'));
    await writeFile(join(shared, 'notes.txt'), 'x');
    await writeFile(join(shared, 'broken.torrent'), 'd4:info');
    await writeFile(join(shared, 'empty.torrent'), '');
    await mkdir(join(shared, 'folder.torrent'));
    // Opening a pipe would wait for its writer for ever.
    execFileSync('mkfifo', [join(shared, 'pipe.torrent')]);
    const folder = await opened();
    expect((await folder.list(0)).map(({ file }) => file)).toEqual(['good.torrent']);
    await folder.list(10_000);
    expect(log.toSorted()).toEqual(
      ['broken', 'empty', 'folder', 'pipe'].map((name) => expect.stringContaining(`${name}.torrent: not offered`)),
    );
    expect(await folder.read('notes.txt', 0)).toBeUndefined();
  });

  test('follows no link out of the folder, and links within it', async () => {
    await writeFile(join(root, 'secret.torrent'), torrentOf('secret'));
    await writeFile(join(shared, 'good.torrent'), torrentOf('good'));
    await symlink(join(root, 'secret.torrent'), join(shared, 'outside.torrent'));
    await symlink('good.torrent', join(shared, 'inside.torrent'));
    await symlink('nowhere', join(shared, 'dangling.torrent'));
    const folder = await opened();
    expect((await folder.list(0)).map(({ file }) => file).toSorted()).toEqual(['good.torrent', 'inside.torrent']);
    for (const file of ['outside.torrent', '../secret.torrent', '..', '', '/etc/passwd', 'dangling.torrent']) {
      expect(await folder.read(file, 0)).toBeUndefined();
    }
    expect(await folder.read('inside.torrent', 0)).toEqual(Buffer.from(torrentOf('good')));
  });

  test('a file that becomes a link to the outside after it was listed is not served', async () => {
    await writeFile(join(root, 'secret'), 'secret');
    await writeFile(join(shared, 'good.torrent'), torrentOf('good'));
    const folder = await opened();
    await folder.list(0);
    await rm(join(shared, 'good.torrent'));
    await symlink(join(root, 'secret'), join(shared, 'good.torrent'));
    expect(await folder.read('good.torrent', 1)).toBeUndefined();
    await rm(join(shared, 'good.torrent'));
    expect(await folder.read('good.torrent', 1)).toBeUndefined();
  });

  test('sees files come, change and go, after two seconds', async () => {
    const folder = await opened();
    expect(await folder.list(0)).toEqual([]);
    await writeFile(join(shared, 'a.torrent'), torrentOf('first'));
    expect(await folder.list(1999)).toEqual([]);
    expect(await folder.list(2000)).toMatchObject([{ name: 'first' }]);
    await writeFile(join(shared, 'a.torrent'), torrentOf('second, longer'));
    expect(await folder.list(4000)).toMatchObject([{ name: 'second, longer' }]);
    await rm(join(shared, 'a.torrent'));
    expect(await folder.list(6000)).toEqual([]);
  });

  test('that does not exist or is a file is a configuration error', async () => {
    await writeFile(join(root, 'file'), '');
    for (const path of ['none', 'file']) {
      await expect(TorrentFolder.open(join(root, path), () => {})).rejects.toThrow(ConfigurationError);
    }
  });
});

test.each([
  [0, '0 B'],
  [999, '999 B'],
  [1000, '0.977 KiB'],
  [1024, '1.00 KiB'],
  [104_857_600, '100 MiB'],
  [5e15, '4.44 PiB'],
  [9e15, '7.99 PiB'],
])('%i bytes are shown as %s', (bytes, text) => {
  expect(formatSize(bytes)).toBe(text);
});
