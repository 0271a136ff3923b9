// Where this client keeps what it notes about torrents between runs. Decides the place and who may read it; must not
// know what is kept.
import { mkdir } from 'node:fs/promises';
import { homedir } from 'node:os';
import path from 'node:path';
import { CommandError } from './exit-codes.ts';

export interface ResumeDirectory {
  /** Absolute. */
  readonly directory: string;
  /** Nobody asked for this one: where it cannot be made, things go on without. */
  readonly isDefault: boolean;
}

/** The folder of journals by the custom of the system; XDG_STATE_HOME is heeded on all of them. */
export function defaultResumeDirectory(
  platform: NodeJS.Platform = process.platform,
  environment: NodeJS.ProcessEnv = process.env,
  home: string = homedir(),
): string {
  const { XDG_STATE_HOME = '', LOCALAPPDATA = '' } = environment;
  // The specification says that a relative one counts as none.
  if (path.isAbsolute(XDG_STATE_HOME)) return path.join(XDG_STATE_HOME, 'shoal', 'resume');
  if (platform === 'win32') return path.join(LOCALAPPDATA || path.join(home, 'AppData', 'Local'), 'shoal', 'resume');
  if (platform === 'darwin') return path.join(home, 'Library', 'Application Support', 'shoal', 'resume');
  return path.join(home, '.local', 'state', 'shoal', 'resume');
}

/**
 * Makes the folder, for its owner alone: it says what somebody downloads. The failure of the default one is a warning.
 * @throws CommandError `configuration` when a folder that was asked for cannot be made.
 */
export async function makeResumeDirectory(
  { directory, isDefault }: ResumeDirectory,
  warn: (text: string) => void,
): Promise<string | undefined> {
  try {
    await mkdir(directory, { recursive: true, mode: 0o700 });
    return directory;
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    const what = `the folder for resume data, ${directory}, cannot be made (${reason})`;
    const advice = 'name another with --resume-dir, or give --no-resume';
    if (!isDefault) throw new CommandError('configuration', `${what}; ${advice}`, { cause });
    warn(`${what}: the next start has to check everything; ${advice}`);
    return undefined;
  }
}
