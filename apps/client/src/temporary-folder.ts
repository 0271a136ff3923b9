// A folder for content that nobody wants to keep; it goes with the process, however that ends, save by SIGKILL.
import { rmSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

export interface TemporaryFolder extends AsyncDisposable {
  readonly path: string;
}

export async function temporaryFolder(): Promise<TemporaryFolder> {
  const folder = await mkdtemp(path.join(tmpdir(), 'shoal-'));
  // A second signal ends the process at once.
  const removeNow = (): void => rmSync(folder, { recursive: true, force: true });
  process.once('exit', removeNow);
  return {
    path: folder,
    [Symbol.asyncDispose]: async () => {
      await rm(folder, { recursive: true, force: true });
      process.off('exit', removeNow);
    },
  };
}
