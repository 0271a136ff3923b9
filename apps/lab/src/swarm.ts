// A tracker, an origin and downloaders, each a process of the real apps, on loopback: starts them in order, follows what
// they tell, ends them in order. Prints nothing and compares nothing.
import path from 'node:path';
import type { AppEvent, AppProcess } from './app-process.ts';
import type { Content } from './content.ts';
import { LabError } from './exit-codes.ts';
import type { LabFolder } from './lab-folder.ts';
import { Member } from './member.ts';
import { originPicture, peerPicture, type Phase, type SharedContent, type SwarmPicture } from './picture.ts';
import { formatPercent } from './render/text.ts';
import { SwarmProcesses, type SwarmProcessesOptions } from './swarm-processes.ts';
import { TrackerWatch } from './tracker-watch.ts';

export interface SwarmOptions extends SwarmProcessesOptions {
  readonly content: Content;
  readonly folder: LabFolder;
  /** Downloaders. */
  readonly peers: number;
  /** Bytes; as `shoal create` chooses when undefined. */
  readonly pieceLength: number | undefined;
  /** Monotonic milliseconds. */
  readonly clock: () => number;
}

/** What `shoal create` left out of the torrent. */
export interface LeftOut {
  readonly path: string;
  readonly reason: string;
}

/** Announce interval of the tracker, in seconds: runs are short, and who was missed at first is soon met. */
const announceIntervalSeconds = 30;
/** What is verified is noted for nobody: the lab's folder does not last. */
const loopback = ['--port', '0', '--bind', '127.0.0.1', '--no-resume', '--jsonl'];

export class Swarm implements AsyncDisposable {
  readonly #options: SwarmOptions;
  readonly #processes: SwarmProcesses;
  readonly #origin = new Member('origin');
  readonly #peers: readonly Member[];
  #phase: Phase = 'preparing';
  #shared: SharedContent | undefined;
  #leftOut: readonly LeftOut[] = [];
  #watch: TrackerWatch | undefined;
  #trackerProcess: AppProcess | undefined;
  #originProcess: AppProcess | undefined;
  #peerProcesses: readonly AppProcess[] = [];
  #startedAt: number;
  #endedAt: number | undefined;

  constructor(options: SwarmOptions) {
    this.#options = options;
    this.#processes = new SwarmProcesses(options);
    this.#peers = Array.from({ length: options.peers }, (_, i) => new Member(`peer-${i + 1}`));
    this.#startedAt = options.clock();
  }

  get phase(): Phase {
    return this.#phase;
  }

  set phase(phase: Phase) {
    this.#phase = phase;
  }

  get leftOut(): readonly LeftOut[] {
    return this.#leftOut;
  }

