// One seeder and one downloader on loopback, content in tmpfs, every pairing in turn, round after round.
import { createHash, randomFillSync } from 'node:crypto';
import {
  closeSync,
  createReadStream,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createMetainfo } from '@shoal/metainfo';
import { Measured, median, type Usage } from '../processes.ts';
import { pairings, type Contestant } from './contestants.ts';

export interface TransferOptions {
  readonly bytes: number;
  readonly rounds: number;
}

export interface Figures {
  /** Bytes per second between 10 % and 90 % of the content. */
  readonly steady: number;
  /** From the start of the downloader to its last byte. */
  readonly wallSeconds: number;
  readonly seederCpuPerGiB: number;
  readonly leecherCpuPerGiB: number;
  readonly seederPeakBytes: number;
  readonly leecherPeakBytes: number;
}

export interface Row {
  readonly seeder: string;
  readonly leecher: string;
  readonly figures: Figures | undefined;
  readonly note: string;
}

const limitMs = 120_000;
const pollMs = 5;
const GiB = 1024 ** 3;

export async function benchTransfer({ bytes, rounds }: TransferOptions): Promise<Row[]> {
  const work = mkdtempSync(path.join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'shoal-bench-'));
  process.on('exit', () => rmSync(work, { recursive: true, force: true }));
  const source = path.join(work, 'source');
  mkdirSync(source);
  const file = path.join(source, 'content.bin');
  fill(file, bytes);
  const digest = await digestOf(file);
  const { bytes: torrentBytes } = await createMetainfo(file, { pieceLength: 1024 * 1024 });
  const torrent = path.join(work, 'content.torrent');
  writeFileSync(torrent, torrentBytes);

  const runs = new Map<number, Figures[]>();
  const notes = new Map<number, string>();
  for (let round = 0; round < rounds; round++) {
    for (const [index, [seeder, leecher]] of pairings.entries()) {
      const missing = seeder.missing() ?? leecher.missing();
      if (missing !== undefined) {
        notes.set(index, `SKIPPED: ${missing} is missing`);
        continue;
      }
      const target = path.join(work, `target-${round}-${index}`);
      mkdirSync(target);
      try {
        const figures = await runPair(seeder, leecher, { torrent, source, target, bytes });
        const same = (await digestOf(path.join(target, 'content.bin'))) === digest;
        if (!same) throw new Error('the copy differs from the original');
        runs.set(index, [...(runs.get(index) ?? []), figures]);
        process.stderr.write(
          `round ${round + 1}: ${seeder.name} → ${leecher.name}: ${(figures.steady / 1e6).toFixed(0)} MB/s\n`,
        );
      } catch (error) {
        notes.set(index, `FAILED: ${error instanceof Error ? error.message : String(error)}`);
      }
      rmSync(target, { recursive: true, force: true });
    }
  }
  rmSync(work, { recursive: true, force: true });
  return pairings.map(([seeder, leecher], index) => {
    const figures = runs.get(index);
    return {
      seeder: seeder.name,
      leecher: leecher.name,
      figures: figures === undefined ? undefined : medians(figures),
      note: notes.get(index) ?? '',
    };
  });
}

interface Place {
  readonly torrent: string;
  readonly source: string;
  readonly target: string;
  readonly bytes: number;
}

async function runPair(
  seeder: Contestant,
  leecher: Contestant,
  { torrent, source, target, bytes }: Place,
): Promise<Figures> {
  const [seederPort, leecherPort] = [await freePort(), await freePort()];
  const seed = new Measured(seeder.command('seed', torrent, source, seederPort));
  let leech: Measured | undefined;
  try {
    await seed.says(seeder.ready, limitMs);
    const seederBefore = seed.usage();
    const startedAt = performance.now();
    leech = new Measured(leecher.command('leech', torrent, target, leecherPort, `127.0.0.1:${seederPort}`));
    const growth = watch(path.join(target, 'content.bin'), bytes, [seed, leech]);
    await leech.says(leecher.done, limitMs);
    const wallSeconds = (performance.now() - startedAt) / 1000;
    const { tenthAt, ninetiethAt } = growth.stop();
    const used = { seed: seed.usage(), leech: leech.usage() };
    const perGiB = (cpuSeconds: number): number => cpuSeconds / (bytes / GiB);
    const peak = (contestant: Contestant, usage: Usage): number =>
      contestant.mapsPayload ? usage.anonymousBytes : usage.peakBytes;
    return {
      steady: (bytes * 0.8) / ((ninetiethAt - tenthAt) / 1000),
      wallSeconds,
      seederCpuPerGiB: perGiB(used.seed.cpuSeconds - seederBefore.cpuSeconds),
      leecherCpuPerGiB: perGiB(used.leech.cpuSeconds),
      seederPeakBytes: peak(seeder, used.seed),
      leecherPeakBytes: peak(leecher, used.leech),
    };
  } finally {
    await leech?.end();
    await seed.end();
  }
}

