// Runs a workspace command on any Node >= 18: installs what is missing, then works under the pinned Node.
// Plain JavaScript without dependencies, because it runs before anything is installed.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const bin = join(root, 'node_modules', '.bin');
const [command, ...rest] = process.argv.slice(2);
const pnpmVersion = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).packageManager;

function run(program, args, options = {}) {
  const env = {
    ...process.env,
    PATH: `${bin}${delimiter}${process.env.PATH}`,
    TURBO_TELEMETRY_DISABLED: '1',
    DO_NOT_TRACK: '1',
  };
  const result = spawnSync(program, args, {
    cwd: root,
    stdio: 'inherit',
    env,
    shell: process.platform === 'win32',
    ...options,
  });
  if (result.error) {
    console.error(`cannot start ${program}: ${result.error.message}`);
    process.exit(1);
  }
  if (result.status !== 0) process.exit(result.status ?? (result.signal ? 1 : 0));
}

/** A digest of everything an installation depends on; equal to the stored one = nothing to do. */
function installDigest() {
  const hash = createHash('sha256').update(process.platform + process.arch);
  const files = [
    'package.json',
    'pnpm-workspace.yaml',
    'pnpm-lock.yaml',
    'bench/package.json',
    'examples/package.json',
    'fuzz/package.json',
    'tooling/package.json',
  ];
  for (const parent of ['packages', 'apps'])
    for (const name of readdirSync(join(root, parent)).sort()) files.push(`${parent}/${name}/package.json`);
  for (const file of files) if (existsSync(join(root, file))) hash.update(file).update(readFileSync(join(root, file)));
  return hash.digest('hex');
}

function install() {
  const stamp = join(root, 'node_modules', '.shoal-installed');
  const digest = installDigest();
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === digest) return;
  console.error(`installing dependencies with ${pnpmVersion} (once)`);
  // Everything of the installation goes to stderr: stdout belongs to the command that follows.
  run('npx', ['-y', pnpmVersion, 'install', '--frozen-lockfile'], { stdio: ['ignore', 2, 2] });
  writeFileSync(stamp, digest);
}

const pnpm = (...args) => run('npx', ['-y', pnpmVersion, ...args]);
const commands = {
  install: () => {},
  swarm: () => run('node', ['apps/lab/src/main.ts', 'run', ...rest]),
  test: () =>
    pnpm(
      'exec',
      'turbo',
      'run',
      'build',
      'typecheck',
      'test',
      '--output-logs=new-only',
      '--concurrency=3',
      '--continue=dependencies-successful',
      ...rest,
    ),
  typecheck: () => run('tsc', ['-p', 'tsconfig.test.json']),
  lint: () => {
    run('oxlint', ['--type-aware', '--deny-warnings', ...rest]);
    run('oxfmt', ['--check', '.']);
    run('node', ['tooling/check-boundaries.ts']);
  },
  format: () => run('oxfmt', ['.']),
  'check:packages': () => run('node', ['tooling/check-packages.ts', ...rest]),
  bench: () => run('node', ['bench/main.ts', ...rest]),
  interop: () => run('node', ['apps/lab/interop/main.ts', ...rest]),
  fuzz: () => run('node', ['fuzz/main.ts', ...rest]),
};

if (!Object.hasOwn(commands, command)) {
  console.error(`usage: node tooling/run.mjs ${Object.keys(commands).join('|')} [ARGUMENTS]`);
  process.exit(2);
}
install();
commands[command]();
