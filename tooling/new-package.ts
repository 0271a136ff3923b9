// Creates or refreshes the fixed files of a package: package.json, tsconfig.json, vitest.config.ts, LICENSE.
// usage: node tooling/new-package.ts NAME pure|node "DESCRIPTION" [WORKSPACE-DEPENDENCY…]
import { copyFileSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';

const [name, kind, description, ...dependencies] = process.argv.slice(2);
if (name === undefined || (kind !== 'pure' && kind !== 'node') || description === undefined) {
  console.error('usage: node tooling/new-package.ts NAME pure|node "DESCRIPTION" [DEPENDENCY…]');
  process.exit(2);
}
const folder = path.join('packages', name);
mkdirSync(path.join(folder, 'src'), { recursive: true });
mkdirSync(path.join(folder, 'test'), { recursive: true });
const json = (file: string, value: unknown): void =>
  writeFileSync(path.join(folder, file), `${JSON.stringify(value, null, 2)}\n`);

json('package.json', {
  name: `@shoal/${name}`,
  version: '0.0.0',
  description,
  keywords: ['bittorrent', name],
  homepage: `https://github.com/shoal-project/shoal/tree/main/packages/${name}#readme`,
  bugs: 'https://github.com/shoal-project/shoal/issues',
  license: 'MIT',
  author: 'Shoal contributors',
  repository: {
    type: 'git',
    url: 'git+https://github.com/shoal-project/shoal.git',
    directory: `packages/${name}`,
  },
  files: ['dist', 'src', '!dist/.tsbuildinfo'],
  type: 'module',
  sideEffects: false,
  exports: {
    // `built`: what users run, for who wants to measure that (node -C built).
    '.': { built: './dist/index.js', default: './src/index.ts' },
    './package.json': './package.json',
  },
  publishConfig: {
    access: 'public',
    exports: {
      '.': { types: './dist/index.d.ts', default: './dist/index.js' },
      './package.json': './package.json',
    },
  },
  scripts: { build: 'tsc -b', test: 'vitest run' },
  dependencies: Object.fromEntries(dependencies.map((dependency) => [`@shoal/${dependency}`, 'workspace:^'])),
  devDependencies: { 'fast-check': 'catalog:', vitest: 'catalog:' },
  engines: { node: '>=22.18' },
});
json('tsconfig.json', {
  extends: `../../tsconfig.${kind}.json`,
  references: dependencies.map((dependency) => ({ path: `../${dependency}` })),
});
writeFileSync(path.join(folder, 'vitest.config.ts'), "export { default } from '../../vitest.shared.ts';\n");
copyFileSync('LICENSE', path.join(folder, 'LICENSE'));
const index = path.join(folder, 'src/index.ts');
if (!existsSync(index)) writeFileSync(index, 'export {};\n');
