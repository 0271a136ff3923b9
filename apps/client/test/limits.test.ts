// The rates that a person allows, kept between processes over real sockets; and what is not a limit at all.
import { describe, expect, test } from 'vitest';
import { shoal, start } from './command.ts';
import { randomFile, temporaryFolder } from './content.ts';
import { loopback, seeding } from './seeder.ts';

const length = 2_000_000;

describe('a limit of 1 MB/s', () => {
  test('makes 2 MB take two seconds: on all, or on each peer, of what comes or of what goes', async () => {
    const limit = (flag: string): string[] => [flag, '1000000'];
    const cases = [
      { ofSeeder: [], ofDownloader: limit('--download-limit') },
      { ofSeeder: limit('--upload-limit'), ofDownloader: [] },
      { ofSeeder: [], ofDownloader: limit('--peer-download-limit') },
      { ofSeeder: limit('--peer-upload-limit'), ofDownloader: [] },
    ];
    const content = await randomFile(length);
    const seconds = await Promise.all(
      cases.map(async ({ ofSeeder, ofDownloader }) => {
        const { peer } = await seeding(content, ...ofSeeder);
        const words = ['download', content.torrent, '-d', await temporaryFolder(), ...loopback, '--peer', peer];
        const run = start([...words, '--jsonl', ...ofDownloader]);
        expect((await run.ended).code).toBe(0);
        return Number(run.last('completed')?.['seconds']);
      }),
    );
    for (const [i, taken] of seconds.entries()) {
      // What may come at once after a rest is let through at the begin.
      expect(taken, JSON.stringify(cases[i])).toBeGreaterThan(1.5);
      expect(taken, JSON.stringify(cases[i])).toBeLessThan(6);
    }
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
