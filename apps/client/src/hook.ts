// Runs a person's command when a torrent is complete, with the variables that Transmission's scripts know.
import { spawn } from 'node:child_process';
import type { Output } from './output.ts';
import type { Transferring } from './transfer.ts';
import { version } from './version.ts';

/** Resolves when the command has ended; its failure is a warning, never ours. */
export function runHook(command: string, torrent: Transferring, directory: string, output: Output): Promise<void> {
  const { handle } = torrent;
  const env = {
    ...process.env,
    TR_APP_VERSION: version(),
    TR_TIME_LOCALTIME: new Date().toString(),
    TR_TORRENT_BYTES_DOWNLOADED: String(handle.snapshot().downloadedBytes),
    TR_TORRENT_DIR: directory,
    TR_TORRENT_HASH: handle.infoHash,
    TR_TORRENT_NAME: handle.name,
    TR_TORRENT_TRACKERS: torrent.metainfo.announceTiers.flat().join(','),
  };
  return new Promise((resolve) => {
    // Its output is for the person, not for who reads our data.
    const child = spawn(command, { shell: true, stdio: ['ignore', process.stderr, process.stderr], env });
    const end = (why: string): void => {
      if (why !== '') output.warn(`--on-done for ${handle.name}: ${why}`);
      resolve();
    };
    child.once('error', (error) => end(error.message));
    child.once('close', (code, signal) =>
      end(code === 0 ? '' : `ended with ${signal ?? `status ${code ?? 'unknown'}`}`),
    );
  });
}
