// `npm run bench [-- WHAT] [OPTIONS]`: figures of one run, side by side with others where there are others. It asserts
// nothing, the soaks excepted; peers that are not installed are named. README.md says what is measured and how.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { benchCheck, checkTable } from './check/check.ts';
import { runInNamespace } from './network.ts';
import { benchScale, scaleTable } from './scale/scale.ts';
import { soak } from './soak/soak.ts';
import { verdictTable } from './soak/verdict.ts';
import { soakLines, trackerSoak } from './tracker-soak/tracker-soak.ts';
import { benchTracker, trackerTable } from './tracker/tracker.ts';
import { namesOf, rowsOf } from './transfer/rows.ts';
import { transferTable } from './transfer/table.ts';
import { benchTransfer, planTransfer } from './transfer/transfer.ts';
import { benchWebSocket, webSocketTable } from './websocket/websocket.ts';

const usage = `usage: npm run bench -- [transfer|bencode|tracker|all|websocket|scale|soak|tracker-soak|check] [--quick] [--rounds N] [--minutes N] [--json]
  transfer: [--rows ${rowsOf({ quick: false })
    .map(({ key }) => key)
    .join(',')}] [--peers ${namesOf().join(',')}] [--size MIB]
  scale: [--profiles DIR]
  soak, tracker-soak: [--minutes N] [--file FILE]; tracker-soak: [--workers N]
  check: [--size MIB]`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    quick: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    rounds: { type: 'string' },
    size: { type: 'string' },
    minutes: { type: 'string' },
    workers: { type: 'string' },
    rows: { type: 'string' },
    peers: { type: 'string' },
    profiles: { type: 'string' },
    file: { type: 'string' },
  },
});
const [what = 'all'] = positionals;
const tables: readonly string[] = ['bencode', 'transfer', 'tracker'];
/** Not part of `all`. */
const alone: readonly string[] = ['websocket', 'scale', 'soak', 'tracker-soak', 'check'];
const rows = list(
  values.rows,
  rowsOf({ quick: false }).map(({ key }) => key),
);
const peers = list(values.peers, namesOf());
const [rounds, sizeMiB, minutes] = [number(values.rounds), number(values.size), number(values.minutes)];
if (!tables.includes(what) && what !== 'all' && !alone.includes(what)) fail();
const wanted = what === 'all' ? tables : [what];

if (['transfer', 'tracker', 'websocket'].some((table) => wanted.includes(table))) installOpponents();
build();
const status = await runInNamespace();
if (status !== undefined) process.exit(status);

