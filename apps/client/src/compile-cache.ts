// Where compiled code is kept between runs. Decides the folder alone; loaded before anything else, so it imports little.
import { homedir } from 'node:os';
import path from 'node:path';

/**
 * A folder of this user's own by the custom of the system: Node's, in the temporary folder of all users, could be made by
 * another, and what lies there is run. Undefined where the user named one for all programs (`NODE_COMPILE_CACHE`).
 */
export function compileCacheFolder(
  platform: NodeJS.Platform = process.platform,
  environment: NodeJS.ProcessEnv = process.env,
  home: string = homedir(),
): string | undefined {
  const { NODE_COMPILE_CACHE = '', XDG_CACHE_HOME = '', LOCALAPPDATA = '' } = environment;
  if (NODE_COMPILE_CACHE !== '') return undefined;
  // The specification says that a relative one counts as none.
  if (path.isAbsolute(XDG_CACHE_HOME)) return path.join(XDG_CACHE_HOME, 'shoal', 'compiled');
  if (platform === 'win32') return path.join(LOCALAPPDATA || path.join(home, 'AppData', 'Local'), 'shoal', 'compiled');
  if (platform === 'darwin') return path.join(home, 'Library', 'Caches', 'shoal', 'compiled');
  return path.join(home, '.cache', 'shoal', 'compiled');
}
