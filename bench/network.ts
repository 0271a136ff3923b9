// Where peers live: in a network and process namespace of their own as root, so that no announce leaves this machine and
// whatever still runs at the end ends with it; otherwise on addresses of 127.0.0.0/8.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';

/** Set inside the namespace. */
const variable = 'SHOAL_BENCH_NAMESPACE';

/** Transmission takes 127.0.0.0/8 for martians and dials none of them: the namespace has a network that it does dial. */
const prefix = process.env[variable] === undefined ? '127.0.0' : '10.77.0';

export const inNamespace: boolean = process.env[variable] !== undefined;

/** Where trackers listen; peers have the addresses after it. */
export const trackerAddress = `${prefix}.1`;

/** An address for each peer, as many clients allow one peer an address. */
export function peerAddress(index: number): string {
  return `${prefix}.${index + 2}`;
}

/** Runs this very program again in a namespace and answers its status; undefined where there can be none. */
export async function runInNamespace(): Promise<number | undefined> {
  if (inNamespace || process.platform !== 'linux' || process.getuid?.() !== 0) return undefined;
  const isolation = ['--net', '--pid', '--fork', '--kill-child', '--mount-proc'];
  // Loopback owns the whole network of an address that it has.
  const up = 'ip link set lo up && ip address add 10.77.0.1/24 dev lo';
  if (spawnSync('unshare', [...isolation, 'sh', '-c', up]).status !== 0) return undefined;
  const again = [process.execPath, ...process.execArgv, ...process.argv.slice(1)];
  const child = spawn('unshare', [...isolation, 'sh', '-c', `${up} && exec "$@"`, 'sh', ...again], {
    stdio: 'inherit',
    env: { ...process.env, [variable]: '1' },
  });
  // `unshare` passes no signal on, and the first process inside has to remove what it wrote.
  process.on('exit', () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const children = readFileSync(`/proc/${child.pid}/task/${child.pid}/children`, 'utf8').match(/\d+/g);
    for (const pid of children ?? []) process.kill(Number(pid), 'SIGTERM');
  });
  const [status] = (await once(child, 'exit')) as [number | null];
  return status ?? 1;
}

/**
 * Below the ports that systems give to dialled connections (from 32,768 on Linux): a peer that begins to listen on all
 * addresses a while later would find one of its neighbours' there.
 */
const [firstPort, lastPort] = [20_000, 30_000];
let nextPort = firstPort + Math.floor(Math.random() * (lastPort - firstPort));

/** A port that nobody listens on, and another one each time until all have been given. */
export async function freePort(): Promise<number> {
  for (let tried = firstPort; tried < lastPort; tried++) {
    const port = nextPort;
    nextPort = port + 1 < lastPort ? port + 1 : firstPort;
    if (await isFree(port)) return port;
  }
  throw new Error(`no port between ${firstPort} and ${lastPort} is free`);
}

/** On every address, since some peers listen on all. */
function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, () => server.close(() => resolve(true)));
  });
}
