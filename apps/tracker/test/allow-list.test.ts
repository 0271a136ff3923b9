import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parseAllowList, readAllowList } from '../src/allow-list.ts';
import { ConfigurationError } from '../src/errors.ts';

const [one, other] = ['0123456789abcdef0123456789abcdef01234567', 'FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF'];

describe('an allow list', () => {
  test('has one hash a line, in any case, with comments, blanks and any line ends', () => {
    const text = `\uFEFF# ours\r\n${one}\r\n\n  ${other}  # the other\n# ${'a'.repeat(40)}\n${one}\r`;
    expect([...parseAllowList(text, 'allow.txt')]).toEqual([one, other.toLowerCase()]);
  });

  test('may be empty, and then allows nothing', () => {
    expect(parseAllowList('', 'allow.txt').size).toBe(0);
  });

  test.each([
    [`${one}\n${one}0\n`, 2],
    [`\n\nmagnet:?xt=urn:btih:${one}`, 3],
    [`${one} ${other}`, 1],
    ['g'.repeat(40), 1],
  ])('with a bad line is an error that names file and line: %j', (text, line) => {
    expect(() => parseAllowList(text, 'allow.txt')).toThrow(`allow.txt:${line}: `);
  });

  test('that cannot be read is an error that names the file', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'shoal-tracker-'));
    await expect(readAllowList(join(folder, 'none.txt'))).rejects.toThrow(ConfigurationError);
    await writeFile(join(folder, 'allow.txt'), one);
    expect((await readAllowList(join(folder, 'allow.txt'))).size).toBe(1);
    await rm(folder, { recursive: true });
  });
});
