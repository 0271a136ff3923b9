// The load as a process of its own, so that what it costs is not the tracker's.
// usage: load.ts udp|keep-alive|connection-each PORT SECONDS. Prints when it begins to measure, then the result.
import { loadHttp } from './load-http.ts';
import { loadUdp } from './load-udp.ts';
import { Tally } from './tally.ts';

/** Not counted: code is compiled and swarms fill. So many answers too, because a busy machine gives few in a second. */
const warmUpMs = 1000;
const warmUpAnswers = 20_000;

const [kind, port, seconds] = process.argv.slice(2);
const tally = new Tally();
if (kind === 'udp') await loadUdp(Number(port), tally);
else loadHttp(Number(port), kind === 'keep-alive', tally);

const startedAt = performance.now();
const warmUp = setInterval(() => {
  const now = performance.now();
  if (now < startedAt + warmUpMs || tally.seen < warmUpAnswers) return;
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
