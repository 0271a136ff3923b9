/**
 * The one error of this package: what is wrong with a .torrent file, a magnet link or a folder to share, as a code to branch on
 * and facts to show. A caller's bug is a TypeError or RangeError instead.
 */

/** Every way to fail; the README's table says what to do about each. Part of semver. */
export type MetainfoErrorCode =
  | 'not-bencoded'
  | 'no-info'
  | 'v2-only'
  | 'no-name'
  | 'bad-name'
  | 'piece-length'
  | 'pieces'
  | 'no-files'
  | 'bad-length'
  | 'bad-path'
  | 'empty'
  | 'too-large'
  | 'collisions'
  | 'unreadable'
  | 'changed'
  | 'bad-source-name'
  | 'not-a-magnet'
  | 'no-info-hash'
  | 'bad-info-hash';

/** Where the fault is; each fact is present only when it is known. */
export interface MetainfoErrorFacts {
  /** The dictionary key or magnet parameter at fault, as in the format's text: `piece length`, `xt`. */
  readonly key?: string;
  /** Index in the `files` list, from 0. */
  readonly file?: number;
  /** Byte position in the .torrent file. */
  readonly offset?: number;
  /** Path on this machine, for what `createMetainfo` met. */
  readonly path?: string;
  /** The error underneath: a BencodeError, or one of the file system. */
  readonly cause?: unknown;
}

export class MetainfoError extends Error {
  override readonly name = 'MetainfoError';
  readonly code: MetainfoErrorCode;
  readonly key: string | undefined;
  readonly file: number | undefined;
  readonly offset: number | undefined;
  readonly path: string | undefined;

  constructor(code: MetainfoErrorCode, message: string, facts: MetainfoErrorFacts = {}) {
    super(message, 'cause' in facts ? { cause: facts.cause } : undefined);
    this.code = code;
    this.key = facts.key;
    this.file = facts.file;
    this.offset = facts.offset;
    this.path = facts.path;
  }
}
