// The load as a process of its own, so that what it costs is not the tracker's.
// usage: load.ts KIND PORT SECONDS [PER-SECOND], KIND one of `loads`. Prints when it begins to measure, then the result.
import { loadHttp } from './load-http.ts';
import { type Mix, loadUdp } from './load-udp.ts';
import { Population } from './population.ts';
import { Tally } from './tally.ts';

/** Not counted: code is compiled and swarms fill, until either is reached. */
const warmUpMs = 3000;
const warmUpAnswers = 150_000;

/** Both mixes that trackers meet: of a load test (aquatic) and of a year in production (torrust's demo). */
const mixes: Readonly<Record<string, Mix>> = { 'udp-even': [50, 50, 1], 'udp-field': [2.1, 1, 0.04] };

const [kind = '', port, seconds, perSecond] = process.argv.slice(2);
const tally = new Tally();
const population = new Population();
const mix = mixes[kind];
if (mix !== undefined) await loadUdp(Number(port), mix, Number(perSecond ?? 0), population, tally);
else loadHttp(Number(port), kind === 'keep-alive', population, tally);

const startedAt = performance.now();
const warmUp = setInterval(() => {
  const now = performance.now();
  if (now < startedAt + warmUpMs && tally.seen < warmUpAnswers) return;
  clearInterval(warmUp);
  console.log(JSON.stringify({ event: 'measuring' }));
  tally.start(now);
  setTimeout(
    () => {
      process.stdout.write(`${JSON.stringify(tally.result(performance.now()))}\n`, () => process.exit(0));
    },
    Number(seconds) * 1000,
  );
}, 10);
