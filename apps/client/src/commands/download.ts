// `shoal download`: gets torrents and ends when all are complete, unless told to go on seeding.
import type { Metainfo } from '@shoal/metainfo';
import type { FilePriority } from '@shoal/session';
import type { Preallocation } from '@shoal/storage';
import type { SeedLimits } from '../arguments.ts';
import { pipeFile } from '../content-pipe.ts';
import type { CommandError, ExitName } from '../exit-codes.ts';
import { fileCalled, prioritiesOf, type FileChoice } from '../file-choice.ts';
import { commandErrorOf } from '../failures.ts';
import { runHook } from '../hook.ts';
import type { Output } from '../output.ts';
import { counted, formatBytes } from '../render/text.ts';
import { ratioOf } from '../render/transfer-lines.ts';
import { temporaryFolder } from '../temporary-folder.ts';
import type { Transferring } from '../transfer-facts.ts';
import type { TorrentOptions } from '../transfer.ts';
import { runTransfer, type Outcome, type TransferRequest } from '../transfer-run.ts';

export interface DownloadRequest extends TransferRequest {
  /** Seed for ever after completion. */
  readonly seed: boolean;
  readonly seedUntil: SeedLimits | undefined;
  readonly onDone: string | undefined;
  readonly choice: FileChoice;
  readonly sequential: boolean;
  readonly finishFilesFirst: boolean;
  readonly preallocation: Preallocation;
  /** A file of the one torrent goes to standard output; undefined: the only one. */
  readonly piped: { readonly file: string | undefined } | undefined;
  /** Nobody named a folder: the content goes with the process. */
  readonly isTemporary: boolean;
}

/** The ratio is looked at this often. */
const ratioIntervalMs = 250;

export async function download(
  sources: readonly string[],
  request: DownloadRequest,
  output: Output,
): Promise<ExitName> {
  if (!request.isTemporary) return downloadTo(request, sources, output);
  await using folder = await temporaryFolder();
  return await downloadTo({ ...request, directory: folder.path }, sources, output);
}

async function downloadTo(request: DownloadRequest, sources: readonly string[], output: Output): Promise<ExitName> {
  const failures: CommandError[] = [];
  const outcome = await runTransfer(sources, request, output, async (torrents, open, { signal }) => {
    const plans = plansFor(torrents, request);
    const transfer = await open();
    // One torrent that fails is no reason to give the others up.
    const failed = (error: unknown): void => {
      if (signal.aborted) return;
      const known = commandErrorOf(error);
      if (known === undefined) throw error;
      failures.push(known);
      output.fail(known.exit, known.message);
    };
    const jobs: Promise<void>[] = [];
    for (const { metainfo, options, file } of plans) {
      const torrent = await transfer.add(metainfo, signal, options).catch(failed);
      if (torrent === undefined) continue;
      const work = [finish(torrent, request, output, signal)];
      if (file !== undefined) work.push(pipeFile(torrent.handle, file, signal));
      const job = Promise.all(work).catch(async (error: unknown) => {
        failed(error);
        await transfer.stop(torrent);
      });
      jobs.push(job.then(() => {}));
    }
    await Promise.all(jobs);
  });
  // Who closes the pipe has got what was wanted.
  if (request.piped !== undefined && outcome.by === 'unread') return 'ok';
  return conclude(outcome, sources.length, failures, output);
}

interface Plan {
  readonly metainfo: Metainfo;
  readonly options: TorrentOptions;
  /** Goes to standard output. */
  readonly file: number | undefined;
}

/** @throws CommandError `usage` when files are asked for that are not there. */
function plansFor(torrents: readonly Metainfo[], request: DownloadRequest): Plan[] {
  const { piped, choice, sequential, finishFilesFirst, preallocation } = request;
  const chosen = prioritiesOf(torrents, choice);
  return torrents.map((metainfo, i) => {
    const file = piped === undefined ? undefined : fileCalled(metainfo, piped.file);
    const filePriorities = file === undefined ? chosen[i] : withFile(metainfo, file, chosen[i]);
    return {
      metainfo,
      file,
      options: {
        // What is read in order is best fetched in order.
        sequential: sequential || file !== undefined,
        finishFilesFirst,
        preallocation,
        ...(filePriorities === undefined ? {} : { filePriorities }),
      },
    };
  });
}

/** The file and what was chosen beside it; nothing else when nothing was. */
function withFile(metainfo: Metainfo, file: number, chosen: readonly FilePriority[] | undefined): FilePriority[] {
  return metainfo.files.map((_file, index) => (index === file ? 'high' : (chosen?.[index] ?? 'skip')));
}

/** One torrent from its check to the end of its seeding. */
async function finish(
  torrent: Transferring,
  request: DownloadRequest,
  output: Output,
  signal: AbortSignal,
): Promise<void> {
  const { handle } = torrent;
  const { wantedLeftBytes, wantedBytes, checkingPieces } = handle.snapshot();
  if (wantedLeftBytes === 0) {
    output.event('completed', { infoHash: handle.infoHash, seconds: 0 });
    output.info(`${handle.name}: complete already`);
  } else if (checkingPieces > 0)
    output.info(`${handle.name}: checking ${counted(checkingPieces, 'piece')} that may be here`);
  else output.info(`${handle.name}: downloading ${formatBytes(wantedLeftBytes)} of ${formatBytes(wantedBytes)}`);
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
