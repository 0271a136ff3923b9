// Checking content that is all there: ours against libtorrent's own check of the same files, in turns.
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { Measured, median } from '../processes.ts';
import { makeContent, memoryFolder, removeAtExit } from '../transfer/content.ts';
import { libtorrent } from '../transfer/contestants.ts';

export interface CheckOptions {
  readonly bytes: number;
  readonly rounds: number;
}

export interface CheckFigures {
  readonly bytesPerSecond: number;
  readonly cpuPerGiB: number;
  /** Resident at most; anonymous memory of who maps the content. */
  readonly peakBytes: number;
  /** Longest pause of the event loop, by our ticker and by Node's histogram; NaN of who has none. */
  readonly pauseMs: number;
  readonly histogramMs: number;
  /** Most work of the main thread in one go. */
  readonly workMs: number;
}

export interface CheckRow {
  readonly name: string;
  readonly figures: CheckFigures | undefined;
  readonly note: string;
}

const limitMs = 120_000;
const pollMs = 20;
const GiB = 1024 ** 3;

interface Checker {
  readonly name: string;
  missing(): string | undefined;
  readonly command: readonly string[];
  readonly done: RegExp;
  readonly mapsPayload: boolean;
}

const checkers: readonly Checker[] = [
  {
    name: 'shoal',
    missing: () => undefined,
    command: [process.execPath, '-C', 'built', path.join(import.meta.dirname, 'subject.ts')],
    done: /"seconds":([\d.]+),"histogramMaxMs":([\d.]+),"tickerMaxMs":([\d.]+),"workMaxMs":([\d.]+)/,
    mapsPayload: false,
  },
  {
    name: 'libtorrent',
    missing: () => libtorrent.missing(),
    command: ['/usr/bin/python3', path.join(import.meta.dirname, 'lt-check.py')],
    done: /DONE ([\d.]+)/,
    mapsPayload: true,
  },
];

export async function benchCheck({ bytes, rounds }: CheckOptions): Promise<CheckRow[]> {
  const work = mkdtempSync(path.join(memoryFolder(), 'shoal-bench-'));
  removeAtExit(work);
  const directory = path.join(work, 'content');
  const { metainfo } = await makeContent(directory, bytes, 1);
  const torrent = path.join(work, 'content.torrent');
  writeFileSync(torrent, metainfo);
  const runs = checkers.map((): CheckFigures[] => []);
  const notes = checkers.map((checker) => {
    const missing = checker.missing();
    return missing === undefined ? '' : `SKIPPED: ${missing} is missing`;
  });
  for (let round = 0; round < rounds; round++) {
    for (const [index, checker] of checkers.entries()) {
      if (notes[index]?.startsWith('SKIPPED') === true) continue;
      try {
        const figures = await run(checker, torrent, directory, bytes);
        runs[index]?.push(figures);
        process.stderr.write(
          `round ${round + 1}: ${checker.name}: ${(figures.bytesPerSecond / 1e6).toFixed(0)} MB/s\n`,
        );
      } catch (error) {
        notes[index] = `FAILED: ${error instanceof Error ? error.message : String(error)}`;
        process.stderr.write(`round ${round + 1}: ${checker.name}: ${notes[index] ?? ''}\n`);
      }
    }
  }
  rmSync(work, { recursive: true, force: true });
  return checkers.map(({ name }, index) => ({ name, figures: medians(runs[index] ?? []), note: notes[index] ?? '' }));
}

async function run(checker: Checker, torrent: string, directory: string, bytes: number): Promise<CheckFigures> {
  const home = mkdtempSync(path.join(path.dirname(torrent), 'home-'));
  const places = { HOME: home, XDG_STATE_HOME: home, XDG_CONFIG_HOME: home, XDG_DATA_HOME: home };
  const measured = new Measured([...checker.command, torrent, directory], places);
  const looks = setInterval(() => measured.usage(), pollMs);
  try {
    const [, seconds, histogramMs = NaN, pauseMs = NaN, workMs = NaN] = await measured.says(checker.done, limitMs);
    const { cpuSeconds, anonymousBytes, peakBytes } = measured.usage();
    return {
      bytesPerSecond: bytes / Number(seconds),
      cpuPerGiB: cpuSeconds / (bytes / GiB),
      peakBytes: checker.mapsPayload ? anonymousBytes : peakBytes,
      pauseMs: Number(pauseMs),
      histogramMs: Number(histogramMs),
      workMs: Number(workMs),
    };
  } finally {
    clearInterval(looks);
    await measured.end();
    if (existsSync(home)) rmSync(home, { recursive: true, force: true });
  }
}

function medians(runs: readonly CheckFigures[]): CheckFigures | undefined {
  const of = (key: keyof CheckFigures): number => median(runs.map((figures) => figures[key]));
  if (runs.length === 0) return undefined;
  return {
    bytesPerSecond: of('bytesPerSecond'),
    cpuPerGiB: of('cpuPerGiB'),
    peakBytes: of('peakBytes'),
    pauseMs: of('pauseMs'),
    histogramMs: of('histogramMs'),
    workMs: of('workMs'),
  };
}

export function checkTable(rows: readonly CheckRow[]): string {
  const reference = rows.find(({ name }) => name === 'libtorrent')?.figures?.bytesPerSecond ?? NaN;
  const lines = rows.map(({ name, figures, note }) => {
    if (figures === undefined) return `| ${name} | ${note.split('\n')[0] ?? ''} | | | | |`;
    const { bytesPerSecond, cpuPerGiB, peakBytes, pauseMs, histogramMs, workMs } = figures;
    const pause = Number.isNaN(pauseMs)
      ? '–'
      : `${pauseMs.toFixed(1)} / ${histogramMs.toFixed(1)} / ${workMs.toFixed(1)}`;
    const ratio = Number.isNaN(reference) ? '–' : `${(bytesPerSecond / reference).toFixed(2)} ×`;
    return `| ${name} | ${(bytesPerSecond / 1e6).toFixed(0)} | ${cpuPerGiB.toFixed(2)} | ${(peakBytes / 1e6).toFixed(0)} | ${pause} | ${ratio} |`;
  });
  return [
    '| | MB/s | CPU s/GiB | peak MB | longest pause ms (ticker / histogram / work) | to libtorrent |',
    '|---|---:|---:|---:|---:|---:|',
    ...lines,
  ].join('\n');
}
