import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';

const program = fileURLToPath(new URL('determinism-run.ts', import.meta.url));

/** The whole trace of one run, from a process that shares nothing with this one. */
const traceOf = async (seed: number): Promise<string> => {
  const { stdout } = await promisify(execFile)(process.execPath, [program, String(seed)], { maxBuffer: 2 ** 28 });
  return stdout;
};

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

describe('determinism', () => {
  test.for([1, 2])('the same seed gives the same trace, byte for byte, in two processes (seed %i)', async (seed) => {
    const [one, other] = await Promise.all([traceOf(seed), traceOf(seed)]);
    expect(one.split('\n').length).toBeGreaterThan(1000);
    expect(one.slice(one.lastIndexOf('\n') + 1)).toMatch(/^done /);
    expect(sha256(one)).toBe(sha256(other));
  });

  test('another seed gives another trace', async () => {
    const [one, other] = await Promise.all([traceOf(3), traceOf(4)]);
    expect(sha256(one)).not.toBe(sha256(other));
  });
});
