// Runs the cells, several at a time, and tells the result of each as soon as it is known.
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import type { Cell } from './cells.ts';
import { writeOriginals } from './contents.ts';
import { Scene, type SceneOptions } from './scene.ts';

export interface Outcome {
  readonly cell: string;
  readonly result: 'passed' | 'failed' | 'skipped';
  readonly seconds: number;
  /** Why it did not pass. */
  readonly reason?: string;
  /** The last lines of each program of a cell that failed. */
  readonly logs?: readonly { readonly program: string; readonly lines: readonly string[] }[];
}

/** Most cells wait for timers of others most of the time, so more than there are processors; 4 keeps two from starving. */
const cellsAtOnce: number = Math.min(4, Math.max(2, availableParallelism() + 1));

/** Runs all in scratch folders below `directory`, at most `cellsAtOnce` at a time; each calls `tell` once. */
export async function runCells(
  cells: readonly Cell[],
  directory: string,
  tell: (outcome: Outcome) => void,
): Promise<void> {
  const originals = join(directory, 'originals');
  await writeOriginals(originals);
  const waiting = cells.entries();
  const worker = async (): Promise<void> => {
    for (const [net, cell] of waiting)
      tell(await runCell(cell, { directory: join(directory, `cell ${net}`), originals, net }));
  };
  await Promise.all(Array.from({ length: cellsAtOnce }, worker));
}

async function runCell(cell: Cell, place: Omit<SceneOptions, 'limit'>): Promise<Outcome> {
  const missing = cell.requirements.filter((requirement) => !requirement.isMet());
  if (missing.length > 0) {
    const reason = missing.map(({ name, remedy }) => `needs ${name} (${remedy})`).join(', ');
    return { cell: cell.name, result: 'skipped', seconds: 0, reason };
  }
  const started = performance.now();
  const seconds = (): number => (performance.now() - started) / 1000;
  const limit = AbortSignal.timeout(cell.timeLimitMs);
  await using scene = await Scene.open({ ...place, limit });
  try {
    await Promise.race([cell.run(scene), aborted(limit, `not done after ${cell.timeLimitMs / 1000} s`)]);
    await scene.removeFiles();
    return { cell: cell.name, result: 'passed', seconds: seconds() };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    const logs = scene.programs.map((program) => ({ program: program.name, lines: [...program.lastLines] }));
    return { cell: cell.name, result: 'failed', seconds: seconds(), reason, logs };
  }
}

function aborted(signal: AbortSignal, message: string): Promise<never> {
  const { promise, reject } = Promise.withResolvers<never>();
  signal.addEventListener('abort', () => reject(new Error(message)), { once: true });
  return promise;
}
