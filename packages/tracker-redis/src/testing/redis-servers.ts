// Servers for tests: redis-server or valkey-server processes on free ports, alone or as a cluster, in folders that go
// with them. Knows no tracker.
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as pause } from 'node:timers/promises';
import { Redis } from 'ioredis';

/** Between two looks at a cluster that is forming, in ms. */
const lookMs = 50;

/** After which a cluster is not forming any more, in ms: it takes one to three seconds. */
const formingMs = 30_000;

/** Until a master that says nothing is replaced, in ms: cluster-node-timeout, 15 s by default. */
const nodeTimeoutMs = 1000;

/** The server program of this machine, undefined without one. */
export function serverProgram(): string | undefined {
  return ['redis-server', 'valkey-server'].find((program) => {
    try {
      execFileSync(program, ['--version'], { stdio: 'ignore' });
      return true;
    } catch {
      return false;
    }
  });
}

/** A server process; disposing ends it and removes its folder. */
export interface RedisServer extends AsyncDisposable {
  readonly port: number;
  /** `redis://127.0.0.1:port`. */
  readonly url: string;
  readonly pid: number;
  /** Ends the process, by default at once: whatever it had only in memory is gone. */
  stop(signal?: NodeJS.Signals): Promise<void>;
  /** Starts it again on the same port and folder. */
  start(): Promise<void>;
  /** Stops it from answering, connections stay open. */
  freeze(): void;
  /** Lets it go on. */
  thaw(): void;
}

export interface RedisServerOptions {
  /** Further arguments, as on the command line. */
  readonly arguments?: readonly string[];
}

