// The results of `transfer` as Markdown: a table for each row, with ratios to libtorrent and webtorrent in that row.
import type { ResultRow } from './transfer.ts';

const MiB = 1024 * 1024;

const head = [
  '| seeder → downloader | MB/s (10–90 %) | first MiB s | wall s | CPU s/GiB (seeder + downloader) | peak MB | loop delay p99 ms | to libtorrent → libtorrent | to webtorrent → webtorrent |',
  '|---|---:|---:|---:|---:|---:|---:|---:|---:|',
];

export function transferTable(results: readonly ResultRow[]): string {
  const keys = [...new Set(results.map(({ row }) => row))];
  return keys
    .map((key) => {
      const rows = results.filter(({ row }) => row === key);
      return [...title(rows), '', ...head, ...rows.map((row) => line(row, rows)), ...remarks(rows)].join('\n');
    })
    .join('\n\n');
}

function title(rows: readonly ResultRow[]): string[] {
  const [first] = rows;
  if (first === undefined) return [];
  // Pairs that are slow have less content; theirs is in a remark.
  const bytes = Math.max(...rows.map((row) => row.bytes));
  const files = first.files === 1 ? 'one file' : `${first.files} files`;
  return [`### ${first.title}: ${bytes / MiB} MiB in ${files}, ${first.place}`];
}

function line(result: ResultRow, rows: readonly ResultRow[]): string {
  const { figures, seeder, leecher } = result;
  const pair = `${seeder} → ${leecher}`;
  if (figures === undefined) return `| ${pair} | ${result.notes[0]?.split('\n')[0] ?? 'not run'} | | | | | | | |`;
  const to = (name: string): string => {
    const other = rows.find((row) => row.seeder === name && row.leecher === name)?.figures;
    return other === undefined ? '–' : `${(figures.steady / other.steady).toFixed(2)} ×`;
  };
  const cells = [
    MB(figures.steady),
    figures.firstMiBSeconds.toFixed(2),
    figures.wallSeconds.toFixed(2),
    `${figures.seederCpuPerGiB.toFixed(2)} + ${figures.leecherCpuPerGiB.toFixed(2)}`,
    `${MB(figures.seederPeakBytes)} + ${MB(figures.leecherPeakBytes)}`,
    `${ms(figures.seederDelayMs)} + ${ms(figures.leecherDelayMs)}`,
    to('libtorrent'),
    to('webtorrent'),
  ];
  return `| ${pair} | ${cells.join(' | ')} |`;
}

/** What a median hides. */
function remarks(rows: readonly ResultRow[]): string[] {
  const bytes = Math.max(...rows.map((row) => row.bytes));
  const smaller = rows.filter((row) => row.bytes < bytes);
  const lines =
    smaller.length === 0
      ? []
      : [`- with Transmission ${(smaller[0]?.bytes ?? 0) / MiB} MiB: its timers, not its work, set its pace`];
  for (const { seeder, leecher, notes, runs } of rows)
    if (runs.length > 0) for (const note of notes) lines.push(`- ${seeder} → ${leecher}: ${note.split('\n')[0] ?? ''}`);
  return lines.length === 0 ? [] : ['', ...lines];
}

const MB = (bytes: number): string => (bytes / 1e6).toFixed(0);
const ms = (value: number): string => (Number.isNaN(value) ? '–' : value.toFixed(1));