  picture(): SwarmPicture {
    const now = this.#options.clock();
    const members = [this.#origin, ...this.#peers];
    return {
      phase: this.#phase,
      seconds: this.#phase === 'preparing' ? 0 : ((this.#endedAt ?? now) - this.#startedAt) / 1000,
      content: this.#shared,
      tracker: this.#watch?.facts,
      origin: originPicture(this.#origin, now),
      peers: this.#peers.map((peer) => peerPicture(peer, members, this.#startedAt, now)),
    };
  }

  /** Starts the tracker and makes the torrent. @throws LabError when a process fails, or the disk is too small. */
  async prepare(): Promise<SharedContent> {
    const { folder, content, pieceLength, peers } = this.#options;
    const url = await this.#startTracker();
    this.#watch = new TrackerWatch(url);
    const length = pieceLength === undefined ? [] : ['--piece-length', String(pieceLength)];
    const words = ['create', content.path, '-o', folder.torrent, '-a', `${url}/announce`, ...length, '--json'];
    await this.#processes.run('create', 'shoal', words, (event) => this.#created(event));
    if (this.#shared === undefined) throw new LabError('other', 'shoal create did not tell what it made');
    await folder.requireSpace(this.#shared.totalBytes * peers);
    return this.#shared;
  }

  /** Starts the origin, then all downloaders together; resolves when all are complete. @throws LabError */
  async download(timeoutSeconds: number): Promise<void> {
    const { folder, content, clock } = this.#options;
    this.#phase = 'starting';
    await this.#startOrigin(['seed', folder.torrent, '-d', content.parent, ...loopback]);
    this.#phase = 'downloading';
    this.#startedAt = clock();
    const timer = setTimeout(() => this.#processes.fail(this.#late(timeoutSeconds)), timeoutSeconds * 1000);
    try {
      const completions = this.#peers.map((peer, i) => this.#startPeer(peer, folder.peer(i + 1)));
      this.#peerProcesses = completions.map(({ app }) => app);
      await this.#processes.unlessFailed(Promise.all(completions.map(({ completed }) => completed)));
      this.#endedAt = clock();
    } finally {
      clearTimeout(timer);
    }
  }

  /** Ends the downloaders, then the origin, then the tracker: each tells its last figures and says goodbye. */
  async stop(): Promise<void> {
    this.#phase = 'stopping';
    await this.#processes.unlessFailed(this.#watch?.ask() ?? Promise.resolve());
    await this.#end();
  }

  /** Ends whatever still runs, in the same order. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#phase !== 'done') this.#phase = 'stopping';
    await this.#end();
    await this.#processes.close();
  }

  async #end(): Promise<void> {
    this.#watch?.close();
    await this.#processes.stop(this.#peerProcesses);
    for (const last of [this.#originProcess, this.#trackerProcess])
      if (last !== undefined) await this.#processes.stop([last]);
  }

  async #startTracker(): Promise<string> {
    const { promise, resolve } = Promise.withResolvers<string>();
    const listen = ['--http', '127.0.0.1:0', '--udp', '127.0.0.1:0'];
    const words = ['serve', ...listen, '--interval', String(announceIntervalSeconds), '--json'];
    this.#trackerProcess = this.#processes.start('tracker', 'shoal-tracker', words, ({ event, http }) => {
      if (event === 'listening' && typeof http === 'string') resolve(http);
    });
    return this.#processes.unlessFailed(promise);
  }

  #created(made: AppEvent): void {
    const text = (value: unknown): string => (typeof value === 'string' ? value : '');
    this.#shared = {
      name: text(made['name']),
      infoHash: text(made['infoHash']),
      totalBytes: Number(made['bytes']),
      files: Number(made['files']),
      pieces: Number(made['pieces']),
      pieceLength: Number(made['pieceLength']),
    };
    this.#leftOut = Array.isArray(made['skipped']) ? (made['skipped'] as LeftOut[]) : [];
  }

  /** Resolves when the tracker knows it. */
  async #startOrigin(words: readonly string[]): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#originProcess = this.#processes.start('origin', 'shoal', words, (event) => {
      this.#origin.handle(event, this.#options.clock());
      if (event.event === 'announced') resolve();
    });
    await this.#processes.unlessFailed(promise);
  }

  #startPeer(peer: Member, directory: string): { app: AppProcess; completed: Promise<void> } {
    const { promise: completed, resolve } = Promise.withResolvers<void>();
    const words = ['download', this.#options.folder.torrent, '-d', directory, '--seed', ...loopback];
    const app = this.#processes.start(peer.name, 'shoal', words, (event) => {
      peer.handle(event, this.#options.clock());
      if (event.event === 'completed') resolve();
      if (event.event === 'suspended')
        this.#processes.fail(new LabError('disk', `${peer.name}: ${String(event['reason'])}`));
    });
    return { app, completed };
  }

  #late(seconds: number): LabError {
    const total = this.#shared?.totalBytes ?? 0;
    const missing = this.#peers.filter(({ completedAt }) => completedAt === undefined);
    const where = missing.map(({ name, doneBytes }) => `${name} has ${formatPercent(doneBytes, total)}`).join(', ');
    return new LabError('unfinished', `not complete after ${seconds} s: ${where}; --timeout gives more time`);
  }
}

/** Where the copy that a downloader made lies. */
export const copyOf = (folder: LabFolder, peer: number, name: string): string => path.join(folder.peer(peer), name);
