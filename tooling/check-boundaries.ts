// Fails when a package depends on, references or imports what the layers do not allow, or when manifest, references and
// imports disagree. The compiler and the linter hold the purity; this holds the arrows.
import { globSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { layers, reachable } from './layers.ts';

const root = path.join(import.meta.dirname, '..');
const problems: string[] = [];

interface Manifest {
  readonly name: string;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
}

for (const folder of globSync('{packages,apps}/*', { cwd: root })) check(folder);
for (const problem of problems) console.error(problem);
if (problems.length > 0) process.exit(1);
console.log(`boundaries: ${Object.keys(layers).length} packages keep to their arrows`);

function check(folder: string): void {
  const manifest = JSON.parse(readFileSync(path.join(root, folder, 'package.json'), 'utf8')) as Manifest;
  const layer = layers[manifest.name];
  if (layer === undefined) return void problems.push(`${folder}: ${manifest.name} is not in tooling/layers.ts`);
  const allowed = reachable(manifest.name);
  const declared = Object.keys(manifest.dependencies ?? {});
  const internal = declared.filter((name) => name in layers);
  for (const name of internal)
    if (!allowed.has(name)) problems.push(`${folder}/package.json: ${manifest.name} may not depend on ${name}`);
  checkReferences(folder, internal);
  const config = layer.kind === 'pure' ? 'tsconfig.pure.json' : 'tsconfig.node.json';
  if (!readFileSync(path.join(root, folder, 'tsconfig.json'), 'utf8').includes(config))
    problems.push(`${folder}/tsconfig.json: a ${layer.kind} package extends ${config}`);
  checkImports(folder, manifest, declared);
}

function checkReferences(folder: string, internal: readonly string[]): void {
  const config = JSON.parse(readFileSync(path.join(root, folder, 'tsconfig.json'), 'utf8')) as {
    references?: { path: string }[];
  };
  const referenced = (config.references ?? []).map((reference) => {
    const file = path.join(root, folder, reference.path, 'package.json');
    return (JSON.parse(readFileSync(file, 'utf8')) as Manifest).name;
  });
  const imported = internal.filter((name) => layers[name]?.kind !== 'app');
  const missing = imported.filter((name) => !referenced.includes(name));
  const extra = referenced.filter((name) => !imported.includes(name));
  if (missing.length > 0) problems.push(`${folder}/tsconfig.json: no reference to ${missing.join(', ')}`);
  if (extra.length > 0) problems.push(`${folder}/tsconfig.json: reference without dependency: ${extra.join(', ')}`);
}

function checkImports(folder: string, manifest: Manifest, declared: readonly string[]): void {
  const used = new Set<string>();
  for (const file of globSync(`${folder}/src/**/*.ts`, { cwd: root })) {
    const text = readFileSync(path.join(root, file), 'utf8');
    for (const match of text.matchAll(/(?:from|import\()\s*'([@a-z][^' ]*)'/g)) {
      const specifier = match[1] ?? '';
      if (specifier.startsWith('node:')) continue;
      const name = specifier
        .split('/')
        .slice(0, specifier.startsWith('@') ? 2 : 1)
        .join('/');
      used.add(name);
      if (!declared.includes(name)) problems.push(`${file}: imports ${name}, which ${manifest.name} does not declare`);
      if (layers[name]?.kind === 'app') problems.push(`${file}: imports the app ${name}`);
    }
  }
  for (const name of declared)
    if (name in layers && layers[name]?.kind !== 'app' && !used.has(name))
      problems.push(`${folder}/package.json: depends on ${name} but imports nothing of it`);
}
