import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { scratchDirectory } from './scratch.ts';

test('the program in the README runs and prints what it says', async () => {
  const root = path.join(import.meta.dirname, '..');
  const readme = await readFile(path.join(root, 'README.md'), 'utf8');
  const program = /```ts\n(.*?)```/s.exec(readme)![1]!;
  const printed = /console\.log.*\/\/ (.*)/.exec(program)![1]!;
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module-typescript', '-e', program], {
    cwd: root,
    env: { ...process.env, TMPDIR: await scratchDirectory() },
  });
  expect(stdout.trim()).toBe(printed);
});
