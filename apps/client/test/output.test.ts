// What is printed where: for people on a terminal, in logs, for programs; and every failure by its name.
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { exitCodes, exitMeanings } from '../src/exit-codes.ts';
import { jsonOf, shoal } from './command.ts';
import { randomFile } from './content.ts';

const main = fileURLToPath(new URL('../src/main.ts', import.meta.url));
const run = promisify(execFile);

interface Failed {
  readonly ok: boolean;
  readonly error: { readonly code: string; readonly message: string };
}

describe('help', () => {
  test('lists the commands and every exit code by name and number, on standard output', async () => {
    const { code, stdout, stderr } = await shoal(['--help']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    for (const [name, number] of Object.entries(exitCodes))
      expect(stdout).toMatch(new RegExp(`^ +${number}  ${name} `, 'm'));
    for (const name of ['create', 'show', 'verify', 'download', 'seed']) expect(stdout).toContain(`  ${name} `);
    expect((await shoal(['--version'])).stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
  });

  test.each(['create', 'show', 'verify', 'download', 'seed'])('of %s has an example', async (command) => {
    const { code, stdout } = await shoal([command, '--help']);
    expect(code).toBe(0);
    expect(stdout).toMatch(new RegExp(`Examples?:\n  shoal ${command} `));
  });
});

test('the README lists the same exit codes with the same meanings', async () => {
  const readme = await readFile(new URL('../README.md', import.meta.url), 'utf8');
  for (const [name, meaning] of exitMeanings)
    if (exitCodes[name] < 128) expect(readme).toContain(`| ${exitCodes[name]} | ${name} | ${meaning} |`);
});

describe('a mistake on the command line', () => {
  test.each<[string, string[], RegExp]>([
    ['no command', [], /^Usage: shoal/],
    ['an unknown command', ['fetch'], /^shoal: usage: unknown command 'fetch'/],
    [
      'an unknown option',
      ['show', 'x', '--fast'],
      /^shoal: usage: unknown option '--fast'; shoal show --help shows how\n$/,
    ],
    ['a missing argument', ['verify', 'x'], /^shoal: usage: missing required argument 'path'/],
    ['a missing option', ['download', 'x'], /^shoal: usage: required option '-d, --directory <dir>' not specified/],
    ['a surplus argument', ['show', 'x', 'y'], /^shoal: usage: too many arguments/],
    [
      'a port too high',
      ['seed', 'x', '-d', '.', '--port', '65536'],
      /^shoal: usage: option '--port <number>' argument '65536' is invalid\. A port is/,
    ],
    ['a peer without port', ['seed', 'x', '-d', '.', '--peer', 'host'], /A peer is HOST:PORT/],
    [
      'a tracker that is no URL',
      ['seed', 'x', '-d', '.', '--tracker', 'example.org:80'],
      /A tracker is a URL that begins with http/,
    ],
    ['limits that are none', ['download', 'x', '-d', '.', '--seed-until', 'done'], /Limits look like ratio=1\.5/],
    [
      'options that exclude each other',
      ['download', 'x', '-d', '.', '--seed', '--seed-until', 'ratio=1'],
      /cannot be used with option '--seed-until/,
    ],
    ['two kinds of JSON', ['show', 'x', '--json', '--jsonl'], /cannot be used with option '--jsonl'/],
    ['JSON and a torrent on one stream', ['create', 'x', '-o', '-', '--json'], /both want standard output/],
  ])('%s ends with 2 and says how it is done', async (_what, words, message) => {
    const ended = await shoal(words);
    expect(ended).toMatchObject({ code: 2, stderr: expect.stringMatching(message) as string });
    if (!words.includes('--json')) expect(ended.stdout).toBe('');
  });

  test('is JSON for who asked for JSON', async () => {
    expect(jsonOf<Failed>(await shoal(['show', '--json']))).toEqual({
      ok: false,
      error: { code: 'usage', message: "missing required argument 'source'; shoal show --help shows how" },
    });
  });
});

describe('without a terminal', () => {
  test('there are no control codes, no bar, and what programs read is on standard output alone', async () => {
    const content = await randomFile(1_000_000);
    for (const words of [
      ['verify', content.torrent, content.folder],
      [
        'download',
        content.torrent,
        '-d',
        content.folder,
        '--port',
        '0',
        '--bind',
        '127.0.0.1',
        '--peer',
        '127.0.0.1:1',
      ],
    ]) {
      const plain = await shoal(words);
      expect(plain.code).toBe(0);
      for (const trace of ['\u001b', '█']) expect(plain.stdout + plain.stderr).not.toContain(trace);
      const quiet = await shoal([...words, '--quiet']);
      expect(quiet).toMatchObject({ code: 0, stderr: '', stdout: plain.stdout });
      const json = await shoal([...words, '--json', '--quiet']);
      expect(json.stderr).toBe('');
      expect(jsonOf<Failed>(json).ok).toBe(true);
    }
  });

  test('-v tells of announces and peers', async () => {
    const content = await randomFile(1000);
    const words = ['download', content.torrent, '-d', content.folder, '--port', '0', '--bind', '127.0.0.1'];
    const { stderr } = await shoal([...words, '--tracker', 'http://127.0.0.1:1/announce', '-v']);
    expect(stderr).toMatch(/^listening on port \d+$/m);
    expect(stderr).toMatch(/^content\.bin: complete already$/m);
  });
});

// The terminal of bsdutils; elsewhere `script` has other options.
const scriptPath = '/usr/bin/script';

describe.skipIf(!existsSync(scriptPath) || process.platform !== 'linux')('on a terminal', () => {
  /** All that the command wrote to a terminal of 60 columns. */
  async function onTerminal(words: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<string> {
    const { CI: _ci, NO_COLOR: _noColor, FORCE_COLOR: _forceColor, ...rest } = process.env;
    const quoted = [process.execPath, main, ...words].map((word) => `'${word}'`).join(' ');
    const { stdout } = await run(scriptPath, ['-qec', `stty columns 60 rows 20; ${quoted}`, '/dev/null'], {
      env: { ...rest, TERM: 'xterm-256color', ...env },
      timeout: 20_000,
    });
    return stdout;
  }

  test('a bar is drawn and redrawn, in colour', async () => {
    const content = await randomFile(4_000_000);
    const shown = await onTerminal(['verify', content.torrent, content.folder]);
    expect(shown).toContain('checking content.bin');
    expect(shown).toMatch(/█+░*.*%/);
    expect(shown).toContain('\u001b[36m');
    expect(shown).toContain('all 62 pieces and 1 files are right');
  });

  test('NO_COLOR takes the colours, TERM=dumb, CI and --no-progress the bar', async () => {
    const content = await randomFile(4_000_000);
    const words = ['verify', content.torrent, content.folder];
    // Colours and styles are sequences that end in m; those that move the cursor do not.
    // oxlint-disable-next-line no-control-regex -- control characters are what this is about
    expect(await onTerminal(words, { NO_COLOR: '1' })).not.toMatch(/\u001b\[[1-9][0-9;]*m/);
    for (const env of [{ TERM: 'dumb' }, { CI: 'true' }]) expect(await onTerminal(words, env)).not.toContain('█');
    expect(await onTerminal([...words, '--no-progress'])).not.toContain('█');
    expect(await onTerminal([...words, '--quiet'])).not.toContain('█');
  });

  test('a torrent file is not written to it', async () => {
    const content = await randomFile(1000);
    const words = ['create', path.join(content.folder, content.name), '-o', '-'];
    await expect(onTerminal(words)).rejects.toMatchObject({
      code: 2,
      stdout: expect.stringContaining('which a terminal cannot show: redirect it') as string,
    });
  });

  test('a table has aligned columns and sizes with units', async () => {
    const content = await randomFile(1_500_000);
    const shown = await onTerminal(['show', content.torrent]);
    expect(shown).toContain('size       1.43 MiB\r\n');
    expect(shown).toMatch(/^file 1 {5}content\.bin {2}1\.43 MiB\r$/m);
  });
});
