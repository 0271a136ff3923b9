// Crash runs in a row until so many kills are done: which kinds of kills each has, and what they cost together.
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { crashRun, startSeeder, type CrashReport, type KillKind } from './crash-run.ts';
import { manyFiles, singleFile } from './subject.ts';

export interface SeriesOptions {
  readonly kills: number;
  readonly killsPerRun: number;
  /** Of each of the two contents. */
  readonly bytes: number;
  readonly files: number;
  readonly seed: number;
  /** Of the seeders, as `--upload-limit` takes it. */
  readonly rate: string;
  readonly onRun: (what: string, report: CrashReport) => void;
}

export interface SeriesReport {
  readonly runs: number;
  readonly kills: number;
  readonly againBytes: number;
  readonly mostPerKill: number;
  readonly mostVerifiedLost: number;
}

/** Runs of one file and of many files in turn. @throws Error when content is wrong or a client fails. */
export async function crashSeries(options: SeriesOptions): Promise<SeriesReport> {
  const { bytes, files, rate, onRun } = options;
  const random = randomFrom(options.seed);
  const folder = await mkdtemp(path.join(tmpdir(), 'shoal-crash-'));
  try {
    const subjects = [await singleFile(folder, bytes), await manyFiles(folder, bytes, files, random)] as const;
    await using single = await startSeeder(subjects[0], rate, path.join(folder, 'seeder'));
    await using many = await startSeeder(subjects[1], rate, path.join(folder, 'seeder'));
    let total: SeriesReport = { runs: 0, kills: 0, againBytes: 0, mostPerKill: 0, mostVerifiedLost: 0 };
    while (total.kills < options.kills) {
      const isSingle = total.runs % 2 === 0;
      const subject = subjects[isSingle ? 0 : 1];
      const kills = killsOf(Math.min(options.killsPerRun, options.kills - total.kills), random);
      const place = path.join(folder, `run-${total.runs}`);
      await mkdir(place);
      const report = await crashRun({ subject, folder: place, kills, random }, isSingle ? single : many);
      await rm(place, { recursive: true });
      onRun(subject.what, report);
      total = sumOf(total, report);
    }
    return total;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Those near the end come last, for after them there is little to kill. */
function killsOf(count: number, random: () => number): KillKind[] {
  const kinds: readonly KillKind[] = ['start', 'middle', 'middle', 'check', 'torn'];
  const kills = Array.from({ length: count - 1 }, () => kinds[Math.floor(random() * kinds.length)] ?? 'middle');
  return [...kills, 'late'];
}

function sumOf(total: SeriesReport, report: CrashReport): SeriesReport {
  return {
    runs: total.runs + 1,
    kills: total.kills + report.kills.length,
    againBytes: total.againBytes + report.againBytes,
    mostPerKill: Math.max(total.mostPerKill, report.mostPerKill),
    mostVerifiedLost: Math.max(total.mostVerifiedLost, report.mostVerifiedLost),
  };
}

/** Mulberry32: the same seed gives the same moments to aim at, if not the same machine to hit. */
function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 0x1_0000_0000;
  };
}
