// docs/bep-0003.md promises a test or a reason for every statement of BEP 3; this keeps the promise true when tests are renamed.
import { globSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';

const root = path.join(import.meta.dirname, '..', '..');
const page = readFileSync(path.join(root, 'docs/bep-0003.md'), 'utf8');
const foundingPage = readFileSync(path.join(root, 'docs/founding-exchange.md'), 'utf8');

interface Citation {
  readonly file: string;
  readonly name: string;
}

interface Row {
  readonly number: number;
  readonly statement: string;
  /** Why we differ; undefined where we do not. */
  readonly difference: string | undefined;
  readonly citations: readonly Citation[];
}

const rows: readonly Row[] = page
  .split('\n')
  .map((line) => /^\| (?<number>\d+) \| (?<statement>[^|]+) \| (?<shown>[^|]+) \|$/.exec(line)?.groups)
  .filter((groups) => groups !== undefined)
  .map(({ number = '', statement = '', shown = '' }) => ({
    number: Number(number),
    statement,
    difference: /^differs: ([^<]+)/.exec(shown)?.[1],
    citations: citationsIn(shown),
  }));

function citationsIn(text: string): Citation[] {
  const found = text.matchAll(/`((?:packages|apps|tooling)\/[^`]+)`: `([^`]+)`/g);
  return [...found].map(([, file = '', name = '']) => ({ file, name }));
}

/** A test file's text with the escapes resolved that its string literals have. */
function sourceOf(file: string): string {
  const text = readFileSync(path.join(root, file), 'utf8');
  return text.replaceAll("\\'", "'").replaceAll('\\u2019', '\u2019');
}

const hasLiteral = (source: string, text: string): boolean =>
  ["'", '"', '`'].some((quote) => source.includes(`${quote}${text}${quote}`));

function expectExists({ file, name }: Citation): void {
  expect(file).toMatch(/\/test\/.+\.test\.ts$/);
  expect(hasLiteral(sourceOf(file), name), `no "${name}" in ${file}`).toBe(true);
}

describe('docs/bep-0003.md', () => {
  test('numbers its statements from 1 without gaps', () => {
    expect(rows.length).toBeGreaterThan(100);
    expect(rows.map(({ number }) => number)).toEqual(rows.map((_, index) => index + 1));
    // Nothing that looks like a row escapes the check.
    expect(page.split('\n').filter((line) => /^\| *\d/.test(line))).toHaveLength(rows.length);
  });

  test.each(rows)('statement $number has a test that exists, or a reason', ({ difference, citations }) => {
    expect(citations.length > 0 || (difference?.length ?? 0) > 20).toBe(true);
    for (const citation of citations) expectExists(citation);
  });

  test('cites every test that is named for a statement, at that statement', () => {
    const files = globSync('{packages,apps}/*/test/**/*.test.ts', { cwd: root });
    const named = files.flatMap((file) =>
      [...sourceOf(file).matchAll(/(['"`])((?:founding exchange, )?BEP 3\.\d.*?)\1,/g)].map(([, , name = '']) => ({
        file: file.replaceAll(path.sep, '/'),
        name,
      })),
    );
    expect(named.length).toBeGreaterThan(20);
    for (const citation of named) {
      for (const [, number] of citation.name.matchAll(/\b3\.(\d+)/g)) {
        expect(rows[Number(number) - 1]?.citations, `statement ${number}`).toContainEqual(citation);
      }
    }
  });

  test('is where the README sends who asks how we differ', () => {
    expect(readFileSync(path.join(root, 'README.md'), 'utf8')).toContain('docs/bep-0003.md');
  });
});

describe('docs/founding-exchange.md', () => {
  test('names tests that exist for every part of the exchange, and every test of it that has a file of its own', () => {
    const parts = foundingPage.split('\n').filter((line) => /^\| (?:\d|second run) \|/.test(line));
    expect(parts).toHaveLength(14);
    for (const part of parts) {
      const citations = citationsIn(part);
      expect(citations, part).not.toEqual([]);
      for (const citation of citations) expectExists(citation);
    }
    const files = globSync('{packages,apps}/*/test/**/{founding,capture}*.test.ts', { cwd: root });
    expect(files.length).toBeGreaterThan(5);
    for (const file of files) expect(foundingPage).toContain(file.replaceAll(path.sep, '/'));
  });
});

describe('to start downloading', () => {
  test('BEP 3.17: what is installed brings the commands that it says', () => {
    const commands = globSync('apps/*/package.json', { cwd: root }).flatMap((file) => {
      const manifest = JSON.parse(readFileSync(path.join(root, file), 'utf8')) as { bin?: Record<string, string> };
      return Object.entries(manifest.bin ?? {}).map(([name, main]) => ({
        name,
        main: path.join(path.dirname(file), main),
      }));
    });
    expect(commands.map(({ name }) => name)).toEqual(expect.arrayContaining(['shoal', 'shoal-tracker']));
    for (const { main } of commands) {
      expect(readFileSync(path.join(root, main), 'utf8')).toMatch(/^#!\/usr\/bin\/env node\n/);
    }
  });
});
