// Every example runs as its first lines say, and prints what it is there to show.
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { expect, onTestFinished, test } from 'vitest';

const examples = path.join(import.meta.dirname, '..');

async function run(name: string, ...args: string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(process.execPath, [path.join(examples, name), ...args], {
    timeout: 25_000,
  });
  return stdout;
}

test('01 and 02 make a torrent of the examples and read it back', async () => {
  const folder = await mkdtemp(path.join(tmpdir(), 'shoal-examples-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const torrent = path.join(folder, 'examples.torrent');
  const magnet = await run(
    '02-create-a-torrent.ts',
    path.join(examples, 'test'),
    torrent,
    'http://127.0.0.1:6969/announce',
  );
  expect(magnet).toMatch(/^magnet:\?xt=urn:btih:[0-9a-f]{40}&dn=test&tr=http/);
  const shown = await run('01-decode-a-torrent.ts', torrent);
  expect(shown).toContain('test/examples.test.ts');
  expect(shown).toContain(magnet.slice(20, 60));
});

test('03 carries a handshake, a bitfield and a request between two connections', async () => {
  const said = await run('03-speak-the-wire.ts');
  expect(said).toContain('the leecher hears unchoke');
  expect(said).toContain('the seeder hears request');
});

test('04 asks a tracker over HTTP and UDP', async () => {
  const said = await run('04-ask-a-tracker.ts');
  expect(said.match(/ask again in \d+ s/g)).toHaveLength(2);
  expect(said).toContain('"incomplete":1');
});

test('05 answers an announce with the other peer', async () => {
  expect(await run('05-embed-a-tracker.ts')).toContain("ip: '192.0.2.1'");
});

test('06 moves a file between two sessions', async () => {
  expect(await run('06-download.ts')).toContain('1300000 bytes, 1300000 of them downloaded');
});

test('07 gives the same run for the same seed, and another for another', async () => {
  const [first, again, other] = [
    await run('07-simulate-a-swarm.ts', '5'),
    await run('07-simulate-a-swarm.ts', '5'),
    await run('07-simulate-a-swarm.ts', '6'),
  ];
  expect(first).toMatch(/trace [0-9a-f]{16}/);
  expect(again).toBe(first);
  expect(other).not.toBe(first);
});
