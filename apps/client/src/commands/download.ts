// `shoal download`: gets torrents and ends when all are complete, unless told to go on seeding.
import type { SeedLimits } from '../arguments.ts';
import type { CommandError, ExitName } from '../exit-codes.ts';
import { commandErrorOf } from '../failures.ts';
import { runHook } from '../hook.ts';
import type { Output } from '../output.ts';
import { counted, formatBytes } from '../render/text.ts';
import { ratioOf } from '../render/transfer-lines.ts';
import type { Transferring } from '../transfer-facts.ts';
import { runTransfer, type Outcome, type TransferRequest } from '../transfer-run.ts';

export interface DownloadRequest extends TransferRequest {
  /** Seed for ever after completion. */
  readonly seed: boolean;
  readonly seedUntil: SeedLimits | undefined;
  readonly onDone: string | undefined;
}

/** The ratio is looked at this often. */
const ratioIntervalMs = 250;

export async function download(
  sources: readonly string[],
  request: DownloadRequest,
  output: Output,
): Promise<ExitName> {
  const failures: CommandError[] = [];
  const outcome = await runTransfer(sources, request, output, async (transfer, torrents, { signal }) => {
    // One torrent that fails is no reason to give the others up.
    const failed = (error: unknown): void => {
      if (signal.aborted) return;
      const known = commandErrorOf(error);
      if (known === undefined) throw error;
      failures.push(known);
      output.fail(known.exit, known.message);
    };
    const jobs: Promise<void>[] = [];
    for (const metainfo of torrents) {
      const torrent = await transfer.add(metainfo, signal).catch(failed);
      if (torrent === undefined) continue;
      const job = finish(torrent, request, output, signal).catch(async (error: unknown) => {
        failed(error);
        await transfer.stop(torrent);
      });
      jobs.push(job);
    }
    await Promise.all(jobs);
  });
  return conclude(outcome, sources.length, failures, output);
}

/** One torrent from its check to the end of its seeding. */
async function finish(
  torrent: Transferring,
  request: DownloadRequest,
  output: Output,
  signal: AbortSignal,
): Promise<void> {
  const { handle } = torrent;
  const { leftBytes, totalBytes, checkingPieces } = handle.snapshot();
  if (leftBytes === 0) {
    output.event('completed', { infoHash: handle.infoHash, seconds: 0 });
    output.info(`${handle.name}: complete already`);
  } else if (checkingPieces > 0)
    output.info(`${handle.name}: checking ${counted(checkingPieces, 'piece')} that may be here`);
  else output.info(`${handle.name}: downloading ${formatBytes(leftBytes)} of ${formatBytes(totalBytes)}`);
  await Promise.race([handle.completed, torrent.trouble.promise]);
  if (request.onDone !== undefined) await runHook(request.onDone, torrent, request.directory, output, signal);
  const { seed, seedUntil } = request;
  if (signal.aborted || (!seed && seedUntil === undefined)) return;
  output.info(`${handle.name}: seeding`);
  // The disk may fail while nothing is asked for but seeding.
  await Promise.race([torrent.trouble.promise, seedUntil === undefined ? never : seeded(torrent, seedUntil, signal)]);
}

const never: Promise<void> = new Promise<void>(() => {});

/** Resolves when the first of the limits is reached. */
async function seeded({ handle }: Transferring, limits: SeedLimits, signal: AbortSignal): Promise<void> {
  const since = performance.now();
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setInterval(() => {
    if (limits.ratio !== undefined && ratioOf(handle.snapshot()) >= limits.ratio) resolve();
    if (limits.seconds !== undefined && performance.now() - since >= limits.seconds * 1000) resolve();
  }, ratioIntervalMs);
  signal.addEventListener('abort', () => resolve(), { once: true });
  await promise.finally(() => clearInterval(timer));
}

function conclude(
  { results, by }: Outcome,
  wanted: number,
  failures: readonly CommandError[],
  output: Output,
): ExitName {
  const unfinished = wanted - results.filter((result) => result.complete).length;
  const ok = unfinished === 0 && failures.length === 0;
  const [failure] = failures;
  const state =
    unfinished === 0
      ? 'every torrent is complete'
      : `${unfinished} of ${counted(wanted, 'torrent')} not complete; the same command continues`;
  const exit: ExitName =
    by === 'interrupted' || by === 'terminated' ? by : (failure?.exit ?? (ok ? 'ok' : 'unfinished'));
  const message = failure !== undefined && failure.exit === exit ? failure.message : state;
  // A failure of one torrent has been told when it happened.
  if (exit !== 'ok' && exit !== failure?.exit) output.fail(exit, state);
  output.result({ ok, ...(ok ? {} : { error: { code: exit, message } }), torrents: results });
  return exit;
}
