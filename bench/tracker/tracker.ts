// Load against our tracker, opentracker, npm bittorrent-tracker and a bare Node that is no tracker: four loads, each tracker started afresh for
// every run, round after round, medians. The number to compare is the CPU that an answer costs the tracker.
import { existsSync, mkdtempSync, rmSync, chmodSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Measured, median } from '../processes.ts';
import { type RunningTracker, type TrackerContestant, contestants } from './contestants.ts';
import type { LoadResult } from './tally.ts';

export interface TrackerOptions {
  /** How long each run measures. */
  readonly seconds: number;
  readonly rounds: number;
}

const loads = [
  { kind: 'udp-even', name: 'UDP 50:50:1' },
  { kind: 'udp-field', name: 'UDP 2.1:1:0.04' },
  { kind: 'keep-alive', name: 'HTTP, connections kept' },
  { kind: 'connection-each', name: 'HTTP, connection each' },
] as const;

type Load = (typeof loads)[number];

export interface TrackerFigures {
  readonly answersPerSecond: number;
  /** User and system seconds of the tracker for 100,000 answers. */
  readonly cpuPer100k: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** At seven tenths of the answers per second, over UDP only; else not a number. */
  readonly partialP99Ms: number;
  /** Share of announces that were never answered. */
  readonly loss: number;
  readonly peersPerAnswer: number;
  readonly peakMegabytes: number;
  /** How much of one core the load took: near 1 the tracker could have answered more. */
  readonly loadBusy: number;
}

export interface TrackerRow {
  readonly load: string;
  readonly tracker: string;
  readonly figures: TrackerFigures | undefined;
  readonly note: string;
}

/** The p99 that is asked for is that of a tracker with something left, not of a full one. */
const partial = 0.7;

const partialSeconds = 2;

/** From here on the load, not the tracker, may have been what limited the answers. */
const busy = 0.9;

const limitMs = 60_000;

export async function benchTracker({ seconds, rounds }: TrackerOptions): Promise<TrackerRow[]> {
  const work = mkdtempSync(path.join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'shoal-bench-'));
  // opentracker drops its privileges and must still get in.
  chmodSync(work, 0o755);
  process.on('exit', () => rmSync(work, { recursive: true, force: true }));
  const pairs = loads.flatMap((load) => contestants.map((contestant) => ({ load, contestant })));
  const runs = pairs.map((): TrackerFigures[] => []);
  const notes = pairs.map(() => '');
  for (let round = 0; round < rounds; round++) {
    for (const [index, { load, contestant }] of pairs.entries()) {
      const missing = contestant.missing();
      if (missing !== undefined) {
        notes[index] = `SKIPPED: ${missing} is missing`;
        continue;
      }
      try {
        const figures = await run(contestant, load, path.join(work, `${round}-${index}`), seconds, round === 0);
        runs[index]?.push(figures);
        process.stderr.write(
          `round ${round + 1}: ${load.name}, ${contestant.name}: ${figures.cpuPer100k.toFixed(2)} CPU s per 100,000\n`,
        );
      } catch (error) {
        notes[index] = `FAILED: ${error instanceof Error ? error.message : String(error)}`;
      }
    }
  }
  rmSync(work, { recursive: true, force: true });
  return pairs.map(({ load, contestant }, index) => {
    const figures = runs[index] ?? [];
    return {
      load: load.name,
      tracker: contestant.name,
      figures: figures.length === 0 ? undefined : medians(figures),
      note: notes[index] ?? '',
    };
  });
}

async function run(
  contestant: TrackerContestant,
  { kind }: Load,
  folder: string,
  seconds: number,
  alsoPartial: boolean,
): Promise<TrackerFigures> {
  const tracker = await contestant.start(folder);
  try {
    const full = await measure(tracker, kind, seconds, 0);
    if (!alsoPartial || !kind.startsWith('udp')) return { ...full, partialP99Ms: Number.NaN };
    const part = await measure(tracker, kind, partialSeconds, Math.round(full.answersPerSecond * partial));
    return { ...full, partialP99Ms: part.p99Ms };
  } finally {
    await tracker.process.end();
  }
}

