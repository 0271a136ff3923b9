// What strangers may send: torrents that want to write elsewhere, peers that send anything but what was asked for.
import { mkdir, readFile, readlink, symlink, writeFile } from 'node:fs/promises';
import net from 'node:net';
import path from 'node:path';
import { createHash, randomBytes } from 'node:crypto';
import { encode, type BencodeInput } from '@shoal/bencode';
import { parseMetainfo } from '@shoal/metainfo';
import { describe, expect, onTestFinished, test } from 'vitest';
import { peakMemoryOf, shoal, start, type Run } from './command.ts';
import { digests, listing, randomFile, randomFolder, temporaryFolder, type Content } from './content.ts';
import { fullBitfield, handshake, ids, listenOn, message, onMessages } from './raw-peer.ts';
import { ThrottlingProxy } from './throttling-proxy.ts';

const loopback = ['--port', '0', '--bind', '127.0.0.1', '--jsonl'];

/** A torrent of these bytes in files of these raw fields; `name` as given. */
async function hostileTorrent(
  name: string,
  files: readonly Readonly<Record<string, BencodeInput>>[],
  bytes: Uint8Array,
): Promise<Content> {
  const pieces = createHash('sha1').update(bytes).digest();
  const info = { name, 'piece length': 16_384, pieces: new Uint8Array(pieces), files };
  const folder = await temporaryFolder();
  const torrent = path.join(folder, 'hostile.torrent');
  const encoded = encode({ info });
  await writeFile(torrent, encoded);
  return { folder, name, torrent, metainfo: parseMetainfo(encoded) };
}

/** A seeder of `bytes`, laid out where the torrent's safe paths are. */
async function seedOf(content: Content, bytes: Uint8Array): Promise<string> {
  const folder = await temporaryFolder();
  let offset = 0;
  for (const file of content.metainfo.files) {
    const place = path.join(folder, ...file.path);
    await mkdir(path.dirname(place), { recursive: true });
    if (file.symlinkTarget === undefined && !file.isSkipped)
      await writeFile(place, bytes.subarray(offset, offset + file.length));
    offset += file.length;
  }
  const run = start(['seed', content.torrent, '-d', folder, ...loopback]);
  const { port } = await run.until('listening');
  await run.until('added');
  return `127.0.0.1:${String(port)}`;
}

describe('a hostile .torrent writes nothing outside its folder', () => {
  const bytes = randomBytes(400);
  const length = 100;
  const file = (...elements: string[]): Readonly<Record<string, BencodeInput>> => ({ length, path: elements });

  test.each<[string, string, Readonly<Record<string, BencodeInput>>[]]>([
    [
      'with paths that climb',
      'name',
      [file('..', 'a'), file('..', '..', '..', 'b'), file('x', '..', '..', 'c'), file('.', '..', 'd')],
    ],
    ['with separators in its elements', 'name', [file('../a'), file('x/../../b'), file('..\\c'), file('/abs/d')]],
    ['with absolute paths', 'name', [file('/', 'tmp', 'a'), file('', 'tmp', 'b'), file('C:', 'c'), file('/tmp/d')]],
    ['with a name that climbs', '../../name', [file('a'), file('b'), file('c'), file('d')]],
    ['with a name that is absolute', '/tmp/name', [file('a'), file('b'), file('c'), file('d')]],
    ['named by dots', '..', [file('a'), file('b'), file('c'), file('d')]],
  ])('%s', async (_how, name, files) => {
    const content = await hostileTorrent(name, files, bytes);
    const peer = await seedOf(content, bytes);
    const outer = await temporaryFolder();
    const directory = path.join(outer, 'one', 'two', 'in');
    const words = ['download', content.torrent, '-d', directory, ...loopback, '--peer', peer];
    expect((await start(words).ended).code).toBe(0);
    const root = content.metainfo.name;
    const written = await listing(outer);
    const below = written.filter((entry) => entry.startsWith(`one/two/in/${root}/`));
    expect(written).toEqual(['one/', 'one/two/', 'one/two/in/', ...below]);
    expect(below.filter((entry) => !entry.endsWith('/'))).toHaveLength(4);
    await expect(readFile('/tmp/name')).rejects.toThrow('ENOENT');
  });

  test('with links that lead out, and files to be written through them', async () => {
    const link = (name: string, ...target: string[]): Readonly<Record<string, BencodeInput>> => ({
      attr: 'l',
      length: 0,
      path: [name],
      'symlink path': target,
    });
    const files = [
      link('up', '..', '..'),
      link('etc', '/etc'),
      link('fine', 'real'),
      file('real'),
      file('up', 'evil'),
      file('etc', 'evil'),
      file('x'),
    ];
    const content = await hostileTorrent('name', files, bytes);
    const peer = await seedOf(content, bytes);
    const outer = await temporaryFolder();
    const directory = path.join(outer, 'in');
    const words = ['download', content.torrent, '-d', directory, ...loopback, '--peer', peer];
    expect((await start(words).ended).code).toBe(0);
    const written = await listing(outer);
    expect(written.filter((entry) => !entry.startsWith('in/'))).toEqual([]);
    for (const entry of written) {
      const target = await readlink(path.join(outer, entry)).catch(() => undefined);
      if (target !== undefined) expect(path.join(outer, path.dirname(entry), target)).toMatch(`${directory}/name/`);
    }
    await expect(readFile('/etc/evil')).rejects.toThrow('ENOENT');
  });

  test.each([
    ['the torrent’s folder', ''],
    ['a folder in it', 'sub'],
    ['a file in it', 'sub/a'],
  ])('when somebody put a link in the place of %s, which is refused and left alone', async (_what, place) => {
    const content = await randomFolder({ 'sub/a': 100_000 });
    const run = start(['seed', content.torrent, '-d', content.folder, ...loopback]);
    const { port } = await run.until('listening');
    const outside = await temporaryFolder();
    await writeFile(path.join(outside, 'a'), 'precious');
    const directory = await temporaryFolder();
    const at = path.join(directory, 'content', place);
    await mkdir(path.dirname(at), { recursive: true });
    await symlink(place === 'sub/a' ? path.join(outside, 'a') : outside, at);
    const words = ['download', content.torrent, '-d', directory, '--port', '0', '--bind', '127.0.0.1'];
    const ended = await shoal([...words, '--peer', `127.0.0.1:${String(port)}`]);
    expect(ended.code).toBe(5);
    expect(ended.stderr).toMatch(/^shoal: disk: .*link.*move it away/m);
    expect(await listing(outside)).toEqual(['a']);
    expect(await readFile(path.join(outside, 'a'), 'utf8')).toBe('precious');
  });
});

