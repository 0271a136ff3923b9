// The trackers of the matrix: ours as people run it, opentracker and npm bittorrent-tracker.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Program } from './program.ts';
import { bittorrentTrackerPackage, opentrackerProgram, redisServer, type Requirement } from './requirements.ts';
import type { Scene } from './scene.ts';

export type Protocol = 'HTTP' | 'UDP' | 'WebSocket';

export interface RunningTracker {
  announceUrl(protocol: Protocol): string;
}

export interface TrackerProgram {
  readonly name: string;
  readonly requirement?: Requirement;
  /** Starts it for one torrent, for those that serve only what they were told of. */
  start(scene: Scene, infoHash: string): Promise<RunningTracker>;
}

export const trackerPort = 6969;

export const opentracker: TrackerProgram = {
  name: 'opentracker',
  requirement: opentrackerProgram,
  async start(scene, infoHash) {
    const address = scene.address();
    const folder = await scene.folder('opentracker');
    // Debian's build serves listed torrents only. It changes its root to the folder, so the path is relative.
    await writeFile(join(folder, 'whitelist'), `${infoHash}\n`);
    await writeFile(join(folder, 'configuration'), 'access.whitelist whitelist\n');
    const port = String(trackerPort);
    const values = { i: address, p: port, P: port, d: folder, f: join(folder, 'configuration'), u: 'nobody' };
    const options = Object.entries(values).flatMap(([flag, value]) => [`-${flag}`, value]);
    const program = await scene.spawn('opentracker', 'opentracker', ...options);
    await listening(scene, program, address);
    return at(address);
  },
};

export const bittorrentTracker: TrackerProgram = {
  name: 'npm bittorrent-tracker',
  requirement: bittorrentTrackerPackage,
  async start(scene) {
    const address = scene.address();
    const script = fileURLToPath(new URL('opponents/bittorrent-tracker.mjs', import.meta.url));
    const program = await scene.spawn('bittorrent-tracker', process.execPath, script, address, String(trackerPort));
    await program.heard('listening', (line) => (line === 'listening' ? line : undefined));
    return at(address);
  },
};

/** A Redis server that several trackers of ours share. */
export const sharedStore: { readonly requirement: Requirement; start(scene: Scene): Promise<string> } = {
  requirement: redisServer,
  async start(scene) {
    const address = scene.address();
    const port = '6379';
    const words = ['--bind', address, '--port', port, '--save', '', '--protected-mode', 'no'];
    const program = await scene.spawn('redis-server', 'redis-server', ...words);
    await program.heard('ready', (line) => (line.includes('Ready to accept connections') ? line : undefined));
    return `redis://${address}:${port}`;
  },
};

/** The counters of our tracker's /stats.json that cells look at. */
interface Stats {
  readonly swarms: { readonly seeders: number; readonly leechers: number; readonly completed: number };
  readonly http: { readonly announces: number };
  readonly udp: { readonly announces: number };
  readonly websocket: { readonly announces: number; readonly offers: number; readonly answers: number };
}

/** `shoal-tracker serve`, with its numbers. */
export class ShoalTracker implements RunningTracker {
  readonly #scene: Scene;
  readonly #address: string;
  readonly #program: Program;

  private constructor(scene: Scene, address: string, program: Program) {
    this.#scene = scene;
    this.#address = address;
    this.#program = program;
  }

  static async start(scene: Scene, ...more: readonly string[]): Promise<ShoalTracker> {
    const command = fileURLToPath(new URL('../../tracker/src/main.ts', import.meta.url));
    const address = scene.address();
    const at = `${address}:${trackerPort}`;
    const options = ['--http', at, '--udp', at, '--json', ...more];
    const program = await scene.spawn('shoal-tracker', process.execPath, command, 'serve', ...options);
    await program.heard('listening', (line) => (line.includes('"listening"') ? line : undefined));
    return new ShoalTracker(scene, address, program);
  }

  announceUrl(protocol: Protocol): string {
    return at(this.#address).announceUrl(protocol);
  }

  async stats(): Promise<Stats> {
    const response = await fetch(`http://${this.#address}:${trackerPort}/stats.json`, { signal: this.#scene.signal });
    return (await response.json()) as Stats;
  }

  /** Ends it without a goodbye. */
  async kill(): Promise<void> {
    await this.#program.kill();
  }

  /** How many announcers it could connect back to; it must have been started with `--metrics public`. */
  async reachable(): Promise<number> {
    const response = await fetch(`http://${this.#address}:${trackerPort}/metrics`, { signal: this.#scene.signal });
    return Number(/^btt_nat_checks_total\{result="reachable"\} (\d+)$/m.exec(await response.text())?.[1] ?? 0);
  }

  /** Settles when so many WebTorrent peers have announced here. */
  async knowsAnnounces(count: number): Promise<void> {
    await this.#scene.asked(async () => ((await this.stats()).websocket.announces >= count ? true : undefined));
  }

  /** Settles when the tracker knows so many seeders. */
  async knowsSeeders(count: number): Promise<void> {
    await this.#scene.asked(async () => ((await this.stats()).swarms.seeders >= count ? true : undefined));
  }
}

const schemes: Readonly<Record<Protocol, string>> = { HTTP: 'http', UDP: 'udp', WebSocket: 'ws' };

function at(address: string): RunningTracker {
  return { announceUrl: (protocol) => `${schemes[protocol]}://${address}:${trackerPort}/announce` };
}

/** Settles when the program answers HTTP; an error if it ends first. */
async function listening(scene: Scene, program: Program, address: string): Promise<void> {
  const answered = scene.asked(async () => {
    try {
      await (await fetch(`http://${address}:${trackerPort}/scrape`, { signal: scene.signal })).arrayBuffer();
      return true;
    } catch (error) {
      if (scene.signal.aborted) throw error;
      return undefined;
    }
  });
  await Promise.race([answered, program.heard('listening', () => undefined)]);
}
