// Sessions with a thousand torrents, or with one that is very large: each in a process of its own, one after the other.
import { mkdirSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { Measured } from '../processes.ts';
import { startTracker } from '../tracker-process.ts';
import { diskFolder, memoryFolder, removeAtExit } from '../transfer/content.ts';
import { imaginaryTorrent, pieceCountOf, type Shape, writeSmallTorrents } from './torrents.ts';

export interface ScaleOptions {
  readonly quick: boolean;
  /** Where `--cpu-prof` of Node puts a profile of each subject; none when undefined. */
  readonly profiles?: string | undefined;
}

/** A phase of a subject, as it told it. */
export interface Phase {
  readonly phase: string;
  readonly seconds?: number;
  readonly histogramMaxMs?: number;
  readonly tickerMaxMs?: number;
  readonly workMaxMs?: number;
  readonly cpuShare?: number;
  readonly rss?: number;
  readonly heapUsed?: number;
  readonly external?: number;
  readonly arrayBuffers?: number;
}

export interface ScaleResult {
  readonly name: string;
  readonly phases: readonly Phase[];
  readonly peakBytes: number;
  /** Why it did not come to its end; empty when it did. */
  readonly failure: string;
}

/** A case that is not through by then has failed. */
const limitMs = 40_000;
/** What a tracker tells clients in the world: nothing is announced twice here. */
const announceSeconds = 1800;
const memoryPollMs = 50;

const KiB = 1024;
const TiB = 1024 ** 4;

interface LargeCase extends Shape {
  readonly title: string;
  /** A file of that length is there, all of it a hole: it has to be checked, and nothing in it is right. */
  readonly hole?: boolean;
}

const large: readonly LargeCase[] = [
  { title: '200,000 pieces', name: 'pieces.bin', length: 200_000 * 16 * KiB, pieceLength: 16 * KiB, files: 1 },
  { title: '20,000 files', name: 'files', length: 20_000 * 20_000, pieceLength: 256 * KiB, files: 20_000 },
  { title: '1 TiB', name: 'large.bin', length: TiB, pieceLength: 4096 * KiB, files: 1 },
  {
    title: '1 TiB, a sparse file there',
    name: 'large.bin',
    length: TiB,
    pieceLength: 4096 * KiB,
    files: 1,
    hole: true,
  },
];

export async function benchScale(options: ScaleOptions): Promise<ScaleResult[]> {
  const work = mkdtempSync(path.join(diskFolder() ?? memoryFolder(), 'shoal-bench-'));
  removeAtExit(work);
  const tracker = await startTracker(announceSeconds);
  const announce = `${tracker.url}/announce`;
  const results = await idleCases(path.join(work, 'idle'), announce, options);
  for (const [index, shape] of large.entries())
    results.push(await largeCase(shape, path.join(work, `large-${index}`), announce, options));
  await tracker.process.end();
  rmSync(work, { recursive: true, force: true });
  return results;
}

/** Once with everything to be hashed, and once more after that has been noted. */
async function idleCases(folder: string, announce: string, options: ScaleOptions): Promise<ScaleResult[]> {
  const count = options.quick ? 100 : 1000;
  writeSmallTorrents(folder, count, announce);
  const words = ['idle', folder, options.quick ? '5' : '20'];
  const first = await observe(`${count} torrents, complete`, words, options);
  return [first, await observe(`${count} torrents, complete, started again`, words, options)];
}

async function largeCase(
  shape: LargeCase,
  folder: string,
  announce: string,
  options: ScaleOptions,
): Promise<ScaleResult> {
  const content = path.join(folder, 'content');
  mkdirSync(content, { recursive: true });
  writeFileSync(path.join(folder, 'large.torrent'), imaginaryTorrent(shape, announce));
  if (shape.hole === true) {
    const file = path.join(content, shape.name);
    writeFileSync(file, '');
    truncateSync(file, shape.length);
  }
  const result = await observe(shape.title, ['large', folder, String(pieceCountOf(shape))], options);
  rmSync(folder, { recursive: true, force: true });
  return result;
}

async function observe(name: string, words: readonly string[], { profiles }: ScaleOptions): Promise<ScaleResult> {
  process.stderr.write(`scale: ${name}\n`);
  const profiling = profiles === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${profiles}`];
  const script = path.join(import.meta.dirname, 'subject.ts');
  const subject = new Measured([process.execPath, '-C', 'built', ...profiling, script, ...words]);
  const memory = setInterval(() => subject.usage(), memoryPollMs);
  let failure = '';
  try {
    await subject.says(/"phase":"close".*\n/, limitMs);
  } catch (error) {
    failure = error instanceof Error ? error.message : String(error);
    process.stderr.write(`${failure}\n`);
  }
  clearInterval(memory);
  const { peakBytes } = subject.usage();
  // A profile is written at its end, which may take a moment.
  if (profiles !== undefined && failure === '') await subject.closed();
  await subject.end();
  return { name, phases: phasesIn(subject.output), peakBytes, failure };
}

function phasesIn(output: string): Phase[] {
  return output
    .split('\n')
    .filter((line) => line.startsWith('{"phase"'))
    .map((line) => JSON.parse(line) as Phase);
}

export function scaleTable(results: readonly ScaleResult[]): string {
  return results.map(section).join('\n\n');
}

function section({ name, phases, peakBytes, failure }: ScaleResult): string {
  const lines = phases.map((phase) => {
    const pause =
      phase.tickerMaxMs === undefined
        ? ''
        : `${phase.tickerMaxMs.toFixed(1)} / ${(phase.histogramMaxMs ?? NaN).toFixed(1)} / ${(phase.workMaxMs ?? NaN).toFixed(1)}`;
    const share = phase.cpuShare === undefined ? '' : `${(phase.cpuShare * 100).toFixed(2)} %`;
    const rss = phase.rss === undefined ? '' : (phase.rss / 1e6).toFixed(0);
    return `| ${phase.phase} | ${phase.seconds?.toFixed(3) ?? ''} | ${pause} | ${share} | ${rss} |`;
  });
  const end = failure === '' ? '' : `\n\nFAILED: ${failure.split('\n')[0] ?? ''}`;
  return [
    `### ${name}`,
    '',
    '| phase | s | longest pause ms (ticker / histogram / work) | CPU, share of a core | RSS MB |',
    '|---|---:|---:|---:|---:|',
    ...lines,
    '',
    `peak ${(peakBytes / 1e6).toFixed(0)} MB${end}`,
  ].join('\n');
}
