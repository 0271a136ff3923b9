import { describe, expect, test } from 'vitest';
import { infoHashesFor } from '../src/index.ts';
import { main } from '../src/command.ts';
import { httpTracker, ok } from './support.ts';

async function run(...argv: readonly string[]): Promise<{ code: number; out: string; error: string }> {
  let [out, error] = ['', ''];
  const code = await main(argv, { out: (text) => (out += text), error: (text) => (error += text) });
  return { code, out, error };
}

describe('the command', () => {
  test.each([
    [[], 'URL'],
    [['ftp://tracker.example'], 'http'],
    [['udp://tracker.example'], 'port'],
    [['no url'], 'URL'],
    [['http://127.0.0.1:1', '--only', '9-1'], '1,5-9'],
    [['http://127.0.0.1:1', '--only', 'x'], '1,5-9'],
    [['http://127.0.0.1:1', '--timeout', 'soon'], '--timeout'],
    [['http://127.0.0.1:1', '--unheard-of'], 'unheard-of'],
    [['--list-hashes', 'http://127.0.0.1:1'], '--seed'],
  ])('%j is a mistake of usage: exit code 2', async (argv, told) => {
    const { code, out, error } = await run(...argv);
    expect([code, out]).toEqual([2, '']);
    expect(error).toContain(told);
  });

  test('a case that fails makes the exit code 1, and the table says what was seen', async () => {
    await using tracker = await httpTracker(() => ok('d14:failure reason2:noe'));
    const { code, out } = await run('--only', '20,32', tracker.url);
    expect(code).toBe(1);
    expect(out).toMatch(/^ 20 {2}FAIL .*\n +refused: no\n 32 {2}n\/a /m);
    expect(out).toContain('0 pass, 1 fail, 0 differ, 1 not applicable\n');
  });

  test('differences and cases that do not apply leave the exit code 0; --json gives a line a URL', async () => {
    await using tracker = await httpTracker(() => ok('d8:completei0e10:incompletei1e8:intervali1800e5:peers0:e'));
    const { code, out } = await run('--json', '--only', '28,32,74-74', tracker.url, tracker.url);
    expect(code).toBe(0);
    const [first, second, rest] = out.split('\n');
    expect(JSON.parse(first!)).toMatchObject({
      url: tracker.url,
      summary: { pass: 1, fail: 0, differs: 1, 'not-applicable': 1 },
      results: [{ number: 28, outcome: 'pass' }, { number: 32 }, { number: 74, seen: 'not given' }],
    });
    expect([JSON.parse(second!).url, rest]).toEqual([tracker.url, '']);
  });

  test('a tracker that does not listen fails its cases, it does not end the run', async () => {
    const { url, [Symbol.asyncDispose]: close } = await httpTracker(() => undefined);
    await close();
    expect((await run('--only', '1,2', url)).code).toBe(1);
  });

  test('--list-hashes names every info-hash that a run with the seed announces to', async () => {
    const asked = new Set<string>();
    await using tracker = await httpTracker((head) => {
      const escaped = /announce\?info_hash=((?:%[0-9A-F]{2}|[\w.~-]){1,60})&/.exec(head)?.[1];
      if (escaped !== undefined) asked.add(escaped);
      return ok('d8:completei0e10:incompletei1e8:intervali1800e5:peers0:e');
    });
    await run('--only', '13-30,41-46', '--seed', 'a', tracker.url);
    const { code, out } = await run('--list-hashes', '--seed', 'a', tracker.url);
    const listed = new Set(out.trim().split('\n'));
    const hex = [...asked].map((text) =>
      Buffer.from(
        text.replace(/%(..)/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 16))),
        'latin1',
      ).toString('hex'),
    );
    expect(code).toBe(0);
    expect(hex.length).toBeGreaterThan(10);
    expect(hex.filter((each) => !listed.has(each))).toEqual([]);
    expect(listed.size).toBe(infoHashesFor('a/0').length);
  });

  test('--help says how it is used', async () => {
    expect((await run('--help')).out).toContain('--only LIST');
  });
});
