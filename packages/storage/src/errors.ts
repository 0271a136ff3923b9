// The one error of this package: what failed, on which path, and what the user can do about it.
// Decides how errno values become codes; must not know torrents, pieces or who asked.

/** Why a storage refused or failed; part of the public API. */
export type StorageErrorCode =
  | 'not-found'
  | 'short'
  | 'no-space'
  | 'permission'
  | 'unsafe-path'
  | 'exists'
  | 'closed'
  | 'thread'
  | 'io';

/** What a storage rejects with when the environment, not the caller, is at fault. */
export class StorageError extends Error {
  override readonly name: string = 'StorageError';
  readonly code: StorageErrorCode;
  /** Absolute path of the file or folder concerned, when there is one. */
  readonly path: string | undefined;

  constructor(code: StorageErrorCode, message: string, facts: { path?: string; cause?: unknown } = {}) {
    super(message, 'cause' in facts ? { cause: facts.cause } : undefined);
    this.code = code;
    this.path = facts.path;
  }
}

/** The `StorageError` for whatever the file system threw while it was asked to `verb` the file at `path`. */
export function storageErrorFrom(cause: unknown, verb: string, path: string): StorageError {
  if (cause instanceof StorageError) return cause;
  const errno = errnoOf(cause);
  const code = codeOfErrno.get(errno ?? '') ?? 'io';
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new StorageError(code, `cannot ${verb} ${path}: ${adviceOf(code, errno)} (${reason})`, { path, cause });
}

/** The `errno` name that Node puts on its system errors, such as `ENOENT`. */
export function errnoOf(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error) || typeof error.code !== 'string') return undefined;
  return error.code;
}

function adviceOf(code: StorageErrorCode, errno: string | undefined): string {
  if (errno === 'EMFILE' || errno === 'ENFILE')
    return 'too many files are open; raise the limit or lower openFileLimit';
  if (errno === 'EFBIG') return 'the file system cannot hold a file of this length; choose another disk';
  return adviceOfCode[code];
}

const adviceOfCode: Readonly<Record<StorageErrorCode, string>> = {
  'not-found': 'it is not there; check the folder, or download it again',
  short: 'it ends before its full length; check the torrent again',
  'no-space': 'the disk or the quota is full; free some space and start again',
  permission: 'the system does not allow it; change the owner or mode, or choose another folder',
  'unsafe-path': 'something other than a plain file or folder is in its place; move it away',
  exists: 'something is there already; move it away or choose another place',
  closed: 'the storage is closed',
  thread: 'a hashing thread failed; try again',
  io: 'the device or the file system failed; check the disk',
};

const codeOfErrno: ReadonlyMap<string, StorageErrorCode> = new Map<string, StorageErrorCode>([
  ['ENOENT', 'not-found'],
  ['ENOSPC', 'no-space'],
  ['EDQUOT', 'no-space'],
  ['EACCES', 'permission'],
  ['EPERM', 'permission'],
  ['EROFS', 'permission'],
  // What open(2) says of a link under O_NOFOLLOW (EMLINK on FreeBSD), of a folder, of a path through a file, of a FIFO.
  ['ELOOP', 'unsafe-path'],
  ['EMLINK', 'unsafe-path'],
  ['EISDIR', 'unsafe-path'],
  ['ENOTDIR', 'unsafe-path'],
  ['ENXIO', 'unsafe-path'],
  ['EEXIST', 'exists'],
]);
