// WebTorrent peers at our tracker, at npm bittorrent-tracker and at a bare ws that is no tracker: what an announce costs,
// with no offers and with five, and what ten thousand connections take. Each run starts afresh.
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { trackerAddress } from '../network.ts';
import { Measured, median } from '../processes.ts';
import type { LoadResult } from './load.ts';

export interface WebSocketBenchOptions {
  /** How long each run measures. */
  readonly seconds: number;
  readonly rounds: number;
  /** Connections whose memory is measured. */
  readonly idle: number;
}

export interface WebSocketRow {
  readonly tracker: string;
  readonly note: string;
  /** By the number of offers: user and system seconds of the tracker for 100,000 announces, and announces in a second. */
  readonly loads: readonly { readonly offers: number; readonly cpuPer100k: number; readonly perSecond: number }[];
  /** Resident memory with the idle connections, and bytes of it for each of them. */
  readonly residentMegabytes: number;
  readonly bytesPerConnection: number;
}

const here = import.meta.dirname;
const opponents = path.join(here, '../opponents');
const limitMs = 60_000;

/** Enough that the tracker is never idle, few enough that a load process keeps up. */
const busyConnections = 400;

const offersOfLoads: readonly number[] = [0, 5];

interface Contestant {
  readonly name: string;
  readonly command: readonly string[];
  readonly env?: NodeJS.ProcessEnv;
  readonly missing: () => string | undefined;
}

const installed = (): string | undefined =>
  existsSync(path.join(opponents, 'node_modules/bittorrent-tracker')) ? undefined : 'npm bittorrent-tracker is missing';

/** Ours as its systemd unit and its image start it. */
const shoal: Pick<Contestant, 'command' | 'env'> = {
  command: ['--max-semi-space-size=8', '-C', 'built', path.join(here, 'shoal-tracker.mjs')],
  env: { GLIBC_TUNABLES: 'glibc.malloc.hugetlb=1:glibc.malloc.arena_max=1' },
};

const contestants: readonly Contestant[] = [
  { name: 'shoal', ...shoal, missing: () => undefined },
  {
    name: 'shoal, bufferutil beside it',
    ...shoal,
    // Where ws looks for it last: npm's tracker brings it along.
    env: { ...shoal.env, NODE_PATH: path.join(opponents, 'node_modules') },
    missing: installed,
  },
  {
    name: 'npm bittorrent-tracker',
    command: [
      '--import',
      ...['without-webrtc.mjs', 'bittorrent-tracker-websocket.mjs'].map((name) => path.join(opponents, name)),
    ],
    missing: installed,
  },
  { name: 'bare ws, no tracker', command: [path.join(here, 'bare-websocket.mjs')], missing: () => undefined },
];

export async function benchWebSocket({ seconds, rounds, idle }: WebSocketBenchOptions): Promise<WebSocketRow[]> {
  const found = contestants.map(() => ({
    loads: offersOfLoads.map((): Cost[] => []),
    memory: [] as Memory[],
    note: '',
  }));
  for (let round = 0; round < rounds; round++) {
    for (const [index, contestant] of contestants.entries()) {
      const { loads, memory } = found[index]!;
      const missing = contestant.missing();
      if (missing !== undefined) {
        found[index]!.note = `SKIPPED: ${missing}`;
        continue;
      }
      for (const [at, offers] of offersOfLoads.entries()) loads[at]!.push(await costOf(contestant, offers, seconds));
      if (round === 0) memory.push(await memoryOf(contestant, idle));
    }
  }
  return contestants.map(({ name }, index) => {
    const { loads, memory, note } = found[index]!;
    return {
      tracker: name,
      note,
      loads: loads.map((costs, at) => ({
        offers: offersOfLoads[at]!,
        cpuPer100k: median(costs.map(({ cpuPer100k }) => cpuPer100k)),
        perSecond: median(costs.map(({ perSecond }) => perSecond)),
      })),
      residentMegabytes: median(memory.map(({ bytes }) => bytes / 1e6)),
      bytesPerConnection: median(memory.map(({ bytes, before }) => (bytes - before) / idle)),
    };
  });
}