type LoadFigures = Omit<TrackerFigures, 'partialP99Ms'>;

async function measure(
  tracker: RunningTracker,
  kind: string,
  seconds: number,
  perSecond: number,
): Promise<LoadFigures> {
  const port = kind.startsWith('udp') ? tracker.udp : tracker.http;
  const command = [process.execPath, path.join(import.meta.dirname, 'load.ts'), kind, port, seconds, perSecond];
  const load = new Measured(command.map(String));
  try {
    await load.says(/"measuring"/, limitMs);
    const before = { tracker: tracker.process.usage().cpuSeconds, load: load.usage().cpuSeconds };
    const looks = setInterval(() => load.usage(), 100);
    const [line] = await load.says(/\{"event":"result".*\}/, limitMs).finally(() => clearInterval(looks));
    const after = tracker.process.usage();
    const result = JSON.parse(line) as LoadResult;
    if (result.refused > 0) throw new Error(`it refused ${result.refused} requests: ${result.refusal.slice(0, 200)}`);
    if (result.answers === 0) throw new Error('it gave no answer');
    return {
      answersPerSecond: result.answers / result.seconds,
      cpuPer100k: ((after.cpuSeconds - before.tracker) / result.answers) * 100_000,
      p50Ms: result.p50Ms,
      p99Ms: result.p99Ms,
      loss: result.lost / (result.answers + result.lost),
      peersPerAnswer: result.peersPerList,
      peakMegabytes: after.peakBytes / 1e6,
      loadBusy: (load.usage().cpuSeconds - before.load) / result.seconds,
    };
  } finally {
    await load.end();
  }
}

function medians(runs: readonly TrackerFigures[]): TrackerFigures {
  const of = (key: keyof TrackerFigures): number =>
    median(runs.map((figures) => figures[key]).filter((figure) => !Number.isNaN(figure)));
  return {
    answersPerSecond: of('answersPerSecond'),
    cpuPer100k: of('cpuPer100k'),
    p50Ms: of('p50Ms'),
    p99Ms: of('p99Ms'),
    partialP99Ms: of('partialP99Ms'),
    loss: of('loss'),
    peersPerAnswer: of('peersPerAnswer'),
    peakMegabytes: of('peakMegabytes'),
    loadBusy: of('loadBusy'),
  };
}

export function trackerTable(rows: readonly TrackerRow[]): string {
  const lines = rows.map(({ load, tracker, figures, note }) => {
    const [remark = ''] = note.split('\n');
    if (figures === undefined) return `| ${load} | ${tracker} | ${remark}${' |'.repeat(9)}`;
    const to = (other: string): string => {
      const row = rows.find((candidate) => candidate.load === load && candidate.tracker === other);
      return row?.figures === undefined ? '–' : `${(figures.cpuPer100k / row.figures.cpuPer100k).toFixed(2)} ×`;
    };
    const answers = Math.round(figures.answersPerSecond).toLocaleString('en');
    const cells = [
      `${figures.loadBusy > busy ? '≥ ' : ''}${answers}`,
      figures.cpuPer100k.toFixed(2),
      `${figures.p50Ms.toFixed(2)} / ${figures.p99Ms.toFixed(2)}`,
      Number.isNaN(figures.partialP99Ms) ? '–' : figures.partialP99Ms.toFixed(2),
      `${(figures.loss * 100).toFixed(2)} %`,
      figures.peersPerAnswer.toFixed(1),
      figures.peakMegabytes.toFixed(0),
      to('opentracker'),
      to('npm bittorrent-tracker'),
    ];
    // Medians of the rounds that went well; that one did not is worth knowing.
    return `| ${load} | ${remark === '' ? tracker : `${tracker}, a round ${remark}`} | ${cells.join(' | ')} |`;
  });
  return [
    '| load | tracker | answers/s | CPU s per 100,000 answers | p50 / p99 ms | p99 ms at 70 % | lost | peers per answer | peak MB | CPU to opentracker | CPU to bittorrent-tracker |',
    '|---|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|',
    ...lines,
  ].join('\n');
}
