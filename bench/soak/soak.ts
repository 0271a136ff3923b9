// Two sessions that live long while torrents come and go at full speed: does what they hold stay the same? Samples at
// work, and at rest with all torrents removed, where nothing may be left.
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { encodeMetainfo } from '@shoal/metainfo';
import { startTracker } from '../tracker-process.ts';
import { digestOf, makeContent, memoryFolder, removeAtExit } from '../transfer/content.ts';
import { type Finding, judge, type TimedSample } from './verdict.ts';
import type { Answer, Order, Sample } from './worker.ts';

export interface SoakOptions {
  readonly minutes: number;
  /** Gets a line of JSON for each sample. */
  readonly file: string;
}

export interface SoakResult {
  readonly findings: readonly Finding[];
  readonly samples: number;
  readonly cycles: number;
  readonly bytes: number;
  readonly seconds: number;
  readonly flat: boolean;
}

const MiB = 1024 * 1024;
const workSampleMs = 5000;
/** Rests in a run: each costs a moment of full speed. */
const rests = 60;
const [shortestRestMs, longestRestMs] = [6000, 30_000];
/** After the last torrent is gone, until sockets have closed and threads are at rest. */
const settleMs = 500;
/** An answer that takes longer than this will not come. */
const limitMs = 60_000;

/** Torrents that come and go at once; each lane has three of its own, in turn. */
const lanes = [
  [
    { bytes: 96 * MiB, files: 1 },
    { bytes: 24 * MiB, files: 100 },
    { bytes: 16 * MiB, files: 1 },
  ],
  [
    { bytes: 64 * MiB, files: 1 },
    { bytes: 32 * MiB, files: 10 },
    { bytes: 40 * MiB, files: 1 },
  ],
  [
    { bytes: 48 * MiB, files: 1 },
    { bytes: 80 * MiB, files: 25 },
    { bytes: 20 * MiB, files: 1 },
  ],
] as const;

interface Prepared {
  readonly torrent: string;
  readonly directory: string;
  readonly digest: string;
}

/** Every so many cycles the copy is compared, the download is left half-way, or the seeder keeps its torrent. */
const compareEvery = 10;
const abandonEvery = 4;
const keepEvery = 2;

export async function soak({ minutes, file }: SoakOptions): Promise<SoakResult> {
  const work = mkdtempSync(path.join(memoryFolder(), 'shoal-bench-'));
  removeAtExit(work);
  const tracker = await startTracker(1800);
  const prepared = await Promise.all(lanes.map((_, lane) => prepare(work, lane, `${tracker.url}/announce`)));
  const scene = new Soak(work, file, await Worker.start(0, work), await Worker.start(1, work));
  const startedAt = performance.now();
  const endsAt = startedAt + minutes * 60_000;
  const restMs = Math.min(longestRestMs, Math.max(shortestRestMs, (minutes * 60_000) / rests));
  writeFileSync(file, '');
  while (performance.now() < endsAt) {
    const until = Math.min(endsAt, performance.now() + restMs);
    const sampling = scene.sampleAtWork(until);
    await Promise.all(prepared.map((torrents, lane) => scene.work(lane, torrents, until)));
    await sampling;
    await scene.sampleAtRest();
  }
  const seconds = (performance.now() - startedAt) / 1000;
  scene.end();
  await tracker.process.end();
  rmSync(work, { recursive: true, force: true });
  const findings = judge(scene.samples);
  const { samples, cycles, bytes } = scene;
  return {
    findings,
    samples: samples.length,
    cycles,
    bytes,
    seconds,
    flat: findings.every(({ flat }) => flat !== false),
  };
}

async function prepare(work: string, lane: number, announce: string): Promise<Prepared[]> {
  const torrents: Prepared[] = [];
  for (const [index, { bytes, files }] of (lanes[lane] ?? []).entries()) {
    const directory = path.join(work, `source-${lane}-${index}`);
    const { infoBytes, digest } = await makeContent(directory, bytes, files);
    const torrent = `${directory}.torrent`;
    writeFileSync(torrent, encodeMetainfo(infoBytes, { announceTiers: [[announce]] }));
    torrents.push({ torrent, directory, digest });
  }
  return torrents;
}

class Soak {
  readonly samples: TimedSample[] = [];
  cycles = 0;
  bytes = 0;
  readonly #folder: string;
  readonly #file: string;
  readonly #seeder: Worker;
  readonly #downloader: Worker;
  readonly #startedAt = performance.now();
  /** What the seeder has kept, by lane. */
  readonly #kept = new Map<number, { readonly torrent: string; readonly infoHash: string }>();

  constructor(folder: string, file: string, seeder: Worker, downloader: Worker) {
    this.#folder = folder;
    this.#file = file;
    this.#seeder = seeder;
    this.#downloader = downloader;
  }

  /** Downloads one torrent after the other; then the lane is empty. */
  async work(lane: number, torrents: readonly Prepared[], until: number): Promise<void> {
    while (performance.now() < until) {
      const cycle = this.cycles++;
      // A torrent that was kept is taken again, by a connection of its own.
      const kept = this.#kept.get(lane);
      const next = torrents.find(({ torrent }) => torrent === kept?.torrent) ?? torrents[cycle % torrents.length];
      if (next === undefined) return;
      await this.#cycle(lane, next, cycle);
    }
    await this.#letGo(lane);
  }

