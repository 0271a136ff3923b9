// One tracker takes the place of another: announces flow all the time, and none is refused, lost or left without an answer.
import { once } from 'node:events';
import { createSocket } from 'node:dgram';
import { Agent, get } from 'node:http';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { decode } from '@shoal/bencode';
import { percentEncode } from '@shoal/tracker-protocol';
import { Run, announce } from './running-command.ts';

const listen = ['--http', '127.0.0.1:0', '--udp', '127.0.0.1:0', '--json'];

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'shoal-restart-'));
});
afterEach(() => rm(folder, { recursive: true }));

/** The info-hash and the port of the n-th peer, who is alone with its neighbour. */
const torrentOf = (peer: number): Uint8Array => {
  const infoHash = new Uint8Array(20).fill(9);
  new DataView(infoHash.buffer).setUint32(0, peer >>> 1);
  return infoHash;
};
const queryOf = (peer: number, event = 'started'): string =>
  `info_hash=${percentEncode(torrentOf(peer))}&peer_id=${String(peer).padStart(20, 'p')}&port=${1024 + (peer % 60_000)}` +
  `&uploaded=0&downloaded=0&left=${peer % 2}&event=${event}&compact=1`;

async function announceBy(url: unknown, agent: Agent | false, peer: number): Promise<ReadonlyMap<string, unknown>> {
  const request = get(`${String(url)}/announce?${queryOf(peer)}`, { agent });
  const [response] = (await once(request, 'response')) as [NodeJS.ReadableStream];
  const chunks: Uint8Array[] = [];
  for await (const chunk of response) chunks.push(chunk as Buffer);
  return decode(Buffer.concat(chunks)) as ReadonlyMap<string, unknown>;
}

/** A client of UDP that asks once and does not ask again. */
class UdpClient implements AsyncDisposable {
  readonly #socket = createSocket('udp4');
  readonly #port: number;
  #connectionId: Uint8Array = new Uint8Array(8);

  constructor(url: unknown) {
    this.#port = Number(new URL(String(url)).port);
  }

  /** So many, with an id each. */
  static async several(url: unknown, count: number): Promise<AsyncDisposable & { readonly clients: UdpClient[] }> {
    const clients = Array.from({ length: count }, () => new UdpClient(url));
    for (const client of clients) await client.connect();
    return {
      clients,
      async [Symbol.asyncDispose](): Promise<void> {
        for (const client of clients) await client[Symbol.asyncDispose]();
      },
    };
  }

  async connect(): Promise<void> {
    const request = new DataView(new ArrayBuffer(16));
    request.setBigUint64(0, 0x417_2710_1980n);
    this.#connectionId = (await this.#ask(request)).subarray(8, 16);
  }

