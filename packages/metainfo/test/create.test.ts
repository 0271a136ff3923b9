import { createHash } from 'node:crypto';
import { rmSync, utimesSync, writeFileSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  autoPieceLength,
  createMetainfo,
  encodeMetainfo,
  parseMetainfo,
  type HashingProgress,
  type Metainfo,
} from '../src/index.ts';

let base: string;
beforeEach(async () => {
  base = await mkdtemp(join(tmpdir(), 'shoal-metainfo-'));
});
afterEach(async () => {
  await rm(base, { recursive: true, force: true });
});

/** Writes files below `base`/name; gives the folder. */
async function tree(name: string, files: Record<string, Uint8Array | string>): Promise<string> {
  for (const [path, content] of Object.entries(files)) {
    const location = join(base, name, path);
    await mkdir(dirname(location), { recursive: true });
    await writeFile(location, content);
  }
  return join(base, name);
}

/** Bytes that repeat in no piece. */
function content(length: number, seed = 1): Uint8Array {
  const words = new Uint32Array(Math.ceil(length / 4));
  let state = seed;
  for (let i = 0; i < words.length; i++) words[i] = state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
  return new Uint8Array(words.buffer, 0, length);
}

function hashesOf(bytes: Uint8Array, pieceLength: number): Uint8Array {
  const hashes: Uint8Array[] = [];
  for (let begin = 0; begin < bytes.length; begin += pieceLength) {
    hashes.push(
      createHash('sha1')
        .update(bytes.subarray(begin, begin + pieceLength))
        .digest(),
    );
  }
  return new Uint8Array(Buffer.concat(hashes));
}

const joined = (metainfo: Metainfo): string[] => metainfo.files.map((file) => file.path.join('/'));

describe('a torrent of a file', () => {
  test.for([1, 16_383, 16_384, 16_385, 1_048_576, 1_048_577, 5_000_000])(
    'of %i bytes has its hashes',
    async (length) => {
      const bytes = content(length);
      const folder = await tree('f', { 'data.bin': bytes });
      const { metainfo } = await createMetainfo(join(folder, 'data.bin'), { pieceLength: 16_384 });
      expect(metainfo).toMatchObject({ name: 'data.bin', isMultiFile: false, warnings: [] });
      expect(metainfo.geometry).toEqual({
        totalLength: length,
        pieceLength: 16_384,
        pieceCount: Math.ceil(length / 16_384),
      });
      expect(metainfo.pieceHashes).toEqual(hashesOf(bytes, 16_384));
    },
  );

  test('with pieces longer than what is read at once has its hashes', async () => {
    const bytes = content(9_000_001);
    const folder = await tree('f', { 'data.bin': bytes });
    const { metainfo } = await createMetainfo(join(folder, 'data.bin'), { pieceLength: 4_194_304 });
    expect(metainfo.pieceHashes).toEqual(hashesOf(bytes, 4_194_304));
  });

  test('says all that it is told', async () => {
    const folder = await tree('f', { a: 'content' });
    const options = {
      announceTiers: [['http://a.example/announce', 'udp://b.example:1'], ['wss://c.example']],
      webSeeds: ['http://s.example/a'],
      isPrivate: true,
      source: 'PT',
      comment: 'hello',
      name: 'other name',
      createdBy: 'shoal',
      creationDate: 1_700_000_000,
      pieceLength: 65_536,
    };
    const { bytes, metainfo } = await createMetainfo(join(folder, 'a'), options);
    const { pieceLength, ...fields } = options;
    expect(metainfo).toMatchObject({ ...fields, geometry: { pieceLength }, warnings: [] });
    expect(parseMetainfo(bytes)).toEqual(metainfo);
  });

  test('of the same content is the same bytes, and says nothing it was not told', async () => {
    const first = await createMetainfo(join(await tree('one', { a: 'content' }), 'a'));
    const second = await createMetainfo(join(await tree('two', { a: 'content' }), 'a'));
    expect(first.bytes).toEqual(second.bytes);
    expect(Buffer.from(first.bytes).toString('latin1')).toMatch(/^d4:infod6:lengthi7e4:name1:a12:piece lengthi16384e/);
  });

  test('given as a link is of what the link leads to', async () => {
    const folder = await tree('f', { a: 'content' });
    await symlink('a', join(folder, 'link'));
    const { metainfo } = await createMetainfo(join(folder, 'link'));
    expect(metainfo).toMatchObject({ name: 'link', geometry: { totalLength: 7 } });
  });
});