  async sampleAtWork(until: number): Promise<void> {
    while (performance.now() + workSampleMs < until) {
      await delay(workSampleMs);
      await this.#sample(false);
    }
  }

  async sampleAtRest(): Promise<void> {
    await delay(settleMs);
    await this.#sample(true);
  }

  end(): void {
    this.#seeder.end();
    this.#downloader.end();
  }

  async #cycle(lane: number, { torrent, directory, digest }: Prepared, cycle: number): Promise<void> {
    const copy = path.join(this.#folder, `copy-${cycle}`);
    mkdirSync(copy);
    if (!this.#kept.has(lane)) {
      const { infoHash } = await this.#seeder.add({ type: 'add', torrent, directory, peers: [], share: 1 });
      this.#kept.set(lane, { torrent, infoHash });
    }
    const share = cycle % abandonEvery === 0 ? 0.5 : 1;
    const peers = [this.#seeder.endpoint];
    const { infoHash, bytes } = await this.#downloader.add({ type: 'add', torrent, directory: copy, peers, share });
    this.bytes += bytes;
    if (share === 1 && cycle % compareEvery === 1 && (await digestOf(copy)) !== digest)
      throw new Error('a copy differs from the original');
    await this.#downloader.ask({ type: 'remove', infoHash, erase: copy });
    if (cycle % keepEvery !== 0) await this.#letGo(lane);
  }

  async #letGo(lane: number): Promise<void> {
    const kept = this.#kept.get(lane);
    if (kept !== undefined) await this.#seeder.ask({ type: 'remove', infoHash: kept.infoHash });
    this.#kept.delete(lane);
  }

  async #sample(resting: boolean): Promise<void> {
    const seconds = (performance.now() - this.#startedAt) / 1000;
    for (const [who, worker] of [
      ['seeder', this.#seeder],
      ['downloader', this.#downloader],
    ] as const) {
      const sample = { seconds, who, resting, ...(await worker.sample()) };
      this.samples.push(sample);
      appendFileSync(this.#file, `${JSON.stringify(sample)}\n`);
      const MB = (bytes: number): string => (bytes / 1e6).toFixed(0);
      process.stderr.write(
        `${seconds.toFixed(0)} s ${who} ${resting ? 'at rest' : 'at work'}: heap ${MB(sample.heapUsed)}, buffers ${MB(sample.arrayBuffers)}, RSS ${MB(sample.rss)} MB, ${sample.fds} files open, ${this.cycles} cycles\n`,
      );
    }
  }
}

/** A session in a process of its own, asked over its channel. */
class Worker {
  readonly endpoint: { readonly ip: string; readonly port: number };
  readonly #child: ChildProcess;
  readonly #waiting = new Map<number, (answer: Answer) => void>();
  #orders = 0;

  private constructor(child: ChildProcess, endpoint: { readonly ip: string; readonly port: number }) {
    this.#child = child;
    this.endpoint = endpoint;
    child.on('message', ({ id, reply }: { id: number; reply: Answer }) => {
      this.#waiting.get(id)?.(reply);
      this.#waiting.delete(id);
    });
    child.once('exit', () => {
      for (const answer of this.#waiting.values()) answer({ type: 'failed', reason: 'the process ended' });
    });
  }

  static async start(index: number, work: string): Promise<Worker> {
    const words = [String(index), path.join(work, `resume-${index}`)];
    const child = fork(path.join(import.meta.dirname, 'worker.ts'), words, {
      execArgv: ['--expose-gc', '-C', 'built'],
    });
    process.on('exit', () => child.kill('SIGKILL'));
    const [{ endpoint }] = (await once(child, 'message')) as [{ endpoint: { ip: string; port: number } }];
    return new Worker(child, endpoint);
  }

  async add(order: Order & { type: 'add' }): Promise<Answer & { type: 'added' }> {
    const answer = await this.ask(order);
    if (answer.type !== 'added') throw new Error(`asked to add, it said ${answer.type}`);
    return answer;
  }

  async sample(): Promise<Sample> {
    const answer = await this.ask({ type: 'sample' });
    if (answer.type !== 'sample') throw new Error(`asked for a sample, it said ${answer.type}`);
    return answer.sample;
  }

  async ask(order: Order): Promise<Answer> {
    const id = this.#orders++;
    const { promise, resolve } = Promise.withResolvers<Answer>();
    this.#waiting.set(id, resolve);
    const timer = setTimeout(
      () => resolve({ type: 'failed', reason: `no answer to ${JSON.stringify(order)} in ${limitMs / 1000} s` }),
      limitMs,
    );
    this.#child.send({ id, order });
    const answer = await promise;
    clearTimeout(timer);
    this.#waiting.delete(id);
    if (answer.type === 'failed') throw new Error(answer.reason);
    return answer;
  }

  end(): void {
    this.#child.disconnect();
  }
}
