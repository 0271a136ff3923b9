// The rates that a person allows, kept between processes over real sockets; and what is not a limit at all.
import { describe, expect, test } from 'vitest';
import { shoal, start } from './command.ts';
import { randomFile, temporaryFolder } from './content.ts';
import { loopback, seeding } from './seeder.ts';

const length = 2_000_000;
const limit = ['--download-limit', '1000000'];

describe('a limit of 1 MB/s', () => {
  test.each<[string, string[], string[]]>([
    ['on all that is downloaded', [], limit],
    ['on all that is uploaded', ['--upload-limit', '1000000'], []],
    ['on what comes from each peer', [], ['--peer-download-limit', '1000000']],
    ['on what goes to each peer', ['--peer-upload-limit', '1000000'], []],
  ])('%s makes 2 MB take two seconds', async (_what, ofSeeder, ofDownloader) => {
    const content = await randomFile(length);
    const { peer } = await seeding(content, ...ofSeeder);
    const words = ['download', content.torrent, '-d', await temporaryFolder(), ...loopback, '--peer', peer, '--jsonl'];
    const run = start([...words, ...ofDownloader]);
    expect((await run.ended).code).toBe(0);
    const seconds = Number(run.last('completed')?.['seconds']);
    // What may come at once after a rest is let through at the begin.
    expect(seconds).toBeGreaterThan(1.5);
    expect(seconds).toBeLessThan(6);
  });

  test('is none with 0', async () => {
    const content = await randomFile(length);
    const { peer } = await seeding(content, '--upload-limit', '0');
    const words = ['download', content.torrent, '-d', await temporaryFolder(), ...loopback, '--peer', peer, '--jsonl'];
    const run = start([...words, '--download-limit', '0']);
    expect((await run.ended).code).toBe(0);
    expect(run.last('completed')?.['seconds']).toBeLessThan(1.5);
  });
});

describe('the budgets', () => {
  test('may be as small as can be, and it still completes', async () => {
    const content = await randomFile(length);
    const least = ['--memory', '1', '--open-files', '1', '--disk-operations', '1', '--hash-threads', '1'];
    const connections = ['--connections', '1', '--total-connections', '1'];
    const { peer } = await seeding(content, ...least, ...connections);
    const words = ['download', content.torrent, '-d', await temporaryFolder(), ...loopback, '--peer', peer];
    expect(await shoal([...words, ...least, ...connections])).toMatchObject({ code: 0 });
  });

  test.each<[string, string]>([
    ['--memory', 'lots'],
    ['--open-files', '0'],
    ['--hash-threads', '1000'],
    ['--upload-limit', '-5'],
    ['--preallocate', 'some'],
    ['--on-disk-error', 'panic'],
  ])('%s %s is a usage error', async (flag, value) => {
    expect(await shoal(['download', 'x.torrent', '-d', '.', `${flag}=${value}`])).toMatchObject({ code: 2 });
  });
});
