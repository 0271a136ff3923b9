// The folder of the socket between threads, which nobody else may enter: who could connect there could claim any address.
// A process that is killed leaves its folder behind, so the next one that makes one looks for such.
import { lstat, mkdtemp, readdir, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const prefix = 'shoal-tracker-threads-';

/** The name of the socket in it. */
const socketName = 'http';

/** Ms. A younger one may be of a process that is about to listen. */
const leastAgeMs = 10_000;

/** A place for a socket; disposing removes it. */
export interface InnerFolder extends AsyncDisposable {
  /** Where to listen. */
  readonly socket: string;
}

/** Makes a folder in `parent`, and removes those of this user that nobody listens in any more. */
export async function makeInnerFolder(parent: string = tmpdir()): Promise<InnerFolder> {
  await removeLeftovers(parent);
  const folder = await mkdtemp(join(parent, prefix));
  return {
    socket: join(folder, socketName),
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  };
}

async function removeLeftovers(parent: string): Promise<void> {
  const names = await readdir(parent).catch(() => []);
  const folders = names.filter((name) => name.startsWith(prefix)).map((name) => join(parent, name));
  await Promise.all(
    folders.map(async (folder) => {
      if ((await isOurs(folder)) && (await isDead(join(folder, socketName)))) {
        // Somebody else may be removing it too.
        await rm(folder, { recursive: true, force: true }).catch(() => {});
      }
    }),
  );
}

async function isOurs(folder: string): Promise<boolean> {
  const found = await lstat(folder).catch(() => undefined);
  if (found === undefined || !found.isDirectory() || found.uid !== process.getuid?.()) return false;
  return Date.now() - found.mtimeMs >= leastAgeMs;
}

/** Whether a socket is there and its process is not. Not by the number of a process: containers may share the folder. */
async function isDead(path: string): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const socket = connect(path);
  socket.once('connect', () => resolve(false));
  socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.code === 'ECONNREFUSED'));
  const isRefused = await promise;
  socket.destroy();
  return isRefused;
}
