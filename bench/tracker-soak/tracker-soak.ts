// A tracker that lives long while its whole population is replaced again and again: does what it holds stay the same, and
// does anything ever keep its event loop away? The process is the one that users start; the crowd is another.
import { appendFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { trackerAddress } from '../network.ts';
import { Measured } from '../processes.ts';
import { type Finding, type TimedSample, judge } from '../soak/verdict.ts';

export interface TrackerSoakOptions {
  readonly minutes: number;
  /** Threads with sockets (`--workers`); what they hold shows in the memory of the process alone. */
  readonly workers: number;
  /** Gets a line of JSON for each sample. */
  readonly file: string;
}

export interface TrackerSoakResult {
  readonly findings: readonly Finding[];
  readonly seconds: number;
  readonly announces: number;
  /** How often the whole population was replaced. */
  readonly turnovers: number;
  /** Of all samples while there was a crowd. */
  readonly loop: LoopDelay;
  /** Samples in which the thread worked for longer than `longestWorkMs` at a stretch. */
  readonly longWork: number;
  readonly samples: number;
  /** When all had gone. */
  readonly emptied: Held & { readonly peers: number };
  /** Memory stayed as it was, all could leave, and neither expiry nor growth took longer than `longestWorkMs`. */
  readonly flat: boolean;
}

interface Held {
  readonly heapUsed: number;
  readonly external: number;
  readonly arrayBuffers: number;
  readonly rss: number;
  readonly fds: number;
}

/** Of the event loop since the sample before. */
interface LoopDelay {
  readonly p99Ms: number;
  readonly maxMs: number;
  /** Most CPU time of its thread between two ticks of 1 ms. */
  readonly workMs: number;
  /** Most of it in one announce's part in the store, growth of tables included. */
  readonly announceMs: number;
  /** Most of it in one slice of expiry. */
  readonly expiryMs: number;
}

interface Stats {
  readonly swarms: { readonly torrents: number; readonly seeders: number; readonly leechers: number };
  readonly announces: number;
}

const sampleMs = 5000;

/** What the tracker keeps a silent peer for when it tells them to come back every 60 s: its least. */
const lifetimeMs = 120_000;

/** After the last peer is due. */
const settleMs = 8000;

/** Neither expiry nor growth may keep others waiting for longer. */
const longestWorkMs = 5;

const startLimitMs = 20_000;

export async function trackerSoak({ minutes, workers, file }: TrackerSoakOptions): Promise<TrackerSoakResult> {
  const scene = await Scene.start(file, workers);
  const crowd = scene.crowd();
  // What starting took is not looked at.
  await scene.sample();
  const startedAt = performance.now();
  const endsAt = startedAt + minutes * 60_000;
  const samples: (TimedSample & { readonly loop: LoopDelay })[] = [];
  while (performance.now() + sampleMs < endsAt) {
    await delay(sampleMs);
    samples.push(await scene.sample());
  }
  const { announces } = await scene.stats();
  const seconds = (performance.now() - startedAt) / 1000;
  await crowd.end();
  await delay(lifetimeMs + settleMs);
  const last = await scene.sample();
  const { swarms } = await scene.stats();
  await scene.end();
  const findings = judge(samples);
  const most = (what: keyof LoopDelay): number => Math.max(...samples.map(({ loop }) => loop[what]));
  const loop = {
    p99Ms: most('p99Ms'),
    maxMs: most('maxMs'),
    workMs: most('workMs'),
    announceMs: most('announceMs'),
    // When all leave it has most to do.
    expiryMs: Math.max(most('expiryMs'), last.loop.expiryMs),
  };
  const peers = swarms.seeders + swarms.leechers;
  return {
    findings,
    seconds,
    announces,
    turnovers: (seconds * 1000) / lifetimeMs,
    loop,
    longWork: samples.filter(({ loop }) => loop.workMs > longestWorkMs).length,
    samples: samples.length,
    emptied: { ...last, peers },
    flat:
      findings.every(({ flat }) => flat !== false) &&
      peers === 0 &&
      Math.max(loop.announceMs, loop.expiryMs) <= longestWorkMs,
  };
}

class Scene {
  readonly #tracker: Measured;
  readonly #http: URL;
  readonly #udpPort: string;
  readonly #file: string;
  readonly #startedAt = performance.now();
  #samples = 0;

  private constructor(tracker: Measured, http: URL, udpPort: string, file: string) {
    this.#tracker = tracker;
    this.#http = http;
    this.#udpPort = udpPort;
    this.#file = file;
    writeFileSync(file, '');
  }

  static async start(file: string, workers: number): Promise<Scene> {
    const main = path.join(import.meta.dirname, '../../apps/tracker/dist/main.js');
    const probe = path.join(import.meta.dirname, 'probe.mjs');
    const node = [process.execPath, '--expose-gc', '--import', probe, '-C', 'built'];
    const listen = ['--http', `${trackerAddress}:0`, '--udp', `${trackerAddress}:0`];
    const intervals = ['--interval', '60', '--max-interval', '60', '--jitter', '0'];
    const options = [...listen, ...intervals, '--json', '--workers', String(workers)];
    const tracker = new Measured([...node, main, 'serve', ...options]);
    const [, http = '', udpPort = ''] = await tracker.says(/"http":"([^"]+)".*"udp":"[^"]*:(\d+)"/, startLimitMs);
    return new Scene(tracker, new URL(http), udpPort, file);
  }

  crowd(): Measured {
    const script = path.join(import.meta.dirname, 'crowd.ts');
    return new Measured([process.execPath, script, this.#udpPort, this.#http.port, trackerAddress]);
  }

  async sample(): Promise<TimedSample & { readonly loop: LoopDelay }> {
    const number = this.#samples++;
    this.#tracker.signal('SIGWINCH');
    const [line] = await this.#tracker.says(new RegExp(`\\{"probe":${number},.*\\}`), startLimitMs);
    const held = JSON.parse(line) as Held & { readonly loop: LoopDelay };
    const { swarms } = await this.stats();
    const seconds = (performance.now() - this.#startedAt) / 1000;
    const sample = { ...held, seconds, who: 'tracker', resting: false, resources: {}, torrents: swarms.torrents };
    const peers = swarms.seeders + swarms.leechers;
    appendFileSync(this.#file, `${JSON.stringify({ ...sample, peers })}\n`);
    const MB = (bytes: number): string => (bytes / 1e6).toFixed(0);
    process.stderr.write(
      `${seconds.toFixed(0)} s: ${peers} peers of ${swarms.torrents} torrents, heap ${MB(held.heapUsed)}, external ${MB(held.external)}, RSS ${MB(held.rss)} MB, loop p99 ${held.loop.p99Ms.toFixed(1)}, longest ${held.loop.maxMs.toFixed(1)}, work ${held.loop.workMs.toFixed(1)} ms\n`,
    );
    return sample;
  }

  async stats(): Promise<Stats> {
    const response = await fetch(new URL('/stats.json', this.#http));
    const { swarms } = (await response.json()) as { readonly swarms: Stats['swarms'] & { readonly announces: number } };
    return { swarms, announces: swarms.announces };
  }

  async end(): Promise<void> {
    await this.#tracker.end();
  }
}

/** What was found besides the table. */
export function soakLines(found: TrackerSoakResult): string {
  const { seconds, announces, turnovers, loop, longWork, samples, emptied } = found;
  const MB = (bytes: number): string => (bytes / 1e6).toFixed(0);
  return [
    `${seconds.toFixed(0)} s, ${announces} announces, the population replaced ${turnovers.toFixed(1)} times`,
    `event loop: p99 ${loop.p99Ms.toFixed(1)} ms in the worst ${sampleMs / 1000} s, longest delay ${loop.maxMs.toFixed(1)} ms, longest work at a stretch ${loop.workMs.toFixed(1)} ms; over ${longestWorkMs} ms in ${longWork} of ${samples} samples`,
    `of that the longest slice of expiry ${loop.expiryMs.toFixed(2)} ms, the longest announce in the store ${loop.announceMs.toFixed(2)} ms, growth of its tables included; ${longestWorkMs} ms allowed`,
    `when all had gone: ${emptied.peers} peers, heap ${MB(emptied.heapUsed)}, external ${MB(emptied.external)}, RSS ${MB(emptied.rss)} MB, ${emptied.fds} files open`,
  ].join('\n');
}
