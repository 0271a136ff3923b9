// The trackers that are compared: how each is started and where it then listens.
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, linkSync, mkdirSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Measured } from '../processes.ts';
import { infoHashes } from './population.ts';

const here = import.meta.dirname;
const opponents = path.join(here, '../opponents');
const startLimitMs = 20_000;
const probeMs = 20;

export interface RunningTracker {
  readonly process: Measured;
  /** Ports on 127.0.0.1. */
  readonly http: number;
  readonly udp: number;
}

export interface TrackerContestant {
  readonly name: string;
  /** Undefined when it can run here; else what is missing. */
  missing(): string | undefined;
  /** Starts it with an empty memory; `folder` is an empty one of its own. */
  start(folder: string): Promise<RunningTracker>;
}

const shoal: TrackerContestant = {
  name: 'shoal',
  missing: () => undefined,
  start: () => {
    const main = path.join(here, '../../apps/tracker/dist/main.js');
    const options = ['--http', '127.0.0.1:0', '--udp', '127.0.0.1:0', '--interval', '1800', '--json'];
    return listening(
      [process.execPath, '-C', 'built', main, 'serve', ...options],
      /"http":"[^"]*:(\d+)","udp":"[^"]*:(\d+)"/,
    );
  },
};

/** Debian's build serves only listed torrents, so all are listed. */
const opentracker: TrackerContestant = {
  name: 'opentracker',
  missing: () => (spawnSync('opentracker', ['-h']).error === undefined ? undefined : "Debian's opentracker"),
  start: async (folder) => {
    mkdirSync(folder);
    // It becomes nobody and makes this folder its root.
    chmodSync(folder, 0o755);
    linkSync(whitelist(path.dirname(folder)), path.join(folder, 'whitelist'));
    const configuration = path.join(folder, 'opentracker.conf');
    writeFileSync(configuration, 'access.whitelist whitelist\n');
    const port = await freePort();
    const ports = ['-p', String(port), '-P', String(port)];
    const measured = new Measured(['opentracker', '-i', '127.0.0.1', ...ports, '-d', folder, '-f', configuration]);
    await accepts(port, measured);
    return { process: measured, http: port, udp: port };
  },
};

const bittorrentTracker: TrackerContestant = {
  name: 'npm bittorrent-tracker',
  missing: () =>
    existsSync(path.join(opponents, 'node_modules/bittorrent-tracker'))
      ? undefined
      : 'npm bittorrent-tracker (npm ci --ignore-scripts in bench/opponents)',
  start: () => {
    const scripts = [path.join(opponents, 'without-webrtc.mjs'), path.join(opponents, 'bittorrent-tracker.mjs')];
    return listening([process.execPath, '--import', ...scripts], /HTTP (\d+) UDP (\d+)/);
  },
};

/** What Node takes for an answer to anything. */
const bareNode: TrackerContestant = {
  name: 'bare Node, no tracker',
  missing: () => undefined,
  start: () => listening([process.execPath, path.join(here, 'bare-node.mjs')], /HTTP (\d+) UDP (\d+)/),
};

export const contestants: readonly TrackerContestant[] = [shoal, opentracker, bittorrentTracker, bareNode];

/** All torrents, in a file of `folder` that is written once. */
function whitelist(folder: string): string {
  const file = path.join(folder, 'whitelist');
  if (existsSync(file)) return file;
  const hashes = Buffer.from(infoHashes().buffer).toString('hex').toUpperCase();
  writeFileSync(file, `${hashes.match(/.{40}/g)!.join('\n')}\n`);
  return file;
}

async function listening(command: readonly string[], ports: RegExp): Promise<RunningTracker> {
  const measured = new Measured(command);
  const [, http, udp] = await measured.says(ports, startLimitMs);
  return { process: measured, http: Number(http), udp: Number(udp) };
}

/** For a tracker that does not say when it listens. */
async function accepts(port: number, measured: Measured): Promise<void> {
  for (let waitedMs = 0; waitedMs < startLimitMs; waitedMs += probeMs) {
    const open = await new Promise<boolean>((resolve) => {
      const socket = connect(port, '127.0.0.1', () => resolve(true));
      socket.on('error', () => resolve(false));
      socket.on('connect', () => socket.destroy());
    });
    if (open) return;
    await delay(probeMs);
  }
  await measured.end();
  throw new Error(`it did not listen within ${startLimitMs} ms; it said:\n${measured.output}`);
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}
