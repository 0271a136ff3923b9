// Every row, round after round: round-robin, so that a machine that gets slower meets all alike. Copies are compared,
// failures keep their name, and no run starts after the time is up.
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { median } from '../processes.ts';
import { type Content, diskFolder, digestOf, makeContent, memoryFolder, removeAtExit } from './content.ts';
import { expectedSeconds, type Row, rowsOf, type Sizes, slowBytes, slowRounds } from './rows.ts';
import { type Cell, type Figures, run, targetOf } from './run.ts';

export interface TransferOptions extends Sizes {
  readonly rounds: number;
  /** Keys of the rows to run; all when undefined. */
  readonly rows?: readonly string[] | undefined;
  /** Lower-case names of the contestants to run; all when undefined. */
  readonly peers?: readonly string[] | undefined;
  /** No run starts later than this. */
  readonly minutes: number;
}

export interface ResultRow {
  readonly row: string;
  readonly title: string;
  readonly place: Row['place'];
  /** Bytes of one copy. */
  readonly bytes: number;
  readonly files: number;
  readonly seeder: string;
  readonly leecher: string;
  /** Medians of `runs`. */
  readonly figures: Figures | undefined;
  readonly runs: readonly Figures[];
  /** What was skipped or failed, and how often. */
  readonly notes: readonly string[];
}

/** A pair that failed so often in a row of this run is not tried again. */
const mostFailures = 2;

interface Entry extends Cell {
  readonly expectedSeconds: number;
  readonly rounds: number;
  readonly runs: Figures[];
  readonly notes: string[];
  failures: number;
}

/** What will be run, and what it is expected to take. */
export interface Plan {
  readonly options: TransferOptions;
  readonly entries: readonly Entry[];
  readonly runs: number;
  readonly seconds: number;
}

export function planTransfer(options: TransferOptions): Plan {
  const entries = entriesOf(options);
  const runs = entries.reduce((total, { rounds }) => total + rounds, 0);
  const seconds = entries.reduce((total, entry) => total + entry.rounds * entry.expectedSeconds, 0);
  return { options, entries, runs, seconds };
}

export async function benchTransfer({ options, entries }: Plan): Promise<ResultRow[]> {
  for (const note of new Set(entries.flatMap(({ notes }) => notes))) process.stderr.write(`${note}\n`);
  const endsAt = performance.now() + options.minutes * 60_000;
  const places = { tmpfs: scratch(memoryFolder()), disk: scratch(diskFolder() ?? memoryFolder()) };
  const contents = new Map<string, Promise<Content>>();
  const contentOf = ({ place, bytes, files }: Row): Promise<Content> => {
    const name = `source-${bytes}-${files}`;
    const key = `${place}/${name}`;
    const content = contents.get(key) ?? makeContent(path.join(places[place], name), bytes, files);
    contents.set(key, content);
    return content;
  };
  for (let round = 0; round < options.rounds; round++) {
    for (const [index, entry] of entries.entries()) {
      if (round >= entry.rounds || entry.failures >= mostFailures) continue;
      if (performance.now() + entry.expectedSeconds * 1000 > endsAt) {
        entry.notes.push(`round ${round + 1} not run: the time was up`);
        continue;
      }
      const folder = path.join(places[entry.row.place], `run-${round}-${index}`);
      await tryRun(entry, await contentOf(entry.row), folder, round);
      rmSync(folder, { recursive: true, force: true });
      // Others must not pay for what this one left to be written.
      if (entry.row.place === 'disk') spawnSync('sync');
    }
  }
  for (const place of Object.values(places)) rmSync(place, { recursive: true, force: true });
  return entries.map(resultOf);
}

function entriesOf(options: TransferOptions): Entry[] {
  const wanted = rowsOf(options).filter(({ key }) => options.rows?.includes(key) ?? true);
  const cells = wanted.flatMap((row) => row.pairs.map(([seeder, leecher]) => ({ row, seeder, leecher })));
  const names = ({ seeder, leecher }: Cell): string[] => [seeder.name.toLowerCase(), leecher.name.toLowerCase()];
  const missing = new Map<string, string | undefined>();
  return cells
    .filter((cell) => names(cell).every((name) => options.peers?.includes(name) ?? true))
    .map((cell) => {
      const slow = cell.seeder.slow === true || cell.leecher.slow === true;
      const row = slow ? { ...cell.row, bytes: Math.min(cell.row.bytes, slowBytes) } : cell.row;
      const notes: string[] = [];
      for (const contestant of new Set([cell.seeder, cell.leecher])) {
        if (!missing.has(contestant.name)) missing.set(contestant.name, contestant.missing());
        const what = missing.get(contestant.name);
        if (what !== undefined) notes.push(`SKIPPED: ${what} is missing`);
      }
      if (slow && options.quick) notes.push('SKIPPED: too slow for --quick');
      if (row.place === 'disk' && diskFolder() === undefined) notes.push('SKIPPED: no folder that is not in memory');
      const rounds = Math.min(options.rounds, row.mostRounds ?? Infinity, slow ? slowRounds : Infinity);
      return {
        ...cell,
        row,
        expectedSeconds: expectedSeconds(row, cell.seeder, cell.leecher),
        rounds: notes.length > 0 ? 0 : rounds,
        runs: [],
        notes,
        failures: 0,
      };
    });
}

function scratch(parent: string): string {
  const folder = mkdtempSync(path.join(parent, 'shoal-bench-'));
  removeAtExit(folder);
  return folder;
}

async function tryRun(entry: Entry, content: Content, folder: string, round: number): Promise<void> {
  const { row, seeder, leecher } = entry;
  const what = `round ${round + 1}: ${row.title}, ${seeder.name} → ${leecher.name}`;
  const startedAt = performance.now();
  try {
    mkdirSync(folder);
    const figures = await run(entry, content, folder);
    for (let index = 0; index < row.leechers; index++)
      if ((await digestOf(targetOf(folder, index))) !== content.digest)
        throw new Error('a copy differs from the original');
    entry.runs.push(figures);
    const took = ((performance.now() - startedAt) / 1000).toFixed(1);
    process.stderr.write(`${what}: ${(figures.steady / 1e6).toFixed(0)} MB/s (${took} s in all)\n`);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    entry.failures++;
    entry.notes.push(`round ${round + 1} FAILED: ${message}`);
    process.stderr.write(`${what}: FAILED: ${message}\n`);
  }
}

function resultOf({ row, seeder, leecher, runs, notes }: Entry): ResultRow {
  const of = (key: keyof Figures): number => median(runs.map((figures) => figures[key]));
  return {
    row: row.key,
    title: row.title,
    place: row.place,
    bytes: row.bytes,
    files: row.files,
    seeder: seeder.name,
    leecher: leecher.name,
    figures:
      runs.length === 0
        ? undefined
        : {
            steady: of('steady'),
            firstMiBSeconds: of('firstMiBSeconds'),
            wallSeconds: of('wallSeconds'),
            seederCpuPerGiB: of('seederCpuPerGiB'),
            leecherCpuPerGiB: of('leecherCpuPerGiB'),
            seederPeakBytes: of('seederPeakBytes'),
            leecherPeakBytes: of('leecherPeakBytes'),
            seederDelayMs: of('seederDelayMs'),
            leecherDelayMs: of('leecherDelayMs'),
          },
    runs,
    notes,
  };
}
