// The long crash test, by hand: `node apps/client/test/crash-run.ts --kills 100 [--seed 1] [--rate 100MiB]`. A line for each download,
// then what all the kills cost. Ends with 1 when content is wrong, a client fails, or a kill costs more than it may.
import { parseArgs } from 'node:util';
import { crashSeries } from './crash/series.ts';

/** What a kill may cost, by the acceptance of the engine. */
const allowedBytes = 32 * 1_048_576;

const text = { type: 'string' } as const;
const { values } = parseArgs({ options: { kills: text, seed: text, rate: text } });
const seed = Number(values.seed ?? Date.now() % 1_000_000);
const mebibytes = (bytes: number): string => `${(bytes / 1_048_576).toFixed(1)} MiB`;
const startedAt = performance.now();

console.log(`seed ${seed}`);
const series = await crashSeries({
  kills: Number(values.kills ?? 100),
  killsPerRun: 5,
  bytes: 256 * 1_048_576,
  files: 211,
  seed,
  rate: values.rate ?? '100MiB',
  onRun: (what, { kills, seconds, againBytes, mostPerKill, mostVerifiedLost }) => {
    const cost = `sent again ${mebibytes(againBytes)}, at most ${mebibytes(mostPerKill)} for a kill`;
    const lost = `verified and not trusted at most ${mebibytes(mostVerifiedLost)}`;
    console.log(`${what}: ${seconds.toFixed(1)} s, ${kills.length} kills (${kills.join(', ')}); ${cost}; ${lost}`);
  },
});
const minutes = ((performance.now() - startedAt) / 60_000).toFixed(1);
console.log(`${series.kills} kills in ${series.runs} downloads, ${minutes} min: all complete and equal by SHA-256`);
console.log(
  `sent again ${mebibytes(series.againBytes)}, ${mebibytes(series.againBytes / series.kills)} a kill; ` +
    `at most ${mebibytes(series.mostPerKill)} for one (allowed ${mebibytes(allowedBytes)}); ` +
    `verified and not trusted at most ${mebibytes(series.mostVerifiedLost)}`,
);
if (series.mostPerKill > allowedBytes || series.againBytes > series.kills * allowedBytes) process.exitCode = 1;