export function webSocketTable(rows: readonly WebSocketRow[]): string {
  const reference = rows.find(({ tracker }) => tracker === 'npm bittorrent-tracker');
  const lines = rows.map(({ tracker, note, loads, residentMegabytes, bytesPerConnection }) => {
    if (note !== '') return `| ${tracker} | ${note} |`;
    const cells = loads.flatMap(({ cpuPer100k, perSecond }, at) => {
      const other = reference?.loads[at]?.cpuPer100k ?? Number.NaN;
      return [
        cpuPer100k.toFixed(2),
        `${(other / cpuPer100k).toFixed(2)} ×`,
        Math.round(perSecond).toLocaleString('en'),
      ];
    });
    return `| ${[tracker, ...cells, residentMegabytes.toFixed(0), Math.round(bytesPerConnection).toLocaleString('en')].join(' | ')} |`;
  });
  const heads = offersOfLoads.flatMap((offers) => [
    `${offers} offers: CPU s per 100,000`,
    'per CPU second, to npm',
    'announces/s',
  ]);
  const columns = ['tracker', ...heads, 'MB, idle', 'bytes a connection'];
  return [
    `| ${columns.join(' | ')} |`,
    `|${columns.map((_, at) => (at === 0 ? '---|' : '---:|')).join('')}`,
    ...lines,
  ].join('\n');
}

interface Cost {
  readonly cpuPer100k: number;
  readonly perSecond: number;
}

interface Memory {
  /** Resident before anybody connected, and with everybody. */
  readonly before: number;
  readonly bytes: number;
}

async function costOf(contestant: Contestant, offers: number, seconds: number): Promise<Cost> {
  return withTracker(contestant, async (tracker, url) => {
    const load = loadOf(url, busyConnections, offers, seconds);
    try {
      await load.says(/MEASURING/, limitMs);
      const before = tracker.usage().cpuSeconds;
      const [, text = ''] = await load.says(/RESULT (\{.*\})/, limitMs);
      const cpuSeconds = tracker.usage().cpuSeconds - before;
      const result = JSON.parse(text) as LoadResult;
      if (result.announces === 0) throw new Error('it answered nothing');
      const expected = result.announces * offers;
      if (result.passedOn < 0.9 * expected) throw new Error(`it passed ${result.passedOn} of ${expected} offers on`);
      return { cpuPer100k: (cpuSeconds / result.announces) * 100_000, perSecond: result.announces / result.seconds };
    } finally {
      await load.end();
    }
  });
}

async function memoryOf(contestant: Contestant, idle: number): Promise<Memory> {
  return withTracker(contestant, async (tracker, url) => {
    const before = resident(tracker);
    const load = loadOf(url, idle, 0, 0);
    try {
      await load.says(/CONNECTED/, limitMs);
      // What a collection would free counts as taken until there is one; an idle process gets to it by itself.
      await delay(2000);
      return { before, bytes: resident(tracker) };
    } finally {
      await load.end();
    }
  });
}

async function withTracker<Result>(
  { name, command, env }: Contestant,
  use: (tracker: Measured, url: string) => Promise<Result>,
): Promise<Result> {
  const tracker = new Measured([process.execPath, ...command, trackerAddress], env);
  try {
    const [, port] = await tracker.says(/WEBSOCKET (\d+)/, limitMs);
    return await use(tracker, `ws://${trackerAddress}:${port}/`);
  } catch (error) {
    throw new Error(`${name}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  } finally {
    await tracker.end();
  }
}

function loadOf(url: string, connections: number, offers: number, seconds: number): Measured {
  return new Measured([
    process.execPath,
    path.join(here, 'load.ts'),
    url,
    ...[connections, offers, seconds].map(String),
  ]);
}

/** Now, unlike the peak. */
function resident({ pid }: Measured): number {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) * 1024;
}
