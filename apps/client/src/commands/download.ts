// `shoal download`: gets torrents and ends when all are complete, unless told to go on seeding.
import { Transfer, type Transferring, type TransferOptions } from '../transfer.ts';
import type { SeedLimits } from '../arguments.ts';
import { CommandError, type ExitName } from '../exit-codes.ts';
import { runHook } from '../hook.ts';
import type { Output } from '../output.ts';
import { ratioOf } from '../render/transfer-lines.ts';
import { onStop } from '../signals.ts';
import { readTorrent } from '../source.ts';

export interface DownloadOptions extends TransferOptions {
  /** Seed for ever after completion. */
  readonly seed: boolean;
  readonly seedUntil: SeedLimits | undefined;
  readonly onDone: string | undefined;
}

/** Limits of seeding are looked at this often. */
const limitIntervalMs = 250;

export async function download(
  sources: readonly string[],
  options: DownloadOptions,
  output: Output,
): Promise<ExitName> {
  const stop = onStop();
  const torrents = [];
  for (const source of sources) torrents.push(await readTorrent(source));
  const transfer = await Transfer.open(output, options);
  try {
    const jobs: Promise<void>[] = [];
    for (const metainfo of torrents) {
      const torrent = await transfer.add(metainfo, stop.signal);
      jobs.push(finish(torrent, options, output, stop.signal));
    }
    await Promise.race([Promise.all(jobs), stop.asked]);
  } catch (error) {
    // A stop while checking aborts the check: that is a stop, not a failure.
    if (stop.by() === undefined) throw error;
  } finally {
    await transfer.close();
  }
  const results = transfer.results();
  const ok = results.length === torrents.length && results.every((result) => result.complete);
  output.result({ ok, torrents: results });
  return stop.by() ?? (ok ? 'ok' : 'unfinished');
}

/** One torrent from its check to the end of its seeding. */
async function finish(
  torrent: Transferring,
  options: DownloadOptions,
  output: Output,
  signal: AbortSignal,
): Promise<void> {
  const wasComplete = torrent.handle.snapshot().leftBytes === 0;
  if (wasComplete) output.info(`${torrent.handle.name}: complete already`);
  await torrent.handle.completed.catch((error: unknown) => {
    if (!signal.aborted) throw error;
  });
  if (signal.aborted) return;
  if (options.onDone !== undefined) await runHook(options.onDone, torrent, options.directory, output);
  if (options.seed) return new Promise(() => {});
  if (options.seedUntil !== undefined) await seeded(torrent, options.seedUntil, signal);
}

async function seeded(torrent: Transferring, limits: SeedLimits, signal: AbortSignal): Promise<void> {
  const since = performance.now();
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const timer = setInterval(() => {
    const snapshot = torrent.handle.snapshot();
    if (snapshot.state === 'failed') reject(new CommandError('disk', snapshot.failure ?? 'the disk failed'));
    if (limits.ratio !== undefined && ratioOf(snapshot) >= limits.ratio) resolve();
    if (limits.seconds !== undefined && performance.now() - since >= limits.seconds * 1000) resolve();
  }, limitIntervalMs);
  signal.addEventListener('abort', () => resolve(), { once: true });
  await promise.finally(() => clearInterval(timer));
}