/** Peak memory: of a client that downloads in peace about 110 MB; what strangers send may not change that by much. */
const maxMemory = 250_000_000;

const memoryOf = async (run: Run): Promise<number> => peakMemoryOf(await readFile(`/proc/${run.pid}/status`, 'utf8'));

interface Beside {
  readonly content: Content;
  readonly run: Run;
  /** Lets the honest seeder give, and sees the download complete, right, alive and within bounds. */
  readonly finished: () => Promise<void>;
}

/** A download from a peer that behaves as told and from an honest seeder, which waits for `finished`. */
async function downloadBeside(serve: (socket: net.Socket, content: Content) => void): Promise<Beside> {
  const content = await randomFile(8 * 1024 * 1024, { pieceLength: 65_536 });
  // Another host than the bad peer's, who may be banned by address.
  const host = '127.0.0.2';
  const seed = start(['seed', content.torrent, '-d', content.folder, '--port', '0', '--bind', '127.0.0.1', '--jsonl']);
  const { port } = await seed.until('listening');
  const proxy = await ThrottlingProxy.start({ host: '127.0.0.1', port: Number(port) }, { host, limitBytes: 0 });
  const bad = await listenOn('127.0.0.1', (socket) => serve(socket, content));
  const directory = await temporaryFolder();
  const peers = ['--peer', `127.0.0.1:${bad.port}`, '--peer', proxy.peer];
  const run = start(['download', content.torrent, '-d', directory, ...loopback, '--seed', '-v', ...peers]);
  await run.until('added');
  const finished = async (): Promise<void> => {
    proxy.open();
    await run.until('completed');
    expect(await memoryOf(run)).toBeLessThan(maxMemory);
    expect(run.isRunning).toBe(true);
    expect(await run.kill('SIGTERM')).toMatchObject({ code: 143 });
    expect(await digests(directory)).toEqual(await digests(content.folder));
  };
  return { content, run, finished };
}

/** Writes as fast as the other side reads, until it hangs up or so much was written. */
function flood(socket: net.Socket, chunk: Uint8Array, bytes: number): void {
  let left = bytes;
  const more = (): void => {
    while (left > 0 && !socket.destroyed) {
      left -= chunk.length;
      if (!socket.write(chunk)) return;
    }
  };
  socket.on('drain', more);
  more();
}

const flooded = 64 * 1024 * 1024;