  /** Action, and the swarm's leechers and seeders. */
  async announce(peer: number): Promise<{ action: number; leechers: number; seeders: number }> {
    const request = new DataView(new ArrayBuffer(98));
    const bytes = new Uint8Array(request.buffer);
    bytes.set(this.#connectionId);
    request.setUint32(8, 1);
    bytes.set(torrentOf(peer), 16);
    bytes.set(new TextEncoder().encode(String(peer).padStart(20, 'u')), 36);
    request.setUint32(68, peer % 2);
    request.setUint32(80, 2);
    request.setInt32(92, -1);
    request.setUint16(96, 1024 + (peer % 60_000));
    const answer = new DataView(Uint8Array.from(await this.#ask(request)).buffer);
    return { action: answer.getUint32(0), leechers: answer.getUint32(12), seeders: answer.getUint32(16) };
  }

  async #ask(request: DataView): Promise<Uint8Array> {
    const signal = AbortSignal.timeout(5000);
    const answered = once(this.#socket, 'message', { signal });
    this.#socket.send(new Uint8Array(request.buffer), this.#port, '127.0.0.1');
    const [bytes] = (await answered) as [Buffer];
    return bytes;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#socket.close();
    await once(this.#socket, 'close');
  }
}

/** The process that took over, known by what the first one logged. */
async function successorOf(run: Run): Promise<AsyncDisposable & { stopped(): Promise<Record<string, unknown>> }> {
  const pid = Number(/pid=(\d+)/.exec(await run.logged('the successor serves'))?.[1]);
  // What both write to ends when both have.
  const closed = once(run.child, 'close');
  let isStopped = false;
  return {
    async stopped(): Promise<Record<string, unknown>> {
      isStopped = true;
      process.kill(pid, 'SIGTERM');
      const event = await run.event();
      await closed;
      return event;
    },
    async [Symbol.asyncDispose](): Promise<void> {
      if (isStopped) return;
      process.kill(pid, 'SIGKILL');
    },
  };
}

interface Stats {
  readonly uptimeSeconds: number;
  readonly swarms: {
    readonly seeders: number;
    readonly leechers: number;
    readonly torrents: number;
    readonly completed: number;
  };
}
const statsOf = async (url: unknown): Promise<Stats> =>
  (await fetch(`${String(url)}/stats.json`)).json() as Promise<Stats>;

/** Calls `one` with 0, 1, 2, … one after the other, until it is stopped; gives how many there were. */
function flow(one: (count: number) => Promise<void>): { stop: () => Promise<number> } {
  let isOn = true;
  const running = (async () => {
    let count = 0;
    while (isOn) await one(count++);
    return count;
  })();
  return {
    stop: () => {
      isOn = false;
      return running;
    },
  };
}

describe('a restart on SIGUSR2', () => {
  test('that fails because of a mistake in the configuration changes nothing, and is told', async () => {
    const config = join(folder, 'tracker.toml');
    await writeFile(config, 'interval = 900');
    await using run = new Run('serve', ...listen, '--config', config, '--admin', '127.0.0.1:0');
    const { http, admin } = await run.event();
    await writeFile(config, 'intervall = 60');
    const answer = await fetch(`${String(admin)}/restart`, { method: 'POST' });
    expect([answer.status, await answer.json()]).toEqual([
      500,
      { error: 'the successor failed: it ended with code 3' },
    ]);
    // What the successor says goes where this one speaks.
    expect(await run.event()).toMatchObject({ event: 'failed', error: { code: 'configuration' } });
    expect(await run.logged('did you mean interval?')).toContain(`${config}:1`);
    expect(await run.logged('serves on')).toContain('the successor failed: it ended with code 3');
    expect((await announce(http, torrentOf(1), 5)).has('peers')).toBe(true);
    expect((await run.end('SIGTERM')).code).toBe(0);
  });

  test('takes a new configuration, the state folder and the administrators along', async () => {
    const config = join(folder, 'tracker.toml');
    await writeFile(config, 'interval = 900\njitter = 0');
    const state = ['--config', config, '--admin', '127.0.0.1:0', '--state', join(folder, 'state')];
    await using run = new Run('serve', ...listen, ...state);
    const { http, udp, admin } = await run.event();
    const exit = once(run.child, 'exit');
    expect((await announce(http, torrentOf(1), 5)).get('interval')).toBe(900);
    await writeFile(config, 'interval = 600\njitter = 0');
    const answer = await fetch(`${String(admin)}/restart`, { method: 'POST' });
    expect([answer.status, await answer.json()]).toEqual([200, { restarted: true }]);
    await using successor = await successorOf(run);
    const events = [await run.event(), await run.event()];
    expect(events).toContainEqual(expect.objectContaining({ event: 'listening', http, udp, admin }));
    expect(await exit).toEqual([0, null]);
    expect((await announce(http, torrentOf(2), 5)).get('interval')).toBe(600);
    expect((await statsOf(admin)).swarms).toMatchObject({ torrents: 2, leechers: 2 });
    // Who ends first writes nothing: the swarms are another's.
    await expect(readFile(join(folder, 'state', 'swarms'))).rejects.toThrow('ENOENT');
    await successor.stopped();
    expect((await readFile(join(folder, 'state', 'swarms'))).length).toBeGreaterThan(100);
  });

  test('gives the new process the secret of connection ids and the clock: ids from before are good', async () => {
    await using run = new Run('serve', ...listen, '--connection-ids', 'strict');
    const { udp } = await run.event();
    await using client = new UdpClient(udp);
    await client.connect();
    const exit = once(run.child, 'exit');
    run.child.kill('SIGUSR2');
    await using successor = await successorOf(run);
    await exit;
    expect(await client.announce(1)).toMatchObject({ action: 1 });
    const events = [await run.event(), await run.event()];
    expect(events).toContainEqual(expect.objectContaining({ event: 'stopped', signal: 'restart' }));
    await successor.stopped();
  });

  // Sockets of threads go another way.
  const workers = process.platform === 'linux' ? ['1', '2'] : ['1'];

  test.each(workers)('with --workers %s keeps WebSockets until the old process ends, which says so', async (count) => {
    await using run = new Run('serve', ...listen, '--workers', count);
    const { http } = await run.event();
    const socket = new WebSocket(String(http).replace('http', 'ws'));
    await once(socket, 'open');
    const closed = once(socket, 'close') as Promise<[CloseEvent]>;
    run.child.kill('SIGUSR2');
    await using successor = await successorOf(run);
    await announce(http, torrentOf(1), 5);
    expect(socket.readyState).toBe(WebSocket.OPEN);
    // It would wait for ten seconds.
    run.child.kill('SIGTERM');
    const [{ code }] = await closed;
    expect(code).toBe(1012);
    const events = [await run.event(), await run.event()];
    expect(events).toContainEqual(expect.objectContaining({ event: 'stopped', signal: 'restart' }));
    await successor.stopped();
  });

  test.runIf(process.platform === 'linux')(
    'takes as many sockets as it has threads, and lets nobody wait at the others',
    async () => {
      const config = join(folder, 'tracker.toml');
      await writeFile(config, 'workers = 4');
      await using run = new Run('serve', ...listen, '--config', config);
      const { http, udp } = await run.event();
      const exit = once(run.child, 'exit');
      await writeFile(config, 'workers = 1');
      run.child.kill('SIGUSR2');
      await using successor = await successorOf(run);
      await exit;
      // The system deals clients out to whatever sockets there are: sixteen would find one that nobody reads.
      await using udpClients = await UdpClient.several(udp, 16);
      for (const client of udpClients.clients) expect(await client.announce(1)).toMatchObject({ action: 1 });
      for (let peer = 0; peer < 16; peer++) expect((await announceBy(http, false, peer)).has('peers')).toBe(true);
      const events = [await run.event(), await run.event()];
      expect(events).toContainEqual(expect.objectContaining({ event: 'listening', http, udp }));
      await successor.stopped();
    },
  );

  const inTime = { timeout: 40_000 };
  test.each(workers)('with --workers %s refuses no announce, loses none, and forgets nobody', inTime, async (count) => {
    await using run = new Run('serve', ...listen, '--workers', count);
    const { http, udp } = await run.event();
    const exit = once(run.child, 'exit');
    await using udpClient = new UdpClient(udp);
    await udpClient.connect();
    for (let peer = 0; peer < 2000; peer++) await udpClient.announce(peer);
    const before = (await statsOf(http)).swarms;
    expect(before).toMatchObject({ torrents: 1000, seeders: 1000, leechers: 1000 });

    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const refused: unknown[] = [];
    const byHttp = (from: number, how: Agent | false) => async (count: number) => {
      const answer = await announceBy(http, how, from + count).catch(
        (error: unknown) => new Map([['failure reason', error]]),
      );
      if (answer.has('failure reason')) refused.push(answer.get('failure reason'));
    };
    await using others = await UdpClient.several(udp, 3);
    const byUdp = (from: number, client: UdpClient) => async (count: number) => {
      const answer = await client.announce(from + count);
      if (answer.action !== 1) refused.push(`action ${answer.action}`);
    };
    const flows = [
      flow(byHttp(100_000, false)),
      flow(byHttp(200_000, agent)),
      flow(byUdp(300_000, udpClient)),
      // Threads are dealt out by port.
      ...others.clients.map((client, index) => flow(byUdp(400_000 + index * 100_000, client))),
    ];
    run.child.kill('SIGUSR2');
    const second = await run.event();
    await using successor = await successorOf(run);
    expect(second).toMatchObject({ event: 'listening', http, udp });
    // Every way leads to the new one; what the old one answers to the end is known there.
    expect(await run.event()).toMatchObject({ event: 'stopped', signal: 'restart' });
    expect(await exit).toEqual([0, null]);
    const counts = await Promise.all(flows.map(({ stop }) => stop()));
    agent.destroy();
    expect(refused).toEqual([]);
    for (const count of counts) expect(count).toBeGreaterThan(100);
    const after = (await statsOf(http)).swarms;
    const added = counts.reduce((sum, count) => sum + count, 0);
    expect(after.seeders + after.leechers).toBe(2000 + added);
    expect(after.torrents).toBe(1000 + counts.reduce((sum, count) => sum + Math.ceil(count / 2), 0));
    // Who was there before is given.
    expect(await udpClient.announce(1)).toMatchObject({ action: 1, leechers: 1, seeders: 1 });
    const given = await announceBy(http, false, 3);
    expect(given.get('complete')).toBe(1);
    expect(await successor.stopped()).toMatchObject({ event: 'stopped', signal: 'SIGTERM' });
  });
});
