// `npm run fuzz -- [TARGET] [OPTIONS]`: makes up inputs, feeds them to the code of the tracker and judges every answer.
// Ends with status 1 and a file to replay at the first answer that is wrong. README.md says what is judged.
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { type Failure, type Progress, campaign, replay } from './campaign.ts';
import { readFailure, spelled, writeFailure } from './failure-file.ts';
import { HeapWatch } from './heap.ts';
import type { Target } from './target.ts';
import { targets } from './targets.ts';

const usage = `usage: npm run fuzz -- [${targets.map(({ target }) => target.name).join('|')}|all] [--inputs N | --minutes M] [--seed S]
       npm run fuzz -- --replay FILE
  --inputs N   inputs over all targets that run; default 1,000,000
  --minutes M  until so many minutes have passed, instead
  --seed S     a whole number; without it one is drawn and printed`;

/** Progress is told so often. */
const progressMs = 10_000;

/** Inputs of a failure that are printed; the file has them all. */
const shownInputs = 10;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    inputs: { type: 'string' },
    minutes: { type: 'string' },
    seed: { type: 'string' },
    replay: { type: 'string' },
  },
});
const [what = 'all'] = positionals;
const chosen = targets.filter(({ target }) => what === 'all' || target.name === what);
const totalShare = chosen.reduce((total, { share }) => total + share, 0);

if (values.replay === undefined) process.exitCode = (await run()) ? 0 : 1;
else process.exitCode = (await runAgain(values.replay)) ? 0 : 1;

async function run(): Promise<boolean> {
  if (chosen.length === 0) fail();
  const [inputs, minutes] = [number(values.inputs), number(values.minutes)];
  const seed = values.seed === undefined ? Math.floor(Math.random() * 0x7fff_ffff) : Number(values.seed);
  if (!Number.isSafeInteger(seed) || (inputs !== undefined && minutes !== undefined)) fail();
  console.log(`seed ${seed}`);
  const allEndAt = performance.now() + (minutes ?? 0) * 60_000;
  let shareLeft = totalShare;
  for (const { target, share } of chosen) {
    // Of the time that is left: an episode that took longer takes it from those that follow.
    const now = performance.now();
    const endsAt = now + ((allEndAt - now) * share) / shareLeft;
    const most = ((inputs ?? 1_000_000) * share) / totalShare;
    shareLeft -= share;
    const enough = (done: number): boolean =>
      minutes === undefined ? done >= most : done > 0 && performance.now() >= endsAt;
    if (!(await runTarget(target, seed, enough))) return false;
  }
  return true;
}

async function runTarget(
  target: Target<unknown, unknown>,
  seed: number,
  enough: (inputs: number) => boolean,
): Promise<boolean> {
  const missing = target.missing?.();
  if (missing !== undefined) {
    console.log(`${target.name}: SKIPPED, for there is no ${missing}`);
    return true;
  }
  const startedAt = performance.now();
  const heap = new HeapWatch();
  let toldAt = startedAt;
  const onProgress = (progress: Progress): void => {
    heap.look(progress.episodes);
    if (performance.now() < toldAt + progressMs) return;
    toldAt = performance.now();
    console.log(`${target.name}: ${progress.inputs.toLocaleString('en')} inputs`);
  };
  const result = await campaign(target, { seed, enough, onProgress });
  const seconds = (performance.now() - startedAt) / 1000;
  console.log(
    `${target.name}: ${result.inputs.toLocaleString('en')} inputs in ${result.episodes} episodes, ${seconds.toFixed(0)} s, ` +
      `heap ${(heap.growth / 1024 / 1024).toFixed(1)} MiB more after warming up`,
  );
  const kinds = Object.entries(result.seen).toSorted(([, one], [, other]) => other - one);
  for (const [kind, count] of kinds) console.log(`  ${count.toLocaleString('en').padStart(12)}  ${kind}`);
  if (result.failure !== undefined) {
    show(result.failure);
    return false;
  }
  if (!heap.isFlat) console.error(`${target.name}: the heap grows`);
  return heap.isFlat;
}

function show(failure: Failure<unknown, unknown>): void {
  const { target, seed, episode, inputs, reason } = failure;
  const file = path.join(os.tmpdir(), `shoal-fuzz-${target}-${seed}-${episode}.jsonl`);
  writeFailure(file, failure);
  const left = inputs.length > shownInputs ? `, of which the last ${shownInputs}` : '';
  console.error(`\n${target}: WRONG, seed ${seed}, episode ${episode}: ${reason}\n`);
  console.error(`${inputs.length} inputs are enough${left}:`);
  for (const input of inputs.slice(-shownInputs)) console.error(`  ${spelled(input)}`);
  console.error(`\nagain: npm run fuzz -- --replay ${file}`);
}

async function runAgain(file: string): Promise<boolean> {
  const failure = readFailure(file);
  const entry = targets.find(({ target }) => target.name === failure.target);
  if (entry === undefined) return fail();
  const reason = await replay(entry.target, failure.settings, failure.inputs);
  console.log(reason === undefined ? 'nothing is wrong any more' : `still wrong: ${reason}`);
  return reason === undefined;
}

function number(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const value = Number(text);
  return value > 0 ? value : fail();
}

function fail(): never {
  console.error(usage);
  process.exit(2);
}
