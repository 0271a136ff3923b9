// One file of a torrent to standard output, in order, while it is being downloaded. Waits for who reads it: the session
// fetches the pieces that come next first, whatever lies farther ahead waits on the disk and never in memory.
import { once } from 'node:events';
import type { TorrentHandle } from '@shoal/session';

/** Resolves when everything is handed to the system, or with `signal`. @throws what reading throws. */
export async function pipeFile(handle: TorrentHandle, file: number, signal: AbortSignal): Promise<void> {
  const reader = handle.read(file).getReader();
  const cancel = (): void => void reader.cancel(signal.reason).catch(() => {});
  signal.addEventListener('abort', cancel, { once: true });
  try {
    while (!signal.aborted) {
      const { done, value } = await reader.read();
      if (done) return;
      if (!process.stdout.write(value)) await drained(signal);
    }
  } finally {
    signal.removeEventListener('abort', cancel);
  }
}

/** That nobody reads any more is told by the signal. */
async function drained(signal: AbortSignal): Promise<void> {
  await once(process.stdout, 'drain', { signal }).catch((error: unknown) => {
    if (!signal.aborted && (error as NodeJS.ErrnoException).code !== 'EPIPE') throw error;
  });
}
