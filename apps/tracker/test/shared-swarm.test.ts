// A swarm of real clients over two trackers that share a cluster of three masters: one tracker is killed and one master
// with it, in the middle of the downloads.
import { type ChildProcess, spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { decode } from '@shoal/bencode';
import { percentEncode } from '@shoal/tracker-protocol';
import {
  type RedisCluster,
  type RedisServer,
  commandOf,
  serverProgram,
  startCluster,
  startRedis,
} from '@shoal/tracker-redis/testing';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';

const trackerMain = fileURLToPath(new URL('../src/main.ts', import.meta.url));
// A process beside us, not a dependency.
const clientMain = fileURLToPath(new URL('../../client/src/main.ts', import.meta.url));

let folder: string;
let stack: AsyncDisposableStack;
beforeEach(async () => {
  stack = new AsyncDisposableStack();
  folder = await mkdtemp(join(tmpdir(), 'shoal-shared-'));
  stack.defer(() => rm(folder, { recursive: true }));
});
afterEach(() => stack.disposeAsync());

type Event = Readonly<Record<string, unknown>>;

/** A command of ours that prints events; it ends with the test. */
class Run {
  readonly child: ChildProcess;
  readonly exit: Promise<unknown>;
  readonly #events: AsyncIterator<string>;
  #stderr = '';

  constructor(main: string, ...words: string[]) {
    this.child = spawn(process.execPath, [main, ...words], { stdio: ['ignore', 'pipe', 'pipe'] });
    this.exit = once(this.child, 'exit').then(([code, signal]: unknown[]) => code ?? signal);
    this.child.stderr!.on('data', (text) => (this.#stderr += String(text)));
    this.#events = createInterface(this.child.stdout!)[Symbol.asyncIterator]();
    stack.defer(() => this.kill());
  }

  /** The next event of a name, and the others passed over. */
  async until(name: string, holds: (event: Event) => boolean = () => true): Promise<Event> {
    for (;;) {
      const { value, done } = await this.#events.next();
      if (done === true) throw new Error(`no event ${name}, ended with ${String(await this.exit)}: ${this.#stderr}`);
      const event = JSON.parse(value) as Event;

      if (event['event'] === name && holds(event)) return event;
    }
  }

  /** Reads and forgets what is still to come: a full pipe stops a process. */
  drain(): this {
    void this.until('nothing of that name').catch(() => {});
    return this;
  }

  async kill(): Promise<void> {
    this.child.kill('SIGKILL');
    await this.exit;
  }
}

interface TrackerRun {
  readonly run: Run;
  readonly url: string;
}

async function tracker(store: string): Promise<TrackerRun> {
  const words = ['--http', '127.0.0.1:0', '--udp', 'off', '--store', store, '--log-level', 'error'];
  const run = new Run(trackerMain, 'serve', ...words, '--json');
  const { http } = await run.until('listening');
  return { run: run.drain(), url: String(http) };
}

async function ask(url: string, path: string): Promise<ReadonlyMap<string, unknown>> {
  const response = await fetch(`${url}/${path}`);
  return decode(new Uint8Array(await response.arrayBuffer())) as ReadonlyMap<string, unknown>;
}

function announce(url: string, infoHash: Uint8Array, port: number, more = ''): Promise<ReadonlyMap<string, unknown>> {
  const query = `peer_id=${'p'.repeat(20)}&port=${port}&uploaded=0&downloaded=0&left=1&compact=1${more}`;
  return ask(url, `announce?info_hash=${percentEncode(infoHash)}&${query}`);
}

/** Seeders and leechers by the tracker's scrape; undefined while it cannot tell. */
async function counts(url: string, infoHash: Uint8Array): Promise<readonly number[] | undefined> {
  const files = (await ask(url, `scrape?info_hash=${percentEncode(infoHash)}`)).get('files');
  if (!(files instanceof Map)) return undefined;
  const [entry] = files.values() as Iterable<unknown>;
  return entry instanceof Map ? [Number(entry.get('complete')), Number(entry.get('incomplete'))] : [0, 0];
}

const sha256 = async (file: string): Promise<string> =>
  createHash('sha256')
    .update(await readFile(file))
    .digest('hex');

/** The server that holds the only swarm there is. */
async function holderOf(servers: readonly RedisServer[]): Promise<RedisServer> {
  for (const server of servers) if ((await commandOf(server, 'DBSIZE')) !== 0) return server;
  throw new Error('no server holds anything');
}

describe.skipIf(serverProgram() === undefined)('needs redis-server or valkey-server: two trackers on one store', () => {
  test('serve one swarm; one is killed with a master in the middle, and every download completes', async () => {
    const cluster: RedisCluster = stack.use(await startCluster({ replicas: true }));
    const [one, other] = [await tracker(cluster.url), await tracker(cluster.url)];
    const content = join(folder, 'origin', 'content.bin');
    await mkdir(join(folder, 'origin'));
    await writeFile(content, randomBytes(12 * 1024 * 1024));
    const torrent = join(folder, 'content.torrent');
    const created = new Run(
      clientMain,
      'create',
      content,
      '-o',
      torrent,
      '-a',
      'http://127.0.0.1:1/announce',
      '--jsonl',
    );
    const infoHash = Uint8Array.from(Buffer.from(String((await created.until('result'))['infoHash']), 'hex'));

    const peer = (command: string, name: string, first: TrackerRun, second: TrackerRun, ...words: string[]): Run => {
      const trackers = [first, second].flatMap(({ url }) => ['--tracker', `${url}/announce`]);
      const place = ['-d', join(folder, name), '--port', '0', '--bind', '127.0.0.1', '--no-resume', '--jsonl'];
      return new Run(clientMain, command, torrent, ...place, ...trackers, ...words);
    };
    const download = async (name: string, first: TrackerRun, second: TrackerRun): Promise<Run> => {
      await mkdir(join(folder, name));
      return peer('download', name, first, second, '--seed');
    };
    peer('seed', 'origin', one, other, '--upload-limit', '2MiB').drain();
    await expect.poll(() => counts(other.url, infoHash), { timeout: 10_000 }).toEqual([1, 0]);
    const early = [await download('a', one, other), await download('b', other, one)];
    for (const run of early) await run.until('progress', (event) => Number(event['havePieces']) > 0);
    expect(await counts(one.url, infoHash)).toEqual([1, 2]);

    const holder = await holderOf(cluster.masters);
    await Promise.all([one.run.kill(), holder.stop()]);
    await expect.poll(() => counts(other.url, infoHash), { timeout: 20_000, interval: 50 }).toEqual([1, 2]);

    const late = [await download('c', one, other), await download('d', other, one)];
    for (const run of [...early, ...late]) await run.until('completed');
    const copies = ['a', 'b', 'c', 'd'].map((name) => sha256(join(folder, name, 'content.bin')));
    const original = await sha256(content);
    expect(await Promise.all(copies)).toEqual([original, original, original, original]);
  });

  test('tell clients when to come back while the store is away, and serve again when it is back', async () => {
    const server = stack.use(await startRedis());
    const { url } = await tracker(server.url);
    const infoHash = new Uint8Array(20).fill(7);
    expect((await announce(url, infoHash, 1001)).get('incomplete')).toBe(1);
    await server.stop();
    const refusal = await announce(url, infoHash, 1001);
    expect([...refusal.keys()]).toEqual(['failure reason', 'interval', 'retry in']);
    expect(refusal.get('interval')).toBe(60 * Number(refusal.get('retry in')));
    await server.start();
    await expect.poll(async () => (await announce(url, infoHash, 1001)).get('incomplete')).toBe(1);
  });

  test('start before their store does, and honour the tracker ids of each other once it is there', async () => {
    const server = stack.use(await startRedis());
    await server.stop();
    const [one, other] = await Promise.all([tracker(server.url), tracker(server.url)]);
    const infoHash = new Uint8Array(20).fill(7);
    expect((await announce(one.url, infoHash, 1001)).has('failure reason')).toBe(true);
    await server.start();
    // Who echoes an id that is not the one of its address is given another.
    const isHonoured = async (): Promise<boolean> => {
      await announce(one.url, infoHash, 1001, '&event=stopped');
      const id = (await announce(one.url, infoHash, 1001)).get('tracker id');
      if (!(id instanceof Uint8Array)) return false;
      const echoed = await announce(other.url, infoHash, 1001, `&trackerid=${Buffer.from(id).toString()}`);
      return echoed.has('interval') && !echoed.has('failure reason') && !echoed.has('tracker id');
    };
    await expect.poll(isHonoured, { timeout: 10_000 }).toBe(true);
  });
});
