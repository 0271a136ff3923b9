// A client that is killed without warning, again and again. The long test is crash-run.ts.
import { expect, test } from 'vitest';
import { crashSeries } from './crash/series.ts';

const mebibyte = 1_048_576;

test('a downloader killed six times ends complete and correct, and no kill costs more than 32 MiB', async () => {
  const seed = Date.now() % 1_000_000;
  const runs: string[] = [];
  const series = await crashSeries({
    kills: 6,
    killsPerRun: 3,
    bytes: 64 * mebibyte,
    files: 200,
    seed,
    // A busy machine that notes nothing for a second must not lose more than is allowed.
    rate: '30MiB',
    onRun: (what, { kills }) => runs.push(`${what}: ${kills.join(', ')}`),
  }).catch((error: unknown) => {
    throw new Error(`with seed ${seed}`, { cause: error });
  });
  expect(series.kills, `seed ${seed}: ${runs.join('; ')}`).toBeGreaterThanOrEqual(6);
  expect(series.mostPerKill, `seed ${seed}: ${runs.join('; ')}`).toBeLessThanOrEqual(32 * mebibyte);
  expect(series.againBytes).toBeLessThanOrEqual(series.kills * 32 * mebibyte);
}, 120_000);
