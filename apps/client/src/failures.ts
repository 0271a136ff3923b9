// What a failure of the packages underneath means for the command: the exit code, and the next step where they know none.
import { MetainfoError } from '@shoal/metainfo';
import { SessionError, type SessionErrorCode } from '@shoal/session';
import { StorageError, type StorageErrorCode } from '@shoal/storage';
import { CommandError, type ExitName } from './exit-codes.ts';

const sessionExits: Readonly<Record<SessionErrorCode, ExitName>> = {
  closed: 'unfinished',
  incomplete: 'verification-failed',
  'duplicate-torrent': 'usage',
  'place-in-use': 'usage',
  'not-wanted': 'usage',
  'address-in-use': 'network',
  'cannot-listen': 'network',
};

const storageExits: Readonly<Record<StorageErrorCode, ExitName>> = {
  'no-space': 'disk',
  permission: 'disk',
  io: 'disk',
  short: 'disk',
  'not-found': 'disk',
  'unsafe-path': 'disk',
  exists: 'disk',
  closed: 'unfinished',
  thread: 'other',
};

/** The failure as a person meets it; undefined when nobody foresaw it. */
export function commandErrorOf(error: unknown): CommandError | undefined {
  if (error instanceof CommandError) return error;
  if (error instanceof MetainfoError) return new CommandError('input', error.message, { cause: error });
  if (error instanceof StorageError) return new CommandError(storageExits[error.code], error.message, { cause: error });
  if (!(error instanceof SessionError)) return undefined;
  const hint = error.code === 'cannot-listen' ? '; choose others with --port and --bind' : '';
  return new CommandError(sessionExits[error.code], error.message + hint, { cause: error });
}

/** For what nobody foresaw: all that helps to find the fault. */
export function unforeseen(error: unknown): CommandError {
  const what = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return new CommandError('other', `${what}\nThis is a fault of shoal: please report it with the lines above.`, {
    cause: error,
  });
}
