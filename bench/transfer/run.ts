// One run: starts the processes of a row in the right order, measures them until all copies are there, ends them.
// Whoever is waited for starts last, so that everyone starts at once.
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { encodeMetainfo } from '@shoal/metainfo';
import { freePort, peerAddress } from '../network.ts';
import { Measured } from '../processes.ts';
import { startTracker, type TrackerProcess } from '../tracker-process.ts';
import type { Content } from './content.ts';
import type { Contestant, Job } from './contestants.ts';
import { type Moments, Progress } from './progress.ts';
import type { Row } from './rows.ts';

export interface Figures {
  /** Bytes per second, all copies together, between 10 % and 90 % of their bytes. */
  readonly steady: number;
  /** From the start of the process that starts last. */
  readonly firstMiBSeconds: number;
  readonly wallSeconds: number;
  /** All processes of a side, for a GiB of copies. */
  readonly seederCpuPerGiB: number;
  readonly leecherCpuPerGiB: number;
  /** The highest of one process of a side. */
  readonly seederPeakBytes: number;
  readonly leecherPeakBytes: number;
  /** The worst of the first two processes of a side, from the first MiB to the last byte; NaN of who has no event loop of Node. */
  readonly seederDelayMs: number;
  readonly leecherDelayMs: number;
}

export interface Cell {
  readonly row: Row;
  readonly seeder: Contestant;
  readonly leecher: Contestant;
}

/** Longest wait for a word: past it a run has failed. */
const limitMs = 60_000;
/** Memory is looked at so often; less often where there are many processes. */
const usagePollMs = 50;
/** Downloaders of a swarm start so many at once; each dials those of the waves before. */
const waveSize = 4;
/** What our tracker tells clients to wait: one that came too early asks again soon. */
const announceSeconds = 10;
const scrapePollMs = 50;
/** Looking takes 1 % of a core a process: of a side with many it would be what is measured. */
const mostWatched = 2;
const GiB = 1024 ** 3;

interface Peer {
  readonly contestant: Contestant;
  readonly process: Measured;
  readonly endpoint: string;
  /** When the process was started. */
  readonly startedAt: number;
}

/** @throws Error when a peer ends early or is not done in time. */
export async function run(cell: Cell, content: Content, folder: string): Promise<Figures> {
  const scene = new Scene(cell, content, folder);
  try {
    return await scene.play();
  } finally {
    await scene.end();
  }
}

/** Where a downloader of this run puts its copy. */
export const targetOf = (folder: string, index: number): string => path.join(folder, `target-${index}`);

class Scene {
  readonly #cell: Cell;
  readonly #content: Content;
  readonly #folder: string;
  readonly #seeders: Peer[] = [];
  readonly #leechers: Peer[] = [];
  #tracker: TrackerProcess | undefined;
  #addresses = 0;

  constructor(cell: Cell, content: Content, folder: string) {
    this.#cell = cell;
    this.#content = content;
    this.#folder = folder;
    mkdirSync(folder, { recursive: true });
  }

