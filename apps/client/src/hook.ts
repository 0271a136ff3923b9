// Runs a person's command when a torrent is complete, with the variables that Transmission's scripts know.
import { spawn } from 'node:child_process';
import type { Output } from './output.ts';
import type { Transferring } from './transfer-facts.ts';
import { version } from './version.ts';

/** Resolves when the command has ended, or is left to itself on `signal`; its failure is a warning, never ours. */
export function runHook(
  command: string,
  torrent: Transferring,
  directory: string,
  output: Output,
  signal: AbortSignal,
): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  output.clearProgress();
  // Its output is for the person, not for who reads our data.
  const child = spawn(command, {
    shell: true,
    stdio: ['ignore', process.stderr, process.stderr],
    env: { ...process.env, ...hookVariables(torrent, directory, new Date()) },
  });
  const end = (why: string): void => {
    signal.removeEventListener('abort', abandon);
    if (why !== '') output.warn(`--on-done for ${torrent.handle.name}: ${why}`);
    resolve();
  };
  const abandon = (): void => {
    child.unref();
    end('still running; it is left to itself');
  };
  signal.addEventListener('abort', abandon, { once: true });
  child.once('error', (error) => end(`the shell cannot be started: ${error.message}`));
  child.once('close', (code, ended) => end(code === 0 ? '' : `ended with ${ended ?? `status ${code ?? 'unknown'}`}`));
  return promise;
}

/** All that Transmission sets; labels and priorities do not exist here, so they are empty and normal. */
export function hookVariables(torrent: Transferring, directory: string, now: Date): Readonly<Record<string, string>> {
  const { handle, id, trackers } = torrent;
  return {
    TR_APP_VERSION: version(),
    TR_TIME_LOCALTIME: localTime(now),
    TR_TORRENT_BYTES_DOWNLOADED: String(handle.snapshot().downloadedBytes),
    TR_TORRENT_DIR: directory,
    TR_TORRENT_HASH: handle.infoHash,
    TR_TORRENT_ID: String(id),
    TR_TORRENT_LABELS: '',
    TR_TORRENT_NAME: handle.name,
    TR_TORRENT_PRIORITY: '0',
    TR_TORRENT_TRACKERS: trackers.flat().join(','),
  };
}

/** As C's `asctime` writes it: `Sat Aug 22 14:05:09 2026`. */
function localTime(now: Date): string {
  const [weekday, month, day, year, time] = now.toString().split(' ');
  return [weekday, month, day, time, year].join(' ');
}
