// `npm run bench [-- transfer|bencode|tracker|all] [--quick] [--rounds N] [--size MIB] [--json]`: side-by-side figures of one run.
// It prints ratios and asserts nothing; peers that are not installed are named.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { benchTracker, trackerTable } from './tracker/tracker.ts';
import { benchTransfer, transferTable } from './transfer/transfer.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    quick: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    rounds: { type: 'string' },
    size: { type: 'string' },
    'in-namespace': { type: 'boolean', default: false },
  },
});
const [what = 'all'] = positionals;
if (!['transfer', 'bencode', 'tracker', 'all'].includes(what)) {
  console.error('usage: npm run bench -- [transfer|bencode|tracker|all] [--quick] [--rounds N] [--size MIB] [--json]');
  process.exit(2);
}

// A network of its own: nothing that a peer announces can leave this machine.
if (!values['in-namespace'] && process.getuid?.() === 0 && spawnSync('unshare', ['-n', 'true']).status === 0) {
  installOpponents();
  const again = [
    process.execPath,
    ...process.execArgv,
    import.meta.filename,
    ...process.argv.slice(2),
    '--in-namespace',
  ];
  const quoted = again.map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(' ');
  const { status } = spawnSync('unshare', ['-n', 'sh', '-c', `ip link set lo up && exec ${quoted}`], {
    stdio: 'inherit',
  });
  process.exit(status ?? 1);
}
if (!values['in-namespace']) installOpponents();

const results: Record<string, unknown> = { machine: machineLine() };
const print = (text: string): void => {
  if (!values.json) console.log(text);
};
print(machineLine());
if (what === 'all' || what === 'bencode') {
  const script = path.join(import.meta.dirname, '../packages/bencode/bench/bencode.bench.ts');
  const { stdout } = spawnSync(process.execPath, [script], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });
  results['bencode'] = stdout;
  print(`\n## bencode against npm bencode\n\n${stdout}`);
}
if (what === 'all' || what === 'transfer') {
  const MiB = Number(values.size ?? (values.quick ? 64 : 1024));
  const rounds = Number(values.rounds ?? (values.quick ? 1 : 3));
  const rows = await benchTransfer({ bytes: MiB * 1024 * 1024, rounds });
  results['transfer'] = rows;
  print(
    `\n## ${MiB} MiB in tmpfs, one seeder and one downloader on loopback, medians of ${rounds}\n\n${transferTable(rows)}`,
  );
}
if (what === 'all' || what === 'tracker') {
  const rows = await benchTracker({
    seconds: values.quick ? 2 : 4,
    rounds: Number(values.rounds ?? (values.quick ? 1 : 3)),
  });
  results['tracker'] = rows;
  print(`\n## announces, 10,000 torrents, random peers, 50 peers wanted\n\n${trackerTable(rows)}`);
}
if (values.json) console.log(JSON.stringify(results));
process.exit(0);

function installOpponents(): void {
  const folder = path.join(import.meta.dirname, 'opponents');
  if (what === 'bencode' || existsSync(path.join(folder, 'node_modules/webtorrent'))) return;
  console.error('installing the npm peers (once)');
  const { status } = spawnSync('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], {
    cwd: folder,
    stdio: ['ignore', 2, 2],
  });
  if (status !== 0) console.error('the npm peers could not be installed: their rows will be skipped');
}

function machineLine(): string {
  const [cpu] = os.cpus();
  return `${new Date().toISOString().slice(0, 10)}, ${os.cpus().length} × ${cpu?.model ?? 'unknown processor'}, ${os.type()} ${os.release()}, Node ${process.version}`;
}