const results: Record<string, unknown> = { machine: machineLine() };
const print = (text: string): void => {
  if (!values.json) console.log(text);
};
print(machineLine());
const trackerRounds = rounds ?? (values.quick ? 1 : 2);
const plan = planTransfer({
  quick: values.quick,
  rounds: rounds ?? (values.quick ? 1 : 5),
  rows,
  peers,
  sizeMiB,
  minutes: minutes ?? (values.quick ? 1.2 : 25),
});
if (tables.includes(what) || what === 'all') foretell();
if (wanted.includes('bencode')) {
  const script = path.join(import.meta.dirname, '../packages/bencode/bench/bencode.bench.ts');
  const { stdout } = spawnSync(process.execPath, [script], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });
  results['bencode'] = stdout;
  print(`\n## bencode against npm bencode\n\n${stdout}`);
}
if (wanted.includes('transfer')) {
  const found = await benchTransfer(plan);
  results['transfer'] = found;
  print(`\n## transfer on loopback, medians of ${plan.options.rounds}\n\n${transferTable(found)}`);
}
if (wanted.includes('tracker')) {
  const found = await benchTracker({ seconds: values.quick ? 1 : 3, rounds: trackerRounds });
  results['tracker'] = found;
  print(
    `\n## tracker: 1,000,000 torrents, 2,000,000 peers, 30 wanted, medians of ${trackerRounds}\n\n${trackerTable(found)}`,
  );
}
if (wanted.includes('websocket')) {
  const found = await benchWebSocket({ seconds: values.quick ? 2 : 4, rounds: trackerRounds, idle: 10_000 });
  results['websocket'] = found;
  print(`\n## WebTorrent peers at a tracker, medians of ${trackerRounds}\n\n${webSocketTable(found)}`);
}
if (wanted.includes('scale')) {
  const found = await benchScale({ quick: values.quick, profiles: values.profiles });
  results['scale'] = found;
  print(`\n## scale\n\n${scaleTable(found)}`);
}
if (wanted.includes('check')) {
  const MiB = sizeMiB ?? (values.quick ? 512 : 4096);
  const found = await benchCheck({ bytes: MiB * 1024 * 1024, rounds: rounds ?? (values.quick ? 1 : 3) });
  results['check'] = found;
  print(`\n## checking ${MiB} MiB in tmpfs\n\n${checkTable(found)}`);
}
if (wanted.includes('soak')) {
  const file = values.file ?? path.join(os.tmpdir(), `shoal-soak-${Date.now()}.jsonl`);
  const found = await soak({ minutes: minutes ?? 30, file });
  results['soak'] = found;
  const rate = (found.bytes / 1e6 / found.seconds).toFixed(0);
  print(`\n## soak: ${found.seconds.toFixed(0)} s, ${found.cycles} downloads, ${rate} MB/s, samples in ${file}\n`);
  print(verdictTable(found.findings));
  if (!found.flat) process.exitCode = 1;
}
if (wanted.includes('tracker-soak')) {
  const file = values.file ?? path.join(os.tmpdir(), `shoal-tracker-soak-${Date.now()}.jsonl`);
  const found = await trackerSoak({ minutes: minutes ?? 20, workers: number(values.workers) ?? 1, file });
  results['tracker-soak'] = found;
  print(`\n## tracker-soak, samples in ${file}\n\n${soakLines(found)}\n\n${verdictTable(found.findings)}`);
  if (!found.flat) process.exitCode = 1;
}
if (values.json) console.log(JSON.stringify(results));
process.exit();

/** How long the tables will take, before they do: expected on two idle cores, and what it cannot exceed by much. */
function foretell(): void {
  const minutesOf = {
    bencode: 0.5,
    tracker: (trackerRounds * 16 * (values.quick ? 6 : 8) + 8 * 7) / 60,
    transfer: plan.seconds / 60,
  };
  const others =
    (wanted.includes('bencode') ? minutesOf.bencode : 0) + (wanted.includes('tracker') ? minutesOf.tracker : 0);
  const transfer = wanted.includes('transfer');
  const expected = others + (transfer ? Math.min(minutesOf.transfer, plan.options.minutes) : 0);
  const limit = others + (transfer ? plan.options.minutes + 1 : 0);
  const detail = transfer ? `, ${plan.runs} transfers, none of them started after ${plan.options.minutes} minutes` : '';
  console.error(`about ${expected.toFixed(1)} minutes on two idle cores, ${limit.toFixed(1)} at most${detail}`);
}

function fail(): never {
  console.error(usage);
  process.exit(2);
}

function number(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const value = Number(text);
  return value > 0 ? value : fail();
}

/** The words of a list with commas; each has to be one of `known`. */
function list(text: string | undefined, known: readonly string[]): string[] | undefined {
  const words = text?.toLowerCase().split(',');
  return words === undefined || words.every((word) => known.includes(word)) ? words : fail();
}

/** What is measured is what users install: compiled JavaScript. */
function build(): void {
  const compiler = path.join(import.meta.dirname, '../node_modules/.bin/tsc');
  const { status: built } = spawnSync(compiler, ['-b', 'apps/client', 'apps/tracker'], {
    cwd: path.join(import.meta.dirname, '..'),
    stdio: ['ignore', 2, 2],
  });
  if (built !== 0) process.exit(1);
}

function installOpponents(): void {
  const folder = path.join(import.meta.dirname, 'opponents');
  if (existsSync(path.join(folder, 'node_modules/webtorrent'))) return;
  console.error('installing the npm peers (once)');
  const npm = spawnSync('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], {
    cwd: folder,
    stdio: ['ignore', 2, 2],
  });
  if (npm.status !== 0) console.error('the npm peers could not be installed: their rows will be skipped');
}

function machineLine(): string {
  const [cpu] = os.cpus();
  return `${new Date().toISOString().slice(0, 10)}, ${os.cpus().length} × ${cpu?.model ?? 'unknown processor'}, ${os.type()} ${os.release()}, Node ${process.version}`;
}
