// Announces against our tracker, opentracker and npm bittorrent-tracker: three loads, each tracker started afresh for
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
  { kind: 'udp', name: 'UDP' },
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
  /** Share of announces that were never answered. */
  readonly loss: number;
  readonly peersPerAnswer: number;
  /** How much of one core the load took: near 1 the tracker could have answered more. */
  readonly loadBusy: number;
}

export interface TrackerRow {
  readonly load: string;
  readonly tracker: string;
  readonly figures: TrackerFigures | undefined;
  readonly note: string;
}

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
        const figures = await run(contestant, load, path.join(work, `${round}-${index}`), seconds);
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
  load: Load,
  folder: string,
  seconds: number,
): Promise<TrackerFigures> {
  const tracker = await contestant.start(folder);
  try {
    return await measure(tracker, load, seconds);
  } finally {
    await tracker.process.end();
  }
}

async function measure(tracker: RunningTracker, { kind }: Load, seconds: number): Promise<TrackerFigures> {
  const port = String(kind === 'udp' ? tracker.udp : tracker.http);
  const load = new Measured([process.execPath, path.join(import.meta.dirname, 'load.ts'), kind, port, String(seconds)]);
  try {
    await load.says(/"measuring"/, limitMs);
    const before = { tracker: tracker.process.usage().cpuSeconds, load: load.usage().cpuSeconds };
    const looks = setInterval(() => load.usage(), 100);
    const [line] = await load.says(/\{"event":"result".*\}/, limitMs).finally(() => clearInterval(looks));
    const used = tracker.process.usage().cpuSeconds - before.tracker;
    const result = JSON.parse(line) as LoadResult;
    if (result.refused > 0) throw new Error(`it refused ${result.refused} announces: ${result.refusal.slice(0, 200)}`);
    if (result.answers === 0) throw new Error('it gave no answer');
    return {
      answersPerSecond: result.answers / result.seconds,
      cpuPer100k: (used / result.answers) * 100_000,
      p50Ms: result.p50Ms,
      p99Ms: result.p99Ms,
      loss: result.lost / (result.answers + result.lost),
      peersPerAnswer: result.peers / result.answers,
      loadBusy: (load.usage().cpuSeconds - before.load) / result.seconds,
    };
  } finally {
    await load.end();
  }
}

function medians(runs: readonly TrackerFigures[]): TrackerFigures {
  const of = (key: keyof TrackerFigures): number => median(runs.map((figures) => figures[key]));
  return {
    answersPerSecond: of('answersPerSecond'),
    cpuPer100k: of('cpuPer100k'),
    p50Ms: of('p50Ms'),
    p99Ms: of('p99Ms'),
    loss: of('loss'),
    peersPerAnswer: of('peersPerAnswer'),
    loadBusy: of('loadBusy'),
  };
}

export function trackerTable(rows: readonly TrackerRow[]): string {
  const lines = rows.map(({ load, tracker, figures, note }) => {
    const [remark = ''] = note.split('\n');
    if (figures === undefined) return `| ${load} | ${tracker} | ${remark} | | | | | | |`;
    const to = (other: string): string => {
      const row = rows.find((candidate) => candidate.load === load && candidate.tracker === other);
      return row?.figures === undefined ? '–' : `${(figures.cpuPer100k / row.figures.cpuPer100k).toFixed(2)} ×`;
    };
    const answers = Math.round(figures.answersPerSecond).toLocaleString('en');
    const cells = [
      `${figures.loadBusy > busy ? '≥ ' : ''}${answers}`,
      figures.cpuPer100k.toFixed(2),
      `${figures.p50Ms.toFixed(2)} / ${figures.p99Ms.toFixed(2)}`,
      `${(figures.loss * 100).toFixed(2)} %`,
      figures.peersPerAnswer.toFixed(1),
      to('opentracker'),
      to('npm bittorrent-tracker'),
    ];
    // Medians of the rounds that went well; that one did not is worth knowing.
    return `| ${load} | ${remark === '' ? tracker : `${tracker}, a round ${remark}`} | ${cells.join(' | ')} |`;
  });
  return [
    '| load | tracker | answers/s | CPU s per 100,000 answers | p50 / p99 ms | lost | peers per answer | CPU to opentracker | CPU to bittorrent-tracker |',
    '|---|---|---:|---:|---:|---:|---:|---:|---:|',
    ...lines,
  ].join('\n');
}