  async play(): Promise<Figures> {
    const { row, seeder, leecher } = this.#cell;
    if (seeder.needsTracker === true || leecher.needsTracker === true)
      this.#tracker = await startTracker(announceSeconds);
    const tiers = this.#tracker === undefined ? [] : [[`${this.#tracker.url}/announce`]];
    writeFileSync(this.#torrent, encodeMetainfo(this.#content.infoBytes, { announceTiers: tiers }));
    return row.leechers === 1 ? this.#downloaderLast() : this.#seederLast();
  }

  async end(): Promise<void> {
    const peers = [...this.#leechers, ...this.#seeders].map(({ process }) => process);
    if (this.#tracker !== undefined) peers.push(this.#tracker.process);
    await Promise.all(peers.map((process) => process.end()));
  }

  async #downloaderLast(): Promise<Figures> {
    const { row } = this.#cell;
    for (let index = 0; index < row.seeders; index++) await this.#start('seed', []);
    await Promise.all(this.#seeders.map(({ process, contestant }) => process.says(contestant.ready, limitMs)));
    if (this.#tracker !== undefined) await announced(this.#tracker.url, this.#content.infoHash, row.seeders);
    const before = this.#cpu(this.#seeders);
    const measuring = this.#measure();
    const last = await this.#start(
      'leech',
      this.#seeders.map(({ endpoint }) => endpoint),
    );
    return this.#finish(measuring, last.startedAt, before, 0);
  }

  async #seederLast(): Promise<Figures> {
    const { row, leecher } = this.#cell;
    while (this.#leechers.length < row.leechers) {
      const dialled = this.#leechers.map(({ endpoint }) => endpoint);
      const wave = Math.min(waveSize, row.leechers - dialled.length);
      const started = await Promise.all(Array.from({ length: wave }, () => this.#start('leech', dialled)));
      await Promise.all(started.map(({ process }) => process.says(leecher.listening ?? /^/, limitMs)));
    }
    const waited = this.#cpu(this.#leechers);
    const measuring = this.#measure();
    const seed = await this.#start(
      'seed',
      this.#leechers.map(({ endpoint }) => endpoint),
    );
    await seed.process.says(seed.contestant.ready, limitMs);
    // It may give from here on; what it needed to start and check is not counted, as in the other order.
    return this.#finish(measuring, seed.startedAt, this.#cpu([seed]), waited);
  }

  get #torrent(): string {
    return path.join(this.#folder, 'content.torrent');
  }

  async #start(mode: Job['mode'], peers: readonly string[]): Promise<Peer> {
    const contestant = mode === 'seed' ? this.#cell.seeder : this.#cell.leecher;
    const side = mode === 'seed' ? this.#seeders : this.#leechers;
    const index = this.#addresses++;
    const address = peerAddress(index);
    const port = await freePort();
    const home = path.join(this.#folder, `home-${index}`);
    mkdirSync(home);
    const directory = mode === 'seed' ? this.#content.directory : targetOf(this.#folder, side.length);
    mkdirSync(directory, { recursive: true });
    const command = contestant.command({ mode, torrent: this.#torrent, directory, address, port, peers, home });
    const startedAt = performance.now();
    // Nothing that a client keeps about itself outlives its run, but for what every start after the first one finds.
    const places = {
      HOME: home,
      XDG_STATE_HOME: home,
      XDG_CONFIG_HOME: home,
      XDG_DATA_HOME: home,
      XDG_CACHE_HOME: path.join(path.dirname(this.#folder), 'cache'),
    };
    const peer = { contestant, process: new Measured(command, places), endpoint: `${address}:${port}`, startedAt };
    side.push(peer);
    return peer;
  }

  /** Begins to look: at the copies of all downloaders, and at what the processes use. */
  #measure(): () => Moments {
    const { row } = this.#cell;
    const targets = Array.from({ length: row.leechers }, (_, index) => targetOf(this.#folder, index));
    const files = targets.flatMap((target) => this.#content.files.map((file) => path.join(target, file)));
    const progress = new Progress(files, row.bytes * row.leechers, () => this.#toggleLoopDelay());
    const processes = row.seeders + row.leechers;
    const usage = setInterval(
      () => {
        for (const { process } of [...this.#seeders, ...this.#leechers]) process.usage();
      },
      usagePollMs * Math.max(1, processes / waveSize),
    );
    return () => {
      clearInterval(usage);
      return progress.stop();
    };
  }

  async #finish(
    stop: () => Moments,
    startedAt: number,
    seedersBefore: number,
    leechersBefore: number,
  ): Promise<Figures> {
    const { row } = this.#cell;
    let moments: Moments;
    try {
      await Promise.all(this.#leechers.map(({ process, contestant }) => process.says(contestant.done, limitMs)));
    } finally {
      moments = stop();
    }
    const doneAt = performance.now();
    const bytes = row.bytes * row.leechers;
    const perGiB = (seconds: number): number => seconds / (bytes / GiB);
    const used = { seeders: this.#cpu(this.#seeders), leechers: this.#cpu(this.#leechers) };
    this.#toggleLoopDelay();
    return {
      steady: (bytes * 0.8) / ((moments.ninetiethAt - moments.tenthAt) / 1000),
      firstMiBSeconds: (moments.firstAt - startedAt) / 1000,
      wallSeconds: (doneAt - startedAt) / 1000,
      seederCpuPerGiB: perGiB(used.seeders - seedersBefore),
      leecherCpuPerGiB: perGiB(used.leechers - leechersBefore),
      seederPeakBytes: peak(this.#seeders),
      leecherPeakBytes: peak(this.#leechers),
      seederDelayMs: await worstDelay(watched(this.#seeders)),
      leecherDelayMs: await worstDelay(watched(this.#leechers)),
    };
  }

  #cpu(peers: readonly Peer[]): number {
    return peers.reduce((total, { process }) => total + process.usage().cpuSeconds, 0);
  }

  #toggleLoopDelay(): void {
    for (const { process } of [...watched(this.#seeders), ...watched(this.#leechers)]) process.signal('SIGUSR2');
  }
}

/** Those of a side whose event loop is looked at. */
function watched(peers: readonly Peer[]): readonly Peer[] {
  return peers.filter(({ contestant }) => contestant.tellsLoopDelay === true).slice(0, mostWatched);
}

function peak(peers: readonly Peer[]): number {
  return Math.max(
    ...peers.map(({ process, contestant }) => {
      const { anonymousBytes, peakBytes } = process.usage();
      return contestant.mapsPayload === true ? anonymousBytes : peakBytes;
    }),
  );
}

async function worstDelay(peers: readonly Peer[]): Promise<number> {
  if (peers.length === 0) return NaN;
  const told = await Promise.all(peers.map(({ process }) => process.says(/"loop-delay".*"p99Ms":([\d.]+)/, limitMs)));
  return Math.max(...told.map(([, p99Ms]) => Number(p99Ms)));
}

/** Resolves when the tracker knows so many seeds: a downloader that asks earlier gets an empty list. */
async function announced(url: string, infoHash: Uint8Array, seeds: number): Promise<void> {
  const escaped = [...infoHash].map((byte) => `%${byte.toString(16).padStart(2, '0')}`).join('');
  for (let waitedMs = 0; waitedMs < limitMs; waitedMs += scrapePollMs) {
    const reply = await fetch(`${url}/scrape?info_hash=${escaped}`);
    if (seedsIn(await reply.text()) >= seeds) return;
    await delay(scrapePollMs);
  }
  throw new Error(`the seeder did not announce itself within ${limitMs / 1000} s`);
}

/** `complete` of the one torrent in a scrape (BEP 48). */
function seedsIn(reply: string): number {
  return Number(/8:completei(\d+)e/.exec(reply)?.[1] ?? 0);
}