/** When a tenth and nine tenths of the file were on tmpfs, by its allocated blocks: the same yardstick for everybody. */
function watch(
  file: string,
  bytes: number,
  processes: readonly Measured[],
): { stop(): { tenthAt: number; ninetiethAt: number } } {
  let tenthAt = NaN;
  let ninetiethAt = NaN;
  let polls = 0;
  const look = (): void => {
    const present = (statSync(file, { throwIfNoEntry: false })?.blocks ?? 0) * 512;
    const now = performance.now();
    if (Number.isNaN(tenthAt) && present >= bytes * 0.1) tenthAt = now;
    if (Number.isNaN(ninetiethAt) && present >= bytes * 0.9) ninetiethAt = now;
    if (polls++ % 10 === 0) for (const measured of processes) measured.usage();
  };
  const timer = setInterval(look, pollMs);
  return {
    stop: () => {
      look();
      clearInterval(timer);
      return { tenthAt, ninetiethAt };
    },
  };
}

function medians(runs: readonly Figures[]): Figures {
  const of = (key: keyof Figures): number => median(runs.map((run) => run[key]));
  return {
    steady: of('steady'),
    wallSeconds: of('wallSeconds'),
    seederCpuPerGiB: of('seederCpuPerGiB'),
    leecherCpuPerGiB: of('leecherCpuPerGiB'),
    seederPeakBytes: of('seederPeakBytes'),
    leecherPeakBytes: of('leecherPeakBytes'),
  };
}

function fill(file: string, bytes: number): void {
  const descriptor = openSync(file, 'w');
  const chunk = Buffer.alloc(1024 * 1024);
  for (let written = 0; written < bytes; written += chunk.length)
    writeSync(descriptor, randomFillSync(chunk), 0, Math.min(chunk.length, bytes - written));
  closeSync(descriptor);
}

async function digestOf(file: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(file, { highWaterMark: 1024 * 1024 })) hash.update(chunk as Buffer);
  return hash.digest('hex');
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = net.createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}

export function transferTable(rows: readonly Row[]): string {
  const steadyOf = (name: string): number =>
    rows.find((row) => row.seeder === name && row.leecher === name)?.figures?.steady ?? NaN;
  const ratio = (value: number, other: number): string =>
    Number.isNaN(other) ? '–' : `${(value / other).toFixed(2)} ×`;
  const MB = (bytes: number): string => (bytes / 1e6).toFixed(0);
  const lines = rows.map(({ seeder, leecher, figures, note }) => {
    if (figures === undefined) return `| ${seeder} → ${leecher} | ${note.split('\n')[0] ?? ''} | | | | | |`;
    const { steady, wallSeconds, seederCpuPerGiB, leecherCpuPerGiB, seederPeakBytes, leecherPeakBytes } = figures;
    return `| ${seeder} → ${leecher} | ${MB(steady)} | ${wallSeconds.toFixed(2)} | ${seederCpuPerGiB.toFixed(2)} + ${leecherCpuPerGiB.toFixed(2)} | ${MB(seederPeakBytes)} + ${MB(leecherPeakBytes)} | ${ratio(steady, steadyOf('libtorrent'))} | ${ratio(steady, steadyOf('webtorrent'))} |`;
  });
  return [
    '| seeder → downloader | MB/s (10–90 %) | wall s | CPU s/GiB (seeder + downloader) | peak MB (seeder + downloader) | to libtorrent → libtorrent | to webtorrent → webtorrent |',
    '|---|---:|---:|---:|---:|---:|---:|',
    ...lines,
  ].join('\n');
}
