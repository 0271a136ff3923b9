// Purity is compiled, not promised: a forbidden name in a pure package must fail the build or the linter.
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { layers } from '../layers.ts';

const root = path.join(import.meta.dirname, '..', '..');
const bin = path.join(root, 'node_modules', '.bin');
let folder = '';

beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'shoal-purity-'));
  mkdirSync(path.join(folder, 'tooling'));
  mkdirSync(path.join(folder, 'packages/bencode/src'), { recursive: true });
  for (const file of ['tsconfig.base.json', 'tsconfig.pure.json', '.oxlintrc.json', 'tooling/pure-globals.d.ts'])
    copyFileSync(path.join(root, file), path.join(folder, file));
  writeFileSync(path.join(folder, 'package.json'), '{ "type": "module" }');
  writeFileSync(path.join(folder, 'packages/bencode/tsconfig.json'), '{ "extends": "../../tsconfig.pure.json" }');
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const source = (text: string): void => writeFileSync(path.join(folder, 'packages/bencode/src/probe.ts'), `${text}\n`);
const compile = (): { status: number | null; output: string } => {
  const result = spawnSync(path.join(bin, 'tsc'), ['-p', 'packages/bencode', '--noEmit'], {
    cwd: folder,
    encoding: 'utf8',
  });
  return { status: result.status, output: result.stdout + result.stderr };
};
const lint = (): { status: number | null; output: string } => {
  const result = spawnSync(path.join(bin, 'oxlint'), ['packages/bencode/src/probe.ts'], {
    cwd: folder,
    encoding: 'utf8',
  });
  return { status: result.status, output: result.stdout + result.stderr };
};

describe('a pure package', () => {
  test('that uses only what is allowed compiles and lints', () => {
    source('export const text: string = new TextDecoder().decode(new TextEncoder().encode("ok"));');
    expect(compile()).toMatchObject({ status: 0 });
    expect(lint()).toMatchObject({ status: 0 });
  });

  test.each([
    ['setTimeout', 'setTimeout(() => {}, 1);\nexport {};'],
    ['setInterval', 'setInterval(() => {}, 1);\nexport {};'],
    ['queueMicrotask', 'queueMicrotask(() => {});\nexport {};'],
    ['Buffer', 'export const b: unknown = Buffer.alloc(1);'],
    ['process', 'export const p: unknown = process.env;'],
    ['fetch', 'export const f: unknown = fetch("x");'],
    ['performance', 'export const n: number = performance.now();'],
    ['crypto', 'export const c: unknown = crypto.subtle;'],
    ['console', 'console.log(1);\nexport {};'],
    ['URL', 'export const u: unknown = new URL("x:y");'],
    ['node:fs', 'import { readFileSync } from "node:fs";\nexport const r: unknown = readFileSync;'],
  ])('that names %s does not compile', (name, text) => {
    source(text);
    const { status, output } = compile();
    expect(status).not.toBe(0);
    expect(output).toContain(name);
  });

  test.each([
    ['Date.now', 'export const d: number = Date.now();'],
    ['new Date', 'export const d: unknown = new Date();'],
    ['Math.random', 'export const r: number = Math.random();'],
    ['Promise', 'export const p: unknown = Promise.resolve(1);'],
    ['node:*', 'import { readFileSync } from "node:fs";\nexport const r: unknown = readFileSync;'],
    ['a Node package', 'import { Session } from "@shoal/session";\nexport const s: unknown = Session;'],
  ])('that uses %s does not pass the linter', (_name, text) => {
    source(text);
    expect(lint().status).not.toBe(0);
  });

  test('is compiled and linted as one, each of them', () => {
    const pure = Object.entries(layers).filter(([, layer]) => layer.kind === 'pure');
    const rules = readFileSync(path.join(root, '.oxlintrc.json'), 'utf8');
    expect(pure.length).toBeGreaterThan(8);
    for (const [name] of pure) {
      const directory = `packages/${name.replace('@shoal/', '')}`;
      expect(rules, name).toContain(`"${directory}/src/**"`);
      const config = JSON.parse(readFileSync(path.join(root, directory, 'tsconfig.json'), 'utf8')) as {
        extends: string;
      };
      expect(config.extends, name).toBe('../../tsconfig.pure.json');
    }
  });
});
