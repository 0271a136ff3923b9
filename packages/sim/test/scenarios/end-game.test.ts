import { describe, expect, test } from 'vitest';
import { Simulation, stalling } from '../../src/index.ts';
import { expectDone, expectThat, reportOf } from '../swarm.ts';

const pieceCount = 200;

interface Run {
  /** From the first byte of a piece to its check, over all pieces, in ms. */
  readonly meanPieceMs: number;
  /** How long the last hundredth of the pieces took, in ms. */
  readonly lastMs: number;
  readonly totalMs: number;
}

/** One leecher of four seeds, of which one or more send nothing any more after `honestBlocks`. */
function runOf(seed: number, honestBlocks: number, stallers = 1): Run {
  const started = new Map<number, number>();
  const verified: number[] = [];
  let sum = 0;
  const simulation = new Simulation({
    seed,
    torrent: { pieceCount, pieceLength: 65_536 },
    trace: (line) => {
      const [timeUs, who, , what, ...rest] = line.split(' ');
      const timeMs = Number(timeUs) / 1000;
      if (who !== 'leecher') return;
      if (what === 'store' && !started.has(Number(rest[0]))) started.set(Number(rest[0]), timeMs);
      if (what !== 'report' || rest[0] !== 'piece-verified') return;
      verified.push(timeMs);
      sum += timeMs - started.get(Number(rest[1]))!;
    },
  });
  simulation.addTracker();
  for (let index = 0; index < 4; index++)
    simulation.addPeer({ have: 'all', ...(index < 4 - stallers ? {} : { behaviour: stalling(honestBlocks) }) });
  const leecher = simulation.addPeer({ name: 'leecher', startMs: 200 });
  const report = simulation.runUntil(() => leecher.complete, 10 * 60_000);
  expectDone(report);
  const { wastedBytes } = reportOf(report, 'leecher');
  expectThat(wastedBytes < report.totalBytes * 0.02, `${wastedBytes} bytes were fetched twice`, report);
  const lastMs = verified.at(-1)! - verified.at(-1 - pieceCount / 100)!;
  return { meanPieceMs: sum / pieceCount, lastMs, totalMs: report.timeMs };
}

const honestRuns = new Map<number, Run>();

function honestRunOf(seed: number): Run {
  const run = honestRuns.get(seed) ?? runOf(seed, Infinity);
  honestRuns.set(seed, run);
  return run;
}

describe('the end of a download from four seeds, one of which stalls', () => {
  test.for([10, 40, 70, 100, 130, 160].flatMap((honestBlocks) => [1, 2, 3, 4].map((seed) => ({ honestBlocks, seed }))))(
    'after $honestBlocks blocks: the last hundredth takes no longer than 1.2 pieces do when nobody stalls (seed $seed)',
    ({ honestBlocks, seed }) => {
      const { meanPieceMs } = honestRunOf(seed);
      expect(runOf(seed, honestBlocks).lastMs).toBeLessThanOrEqual(1.2 * meanPieceMs);
    },
  );

  test.for([1, 2, 3])('at the very end waits for no time-out: it costs less than three seconds (seed %i)', (seed) => {
    const honest = honestRunOf(seed);
    const stalled = runOf(seed, 170);
    expect(stalled.totalMs - honest.totalMs).toBeLessThan(3000);
  });

  test.for([1, 2, 3])(
    'or two of them: it costs what their share takes the others, and no time-out (seed %i)',
    (seed) => {
      const honest = honestRunOf(seed);
      const stalled = runOf(seed, 150, 2);
      expect(stalled.totalMs - honest.totalMs).toBeLessThan(8000);
    },
  );
});