describe('a torrent of a folder', () => {
  test('has its files in the order of their bytes, hashed as one', async () => {
    const files: Record<string, Uint8Array> = {
      'b/z': content(20_000, 2),
      'b-a': content(5, 3),
      Z: content(16_384, 4),
      'a/empty': content(0),
      'a/\u{1f41f}': content(7, 5),
      'a/\uffee': content(30_000, 6),
    };
    const folder = await tree('folder', files);
    const { metainfo, skipped } = await createMetainfo(folder, { pieceLength: 16_384 });
    // "-" sorts before "/"; U+FFEE before U+1F41F, though not in UTF-16.
    const order = ['Z', 'a/empty', 'a/\uffee', 'a/\u{1f41f}', 'b-a', 'b/z'];
    expect(joined(metainfo)).toEqual(order.map((path) => `folder/${path}`));
    const whole = Buffer.concat(order.map((path) => files[path] ?? new Uint8Array()));
    expect(metainfo.pieceHashes).toEqual(hashesOf(whole, 16_384));
    expect(metainfo).toMatchObject({ name: 'folder', isMultiFile: true, warnings: [] });
    expect(skipped).toEqual([]);
  });

  test('of one file is still a folder', async () => {
    const { metainfo } = await createMetainfo(await tree('folder', { a: 'x' }));
    expect(metainfo).toMatchObject({ isMultiFile: true });
  });

  test('leaves out what it says it leaves out', async () => {
    const folder = await tree('folder', {
      a: 'x',
      '.hidden/b': 'y',
      '.DS_Store': 'z',
      'sub/Thumbs.db': 'z',
      'sub/c': 'c',
    });
    await mkdir(join(folder, 'empty', 'emptier'), { recursive: true });
    await symlink('/etc/passwd', join(folder, 'link'));
    const { metainfo, skipped } = await createMetainfo(folder);
    expect(joined(metainfo)).toEqual(['folder/.hidden/b', 'folder/a', 'folder/sub/c']);
    expect(skipped).toEqual([
      { path: '.DS_Store', reason: 'system-junk' },
      { path: 'empty/emptier', reason: 'empty-folder' },
      { path: 'link', reason: 'symbolic-link' },
      { path: 'sub/Thumbs.db', reason: 'system-junk' },
    ]);
    const more = await createMetainfo(folder, { includeJunk: true, includeHidden: false });
    expect(joined(more.metainfo)).toEqual(['folder/a', 'folder/sub/Thumbs.db', 'folder/sub/c']);
    expect(more.skipped.filter(({ reason }) => reason === 'hidden').map(({ path }) => path)).toEqual([
      '.DS_Store',
      '.hidden',
    ]);
  });

  test('leaves out sockets', async () => {
    const folder = await tree('folder', { a: 'x' });
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(join(folder, 'socket'), resolve));
    const { skipped } = await createMetainfo(folder);
    await new Promise((resolve) => server.close(resolve));
    expect(skipped).toEqual([{ path: 'socket', reason: 'special-file' }]);
  });

  test('warns of names that others will not get', async () => {
    const folder = await tree('folder', { 'aux.txt': 'x', README: 'y', readme: 'z' });
    const { metainfo } = await createMetainfo(folder);
    expect(joined(metainfo)).toEqual(['folder/README', 'folder/aux_.txt', 'folder/readme.1']);
    expect(metainfo.files[1]?.originalPath).toEqual(['folder', 'aux.txt']);
    expect(metainfo.warnings.join('\n')).toMatch(/aux_\.txt/);
    expect(metainfo.warnings.join('\n')).toMatch(/readme\.1/);
  });
});