describe('a hostile peer neither crashes, stalls nor grows the client', () => {
  test('that sends garbage, at once or after its handshake, on connections that either made', async () => {
    const junk = randomBytes(65_536);
    let connections = 0;
    const { content, run, finished } = await downloadBeside((socket, { metainfo }) => {
      socket.resume();
      if (connections++ % 2 === 1) socket.write(handshake(metainfo.infoHashBytes));
      flood(socket, junk, flooded);
    });
    const { port } = await run.until('listening');
    const greetings = [Buffer.alloc(0), handshake(content.metainfo.infoHashBytes), handshake(randomBytes(20))];
    const ends = greetings.map(async (greeting) => {
      const socket = net.connect(Number(port), '127.0.0.1');
      onTestFinished(() => void socket.destroy());
      socket.on('error', () => {});
      socket.resume();
      socket.write(greeting);
      flood(socket, junk, flooded);
      await new Promise((resolve) => socket.once('close', resolve));
    });
    await Promise.all(ends);
    await finished();
  }, 60_000);

  test('that announces a message of 4 GiB and begins to send it', async () => {
    const { promise: over, resolve } = Promise.withResolvers<void>();
    const { finished } = await downloadBeside((socket, { metainfo }) => {
      socket.resume();
      socket.on('close', () => resolve());
      socket.write(handshake(metainfo.infoHashBytes));
      // A piece of 4 GiB, so that its beginning looks like something to keep.
      socket.write(Buffer.from([0xff, 0xff, 0xff, 0xff, ids.piece, 0, 0, 0, 0, 0, 0, 0, 0]));
      flood(socket, Buffer.alloc(65_536), flooded);
    });
    await over;
    await finished();
  }, 60_000);

  test('that has everything and answers with wrong blocks is found out and banned', async () => {
    const { run, finished } = await downloadBeside((socket, { metainfo }) => {
      socket.write(handshake(metainfo.infoHashBytes));
      socket.write(fullBitfield(metainfo.geometry.pieceCount));
      socket.write(message(ids.unchoke));
      onMessages(socket, (id, payload) => {
        if (id === ids.request)
          socket.write(message(ids.piece, payload.subarray(0, 8), Buffer.alloc(payload.readUInt32BE(8), 0x66)));
      });
    });
    await run.until('peer-banned');
    await finished();
    expect(run.last('result')).toMatchObject({ torrents: [{ complete: true, leftBytes: 0 }] });
    const { torrents } = run.last('result') as unknown as { torrents: { corruptBytes: number }[] };
    expect(torrents[0]?.corruptBytes).toBeGreaterThan(0);
  }, 60_000);

  test('that sends blocks nobody asked for, of places that do not exist', async () => {
    const { promise: over, resolve } = Promise.withResolvers<void>();
    const { finished } = await downloadBeside((socket, { metainfo }) => {
      socket.resume();
      socket.on('close', () => resolve());
      socket.write(handshake(metainfo.infoHashBytes));
      const place = Buffer.alloc(8);
      place.writeUInt32BE(0xffff_ffff, 0);
      place.writeUInt32BE(0xffff_0000, 4);
      flood(socket, message(ids.piece, place, Buffer.alloc(16_384)), flooded);
      socket.end();
    });
    await over;
    await finished();
  }, 60_000);

  test('that has everything, unchokes, and never answers', async () => {
    const { promise: asked, resolve } = Promise.withResolvers<void>();
    const { finished } = await downloadBeside((socket, { metainfo }) => {
      socket.write(handshake(metainfo.infoHashBytes));
      socket.write(fullBitfield(metainfo.geometry.pieceCount));
      socket.write(message(ids.unchoke));
      onMessages(socket, (id) => {
        if (id === ids.request) resolve();
      });
    });
    await asked;
    await finished();
  }, 90_000);

  test('that says nothing at all', async () => {
    const { promise: dialled, resolve } = Promise.withResolvers<void>();
    const { finished } = await downloadBeside(() => resolve());
    await dialled;
    await finished();
  }, 60_000);

  test('that asks for everything and reads nothing', async () => {
    const content = await randomFile(32 * 1024 * 1024, { pieceLength: 262_144 });
    const seed = start(['seed', content.torrent, '-d', content.folder, ...loopback]);
    const { port } = await seed.until('listening');
    await seed.until('added');
    const socket = net.connect(Number(port), '127.0.0.1');
    onTestFinished(() => void socket.destroy());
    socket.on('error', () => {});
    socket.pause();
    socket.write(Buffer.concat([handshake(content.metainfo.infoHashBytes), message(ids.interested)]));
    const requests: Buffer[] = [];
    for (let piece = 0; piece < content.metainfo.geometry.pieceCount; piece++)
      for (let begin = 0; begin < 262_144; begin += 16_384) {
        const place = Buffer.alloc(12);
        place.writeUInt32BE(piece, 0);
        place.writeUInt32BE(begin, 4);
        place.writeUInt32BE(16_384, 8);
        requests.push(message(ids.request, place));
      }
    const everything = Buffer.concat(requests);
    for (let round = 0; round < 20; round++) socket.write(everything);
    // Another one is served all the same.
    const directory = await temporaryFolder();
    const words = ['download', content.torrent, '-d', directory, '--port', '0', '--bind', '127.0.0.1'];
    expect(await shoal([...words, '--peer', `127.0.0.1:${String(port)}`])).toMatchObject({ code: 0 });
    expect(await memoryOf(seed)).toBeLessThan(maxMemory);
    expect(seed.isRunning).toBe(true);
  }, 60_000);
});