/** Starts a server and waits until it accepts connections. @throws Error where no server is installed */
export async function startRedis(options: RedisServerOptions = {}): Promise<RedisServer> {
  const program = serverProgram();
  if (program === undefined) throw new Error('neither redis-server nor valkey-server is installed');
  const folder = await mkdtemp(path.join(tmpdir(), 'shoal-redis-'));
  const [port, busPort] = await freePorts();
  const words = ['--port', `${port}`, '--cluster-port', `${busPort}`, '--bind', '127.0.0.1', '--dir', folder];
  words.push('--save', '', '--appendonly', 'no', ...(options.arguments ?? []));
  let child = await launch(program, words);
  const stop = async (signal: NodeJS.Signals = 'SIGKILL'): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'exit');
    child.kill(signal);
    await gone;
  };
  return {
    port,
    url: `redis://127.0.0.1:${port}`,
    get pid() {
      return child.pid ?? 0;
    },
    stop,
    async start(): Promise<void> {
      child = await launch(program, words);
    },
    freeze: () => void child.kill('SIGSTOP'),
    thaw: () => void child.kill('SIGCONT'),
    async [Symbol.asyncDispose](): Promise<void> {
      await stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Sends one command to a server; the reply. @throws Error that the server replied */
export async function commandOf({ port }: RedisServer, name: string, ...words: string[]): Promise<unknown> {
  const client = new Redis({ port, host: '127.0.0.1' });
  try {
    return await client.call(name, ...words);
  } finally {
    client.disconnect();
  }
}

/** A cluster of servers; disposing ends them. */
export interface RedisCluster extends AsyncDisposable {
  /** `redis-cluster://…` with the masters. */
  readonly url: string;
  readonly masters: readonly RedisServer[];
  /** One for each master, in the same order; empty when none were asked for. */
  readonly replicas: readonly RedisServer[];
}

export interface RedisClusterOptions {
  /** Default 3, the fewest that can elect a replacement. */
  readonly masters?: number;
  /** Whether every master has a replica. Default false. */
  readonly replicas?: boolean;
}

/** Forms a cluster and waits until it serves every slot. @throws Error when it does not within half a minute */
export async function startCluster(options: RedisClusterOptions = {}): Promise<RedisCluster> {
  const count = options.masters ?? 3;
  const words = ['--cluster-enabled', 'yes', '--cluster-node-timeout', `${nodeTimeoutMs}`];
  const wanted = options.replicas === true ? 2 * count : count;
  const servers: RedisServer[] = [];
  const dispose = async (): Promise<void> => {
    await Promise.all(servers.map((server) => server[Symbol.asyncDispose]()));
  };
  try {
    for (let at = 0; at < wanted; at++) servers.push(await startRedis({ arguments: words }));
    await form(servers, count);
  } catch (error) {
    await dispose();
    throw error;
  }
  const masters = servers.slice(0, count);
  return {
    url: `redis-cluster://${masters.map(({ port }) => `127.0.0.1:${port}`).join(',')}`,
    masters,
    replicas: servers.slice(count),
    [Symbol.asyncDispose]: dispose,
  };
}

/** Slots of a cluster (Redis cluster specification). */
const slots = 16_384;

async function form(servers: readonly RedisServer[], masters: number): Promise<void> {
  const clients = servers.map(({ port }) => new Redis({ port, host: '127.0.0.1' }));
  try {
    for (const [at, client] of clients.entries()) {
      await client.call('CLUSTER', 'SET-CONFIG-EPOCH', `${at + 1}`);
      if (at < masters) {
        const first = Math.floor((slots * at) / masters);
        await client.call('CLUSTER', 'ADDSLOTSRANGE', `${first}`, `${Math.floor((slots * (at + 1)) / masters) - 1}`);
      }
      if (at > 0)
        await client.call('CLUSTER', 'MEET', '127.0.0.1', `${servers[0]!.port}`, `${await busPortOf(clients[0]!)}`);
    }
    const known = `cluster_known_nodes:${servers.length}`;
    await until(clients, async (client) => String(await client.call('CLUSTER', 'INFO')).includes(known));
    const ids = await Promise.all(clients.map(async (client) => String(await client.call('CLUSTER', 'MYID'))));
    for (const [at, client] of clients.entries()) {
      if (at >= masters) await client.call('CLUSTER', 'REPLICATE', ids[at - masters]!);
    }
    await until(clients, async (client) => String(await client.call('CLUSTER', 'INFO')).includes('cluster_state:ok'));
    await until(clients.slice(masters), async (client) =>
      (await client.info('replication')).includes('link_status:up'),
    );
    const replicas = servers.length - masters;
    // A replica that the other masters do not know as one cannot be elected.
    await until(
      clients,
      async (client) => timesIn(String(await client.call('CLUSTER', 'NODES')), / (myself,)?slave /g) === replicas,
    );
  } finally {
    for (const client of clients) client.disconnect();
  }
}

async function busPortOf(client: Redis): Promise<string> {
  const [, port] = (await client.config('GET', 'cluster-port')) as string[];
  return String(port);
}

function timesIn(text: string, pattern: RegExp): number {
  return text.match(pattern)?.length ?? 0;
}

async function until(clients: readonly Redis[], holds: (client: Redis) => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + formingMs;
  for (const client of clients) {
    while (!(await holds(client))) {
      if (performance.now() > deadline) throw new Error('the cluster does not form');
      await pause(lookMs);
    }
  }
}

async function launch(program: string, words: readonly string[]): Promise<ChildProcess> {
  const child = spawn(program, words, { stdio: ['ignore', 'pipe', 'ignore'] });
  const said: string[] = [];
  for await (const line of createInterface(child.stdout)) {
    said.push(line);
    if (!line.includes('Ready to accept connections')) continue;
    // A pipe that nobody reads fills up.
    child.stdout.resume();
    return child;
  }
  throw new Error(`${program} does not start: ${said.at(-1) ?? 'no output'}`);
}

/** Two ports that were free a moment ago. */
async function freePorts(): Promise<[number, number]> {
  const servers = [createServer(), createServer()] as const;
  const ports = servers.map(async (server) => {
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    return typeof address === 'object' && address !== null ? address.port : 0;
  });
  const [one = 0, other = 0] = await Promise.all(ports);
  for (const server of servers) server.close();
  return [one, other];
}