describe('progress', () => {
  test('never goes back and ends at the whole', async () => {
    const folder = await tree('folder', { a: content(3_000_000), b: content(2_500_000, 2), 'c/d': content(10) });
    const seen: HashingProgress[] = [];
    await createMetainfo(folder, { pieceLength: 32_768, onProgress: (progress) => void seen.push(progress) });
    expect(seen.length).toBeGreaterThan(3);
    const hashed = seen.map(({ hashedBytes }) => hashedBytes);
    expect(hashed).toEqual(hashed.toSorted((a, b) => a - b));
    expect(seen.at(-1)).toMatchObject({ hashedBytes: 5_500_010, totalBytes: 5_500_010 });
    for (const { currentFile } of seen) expect(['a', 'b', 'c/d']).toContain(currentFile);
  });

  test('that throws ends the work with what it threw', async () => {
    const folder = await tree('folder', { a: content(9_000_000) });
    const reason = new Error('enough');
    const onProgress = (): void => {
      throw reason;
    };
    await expect(createMetainfo(folder, { onProgress })).rejects.toBe(reason);
  });

  test('ends when the signal says so, with its reason', async () => {
    const folder = await tree('folder', { a: content(9_000_000) });
    const reason = new Error('stop');
    await expect(createMetainfo(folder, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    const controller = new AbortController();
    let calls = 0;
    const onProgress = (): void => {
      calls++;
      controller.abort(reason);
    };
    await expect(createMetainfo(folder, { signal: controller.signal, onProgress })).rejects.toBe(reason);
    // What was under way may finish; nothing new begins.
    expect(calls).toBeLessThan(9);
  });
});

describe('what cannot be shared', () => {
  test('a path that is not there is named', async () => {
    const path = join(base, 'missing');
    await expect(createMetainfo(path)).rejects.toMatchObject({ code: 'unreadable', path, cause: { code: 'ENOENT' } });
  });

  test.skipIf(process.getuid?.() === 0)('an unreadable file is named', async () => {
    const folder = await tree('folder', { a: 'x', b: 'y' });
    await chmod(join(folder, 'b'), 0);
    await expect(createMetainfo(folder)).rejects.toMatchObject({ code: 'unreadable', path: join(folder, 'b') });
  });

  test('a file that is gone when its turn comes is named', async () => {
    const folder = await tree('folder', { a: content(9_000_000), b: 'y' });
    const path = join(folder, 'b');
    const removed = atFirstProgress(() => rmSync(path));
    await expect(createMetainfo(folder, removed)).rejects.toMatchObject({ code: 'unreadable', path });
  });

  test.for([
    ['grows', content(9_000_100)],
    ['shrinks', content(5)],
  ] as const)('a file that %s while it is hashed is named', async ([, after]) => {
    const folder = await tree('folder', { a: content(9_000_000) });
    const path = join(folder, 'a');
    const changed = atFirstProgress(() => writeFileSync(path, after));
    await expect(createMetainfo(folder, changed)).rejects.toMatchObject({ code: 'changed', path });
  });

  test('a file that is written to while it is hashed is named', async () => {
    const folder = await tree('folder', { a: content(9_000_000) });
    const path = join(folder, 'a');
    const changed = atFirstProgress(() => utimesSync(path, 1, 1));
    await expect(createMetainfo(folder, changed)).rejects.toMatchObject({ code: 'changed', path });
  });

  test('nothing is refused', async () => {
    const folder = await tree('folder', { a: '' });
    await expect(createMetainfo(folder)).rejects.toMatchObject({ code: 'empty', path: folder });
    await expect(createMetainfo(join(folder, 'a'))).rejects.toMatchObject({ code: 'empty' });
  });

  test.skipIf(process.platform !== 'linux')('a name that is no UTF-8 is refused', async () => {
    const folder = await tree('folder', { a: 'x' });
    await writeFile(Buffer.concat([Buffer.from(`${folder}/`), Buffer.from([0x62, 0xff])]), 'y');
    await expect(createMetainfo(folder)).rejects.toMatchObject({ code: 'bad-source-name' });
  });

  test.for([
    [{ pieceLength: 0 }],
    [{ pieceLength: 16_385 }],
    [{ pieceLength: 512 }],
    [{ pieceLength: 2 ** 27 }],
    [{ pieceLength: Number.NaN }],
    [{ creationDate: -1 }],
    [{ creationDate: 1.5 }],
    [{ announceTiers: [['ftp://a.example']] }],
    [{ announceTiers: [['']] }],
    [{ webSeeds: ['udp://a.example'] }],
    [{ name: '../up' }],
    [{ name: '' }],
    [{ name: 'con' }],
  ])('options %j are refused before anything is read', async ([options]) => {
    await expect(createMetainfo(join(base, 'missing'), options)).rejects.toBeInstanceOf(RangeError);
  });
});

/**
 * Does something to the disk at the first progress: when the first of nine runs is hashed and at most four are read, so that
 * the file at work is still open and the next one is not.
 */
function atFirstProgress(act: () => void): { onProgress: () => void; pieceLength: number } {
  let acted = false;
  const onProgress = (): void => {
    if (!acted) act();
    acted = true;
  };
  return { onProgress, pieceLength: 1024 };
}

describe('the piece length', () => {
  test('is 16 KiB to 16 MiB and cuts into 1000 to 2000 pieces in between', () => {
    const mebi = 1_048_576;
    const table: (readonly [number, number])[] = [
      [0, 16_384],
      [1, 16_384],
      [16_384 * 2000, 16_384],
      [16_384 * 2000 + 1, 32_768],
      [64 * mebi, 65_536],
      [512 * mebi, mebi / 2],
      [1024 * mebi, mebi],
      [4096 * mebi, 4 * mebi],
      [16_384 * mebi, 16 * mebi],
      [1_000_000 * mebi, 16 * mebi],
    ];
    for (const [total, expected] of table) expect(autoPieceLength(total)).toBe(expected);
    for (let total = 40 * mebi; total < 30_000 * mebi; total *= 1.37) {
      const pieces = Math.floor(total) / autoPieceLength(Math.floor(total));
      expect(pieces).toBeGreaterThanOrEqual(1000);
      expect(pieces).toBeLessThanOrEqual(2000);
    }
  });

  test.for([-1, 1.5, Number.NaN, 2 ** 53])('of %d bytes is a mistake', (total) => {
    expect(() => autoPieceLength(total)).toThrow(RangeError);
  });
});

describe('writing a .torrent around info bytes', () => {
  test('keeps them, whatever they are', () => {
    const info = Buffer.from(`d4:name1:a6:lengthi5e12:piece lengthi16384e6:pieces20:${'h'.repeat(20)}e`);
    const bytes = encodeMetainfo(info, { announceTiers: [[], ['udp://a.example:1']], comment: 'ü', webSeeds: [] });
    const metainfo = parseMetainfo(bytes);
    expect(metainfo.infoBytes).toEqual(new Uint8Array(info));
    expect(metainfo).toMatchObject({ announceTiers: [['udp://a.example:1']], comment: 'ü', webSeeds: [] });
    expect(Buffer.from(encodeMetainfo(info)).toString()).toBe(`d4:info${info.toString()}e`);
  });
});
